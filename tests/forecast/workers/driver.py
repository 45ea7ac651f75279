"""A backtest that a test kills: workspace, output and mark on the command line."""

import sys
from functools import partial
from pathlib import Path

import rehearsal

from forecast.backtest import Plan, backtest
from forecast.executors import Processes
from forecast.workspace import load

if __name__ == "__main__":
    backtest(
        load(Path(sys.argv[1])),
        Plan(first="2017Q3", last="2018Q1", every="quarter", window=None),
        priors=("hindsight", "blank"),
        seed=3,
        output=Path(sys.argv[2]),
        executor=Processes(workers=1),
        fit=partial(rehearsal.stuck, mark=Path(sys.argv[3])),
    )
