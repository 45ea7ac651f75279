"""Counts of futures by draw become a probability, and any sum or difference of such probabilities keeps its error.

With H hits in N trials of a draw d of a fit f that counts for w,

    p = Σ_f w Σ_d H / Σ_f w Σ_d N        u_f,d = D w (H - p N) / Σ_f w Σ_d N        error² = Σ_f var(u_f) / ESS(u_f)

which is the estimate that is published. u is what each draw adds to p (the mean over draws is p's own error), and it
is linear: of Σ c_i p_i the influence is Σ c_i u_i, fit by fit, so what two numbers share cancels in their difference.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.scenarios.nested import effective

if TYPE_CHECKING:
    import xarray as xr

type Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Futures of one fit: how many of each draw were asked, and how many hit."""

    hits: Array  # [D, …]
    trials: Array  # [D, …], broadcasts against the hits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chance:
    """A probability, or a sum of signed ones, with what each draw of each fit adds to it."""

    mean: Array  # […]; NaN where nothing was asked
    influence: Mapping[Hashable, Array]  # by fit [D, …]
    chains: int  # the draws of a fit are this many chains, one after the other

    @property
    def error(self) -> Array:
        """Monte Carlo standard error, shaped as the mean."""
        return np.sqrt(sum((_variance(u, self.chains) for u in self.influence.values()), np.zeros(())))

    def at(self, *place: Any) -> "Chance":
        """The part at a place of the mean."""
        taken = {fit: u[:, *place] for fit, u in self.influence.items()}
        return Chance(mean=np.asarray(self.mean[place]), influence=taken, chains=self.chains)


def chance(tallies: Mapping[Hashable, Tally], weights: Mapping[Hashable, float], *, chains: int) -> Chance:
    """The probability of a hit in a trial, a future being one of a fit with that fit's weight.

    Args:
        tallies: by fit, all with as many paths for each draw.
        weights: by fit; they need not sum to one.
        chains: the draws of each fit are this many chains, one after the other.
    """
    asked = sum((weights[fit] * tally.trials.sum(axis=0) for fit, tally in tallies.items()), np.zeros(()))
    hit = sum((weights[fit] * tally.hits.sum(axis=0) for fit, tally in tallies.items()), np.zeros(()))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(asked > 0, hit / asked, np.nan)
        influence = {
            fit: len(tally.hits) * weights[fit] * (tally.hits - mean * tally.trials) / asked
            for fit, tally in tallies.items()
        }
    return Chance(mean=mean, influence=influence, chains=chains)


def combined(parts: Iterable[tuple[float, Chance]]) -> Chance:
    """The sum of chances times coefficients; influences of the same fit add up, draw by draw.

    Raises:
        ValueError: of nothing.
    """
    terms = list(parts)
    if not terms:
        raise ValueError("combined: got no part; wanted one at least")
    influence: dict[Hashable, Array] = {}
    for coefficient, part in terms:
        for fit, u in part.influence.items():
            influence[fit] = influence[fit] + coefficient * u if fit in influence else coefficient * u
    mean = sum((coefficient * part.mean for coefficient, part in terms), np.zeros(()))
    return Chance(mean=np.asarray(mean), influence=influence, chains=terms[0][1].chains)


def of_headline(counts: "xr.Dataset") -> tuple[dict[str, Tally], dict[str, float]]:
    """Tallies ``[draw, quarter, scenario]`` and weights by model, from the counts behind a run's headline.

    Args:
        counts: as ``forecast.archive.headline`` returns them.
    """
    tallies, weights = {}, {}
    for name in (str(model) for model in counts["model"].values):
        one = counts.sel(model=name)
        hits = one["hits"].transpose("draw", "quarter", "scenario").values.astype(np.float64)
        trials = one["trials"].transpose("draw", "quarter").values[..., None].astype(np.float64)
        tallies[name], weights[name] = Tally(hits=hits, trials=trials), float(one["weight"])
    return tallies, weights


def of_outcomes(outcomes: "xr.DataArray", scenarios: int) -> Tally:
    """The tally ``[draw, quarter, scenario]`` of resolved futures.

    Args:
        outcomes: (draw, path, quarter), positions of scenarios, negative where the rules cannot tell.
        scenarios: how many there are.
    """
    found = outcomes.transpose("draw", "path", "quarter").values
    hits = np.stack([(found == k).sum(axis=1) for k in range(scenarios)], axis=-1).astype(np.float64)
    return Tally(hits=hits, trials=hits.sum(axis=-1, keepdims=True))


def _variance(influence: Array, chains: int) -> Array:
    """Variance of the mean over draws of each column, by its own effective number of draws."""
    draws = len(influence)
    columns = influence.reshape(draws, -1)
    if draws < 2:
        return np.zeros(influence.shape[1:])
    spread = columns.var(axis=0, ddof=1)
    found = [v / effective(u, chains) if v > 0 else v for v, u in zip(spread, columns.T, strict=True)]
    return np.array(found).reshape(influence.shape[1:])
