"""A level that wanders is a few smooth waves around its mean, so no month anchors it and no funnel forms.

A random walk with steps of sd σ, less its mean over N months, is a Gaussian path whose covariance is σ² times
the pseudo-inverse of D'D, D the first difference. Its eigenvectors are cosines, so the leading R of them,
scaled by the roots of their eigenvalues, are known in closed form:

    B[t, r] = √(2/N) cos(π r (t + ½) / N) / (2 sin(π r / 2N))          t = 0 … N-1, r = 1 … R
    level[t] = m + σ · (B ε)[t]                                        ε ~ Normal(0, I)

m is the mean level over window and horizon. Strang, The Discrete Cosine Transform, SIAM Review 41 (1999).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


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
