"""Proper scores in one convention: lower is better, exact formulas, any leading axes.

Outcomes are positions 0 … K−1 in the ordinal order of the scenarios. Each score is a few lines of numpy, checked
against published values and scoringrules; only the joint scores call that library, which is slow to import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOOR = 0.001  # ε of the ignorance score, applied once to model and reference alike
SUM_TOLERANCE = 1e-6  # a published probability vector sums to one up to rounding in the file
VIEWS_EDGES = (0.0, 0.5, 2.5, 5.5, 10.5, 25.5, 50.5, 100.5, 250.5, 500.5, 1000.5)
ALARM = (
    20.0  # the skill process crosses it with probability ≤ 1/20 if the model is never expected to be better
)

type Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """Mean Brier score of an event = miscalibration − discrimination + uncertainty, exact at any n."""

    miscalibration: float
    discrimination: float
    uncertainty: float


def ign(p: ArrayLike, outcome: ArrayLike, *, floor: float = FLOOR) -> Scores:
    """Ignorance −log₂ p̃_y in bits, p̃ = (1 − Kε) p + ε.

    Args:
        p: ``[..., K]``, probabilities of the scenarios in order.
        outcome: ``[...]``, position of the one that came.
        floor: ε; another than the protocol's only to compare with published values.

    Raises:
        ValueError: for a vector that is no distribution, or an outcome outside 0 … K−1.
    """
    p, outcome = _categorical(p, outcome)
    raised = (1.0 - p.shape[-1] * floor) * p + floor
    with np.errstate(divide="ignore"):  # without a floor, what was thought impossible scores infinity
        return -np.log2(np.take_along_axis(raised, outcome[..., None], axis=-1)[..., 0])


def rps(p: ArrayLike, outcome: ArrayLike) -> Scores:
    """Ranked probability score in [0, 1]: 1/(K−1) Σ_{k<K} (F_k − O_k)², O_k = 1{y ≤ k}. Shapes as `ign`."""
    p, outcome = _categorical(p, outcome)
    K: int = p.shape[-1]
    came = outcome[..., None] <= np.arange(K - 1)
    return _total((np.cumsum(p, axis=-1)[..., :-1] - came) ** 2) / (K - 1)


def brier(p: ArrayLike, outcome: ArrayLike) -> Scores:
    """Brier score in [0, 2]: Σ_k (p_k − 1{y = k})². Shapes as `ign`."""
    p, outcome = _categorical(p, outcome)
    came = outcome[..., None] == np.arange(p.shape[-1])
    return _total((p - came) ** 2)


def brier_event(q: ArrayLike, came: ArrayLike) -> Scores:
    """(q − z)² in [0, 1] for one event, such as a first passage: half the two-category `brier`."""
    q, came = _event(q, came)
    return (q - came) ** 2


def crps_fair(sample: ArrayLike, y: ArrayLike) -> Scores:
    """Fair CRPS of an ensemble: (1/M) Σ|x−y| − 1/(2M(M−1)) ΣΣ|x_i−x_j|; may fall below zero by chance.

    Args:
        sample: ``[..., M]``, M ≥ 2 draws.
        y: ``[...]``, what was observed, in the same unit.

    Raises:
        ValueError: if a value is not finite or M < 2.
    """
    sample, y = _ensemble(sample, y, least=2)
    M: int = sample.shape[-1]
    return _distance(sample, y) - _spread(sample) / (M * (M - 1))


def crps_pooled(sample: ArrayLike, y: ArrayLike) -> Scores:
    """CRPS of the ensemble's empirical distribution: as `crps_fair`, but the spread is divided by 2M²."""
    sample, y = _ensemble(sample, y, least=1)
    M: int = sample.shape[-1]
    return _distance(sample, y) - _spread(sample) / M**2


def twcrps(sample: ArrayLike, y: ArrayLike, *, threshold: float) -> Scores:
    """Fair CRPS that looks only above a threshold τ: that of max(x, τ) and max(y, τ)."""
    sample, y = _ensemble(sample, y, least=2)
    return crps_fair(np.maximum(sample, threshold), np.maximum(y, threshold))


def ign_binned(sample: ArrayLike, y: ArrayLike, *, edges: Sequence[float] = VIEWS_EDGES) -> Scores:
    """Ignorance of binned counts in bits, −log₂ (n_b + 1)/(M + B); the last of the B bins is open above.

    Args:
        sample: ``[..., M]`` draws, at or above the first edge.
        y: ``[...]``, observed.
        edges: lower edges of the bins, ascending; a value on an edge belongs to the bin it opens.

    Raises:
        ValueError: if a value is not finite or lies below the first edge.
    """
    sample, y = _ensemble(sample, y, least=1)
    if min(sample.min(), y.min()) < edges[0]:
        raise ValueError(f"a value lies below the first bin, which starts at {edges[0]}")
    where = np.searchsorted(edges, y, side="right")
    hits = _total(np.searchsorted(edges, sample, side="right") == where[..., None])
    M: int = sample.shape[-1]
    return -np.log2((hits + 1.0) / (M + len(edges)))


def interval(sample: ArrayLike, *, mass: float) -> tuple[Scores, Scores]:
    """Equal-tailed interval of an ensemble ``[..., M]`` by linear interpolation: lower and upper ``[...]``."""
    tail = (1.0 - mass) / 2.0
    lower, upper = np.quantile(_finite(sample), (tail, 1.0 - tail), axis=-1)
    return lower, upper


def interval_score(lower: ArrayLike, upper: ArrayLike, y: ArrayLike, *, mass: float) -> Scores:
    """Width plus 2/α times the miss, α = 1 − mass: MIS of EVALUATION when averaged, mass .9.

    Raises:
        ValueError: if a value is not finite, a lower bound exceeds its upper, or mass is not in (0, 1).
    """
    lower, upper, y = _finite(lower), _finite(upper), _finite(y)
    if not 0.0 < mass < 1.0:
        raise ValueError(f"mass is a probability between 0 and 1, not {mass}")
    if (lower > upper).any():
        raise ValueError("the lower bound of an interval exceeds its upper bound")
    miss = np.maximum(lower - y, 0.0) + np.maximum(y - upper, 0.0)
    return upper - lower + 2.0 / (1.0 - mass) * miss


def covered(sample: ArrayLike, y: ArrayLike, *, mass: float) -> NDArray[np.bool_]:
    """Whether the equal-tailed interval holds the outcome; its mean over targets is the coverage."""
    sample, y = _ensemble(sample, y, least=2)
    lower, upper = interval(sample, mass=mass)
    return (lower <= y) & (y <= upper)


def randomised_pit(below: ArrayLike, at: ArrayLike, *, rng: np.random.Generator) -> Scores:
    """Randomised PIT, u = F(y−1) + v [F(y) − F(y−1)], v ~ U(0, 1): uniform if F is the law of the counts.

    Raises:
        ValueError: unless 0 ≤ below ≤ at ≤ 1.
    """
    below, at = _finite(below), _finite(at)
    if not ((below >= 0.0) & (below <= at) & (at <= 1.0)).all():
        raise ValueError("wanted 0 ≤ F(y−1) ≤ F(y) ≤ 1")
    return below + rng.random(np.broadcast(below, at).shape) * (at - below)


def energy(sample: ArrayLike, y: ArrayLike) -> Scores:
    """Fair energy score of a joint path: sample ``[..., M, D]``, y ``[..., D]``."""
    import scoringrules

    value: Scores = scoringrules.es_ensemble(_finite(y), _finite(sample), estimator="fair")
    return value


def variogram(sample: ArrayLike, y: ArrayLike) -> Scores:
    """Variogram score of order ½ of a joint path, every pair of steps alike: shapes as `energy`."""
    import scoringrules

    value: Scores = scoringrules.vs_ensemble(_finite(y), _finite(sample), p=0.5)
    return value


def skill_process(reference: ArrayLike, model: ArrayLike) -> Scores:
    """E_n = Π_{i≤n} (1 + λ_i d_i), d = RPS of the reference − RPS of the model, in time order.

    λ_i = clip(Σ_{j<i} d_j / (1 + Σ_{j<i} d_j²), 0, ½) is known before d_i, so E is a supermartingale whenever the
    model is never expected to be better: it passes `ALARM` with probability at most 1/20. For issued,
    one-quarter-ahead, non-overlapping forecasts only.

    Args:
        reference: ``[n]``, RPS in [0, 1].
        model: ``[n]``, the same quarters.

    Raises:
        ValueError: if a score is outside [0, 1] or the lengths differ.
    """
    theirs, ours = _finite(reference), _finite(model)
    if theirs.ndim != 1 or theirs.shape != ours.shape:
        raise ValueError("wanted two series of equal length, one score per quarter")
    if ((np.minimum(theirs, ours) < 0) | (np.maximum(theirs, ours) > 1)).any():
        raise ValueError("wanted ranked probability scores between 0 and 1")
    d = theirs - ours
    before = np.cumsum(d) - d
    stake = np.clip(before / (1.0 + np.cumsum(d**2) - d**2), 0.0, 0.5)
    return np.cumprod(1.0 + stake * d)


def decompose(q: ArrayLike, came: ArrayLike) -> Decomposition:
    """CORP: MCB = S(q) − S(q̂), DSC = S(ō) − S(q̂), UNC = S(ō), q̂ by pool-adjacent-violators; S the Brier score.

    After Dimitriadis, Gneiting and Jordan (2021), PNAS 118(8). ``q`` and ``came`` are ``[n]``, n ≥ 1.
    """
    from scipy.optimize import isotonic_regression

    q, came = _event(q, came)
    _, group, size = np.unique(q, return_inverse=True, return_counts=True)  # equal forecasts stay equal
    again = isotonic_regression(np.bincount(group, weights=came) / size, weights=size).x[group]
    uncertainty = float(((came.mean() - came) ** 2).mean())
    recalibrated = float(((again - came) ** 2).mean())
    return Decomposition(
        miscalibration=float(((q - came) ** 2).mean()) - recalibrated,
        discrimination=uncertainty - recalibrated,
        uncertainty=uncertainty,
    )


def _total(terms: NDArray[Any]) -> Scores:
    total: Scores = terms.sum(axis=-1)
    return total


def _distance(sample: Scores, y: Scores) -> Scores:
    distance: Scores = np.abs(sample - y[..., None]).mean(axis=-1)
    return distance


def _spread(sample: Scores) -> Scores:
    """½ ΣΣ|x_i − x_j| = Σ_i (2i − M − 1) x_(i), from the sorted draws."""
    M = sample.shape[-1]
    ordered = np.sort(sample, axis=-1)
    return _total((2.0 * np.arange(1, M + 1) - M - 1) * ordered)


def _categorical(p: ArrayLike, outcome: ArrayLike) -> tuple[Scores, NDArray[np.intp]]:
    p = _finite(p)
    if p.ndim == 0 or p.shape[-1] < 2:
        raise ValueError("a score needs probabilities of at least two scenarios")
    if (p < 0).any() or (np.abs(p.sum(axis=-1) - 1.0) > SUM_TOLERANCE).any():
        raise ValueError("probabilities are not negative and sum to 1 over the scenarios")
    y = np.asarray(outcome)
    if y.dtype.kind not in "iu":
        raise ValueError(f"an outcome is a whole position among the scenarios, not {y.dtype}")
    if ((y < 0) | (y >= p.shape[-1])).any():
        raise ValueError(f"an outcome lies outside 0 … {p.shape[-1] - 1}")
    shape = np.broadcast_shapes(p.shape[:-1], y.shape)
    return np.broadcast_to(p, (*shape, p.shape[-1])), np.broadcast_to(y, shape).astype(np.intp)


def _event(q: ArrayLike, came: ArrayLike) -> tuple[Scores, Scores]:
    q, came = np.broadcast_arrays(_finite(q), _finite(came))
    if ((q < 0) | (q > 1)).any():
        raise ValueError("the probability of an event lies between 0 and 1")
    if not np.isin(came, (0.0, 1.0)).all():
        raise ValueError("an event came (1) or did not (0)")
    return q, came


def _ensemble(sample: ArrayLike, y: ArrayLike, *, least: int) -> tuple[Scores, Scores]:
    sample, y = _finite(sample), _finite(y)
    if sample.ndim == 0 or sample.shape[-1] < least:
        raise ValueError(f"the score needs at least {least} draws")
    shape = np.broadcast_shapes(sample.shape[:-1], y.shape)
    return np.broadcast_to(sample, (*shape, sample.shape[-1])), np.broadcast_to(y, shape)


def _finite(value: ArrayLike) -> Scores:
    array = np.asarray(value, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError("a score of a value that is missing or infinite has no meaning")
    return array
