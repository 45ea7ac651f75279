"""Beliefs of nobody: weak priors for any workspace, written without sight of its series but for their scale.

Every interval is the same for every theatre; only the level of a stream is scaled, on the first 24 months of the window
as they were known at the origin. For a workspace that `init --theatre blank` wrote they are its own beliefs again.
"""

import datetime
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from models import CATALOGUE
from models.contract import Setting
from priors import PriorSet
from priors.refusal import Refusal
from priors.statement import Interval, Shares, Statement

SCALED_ON = 24  # months
LEAST = 0.25  # a month: the scale of a stream that begins with zeros
MASS = 0.9
AUTHOR, SOURCE = "forecast backtest", "Generic default"
BECAUSE = "Generic default, the same for every series."
UPWARD, EITHER = (1.5, 4.0), (0.6, 2.5)  # times the neighbour on the side of the reference
DWELL = {True: (6.0, 36.0), False: (2.0, 24.0)}  # months; by whether it is the reference scenario
GENERIC: Mapping[str, tuple[float, float, str]] = {
    "wander": (2.0, 20.0, "percent per month"),
    "spread": (20.0, 100.0, "percent of the mean"),
    "zero": (0.05, 0.5, "share of months"),
    "outlier": (0.01, 0.1, "share of months"),
    "season": (5.0, 40.0, "percent"),
    "trend": (0.5, 5.0, "percent per month"),
    "damping": (0.5, 0.95, "share left a month later"),
    "drift": (-5.0, 5.0, "percent per month"),
    "shape": (0.44, 2.27, "shape"),
    "swing": (0.5, 2.0, "times the reference scenario's"),
    "chance": (0.05, 0.95, "probability"),
    "persist": (0.5, 0.98, "probability"),
}


def blank(
    models: Iterable[str], settings: Mapping[str, Setting], panel: xr.DataArray, *, day: datetime.date
) -> PriorSet:
    """Beliefs that some models need, none more.

    Args:
        models: names of the catalogue.
        settings: by model.
        panel: (stream, month) as known at the origin; its first months scale the levels.
        day: the origin's; the beliefs are dated with it.

    Raises:
        Refusal: a model that needs what the blank set has no belief about.
    """
    said: dict[str, Statement] = {}
    for name in models:
        model = CATALOGUE[name]
        seen = model.view(settings[name])
        for key in model.needs(seen):
            if key not in said:
                said[key] = _statement(key, settings[name], panel, day, model=name)
    return PriorSet(name="blank", statements=said, source="the blank set")


def scale(series: xr.DataArray) -> float:
    """Mean of the known among a series' first 24 months; its whole mean where none of them is known."""
    known = series[:SCALED_ON].dropna("month")
    known = known if known.size else series.dropna("month")
    return max(float(known.mean()), LEAST) if known.size else LEAST


def _statement(
    key: str, setting: Setting, panel: xr.DataArray, day: datetime.date, *, model: str
) -> Statement:
    word, *names = key.split(".")
    if word == "exits":
        others = [k for k in setting.scenarios if k != names[0]]
        return Shares(
            quantity=key,
            to={k: 1 / len(others) for k in others},
            worth=float(len(others)),
            because=BECAUSE,
            author=AUTHOR,
            date=day,
            source=SOURCE,
            known_from=day,
        )
    low, high, unit = _interval(word, names, setting, panel, model=model)
    return Interval(
        quantity=key,
        low=low,
        high=high,
        mass=MASS,
        unit=unit,
        because=BECAUSE,
        author=AUTHOR,
        date=day,
        source=SOURCE,
        known_from=day,
    )


def _interval(
    word: str, names: list[str], setting: Setting, panel: xr.DataArray, *, model: str
) -> tuple[float, float, str]:
    """Low, high and unit."""
    match word:
        case "dwell":
            return *DWELL[names[0] == setting.reference], "months"
        case "effect":
            return *_effect(names[0], names[1], setting), "times its neighbour"
        case "level":
            usual = scale(panel.sel(stream=names[0]))
            return float(f"{usual / 5:.2g}"), float(f"{usual * 5:.2g}"), "counts per month"
        case _ if word in GENERIC:
            return GENERIC[word]
    raise Refusal(
        where=word,
        got=f"a belief that {model} needs",
        wanted=f"one of {', '.join(('dwell', 'exits', 'effect', 'level', *GENERIC))}",
        remedy="the blank set does not speak of it: leave the model out, or take --priors hindsight",
    )


def _effect(stream: str, scenario: str, setting: Setting) -> tuple[float, float]:
    """The interval of an effect: above one toward the violent side where a direction is declared, else either way."""
    declared = next(s.effect for s in setting.streams if s.id == stream)
    low, high = EITHER if declared == "free" else UPWARD
    after = setting.scenarios.index(scenario) > setting.scenarios.index(setting.reference)
    upward = after if declared in ("free", "increasing") else not after
    return (low, high) if upward else (float(np.round(1 / high, 3)), float(np.round(1 / low, 3)))
