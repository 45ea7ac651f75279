"""A model's structure in numbers: which coordinate is which belief, and what each enters.

One compiled density (``models.fused``) reads these tables and so serves every setting and prior set of the models
that share the emissions and the chain of `switching-level`. Rows of the tables, -1 where there is none:

    layout      K, first columns of y, seen, waves, releases, labels, drivers, states; waves, walks, first shape coordinate
    keys        family, coordinate, place of the first parameter in `said`, how far its next one lies
    shares      alternatives, first coordinate, place of the first concentration in `said`
    counted     column, family, kind of zeros, keys of level, wander, spread and zero, walk
    steps       counted stream, key, regimes from … up to …
    factors     counted stream, key, column of the months
    chances     column, regime, key
    chains      keys of off and on, column of the states
    dwell       key, 1 if it is a hazard
    exits       from, to, row of shares (-1: certain), alternative
    start       regime, row of shares (-1: certain), alternative; no row: stationary
    odds        key, driver, from, to (-1: leaving)
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from models import cells, streams
from models.contract import Setting, Stream
from models.switching_level import columns
from models.variables import NORMAL, PARAMETERS, Beliefs

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

FAMILIES = (
    "normal",
    "lognormal",
    "shifted-lognormal",
    "signed-lognormal",
    "studentt",
    "beta",
    "gamma",
    "halfnormal",
    "exponential",
)
MODELS = ("regimes", "switching-level", "local-level")
ROLES = (
    *("dwell", "exits", "start", "odds", "level", "wander", "spread", "zero", "effect", "chance", "persist"),
    "reporting",
)
HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)
TABLES: Mapping[str, int] = {  # columns of each
    "keys": 4,
    "shares": 3,
    "counted": 8,
    "steps": 4,
    "factors": 3,
    "chances": 3,
    "chains": 3,
    "dwell": 2,
    "exits": 4,
    "start": 3,
    "odds": 4,
}


def covers(model: str, beliefs: Beliefs) -> bool:
    """Tell whether the compiled density holds everything that a model rests on."""
    return model in MODELS and all(key.split(".")[0] in ROLES for key in beliefs.laws)


def plan(beliefs: Beliefs, setting: Setting) -> dict[str, NDArray[np.float64] | Integers]:
    """Return the layout, the tables, and ``fixed``: the shift or sign of each key that has one."""
    keys, coordinate, place = _keys(beliefs)
    where = {key: n for n, key in enumerate(keys)}
    shares, shape_at = _shares(beliefs, coordinate, place)
    row = {key: n for n, key in enumerate(shares)}
    first = {name: span.start for name, span in columns(beliefs, setting).items()}
    at = [first.get(name, -1) for name in ("y", "seen", "waves", "releases", "labels", "drivers", "states")]
    tables = {
        "keys": list(keys.values()),
        "shares": list(shares.values()),
        **_streams(beliefs, setting, where, first),
        **(_chain(beliefs, setting, where, row) if len(setting.scenarios) > 1 else {}),
    }
    found: dict[str, NDArray[np.float64] | Integers] = {
        name: np.array(tables.get(name, []), dtype=np.int64).reshape(-1, width)
        for name, width in TABLES.items()
    }
    found["layout"] = np.array([len(setting.scenarios), *at, beliefs.waves, beliefs.walks, shape_at])
    laws = [beliefs.laws[key].parameters for key in keys]
    found["fixed"] = np.array([p.get("shift", p.get("sign", 0.0)) for p in laws], dtype=np.float64)
    return found


def constant(beliefs: Beliefs, panel: xr.DataArray, setting: Setting) -> float:
    """Return the terms of the log density that no coordinate enters."""
    total = -HALF_LOG_TWO_PI * beliefs.walks * beliefs.waves
    for law in beliefs.laws.values():
        p = law.parameters
        match law.family:
            case "beta":
                total -= betaln(p["alpha"], p["beta"])
            case "gamma":
                total += p["alpha"] * np.log(p["beta"]) - gammaln(p["alpha"])
            case "halfnormal":
                total += 0.5 * np.log(2.0 / np.pi) - np.log(p["sigma"])
            case "exponential":
                total += np.log(p["lam"])
            case "studentt":
                total += gammaln((p["nu"] + 1.0) / 2.0) - gammaln(p["nu"] / 2.0)
                total -= 0.5 * np.log(p["nu"] * np.pi) + np.log(p["sigma"])
            case "dirichlet" if len(p) > 1:
                alpha = np.array(list(p.values()))
                total += gammaln(alpha.sum()) - gammaln(alpha).sum() + np.log(len(p))
            case family if family in NORMAL:
                total -= np.log(p["sigma"]) + HALF_LOG_TWO_PI
    for s in streams.counted(setting):
        y = panel.sel(stream=s.id).values
        seen = y[~np.isnan(y)]
        total -= HALF_LOG_TWO_PI * seen.size if s.family == "gaussian" else gammaln(seen + 1.0).sum()
    return float(total)


def _keys(beliefs: Beliefs) -> tuple[dict[str, list[int]], int, int]:
    """Return the row of each key of one number, and how many coordinates and parameters they take."""
    rows, coordinate, place = {}, 0, 0
    for family, members in beliefs.families.items():
        n = len(members)
        for j, key in enumerate(members):
            rows[key] = [FAMILIES.index(family), coordinate + j, place + j, n]
        coordinate += n
        place += n * len(PARAMETERS[family])
    return rows, coordinate, place


def _shares(beliefs: Beliefs, coordinate: int, place: int) -> tuple[dict[str, list[int]], int]:
    """Return the row of each statement of shares, and the first coordinate after them."""
    rows = {}
    for members in beliefs.shares.values():
        for key in members:
            alternatives = len(beliefs.laws[key].parameters)
            rows[key] = [alternatives, coordinate, place]
            coordinate += alternatives - 1
            place += alternatives
    return rows, coordinate


def _streams(
    beliefs: Beliefs, setting: Setting, where: Mapping[str, int], first: Mapping[str, int]
) -> dict[str, list[list[int]]]:
    """Return what each stream shows and which keys enter it."""
    counted, walks = streams.counted(setting), streams.walking(setting)
    names = setting.scenarios
    origin = names.index(setting.reference)
    steps = []
    for n, s in enumerate(counted):
        for k in streams.affected(s, setting):
            at = names.index(k)
            reach = [at, len(names)] if at > origin else [0, at + 1]
            steps.append([n, where[f"effect.{s.id}.{k}"], *reach])
    return {
        "counted": [
            [
                setting.streams.index(s),
                kind(s),
                zeros(s),
                where[f"level.{s.id}"],
                *(where.get(f"{role}.{s.id}", -1) for role in ("wander", "spread", "zero")),
                walks.index(s) if s in walks else -1,
            ]
            for s in counted
        ],
        "steps": steps,
        "factors": [
            [counted.index(s), where[f"reporting.{s.id}.{c}"], first["releases"] + column]
            for column, (s, c) in enumerate(streams.released(setting))
        ],
        "chances": [
            [setting.streams.index(s), n, where[f"chance.{s.id}.{k}"]]
            for s in streams.chanced(setting)
            for n, k in enumerate(names)
        ],
        "chains": [
            [where[f"persist.{s.id}.off"], where[f"persist.{s.id}.on"], first["states"] + 2 * n]
            for n, s in enumerate(streams.chained(setting))
        ],
    }


def _chain(
    beliefs: Beliefs, setting: Setting, where: Mapping[str, int], row: Mapping[str, int]
) -> dict[str, list[list[int]]]:
    """Return what the regimes' transitions and their start are made of."""
    names = setting.scenarios
    exits = []
    for i, origin in enumerate(names):
        law = beliefs.laws.get(f"exits.{origin}")
        others = [k for k in names if k != origin] if law is None else list(law.parameters)
        for n, to in enumerate(others):
            exits.append([i, names.index(to), row[f"exits.{origin}"] if len(others) > 1 else -1, n])
    start = beliefs.laws.get("start")
    odds = []
    for key in beliefs.laws:
        if key.startswith("odds."):
            driver, role, *places = key.removeprefix("odds.").split(".")
            d = [known.id for known in setting.drivers].index(driver)
            at = [names.index(k) for k in places]
            odds.append([where[key], d, at[0], -1 if role == "leave" else at[1]])
    return {
        "dwell": [[where[f"dwell.{k}"], int(beliefs.laws[f"dwell.{k}"].scale == "hazard")] for k in names],
        "exits": exits,
        "start": []
        if start is None
        else [
            [names.index(k), row["start"] if len(start.parameters) > 1 else -1, n]
            for n, k in enumerate(start.parameters)
        ],
        "odds": odds,
    }


def kind(stream: Stream) -> int:
    """Return the number of a counted stream's family."""
    if stream.family == "gaussian":
        return cells.GAUSSIAN
    return cells.NEGATIVE_BINOMIAL if "negative-binomial" in stream.family else cells.POISSON


def zeros(stream: Stream) -> int:
    """Return the number of a counted stream's kind of zeros."""
    if stream.family.startswith("hurdle"):
        return cells.HURDLE
    return cells.INFLATED if stream.family.startswith("zero-inflated") else cells.PLAIN
