"""How well a model would have foreseen each stretch of months, by parameters and levels that had not seen it.

At origin t, with θ_d drawn from a posterior that saw the months up to a base b, and A_d(t) = ln p(y[1..t] | θ_d),

    w_d(t)  ∝ exp(A_d(t) - A_d(b)), Pareto-smoothed          for t before and after b alike
    density = ln Σ_d w_d(t) p(y[t+1..t+h] | y[1..t], θ_d)    joint over the h months

The first base is the posterior of the whole panel. Where its Pareto k reaches 0.7 the model is fitted again, to the
months up to a base that lies a little before the latest origin still open, and weighs the origins on both sides.
Labels are left out throughout: most were written after the months they speak of. Bürkner, Gabry and Vehtari,
Approximate leave-future-out cross-validation for Bayesian time series models, J. Stat. Comput. Simul. 90 (2020).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from forecast.fitting import Compiled, Posterior, compile_model, fit
from forecast.simulation import thinned
from models import CATALOGUE
from models.densities import one_step

type Floats = NDArray[np.float64]

BURN_IN = 24  # months that every origin has seen
AHEAD = 3  # months foreseen from each origin
MOST_K = 0.7  # Pareto k from which importance weights are not trusted
DRAWS = 600  # of the whole posterior that are weighed
PARTICLES = 100  # of each draw; their noise averages out over draws
CHAINS, TUNE, KEPT = 2, 300, 300  # of a fit to an earlier origin
STRIDE = 4  # months a new base lies before the latest open origin, halved where it does not reach it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foresight:
    """One model's densities at every origin."""

    origins: tuple[str, ...]  # the last month seen
    log_density: Floats  # [n] joint, of the months ahead
    error: Floats  # [n] Monte Carlo standard error of each
    k: Floats  # [n] Pareto k of the weights used; -inf where the model was fitted at the origin itself
    refits: tuple[str, ...]  # origins at which the model was fitted again


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Base:
    """A posterior that saw so many months, and what each month is worth to its draws."""

    seen: int
    density: Floats  # [D, T] one-step log densities without labels
    labelled: Floats  # [D] what the labels add to the log likelihood it was fitted to

    def weights(self, origin: int) -> tuple[Floats, float]:
        """Smoothed log weights of the draws at an origin, and their Pareto k."""
        from arviz_stats.base.array import array_stats

        of: Any = array_stats  # its methods carry no types
        before = np.concatenate([np.zeros((len(self.density), 1)), self.density.cumsum(axis=1)], axis=1)
        ratio = before[:, origin] - before[:, self.seen] - self.labelled
        if np.ptp(ratio) == 0.0:
            return np.full(ratio.size, -np.log(ratio.size)), -np.inf
        weights, k = of.psislw(-ratio)  # it expects what is to be left out and turns the sign itself
        return weights - logsumexp(weights), float(k) if np.isfinite(k) else np.inf

    def foresee(self, origin: int, ahead: int, weights: Floats) -> tuple[float, float]:
        """Log density of the months ahead of an origin, and its standard error."""
        terms = weights + self.density[:, origin : origin + ahead].sum(axis=1)
        found = logsumexp(terms)
        share = np.exp(terms - found)
        return float(found), float(np.sqrt(((share - np.exp(weights)) ** 2).sum()))


def foresee(
    posterior: Posterior,
    *,
    seed: int,
    compiled: Compiled | None = None,
    burn_in: int = BURN_IN,
    ahead: int = AHEAD,
    particles: int = PARTICLES,
    progress: Callable[[str], None] | None = None,
) -> Foresight:
    """Score a fitted model on every stretch of ``ahead`` months after its burn-in.

    Args:
        posterior: of the whole panel.
        seed: decides everything random.
        compiled: the density it was fitted with; without it the model is compiled once a refit is needed.
        burn_in: months every origin has seen.
        ahead: months foreseen from each origin.
        particles: of each draw, where a level walks.
        progress: called with a line before each refit.
    """
    T = posterior.panel.sizes["month"]
    names = [str(month) for month in posterior.panel.coords["month"].values]
    open_ = list(range(burn_in, T - ahead + 1))
    found: dict[int, tuple[float, float, float]] = {}  # k, density, error by origin
    bases: list[int] = []

    def weigh(base: _Base) -> None:
        for origin in open_:
            weights, k = base.weights(origin)
            if origin not in found or k < found[origin][0]:
                found[origin] = (k, *base.foresee(origin, ahead, weights))

    weigh(_whole(posterior, particles=particles, seed=seed))
    stride = STRIDE
    while bad := [origin for origin in open_ if found[origin][0] >= MOST_K]:
        at = max(bad[-1] - stride, min(bad))
        if at in bases:
            raise ValueError(
                f"{posterior.model}: no finite density from {names[at - 1]} on; wanted one of each month"
            )
        if progress is not None:
            progress(f"fitting {posterior.model} up to {names[at - 1]}")
        if compiled is None:
            compiled = compile_model(
                posterior.panel, CATALOGUE[posterior.model], posterior.priors, posterior.setting
            )
        weigh(_earlier(posterior, compiled, at, particles=particles, seed=_seed(seed, at)))
        bases.append(at)
        stride = stride // 2 if found[bad[-1]][0] >= MOST_K else STRIDE
    k, density, error = np.array([found[origin] for origin in open_]).reshape(-1, 3).T
    return Foresight(
        origins=tuple(names[origin - 1] for origin in open_),
        log_density=density,
        error=error,
        k=k,
        refits=tuple(names[at - 1] for at in sorted(bases)),
    )


def _whole(posterior: Posterior, *, particles: int, seed: int) -> _Base:
    """The base that saw every month, and the labels."""
    draws = thinned(posterior.draws, DRAWS)
    density = _density(posterior, draws, particles=particles, seed=seed)
    labelled = np.zeros(len(density))
    if posterior.setting.labels is not None:
        given = _own(posterior)(
            draws, posterior.panel, posterior.setting, posterior.priors, number=particles, seed=seed
        )
        labelled = (given - density).sum(axis=1)
    return _Base(seen=density.shape[1], density=density, labelled=labelled)


def _earlier(posterior: Posterior, compiled: Compiled, seen: int, *, particles: int, seed: int) -> _Base:
    """The base that saw ``seen`` months and no label: every later cell is missing."""
    month = xr.DataArray(np.arange(posterior.panel.sizes["month"]), dims="month")
    refit = fit(
        posterior.panel.where(month < seen),
        CATALOGUE[posterior.model],
        posterior.priors,
        replace(posterior.setting, labels=None),
        seed=seed,
        chains=CHAINS,
        tune=TUNE,
        draws=KEPT,
        compiled=compiled,
    )
    density = _density(posterior, refit.draws, particles=particles, seed=seed)
    return _Base(seen=seen, density=density, labelled=np.zeros(len(density)))


def _density(posterior: Posterior, draws: xr.Dataset, *, particles: int, seed: int) -> Floats:
    """One-step log densities of the panel under some draws, without labels, ``[D, T]``."""
    setting = replace(posterior.setting, labels=None)
    return _own(posterior)(draws, posterior.panel, setting, posterior.priors, number=particles, seed=seed)


def _own(posterior: Posterior) -> Callable[..., Floats]:
    """One-step log densities as the posterior's model has them."""
    return CATALOGUE[posterior.model].one_step or one_step


def _seed(seed: int, place: int) -> int:
    """A seed of its own for the fit at each origin."""
    return int(np.random.SeedSequence([seed, place]).generate_state(1)[0])
