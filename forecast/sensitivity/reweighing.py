"""Draws under one prior stand for draws under another by importance weights, Pareto-smoothed; k says how far that holds.

    r_d ∝ p'(θ_d) / p(θ_d)        P' = Σ_m w_m Σ_d r_md H_md / Σ_m w_m Σ_d r_md N_md

A headline's hits H and trials N are functions of a draw, which holds the past and the future alike. Each model has
weights of its own, since each has draws of its own; what models count for stays as it is. Vehtari, Simpson, Gelman, Yao
and Gabry, Pareto smoothed importance sampling, J. Mach. Learn. Res. 25 (2024).
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from forecast.ensemble import MOST_K
from forecast.fitting import Posterior
from forecast.simulation import thinned
from forecast.tallies import Array, Chance, Tally, chance, of_headline
from models import CATALOGUE
from priors import Distribution

ALIKE = 1e-9  # log ratios that differ by less are rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """One model of a run: its draws behind the headline, and what its priors say of them."""

    weight: float
    tally: Tally  # [draw, quarter, scenario]
    laws: Mapping[str, Distribution]  # by key of the prior set
    stated: Mapping[str, Array]  # by key [D], shares [D, alternatives]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reweighed:
    """The headline under other priors."""

    chance: Chance  # [quarter, scenario]
    shares: Mapping[str, Array]  # by model, weights of its draws [D], which sum to one
    k: float  # the worst Pareto k; minus infinity where no weight differs

    @property
    def trusted(self) -> bool:
        """Whether the draws can speak for these priors."""
        return self.k < MOST_K


def models_of(posteriors: Mapping[str, Posterior], counts: xr.Dataset) -> dict[str, Model]:
    """The weighted models of a run.

    Args:
        posteriors: by model.
        counts: behind the headline, as ``forecast.archive.headline`` returns them; their draws are evenly spaced along
            each chain of a posterior's.
    """
    tallies, weights = of_headline(counts)
    found = {}
    for name, tally in tallies.items():
        posterior = posteriors[name]
        known = CATALOGUE[name].beliefs(posterior.priors, posterior.setting).laws
        laws = {key: law for key, law in known.items() if key in posterior.priors}  # no factor of a release
        stated = thinned(posterior.draws, len(tally.hits))["stated"]
        drawn = stated.transpose("chain", "draw", "prior").values.reshape(len(tally.hits), -1)
        column = {str(key): place for place, key in enumerate(stated["prior"].values)}
        found[name] = Model(
            weight=weights[name],
            tally=tally,
            laws=laws,
            stated={key: _drawn(key, law, drawn, column) for key, law in laws.items()},
        )
    return found


def reweighed(models: Mapping[str, Model], log_ratios: Mapping[str, Array], *, chains: int) -> Reweighed:
    """The headline with each draw counting for exp(log ratio).

    Args:
        models: of a run.
        log_ratios: by model ``[D]``; models without one stay as they are.
        chains: the draws of each are this many chains, one after the other.
    """
    shares, worst = {}, -np.inf
    tallies: dict[Hashable, Tally] = {}
    for name, model in models.items():
        share, k = _smoothed(log_ratios.get(name, np.zeros(len(model.tally.hits))))
        worst = max(worst, k)
        shares[name] = share
        count = (len(share) * share)[:, None, None]
        tallies[name] = Tally(hits=count * model.tally.hits, trials=count * model.tally.trials)
    weights: dict[Hashable, float] = {name: model.weight for name, model in models.items()}
    return Reweighed(chance=chance(tallies, weights, chains=chains), shares=shares, k=worst)


def _smoothed(log_ratio: Array) -> tuple[Array, float]:
    """Weights that sum to one, and their Pareto k."""
    if np.ptp(log_ratio) < ALIKE:
        return np.full(log_ratio.size, 1 / log_ratio.size), -np.inf
    from arviz_stats.base.array import array_stats

    of: Any = array_stats  # its methods carry no types
    weights, k = of.psislw(-log_ratio)  # it expects what is to be left out and turns the sign itself
    return np.exp(weights - logsumexp(weights)), float(k) if np.isfinite(k) else np.inf


def _drawn(key: str, law: Distribution, drawn: Array, column: Mapping[str, int]) -> Array:
    if law.family != "dirichlet":
        return drawn[:, column[key]]
    return drawn[:, [column[f"{key}.{name}"] for name in law.parameters if f"{key}.{name}" in column]]
