"""`forecast backtest`: words of the command line in, an answer out."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from forecast.commands import Answer, Directory, Json, Theatre, chosen, progress
from forecast.months import QUARTER_PATTERN
from priors.refusal import Refusal

EXPANDING = "expanding"


def backtest(  # noqa: D417  options that several commands share describe themselves
    directory: Directory = None,
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    theatre: Theatre = None,
    every: Literal["quarter", "month"] = "quarter",
    window: str | None = None,
    priors: Literal["hindsight", "blank", "both"] = "both",
    workers: int | None = None,
    cluster: str | None = None,
    output: Path | None = None,
    seed: int | None = None,
    json: Json = False,
) -> Answer:
    """Replay the past: at each origin only what was known then, every model and reference scored on what came.

    Args:
        from_: the quarter of the first origin, such as 2023Q3; wanted always.
        to: the quarter of the last origin; wanted always.
        every: an origin at the end of each quarter, or of each month.
        window: expanding, or the number of months that models learn from; as the workspace has it when absent.
        priors: the workspace's own (which may be hindsight), the blank set, or both side by side.
        workers: processes on this machine, one core each; all cores if absent.
        cluster: the address of a dask scheduler, such as tcp://10.0.0.5:8786, instead of this machine.
        output: where runs/ lies; the workspace itself when absent.
        seed: over forecast.toml.
    """
    place = chosen(directory, theatre)
    for option, quarter in (("--from", from_), ("--to", to)):
        if quarter is not None and not re.fullmatch(QUARTER_PATTERN, quarter):
            raise Refusal(where=option, got=quarter, wanted="a quarter, such as 2023Q3")
    with progress() as report:
        from forecast.backtest.known import Plan
        from forecast.backtest.page import lines
        from forecast.backtest.past import span
        from forecast.backtest.replaying import backtest as replay
        from forecast.executors import executor
        from forecast.terminal import place as shown
        from forecast.workspace import load

        workspace = load(place)
        months = workspace.config.time.window.months if window is None else _months(window)
        if from_ is None or to is None:
            first, last = span(workspace)
            raise Refusal(
                where="--from" if from_ is None else "--to",
                got="nothing",
                wanted="the quarters of the first and of the last origin",
                remedy=f"at most --from {first} --to {last}",
            )
        done = replay(
            workspace,
            Plan(first=from_, last=to, every=every, window=months),
            priors=("hindsight", "blank") if priors == "both" else (priors,),
            seed=workspace.config.time.seed if seed is None else seed,
            output=output,
            executor=executor(workers=os.cpu_count() or 1 if workers is None else workers, cluster=cluster),
            progress=report,
        )
    text = [
        *lines(done.summary),
        f"{done.worked} origins worked out, {done.reused} taken from before",
        f"report: {shown(done.path / 'backtest.html')}",
    ]
    return Answer(text="\n".join(text), data={"path": str(done.path), **done.summary}, as_json=json)


def _months(window: str) -> int | None:
    """A window's months; None if it expands.

    Raises:
        Refusal: for anything else.
    """
    if window == EXPANDING:
        return None
    from forecast.config import LONGEST

    if not re.fullmatch(r"[0-9]{1,4}", window):
        raise Refusal(
            where="--window", got=window, wanted=f"{EXPANDING}, or a whole number of months to {LONGEST}"
        )
    return int(window)
