"""Whether what was said to be likely came as often as it was said, with what chance alone would do beside it.

The curve is CORP's: forecasts recalibrated by pool-adjacent-violators, whose decomposition is exact at any n, inside a band in which
a calibrated forecaster's curve would lie (outcomes redrawn from the forecasts). Dimitriadis, Gneiting and Jordan, PNAS 118 (2021)
e2016191118. Below n = 50 only the difference p̄ − ō is told, with its interval. Overlapping targets count for fewer than they are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import beta, binom

from forecast import score

LEAST = 50  # forecasts, for a curve
BAND_RESAMPLES = 500
BINOMIAL = 0.99  # mass of the limits of a coverage

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """Mean forecast less frequency; its interval follows the exact one of Clopper and Pearson (1934) for the frequency."""

    n: int
    effective: float  # independent forecasts that n overlapping ones are worth
    mean: float  # p̄
    frequency: float  # ō
    difference: float  # p̄ − ō
    low: float
    high: float
    mass: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """The curve over the distinct forecasts, in ascending order."""

    forecast: Floats  # [m]
    recalibrated: Floats  # [m], p̂
    count: NDArray[np.intp]  # [m], forecasts of that value
    low: Floats  # [m], the band of a calibrated forecaster
    high: Floats
    decomposition: score.Decomposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often an interval held the outcome, against the limits of chance."""

    stated: float
    share: float
    n: int
    effective: float
    low: float  # binomial limits of the share if the interval covers as stated
    high: float

    @property
    def holds(self) -> bool:
        """Whether the share lies inside its limits."""
        return self.low <= self.share <= self.high


def effective(values: ArrayLike, *, steps: int) -> float:
    """n/(1 + 2 Σ ρ_j), j < steps: what n values in time order, whose targets overlap for that long, are worth.

    Between 1 and n; n where nothing overlaps or nothing varies.
    """
    x: Floats = np.asarray(values, dtype=float)
    centred = x - x.mean()
    variance = float(centred @ centred)
    lags = min(steps, x.size)
    if lags <= 1 or variance == 0:
        return float(x.size)
    rho = sum(float(centred[j:] @ centred[: x.size - j]) for j in range(1, lags)) / variance
    return float(np.clip(x.size / max(1.0 + 2.0 * rho, 1.0), 1.0, x.size))


def bias(q: ArrayLike, came: ArrayLike, *, steps: int, mass: float = 0.9) -> Bias:
    """p̄ − ō of an event, forecasts ``[n]`` in time order, n ≥ 1; horizon in origin steps."""
    q, came = np.asarray(q, dtype=float), np.asarray(came, dtype=float)
    worth = effective(q - came, steps=steps)
    frequency, tail = float(came.mean()), (1.0 - mass) / 2.0
    hits, misses = worth * frequency, worth * (1.0 - frequency)
    least = beta.ppf(tail, hits, misses + 1.0) if hits else 0.0
    most = beta.isf(tail, hits + 1.0, misses) if misses else 1.0
    return Bias(
        n=came.size,
        effective=worth,
        mean=float(q.mean()),
        frequency=frequency,
        difference=float(q.mean()) - frequency,
        low=float(q.mean() - most),
        high=float(q.mean() - least),
        mass=mass,
    )


def reliability(
    q: ArrayLike, came: ArrayLike, *, rng: np.random.Generator, mass: float = 0.9
) -> Reliability | None:
    """The CORP curve of an event, ``[n]`` forecasts and outcomes; None below ``LEAST`` forecasts."""
    q, came = np.asarray(q, dtype=float), np.asarray(came, dtype=float)
    if q.size < LEAST:
        return None
    forecast, group, count = np.unique(q, return_inverse=True, return_counts=True)
    redrawn = rng.random((BAND_RESAMPLES, q.size)) < q
    curves = np.stack([_recalibrated(one.astype(float), group, count) for one in redrawn])
    low, high = np.quantile(curves, ((1.0 - mass) / 2.0, (1.0 + mass) / 2.0), axis=0)
    return Reliability(
        forecast=forecast,
        recalibrated=_recalibrated(came, group, count),
        count=count,
        low=low,
        high=high,
        decomposition=score.decompose(q, came),
    )


def coverage(held: ArrayLike, *, stated: float, steps: int) -> Coverage:
    """The share of targets inside their interval, ``[n]`` in time order, with the 99 % limits at the effective n."""
    inside = np.asarray(held, dtype=float)
    worth = effective(inside, steps=steps)
    trials = max(1, round(worth))
    low, high = binom.ppf(((1.0 - BINOMIAL) / 2.0, (1.0 + BINOMIAL) / 2.0), trials, stated) / trials
    return Coverage(
        stated=stated,
        share=float(inside.mean()),
        n=inside.size,
        effective=worth,
        low=float(low),
        high=float(high),
    )


def _recalibrated(came: Floats, group: NDArray[np.intp], count: NDArray[np.intp]) -> Floats:
    """Pool-adjacent-violators over the distinct forecasts: equal forecasts stay equal."""
    curve: Floats = isotonic_regression(np.bincount(group, weights=came) / count, weights=count).x
    return curve
