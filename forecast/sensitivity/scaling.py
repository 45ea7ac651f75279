"""How much the headline rests on each group of priors: what happens if that group counts for a little less or more.

    weights ∝ p(θ_group)^(α − 1), α = 4/5 and 5/4        sensitivity = mean of CJS(α) / |log2 α|

CJS is the cumulative Jensen-Shannon distance between the laws of the headline's probability over draws, before and
after. A prior's density is taken on the scale where the model samples it and its family is normal: there a power
widens or narrows it around its median. From 0.05 on a headline is called sensitive. Kallioinen, Paananen, Bürkner and
Vehtari, Detecting and diagnosing prior and likelihood sensitivity with power-scaling, Stat. Comput. 34 (2024).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.sensitivity.reweighing import Model, Reweighed, reweighed
from forecast.tallies import Array, combined
from models.variables import NORMAL
from priors import Distribution
from priors.families import to_normal

LOWER, UPPER = 0.8, 1.25
SENSITIVE = 0.05
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """What one group of priors carries of one headline."""

    group: str  # the first word of its keys: dwell, exits, effect, level, …; or ALL of them together
    quarter: str
    scenario: str
    sensitivity: float
    sensitive: bool
    shift: float  # of the headline for each doubling of the group's weight
    shift_mcse: float
    k: float | None  # Pareto k of the weights; None where they are all alike
    trusted: bool


def scaled(
    models: Mapping[str, Model], *, quarters: Sequence[str], scenarios: Sequence[str], chains: int
) -> tuple[Scaled, ...]:
    """All priors together, then every group of them, and every headline.

    Args:
        models: of a run.
        quarters: of their tallies, in order.
        scenarios: of their tallies, in order.
        chains: the draws of each are this many chains, one after the other.
    """
    base = reweighed(models, {}, chains=chains)
    found = []
    for group in (ALL, *dict.fromkeys(group_of(key) for model in models.values() for key in model.laws)):
        density = {name: _log_prior(model, group) for name, model in models.items()}
        less, more = (
            reweighed(models, {name: (alpha - 1) * d for name, d in density.items()}, chains=chains)
            for alpha in (LOWER, UPPER)
        )
        doubling = 1 / (np.log2(UPPER) - np.log2(LOWER))
        shift = combined([(doubling, more.chance), (-doubling, less.chance)])
        error, k = shift.error, max(less.k, more.k)
        for q, quarter in enumerate(quarters):
            for j, scenario in enumerate(scenarios):
                moved = [
                    _distance(models, base, one, (q, j)) / abs(np.log2(alpha))
                    for alpha, one in ((LOWER, less), (UPPER, more))
                ]
                found.append(
                    Scaled(
                        group=group,
                        quarter=quarter,
                        scenario=scenario,
                        sensitivity=float(np.mean(moved)),
                        sensitive=bool(np.mean(moved) >= SENSITIVE),
                        shift=float(shift.mean[q, j]),
                        shift_mcse=float(error[q, j]),
                        k=None if k == -np.inf else k,
                        trusted=less.trusted and more.trusted,
                    )
                )
    return tuple(found)


def group_of(key: str) -> str:
    """The group of a prior: ``dwell`` of ``dwell.war``."""
    return key.partition(".")[0]


def log_density(law: Distribution, values: Array) -> Array:
    """Log density ``[D]`` of a prior at its draws, but for a constant, on the scale where its family is normal."""
    if law.family not in NORMAL:
        return law.logpdf(values)
    z = (to_normal(law.family, law.parameters, values) - law.parameters["mu"]) / law.parameters["sigma"]
    return np.asarray(-0.5 * z**2)


def cjs(values: Array, before: Array, after: Array) -> float:
    """Cumulative Jensen-Shannon distance between two weightings of the same values, 0 (alike) to 1.

    The larger of those from either end. Nguyen and Vreeken, Non-parametric Jensen-Shannon divergence (2015).

    Args:
        values: ``[n]``.
        before: their weights ``[n]``, which sum to one.
        after: other weights.
    """
    order = np.argsort(values, kind="stable")
    width = np.diff(values[order])
    P, Q = (np.cumsum(weights[order])[:-1].clip(0, 1) for weights in (before, after))
    return max(_from_one_end(P, Q, width), _from_one_end(1 - P, 1 - Q, width))


def _from_one_end(P: Array, Q: Array, width: Array) -> float:
    area = float(width @ (P + Q))
    if area <= 0:
        return 0.0
    middle = (P + Q) / 2
    divergences = [float(width @ _relative(A, middle)) for A in (P, Q)]
    slant = float(width @ (Q - P)) / (2 * np.log(2))
    return float(np.sqrt((max(divergences[0] + slant, 0) + max(divergences[1] - slant, 0)) / area))


def _relative(A: Array, B: Array) -> Array:
    """A log2(A/B), nought where A is."""
    return np.asarray(A * np.log2(np.where(A > 0, A, 1) / np.where(A > 0, B, 1)))


def _log_prior(model: Model, group: str) -> Array:
    """Log density of a group's priors at each draw ``[D]``."""
    total = np.zeros(len(model.tally.hits))
    for key, law in model.laws.items():
        if group in (ALL, group_of(key)) and model.stated[key].shape[-1] > 0:
            total = total + log_density(law, model.stated[key])
    return total


def _distance(
    models: Mapping[str, Model], base: Reweighed, other: Reweighed, place: tuple[int, int]
) -> float:
    """CJS between the ensemble's law of one headline's probability before and after."""
    q, j = place
    values, before, after = [], [], []
    for name, model in models.items():
        asked = model.tally.trials[:, q, 0]
        values.append(model.tally.hits[:, q, j] / np.maximum(asked, 1))
        before.append(model.weight * base.shares[name] * asked)
        after.append(model.weight * other.shares[name] * asked)
    first, second = (np.concatenate(parts) for parts in (before, after))
    if not first.any():
        return 0.0
    return cjs(np.concatenate(values), first / first.sum(), second / second.sum())
