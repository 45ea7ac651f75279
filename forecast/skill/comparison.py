"""A forecast is compared with a reference on the same targets, and the doubt about the difference is told with it.

d = S_ref − S_model, so a positive gain speaks for the model. Forecasts of several steps overlap, so origins are resampled in
blocks at least as long as the horizon (Künsch 1989), and the Diebold–Mariano statistic is read against fixed-b critical values:

    t = √n d̄ / √Ω      Ω = γ_0 + 2 Σ_{j<M} (1 − j/M) γ_j      M = max(h, ⌊√n⌋),  b = M/n

Kiefer and Vogelsang, Econometric Theory 21 (2005) 1130: under no difference the (1 − p) quantile of t is a_0 + a_1 b + a_2 b² + a_3 b³.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

TOO_FEW = 10  # origins per step of the horizon, below which no p-value is told
BLOCKS = 4  # a resample made of fewer blocks says nothing of the spread
RESAMPLES = 2000
FIXED_B: Mapping[float, tuple[float, float, float, float]] = MappingProxyType(
    {
        0.10: (1.2816, 1.3040, 0.5135, -0.3386),
        0.05: (1.6449, 2.1859, 0.3142, -0.3427),
        0.025: (1.9600, 2.9694, 0.4160, -0.5324),
        0.01: (2.3263, 4.1618, 0.5368, -0.9060),
    }
)  # one-sided level -> coefficients for the Bartlett kernel, table 1 of the paper

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a forecast gained over a reference on common targets; None where there are too few to say."""

    n: int  # targets
    origins: int  # steps they were forecast from
    model: float  # mean score; lower is better
    reference: float
    gain: float  # mean of reference − model, in the unit of the score (bits for IGN)
    low: float | None  # interval of the gain
    high: float | None
    mass: float
    skill: float | None  # 1 − model/reference; None for IGN, whose ratios mean nothing
    skill_low: float | None
    skill_high: float | None
    statistic: float | None
    p: float | None  # one-sided, of "not better than the reference"; never told below .01
    sentence: str


def compare(
    model: ArrayLike,
    reference: ArrayLike,
    *,
    origins: ArrayLike,
    steps: int,
    ratios: bool,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    mass: float = 0.9,
) -> Comparison:
    """Compare scores of the same targets.

    Args:
        model: ``[n]`` scores, lower is better.
        reference: ``[n]``, of the reference.
        origins: ``[n]`` whole numbers in time order, one apart from one origin to the next; several targets may share one.
        steps: the horizon in origin steps, at least 1: how many origins' targets overlap.
        ratios: whether 1 − S̄_model/S̄_reference means something: not for IGN.
        rng: for the resampling.
        groups: ``[n]`` series (countries) that are resampled apart; one group if absent.
        mass: of the interval.

    Raises:
        ValueError: if there is no target, a score is missing, or ``steps`` is below 1.
    """
    ours, theirs, when, group = _aligned(model, reference, origins, groups, steps)
    sums = tuple(_by_origin(ours[group == g], theirs[group == g], when[group == g]) for g in np.unique(group))
    gain = float(theirs.mean() - ours.mean())
    low = high = skill_low = skill_high = None
    skill = 1.0 - float(ours.mean() / theirs.mean()) if ratios and theirs.mean() > 0 else None
    resampled = _resampled(sums, steps, rng)
    if resampled is not None:
        tails = ((1.0 - mass) / 2.0, (1.0 + mass) / 2.0)
        low, high = (float(q) for q in np.quantile(resampled[1] - resampled[0], tails))
        if skill is not None and (resampled[1] > 0).all():
            ends = np.quantile(1.0 - resampled[0] / resampled[1], tails)
            skill_low, skill_high = (float(q) for q in ends)
    differences = _by_origin(ours, theirs, when)
    statistic, p = diebold_mariano((differences[:, 1] - differences[:, 0]) / differences[:, 2], steps=steps)
    return Comparison(
        n=ours.size,
        origins=len(differences),
        model=float(ours.mean()),
        reference=float(theirs.mean()),
        gain=gain,
        low=low,
        high=high,
        mass=mass,
        skill=skill,
        skill_low=skill_low,
        skill_high=skill_high,
        statistic=statistic,
        p=p,
        sentence=_sentence(low, high, p),
    )


def diebold_mariano(differences: ArrayLike, *, steps: int) -> tuple[float | None, float | None]:
    """The statistic of d = S_ref − S_model by origin, and the one-sided p of "the model is not better".

    Args:
        differences: ``[n]`` in time order.
        steps: the horizon in origin steps.

    Returns:
        (None, None) below ``TOO_FEW`` origins per step, or where nothing differs.
    """
    d: Floats = np.asarray(differences, dtype=float)
    if d.size < TOO_FEW * steps:
        return None, None
    lags = max(steps, int(np.sqrt(d.size)))
    centred = d - d.mean()
    gamma = np.array([centred[j:] @ centred[: d.size - j] for j in range(lags)]) / d.size
    weights = 1.0 - np.arange(lags) / lags
    variance = gamma[0] + 2.0 * float(weights[1:] @ gamma[1:])
    if variance <= 1e-20 * max(1.0, float(d @ d)):  # nothing varies
        return None, None
    t = float(np.sqrt(d.size / variance) * d.mean())
    return t, p_value(t, b=lags / d.size)


def critical(level: float, *, b: float) -> float:
    """The value that t exceeds with probability ``level`` (.1, .05, .025 or .01) if there is no difference."""
    return float(np.polynomial.polynomial.polyval(b, FIXED_B[level]))


def p_value(t: float, *, b: float) -> float:
    """One-sided p by the normal score that the fixed-b quantiles give t, from .01 to .99: where the table ends."""
    levels = sorted(FIXED_B, reverse=True)
    scores = np.interp(
        abs(t),
        [0.0, *(critical(level, b=b) for level in levels)],
        [0.0, *(float(norm.isf(level)) for level in levels)],
    )
    return float(norm.sf(np.copysign(scores, t)))


def relative_skill(scores: Mapping[str, ArrayLike]) -> Mapping[str, float]:
    """Pairwise relative skill θ: geometric mean over rivals of the ratio of mean scores on common targets; below 1 is better.

    Args:
        scores: by forecaster, ``[n]`` positive in the mean, NaN where it gave no forecast. Not IGN.

    Raises:
        ValueError: if two forecasters share no target or a mean is not positive.
    """
    columns = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
    logs: dict[str, float] = {}
    for name, ours in columns.items():
        ratios = []
        for theirs in columns.values():
            both = np.isfinite(ours) & np.isfinite(theirs)
            if not both.any() or min(ours[both].mean(), theirs[both].mean()) <= 0:
                raise ValueError("wanted common targets with positive mean scores")
            ratios.append(np.log(ours[both].mean() / theirs[both].mean()))
        logs[name] = float(np.exp(np.mean(ratios)))
    return MappingProxyType(logs)


def _aligned(
    model: ArrayLike, reference: ArrayLike, origins: ArrayLike, groups: ArrayLike | None, steps: int
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.intp]]:
    ours, theirs = np.asarray(model, dtype=float), np.asarray(reference, dtype=float)
    when = np.asarray(origins)
    group = np.zeros(ours.shape, np.intp) if groups is None else np.unique(groups, return_inverse=True)[1]
    if ours.ndim != 1 or not ours.size or not ours.shape == theirs.shape == when.shape == group.shape:
        raise ValueError("wanted series of equal length: a score of each forecast, and its origin")
    if not (np.isfinite(ours) & np.isfinite(theirs)).all():
        raise ValueError("a score that is missing or infinite cannot be compared")
    if when.dtype.kind not in "iu" or steps < 1:
        raise ValueError("origins are whole numbers, and a horizon is at least one step")
    return ours, theirs, when.astype(np.int64), group


def _by_origin(ours: Floats, theirs: Floats, when: NDArray[np.int64]) -> Floats:
    """Sums of both scores and the number of targets at each origin, in time order: ``[origins, 3]``."""
    _, place = np.unique(when, return_inverse=True)
    return np.stack([np.bincount(place, weights=w) for w in (ours, theirs, np.ones_like(ours))], axis=1)


def _resampled(
    sums: tuple[Floats, ...], steps: int, rng: np.random.Generator
) -> tuple[Floats, Floats] | None:
    """Mean scores of model and reference in each resample of blocks of origins; None where blocks are too few."""
    lengths = [max(steps, int(np.cbrt(len(one)))) for one in sums]
    if sum(len(one) // length for one, length in zip(sums, lengths, strict=True)) < BLOCKS:
        return None
    totals = np.zeros((RESAMPLES, 3))
    for one, wanted in zip(sums, lengths, strict=True):
        length = min(wanted, len(one))
        blocks = -(-len(one) // length)
        starts = rng.integers(0, len(one) - length + 1, (RESAMPLES, blocks))
        rows = (starts[..., None] + np.arange(length)).reshape(RESAMPLES, -1)[:, : len(one)]
        totals += one[rows].sum(axis=1)
    return totals[:, 0] / totals[:, 2], totals[:, 1] / totals[:, 2]


def _sentence(low: float | None, high: float | None, p: float | None) -> str:
    if low is None or high is None:
        return "too few"
    verdict = "better" if low > 0 else "worse" if high < 0 else "cannot be told apart"
    if p is None:
        return f"{verdict} (too few for a test)"
    return f"{verdict} (p {'≤' if p <= 0.01 else '='} {max(p, 0.01):.2f})"
