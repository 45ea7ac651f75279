"""Futures of stored or fresh posteriors with drivers set, beside the same without, resolved by the same rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr

from forecast import scenarios
from forecast.fitting import Posterior
from forecast.months import month, ordinal, quarter_months
from forecast.rules import bounds_of
from forecast.scenarios import Estimate
from forecast.sidebyside import own_seed
from forecast.simulation import simulate
from forecast.whatif.arming import armed
from forecast.whatif.moves import Move, path_of
from forecast.whatif.paired import Pair, difference
from forecast.workspace import Workspace
from models import CATALOGUE

type Json = dict[str, Any]
type Paths = Mapping[str, Mapping[str, float]]  # driver -> month ahead -> value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """What every conditional forecast of a run has in common."""

    workspace: Workspace
    posteriors: Mapping[str, Posterior]  # of the models in use
    weights: Sequence[float]  # of these models, in order
    quarters: tuple[str, ...]
    seed: int  # of the run
    draws: int
    paths: int
    chains: int


def paths_of(frame: Frame, moves: Sequence[Move]) -> dict[str, dict[str, float]]:
    """The value of each driver that is set, by month ahead.

    Raises:
        Refusal: a month that is not ahead, or a value that a driver cannot take.
    """
    first = next(iter(frame.posteriors.values()))
    horizon, last = first.setting.horizon, ordinal(str(first.panel["month"].values[-1]))
    ahead = [month(last + step) for step in range(1, horizon + 1)]
    fitted = {driver.id: driver.values[-horizon:] for driver in first.setting.drivers}
    start = quarter_months(frame.quarters[0])[0]
    paths = {}
    for name in dict.fromkeys(move.driver for move in moves):
        declared = frame.workspace.config.drivers[name]
        at = dict(zip(ahead, fitted.get(name, (declared.at_rest,) * horizon), strict=True))
        own = [move for move in moves if move.driver == name]
        paths[name] = dict(zip(ahead, path_of(own, declared, at, start=start), strict=True))
    return paths


def conditional(frame: Frame, courses: Sequence[Paths]) -> list[list[Json]]:
    """The quarters under each of several courses of drivers, all held against one unconditional forecast.

    Returns:
        For each course a list of quarters: for each scenario ``unconditional``, ``conditional`` and ``difference``,
        each with mean, q05, q95 and mcse; all null where no future resolves.
    """
    declared = [frame.workspace.config.drivers[name] for name in dict.fromkeys(n for c in courses for n in c)]
    pairs: list[list[Pair]] = [[] for _ in courses]
    for name, posterior in frame.posteriors.items():
        moves = CATALOGUE[name].regimes is not None
        seed = own_seed(frame.seed, name)
        ready = armed(posterior, declared, frame.workspace.priors, seed=seed) if moves else posterior
        without = _outcomes(frame, ready, None)
        for found, course in zip(pairs, courses, strict=True):
            given = _outcomes(frame, ready, course) if moves else without
            found.append(Pair(without=without, given=given, chains=frame.chains))
    return [[_quarter(frame, found, quarter) for quarter in frame.quarters] for found in pairs]


def _outcomes(frame: Frame, posterior: Posterior, course: Paths | None) -> xr.DataArray:
    known = set(posterior.panel["stream"].values)  # a stream declared since the run is none of its futures'
    bounds = {stream.id: bounds_of(stream) for stream in frame.workspace.streams if stream.id in known}
    data = simulate(
        posterior,
        months=posterior.setting.horizon,
        paths=frame.paths,
        seed=own_seed(frame.seed, posterior.model),
        drivers=None if course is None else {name: list(path.values()) for name, path in course.items()},
        draws=frame.draws,
    )
    return scenarios.outcomes(
        frame.workspace.scenarios,
        posterior.panel,
        scenarios.held(data, bounds),
        quarters=frame.quarters,
        bounds=bounds,
    )


def _quarter(frame: Frame, pairs: Sequence[Pair], quarter: str) -> Json:
    row = {}
    for place, key in enumerate(frame.workspace.scenarios.ids):
        found: dict[str, list[Estimate | None]] = {"unconditional": [], "conditional": [], "difference": []}
        for pair in pairs:
            without, given = (data.sel(quarter=quarter).values for data in (pair.without, pair.given))
            for told, outcomes in (("unconditional", without), ("conditional", given)):
                found[told].append(scenarios.estimate(outcomes == place, outcomes >= 0, chains=pair.chains))
            found["difference"].append(difference(without, given, place, chains=pair.chains))
        row[key] = {told: _told(scenarios.combine(parts, frame.weights)) for told, parts in found.items()}
    return {"quarter": quarter, "resolved": row}


def _told(estimate: Estimate | None) -> Json:
    keys = ("mean", "q05", "q95", "mcse")
    return {key: None if estimate is None else float(getattr(estimate, key)) for key in keys}
