"""A level that wanders is a few smooth waves around its mean, so no month anchors it and no funnel forms.

A random walk with steps of sd σ, less its mean over N months, is a Gaussian path whose covariance is σ² times
the pseudo-inverse of D'D, D the first difference. Its eigenvectors are cosines, so the leading R of them,
scaled by the roots of their eigenvalues, are known in closed form:

    B[t, r] = √(2/N) cos(π r (t + ½) / N) / (2 sin(π r / 2N))          t = 0 … N-1, r = 1 … R
    level[t] = m + σ · (B ε)[t]                                        ε ~ Normal(0, I)

m is the mean level over window and horizon. Strang, The Discrete Cosine Transform, SIAM Review 41 (1999).

A trend adds to each step a slope that fades, b[t+1] = ρ b[t] + τ √(1 - ρ²) ξ, of sd τ throughout. On a circle of M = 2N
months its law is made of waves too, of the same sd, and on N of them it is that of the line but for ρ^N:

    b[t] = τ Σ_j g_j(ρ) √(2/M) (ε_j cos ω_j t + ε'_j sin ω_j t)     ω_j = 2π j / M, j = 0 … R; j = 0 without the √2
    g_j(ρ)² = (1 - ρ²) / (1 - 2 ρ cos ω_j + ρ²) · (1 - ρ^M) / (1 + ρ^M)

The walk's own steps are such waves with g = 1, so step and slope are sampled as one sum, of sd √(σ² + τ² g²) wave by wave:
the data know the sum and hardly its parts. Given it, a slope is normal about its share, τ² g² / (σ² + τ² g²).

A season is a sum of the twelve steps' harmonics, so it is zero over a year. Brockwell and Davis, *Time Series: Theory and
Methods* (1991), for the spectrum; Harvey, *Forecasting, Structural Time Series Models and the Kalman Filter* (1989).
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

YEAR = 12  # steps of a season


def basis(months: int, size: int) -> Floats:
    """Return B, ``[months, size]``; columns beyond the rank ``months - 1`` are zero.

    Raises:
        ValueError: if there is no month, or a negative number of columns.
    """
    if months < 1 or size < 0:
        raise ValueError(f"basis: got {months} months and {size} columns; wanted at least 1 and 0")
    B = np.zeros((months, size))
    wave = np.arange(1, min(size, months - 1) + 1)
    month = np.arange(months)[:, None]
    cosines = np.sqrt(2.0 / months) * np.cos(np.pi * wave * (month + 0.5) / months)
    B[:, : wave.size] = cosines / (2.0 * np.sin(np.pi * wave / (2.0 * months)))
    return B


def dropped(months: int, size: int) -> float:
    """Return the share of the demeaned walk's variance that ``size`` waves leave out.

    The whole is the trace of the covariance, (N² - 1)/6.
    """
    if months < 2:
        return 0.0
    return float(1.0 - (basis(months, size) ** 2).sum() * 6.0 / (months**2 - 1.0))


def wander(scale: Any, shape: Any, waves: Any) -> Any:
    """Return n walks around their means, ``[..., n, T]``, in numpy or PyTensor alike.

    ``scale`` (σ, log points per month) is ``[..., n]``, ``shape`` (ε) ``[..., n, R]``, ``waves`` (B) ``[T, R]``.
    """
    return scale[..., None] * (shape @ waves.T)


def slopes(months: int, size: int) -> tuple[Floats, Floats]:
    """Return the waves of a slope of sd one where nothing lasts, ``[months, 2 size + 1]``, and the turn ω of each.

    Columns beyond the months are zero; there is one wave at least beside the constant.
    """
    wave = np.concatenate([np.arange(size + 1), np.arange(1, size + 1)])
    turn = np.pi * wave / months
    month = np.arange(months)[:, None]
    waves = np.where(np.arange(wave.size) > size, np.sin(turn * month), np.cos(turn * month))
    waves *= np.sqrt(np.where((wave == 0) | (wave == months), 0.5, 1.0) / months)
    return np.where(wave <= months, waves, 0.0), turn


def heaped(waves: Floats) -> Floats:
    """Return what slopes make of a level month by month, less its mean, ``[months, n]``: no step leads to the first."""
    path = np.cumsum(waves, axis=0) - waves
    return path - path.mean(axis=0)


def lasting(xp: Any, damping: Any, turn: Any) -> Any:
    """Return g(ρ), how much each wave has of a slope's sd, ``[..., n, waves]``, in numpy or PyTensor alike.

    ``damping`` (ρ) is ``[..., n]``, ``turn`` (ω) ``[waves]``.
    """
    rho = damping[..., None]
    around = rho ** (2.0 * np.pi / turn[1])
    spectrum = (1.0 - rho**2) / (1.0 - 2.0 * rho * xp.cos(turn) + rho**2)
    return xp.sqrt(spectrum * (1.0 - around) / (1.0 + around))


def paces(xp: Any, scale: Any, size: Any, damping: Any, turn: Any) -> tuple[Any, Any]:
    """Return the sd of each wave of a walk's steps with their slope, and the slope's share of its variance.

    ``scale`` (σ), ``size`` (τ) and ``damping`` (ρ) are ``[..., n]``, the results ``[..., n, waves]``.
    """
    slope = (size[..., None] * lasting(xp, damping, turn)) ** 2
    whole = scale[..., None] ** 2 + slope
    return xp.sqrt(whole), slope / whole


def harmonics() -> Floats:
    """Return the year's harmonics ``[12, 11]``: columns sum to zero, and of iid sd one every step has sd one."""
    step = np.arange(YEAR)[:, None]
    waves = np.arange(1, YEAR // 2 + 1)
    turn = 2.0 * np.pi * step * waves / YEAR
    columns = np.hstack([np.cos(turn), np.sin(turn[:, :-1])])  # the sine of the sixth is zero
    return np.asarray(columns * np.sqrt(YEAR / (YEAR - 1.0)) / np.sqrt((columns**2).sum(axis=0)))


def places(names: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of each step in its year: 0 for January where steps are months "YYYY-MM", else for the first.

    Steps that are not months are counted modulo twelve.
    """
    month = re.fullmatch(r"\d{4}-(\d{2})", str(names[0]))
    first = int(month[1]) - 1 if month else 0
    return (first + np.arange(names.size)) % YEAR
