"""Each family is a standard one and a monotone map, so quantiles, densities and draws share one line each.

Parameters carry PyMC's names: gamma ``alpha, beta`` (rate), exponential ``lam`` (rate), studentt ``nu, mu, sigma``.
``shifted-lognormal`` is x = shift + LogNormal(mu, sigma); ``signed-lognormal`` is x = exp(sign · LogNormal(mu, sigma)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Parameters = Mapping[str, float]


def ppf(family: str, p: Parameters, q: ArrayLike) -> Array:
    """Quantiles; increasing in ``q`` for every family."""
    import numpy as np
    from scipy import special

    q = np.asarray(q, dtype=np.float64)
    match family:
        case "beta":
            return special.betaincinv(p["alpha"], p["beta"], q)  # type: ignore[no-any-return]
        case "gamma":
            return special.gammaincinv(p["alpha"], q) / p["beta"]  # type: ignore[no-any-return]
        case "halfnormal":
            return p["sigma"] * special.ndtri((1 + q) / 2)  # type: ignore[no-any-return]
        case "exponential":
            return -np.log1p(-q) / p["lam"]
        case "studentt":
            return p["mu"] + p["sigma"] * special.stdtrit(p["nu"], q)  # type: ignore[no-any-return]
    z = special.ndtri(1 - q if p.get("sign", 1) < 0 else q)
    return from_normal(family, p, p["mu"] + p["sigma"] * z)


def cdf(family: str, p: Parameters, x: ArrayLike) -> Array:
    """P(X ≤ x); zero below the family's range, one above."""
    import numpy as np
    from scipy import special

    x = np.asarray(x, dtype=np.float64)
    match family:
        case "beta":
            return special.betainc(p["alpha"], p["beta"], np.clip(x, 0, 1))  # type: ignore[no-any-return]
        case "gamma":
            return special.gammainc(p["alpha"], p["beta"] * np.maximum(x, 0))  # type: ignore[no-any-return]
        case "halfnormal":
            return np.asarray(2 * special.ndtr(np.maximum(x, 0) / p["sigma"]) - 1)
        case "exponential":
            return np.asarray(-np.expm1(-p["lam"] * np.maximum(x, 0)))
        case "studentt":
            return special.stdtr(p["nu"], (x - p["mu"]) / p["sigma"])  # type: ignore[no-any-return]
    falling = p.get("sign", 1) < 0  # the quantity falls as its normal rises
    z = (to_normal(family, p, x) - p["mu"]) / p["sigma"]
    outside = np.where(falling & (x > 1), 1.0, 0.0)
    return np.where(np.isnan(z), outside, special.ndtr(-z if falling else z))


def from_normal(family: str, p: Parameters, y: ArrayLike) -> Array:
    """The quantity, from the scale on which its family is normal."""
    import numpy as np

    y = np.asarray(y, dtype=np.float64)
    match family:
        case "normal":
            return y
        case "lognormal":
            return np.exp(y)
        case "shifted-lognormal":
            return p["shift"] + np.exp(y)
        case "signed-lognormal":
            return np.exp(p["sign"] * np.exp(y))
    raise ValueError(f"family {family!r} is not a normal one in disguise")


def to_normal(family: str, p: Parameters, x: ArrayLike) -> Array:
    """Inverse of `from_normal`; NaN outside the family's range."""
    import numpy as np

    x = np.asarray(x, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        match family:
            case "normal":
                return x
            case "lognormal":
                return np.log(x)
            case "shifted-lognormal":
                return np.log(x - p["shift"])
            case "signed-lognormal":
                return np.log(p["sign"] * np.log(x))
    raise ValueError(f"family {family!r} is not a normal one in disguise")


def logpdf(family: str, p: Parameters, x: ArrayLike) -> Array:
    """Log density with respect to the quantity itself; minus infinity outside its range."""
    import numpy as np
    from scipy import special

    x = np.asarray(x, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        match family:
            case "beta":
                a, b = p["alpha"], p["beta"]
                density = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
                inside = (x > 0) & (x < 1)
            case "gamma":
                a, b = p["alpha"], p["beta"]
                density = a * np.log(b) + special.xlogy(a - 1, x) - b * x - special.gammaln(a)
                inside = x > 0
            case "halfnormal":
                density = 0.5 * np.log(2 / np.pi) - np.log(p["sigma"]) - 0.5 * (x / p["sigma"]) ** 2
                inside = x >= 0
            case "exponential":
                density, inside = np.log(p["lam"]) - p["lam"] * x, x >= 0
            case "studentt":
                nu, z = p["nu"], (x - p["mu"]) / p["sigma"]
                scale = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2)
                density = scale - 0.5 * np.log(nu * np.pi) - np.log(p["sigma"])
                density = density - (nu + 1) / 2 * np.log1p(z**2 / nu)
                inside = np.isfinite(x)
            case _:
                y = to_normal(family, p, x)
                z = (y - p["mu"]) / p["sigma"]
                density = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(p["sigma"])
                density = density - _log_slope(family, p, x, y)
                inside = np.isfinite(y)
        return np.where(inside, density, -np.inf)


def _log_slope(family: str, p: Parameters, x: Array, y: Array) -> Array:
    """Log of |dx/dy|: what the density of a normal in disguise is divided by."""
    import numpy as np

    match family:
        case "normal":
            return np.zeros_like(x)
        case "signed-lognormal":
            return y + np.log(x)
    return y


def rvs(family: str, p: Parameters, rng: np.random.Generator, size: int | tuple[int, ...]) -> Array:
    """Draws."""
    import numpy as np

    match family:
        case "beta":
            return np.asarray(rng.beta(p["alpha"], p["beta"], size))
        case "gamma":
            return np.asarray(rng.gamma(p["alpha"], 1 / p["beta"], size))
        case "halfnormal":
            return np.asarray(p["sigma"] * np.abs(rng.standard_normal(size)))
        case "exponential":
            return np.asarray(rng.exponential(1 / p["lam"], size))
        case "studentt":
            return np.asarray(p["mu"] + p["sigma"] * rng.standard_t(p["nu"], size))
    return from_normal(family, p, p["mu"] + p["sigma"] * rng.standard_normal(size))
