"""How often a rule fires although nothing happens: the price of a threshold, in quarters of false alarm.

Twice eighteen months are drawn, a baseline of twelve and the longest window: once with counts that scatter around an
unchanging mean at their spread, once with a mean whose logarithm walks. A rule that fires in more than one quarter in
ten of the first kind measures noise; of the second kind, drift. After STATISTICS A5 and F20.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.rules import Bounds, ScenarioSet
from forecast.rules.truth import NO_BOUNDS, TRUE, truth, windows
from forecast.streams import Family
from reports.words import percent

type Array = np.ndarray[Any, np.dtype[Any]]

SPAN = 18  # months: twelve of baseline, six of the longest window
OFTEN = 0.10  # share of quarters above which a rule is warned of


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """A stream at rest.

    Counts are negative binomial with variance mean + mean²/dispersion, Poisson at infinite dispersion. A yes or no
    is yes with probability `mean`, each month anew. A real number is normal with standard deviation `dispersion`.
    """

    family: Family
    mean: float  # per month
    dispersion: float
    wander: (
        float  # standard deviation of the monthly step of the log mean; of the mean where it is a real number
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Share of simulated quarters in which a rule fires."""

    nothing_changes: float
    level_walks: float

    @property
    def often(self) -> bool:
        """Whether either is too often for the rule to mean what it says."""
        return max(self.nothing_changes, self.level_walks) > OFTEN


def noise(
    rules: ScenarioSet,
    streams: Mapping[str, Steady],
    *,
    seed: int,
    quarters: int,
    bounds: Mapping[str, Bounds] = NO_BOUNDS,
) -> Mapping[str, Noise]:
    """The noise rate of every rule, by scenario.

    Args:
        rules: the scenario set.
        streams: how each stream of the rules behaves at rest; the mean is that of its last twelve months.
        seed: of the simulation.
        quarters: how many to simulate; 4,000 give a rate of 10 % to within half a point.
        bounds: cells are kept inside their bounds (see `forecast.rules.resolve`).
    """
    rng = np.random.default_rng(seed)
    still = {name: _still(steady, quarters) for name, steady in streams.items()}
    walking = {name: _walking(steady, quarters, rng) for name, steady in streams.items()}
    fires = [_fires(rules, streams, level, bounds, rng) for level in (still, walking)]
    return {
        name: Noise(nothing_changes=fires[0][name], level_walks=fires[1][name]) for name in rules.precedence
    }


def warnings(rates: Mapping[str, Noise], titles: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for every rule that fires too often at rest; `titles` of scenarios."""
    found = []
    for name, rate in rates.items():
        for share, when in (
            (rate.nothing_changes, "in which nothing changes"),
            (rate.level_walks, "in which only the level drifts"),
        ):
            if share > OFTEN:
                title = titles.get(name, name)
                found.append(f"The rule of “{title}” fires in {percent(share)} of quarters {when}.")
    return tuple(found)


def _still(steady: Steady, quarters: int) -> Array:
    return np.full((quarters, SPAN), steady.mean)


def _walking(steady: Steady, quarters: int, rng: np.random.Generator) -> Array:
    """Levels [quarter, month] that start at the mean; yes-or-no streams have no level and stay."""
    steps = rng.standard_normal((quarters, SPAN))
    steps[:, 0] = 0.0
    path = steady.wander * steps.cumsum(axis=1)
    match steady.family:
        case "bernoulli":
            return _still(steady, quarters)
        case "gaussian":
            return steady.mean + path
        case _:
            return steady.mean * np.exp(path)


def _fires(
    rules: ScenarioSet,
    streams: Mapping[str, Steady],
    levels: Mapping[str, Array],
    bounds: Mapping[str, Bounds],
    rng: np.random.Generator,
) -> dict[str, float]:
    cells = np.stack(
        [_kept(_drawn(streams[name], levels[name], rng), bounds.get(name)) for name in rules.streams],
        axis=1,
    )
    view = windows(cells, streams=rules.streams, months=range(SPAN), window_ends=[SPAN - 1], bounds=NO_BOUNDS)
    return {name: float((truth(rules.rule(name), view) == TRUE).mean()) for name in rules.precedence}


def _drawn(steady: Steady, level: Array, rng: np.random.Generator) -> Array:
    match steady.family:
        case "bernoulli":
            return (rng.random(level.shape) < level).astype(np.float64)
        case "gaussian":
            return rng.normal(level, steady.dispersion)
        case _:
            rate = level
            if np.isfinite(steady.dispersion):
                rate = level * rng.gamma(steady.dispersion, 1 / steady.dispersion, level.shape)
            return rng.poisson(rate).astype(np.float64)


def _kept(cells: Array, bounds: Bounds | None) -> Array:
    if bounds is None:
        return cells
    return cells.clip(bounds.lower, 31.0 if bounds.upper is None else bounds.upper)
