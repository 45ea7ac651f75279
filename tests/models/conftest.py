"""Small worlds for the tests of models: beliefs written in a line each, and settings with every feature."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr

from models import Driver, Reporting, Setting, Stream
from priors import PriorSet, loads

UNITS = {
    "dwell": "months",
    "shape": "shape",
    "swing": "times",
    "drift": "percent per month",
    "effect": "times",
    "level": "events per month",
    "wander": "percent per month",
    "spread": "percent",
    "zero": "share",
    "chance": "probability",
    "persist": "probability",
    "season": "percent",
    "trend": "percent per month",
    "damping": "share",
    "outlier": "share",
    "odds": "times",
}
WHY = 'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'


def written(said: Mapping[str, Any]) -> PriorSet:
    """Beliefs as (low, high) intervals of mass 0.9, or as a table of shares with its worth."""
    text = 'schema = 1\nname = "test"\n'
    for key, value in said.items():
        text += f"[{key}]\n{WHY}"
        if isinstance(value, tuple):
            unit = UNITS[key.partition(".")[0]]
            text += f'kind = "interval"\nlow = {value[0]}\nhigh = {value[1]}\nmass = 0.9\nunit = "{unit}"\n'
        else:
            to = ", ".join(f"{name} = {share}" for name, share in value.items() if share)
            never = ", ".join(f'"{name}"' for name, share in value.items() if not share)
            text += f'kind = "shares"\nto = {{ {to} }}\nnever = [{never}]\nworth = 5\n'
    return loads(text, "priors.toml")


@pytest.fixture(scope="session")
def beliefs() -> Callable[[Mapping[str, Any]], PriorSet]:
    return written


@pytest.fixture(scope="session")
def rich() -> tuple[xr.DataArray, PriorSet, Setting]:
    """Three regimes and six months with every feature: families, a walk, releases, labels, drivers, gaps."""
    nan = np.nan
    streams = (
        Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),
        Stream(id="fires", family="poisson", level="constant", effect="free"),
        Stream(id="price", family="gaussian", level="walk", effect="decreasing"),
        Stream(id="raids", family="zero-inflated-negative-binomial", level="constant", effect="none"),
        Stream(id="truce", family="bernoulli", level=None, effect="free"),
        Stream(id="curfew", family="bernoulli", level=None, effect="none"),
    )
    y = [
        [4, 9, nan, 2, 30, nan],
        [1, 0, 2, nan, 3, 1],
        [9.5, 10.25, 8.0, nan, 12.0, 11.0],
        [0, 3, 0, 0, nan, 5],
        [1, 0, nan, 0, 0, 1],
        [0, nan, 1, 1, nan, nan],
    ]
    setting = Setting(
        scenarios=("calm", "tense", "war"),
        reference="tense",
        streams=streams,
        horizon=3,
        basis=4,
        labels=tuple((0.0, 0.0, np.log(5.0) if month == 4 else 0.0) for month in range(6)),
        reporting={"deaths": Reporting(release=(0, 0, 0, 1, 1, 2, 2, 2, 2), mean=(0.2, 0.3), sd=(0.1, 0.05))},
        drivers=(
            Driver(id="talks", lag=1, reference=0.0, values=(0, 0, 1, 1, 0, 0, 1, 1, 1)),
            Driver(id="strike", lag=0, reference=0.5, values=(0, 1, 0, 0.5, 0.5, 2, 0, 0, 0)),
        ),
    )
    priors = written(
        {
            "dwell.calm": (3, 18),
            "dwell.tense": (6, 36),
            "dwell.war": (1.2, 6),
            "exits.calm": {"tense": 1.0, "war": 0},
            "exits.tense": {"calm": 0.4, "war": 0.6},
            "exits.war": {"calm": 0.2, "tense": 0.8},
            "level.deaths": (5, 20),
            "wander.deaths": (2, 20),
            "spread.deaths": (20, 70),
            "effect.deaths.calm": (0.3, 0.8),
            "effect.deaths.war": (1.5, 6),
            "level.fires": (0.5, 3),
            "effect.fires.calm": (0.5, 1.6),
            "effect.fires.war": (0.7, 4),
            "level.price": (8, 13),
            "wander.price": (1, 5),
            "spread.price": (5, 20),
            "effect.price.calm": (1.05, 1.5),
            "effect.price.war": (0.5, 0.95),
            "level.raids": (1, 5),
            "spread.raids": (30, 90),
            "zero.raids": (0.1, 0.4),
            "chance.truce.calm": (0.5, 0.95),
            "chance.truce.tense": (0.05, 0.3),
            "chance.truce.war": (0.02, 0.3),
            "persist.curfew.off": (0.7, 0.95),
            "persist.curfew.on": (0.5, 0.9),
            "odds.talks.leave.war": (1.5, 8),
            "odds.talks.toward.war.calm": (1.2, 4),
            "odds.strike.leave.tense": (3, 12),
        }
    )
    coords = {"stream": [s.id for s in streams], "month": np.arange(6)}
    return xr.DataArray(np.array(y), dims=("stream", "month"), coords=coords), priors, setting
