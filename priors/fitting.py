"""The member of a family that has given values at given quantile levels, or comes nearest to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from priors import families
from priors.refusal import Refusal


def fit(
    key: str, family: str, fixed: Mapping[str, float], asked: tuple[tuple[float, float], ...]
) -> dict[str, float]:
    """Parameters for ``asked`` = ((level, value), …), both increasing; exact for two values of two parameters.

    Otherwise least squares between quantiles on the scale where the family is normal (log for gamma and the
    one-parameter families, logit for beta).

    Raises:
        Refusal: no member of the family takes these values; ``key`` says whose they are.
    """
    import numpy as np
    from scipy import special

    q, values = (np.array(column, dtype=np.float64) for column in zip(*asked, strict=True))
    match family:
        case "beta" | "gamma":
            exact = _exact_beta if family == "beta" else _exact_gamma
            ends = exact(key, asked[0], asked[-1])
            return ends if len(asked) == 2 else _nearest_shape(family, ends, q, values)
        case "halfnormal":
            return {"sigma": float(np.exp(np.mean(np.log(values) - np.log(special.ndtri((1 + q) / 2)))))}
        case "exponential":
            return {"lam": float(np.exp(np.mean(np.log(-np.log1p(-q)) - np.log(values))))}
    y = families.to_normal(family, fixed, values)
    z = special.ndtri(1 - q if fixed.get("sign", 1) < 0 else q)
    spread = z - z.mean()
    sigma = float((spread * (y - y.mean())).sum() / (spread**2).sum())
    if not sigma > 0:  # equal to within rounding, or outside the family's range
        raise Refusal(where=key, got=values.tolist(), wanted=f"values that a {family} can take")
    return {**fixed, "mu": float(y.mean() - sigma * z.mean()), "sigma": sigma}


def one_spell(high: float, tail: float, strength: float) -> dict[str, float]:
    """Beta(a, b) of the monthly hazard with a + b = ``strength`` and P(spell > ``high`` months) = ``tail``.

    The monthly chance of leaving being h ~ Beta(a, b), P(spell > x) = B(a, b + x)/B(a, b), which falls
    from one to zero as a grows.
    """
    from scipy import special

    def excess(share: float) -> float:
        a, b = strength * share, strength * (1 - share)
        return float(special.betaln(a, b + high) - special.betaln(a, b)) - math.log(tail)

    share = _root("one spell", excess, 1e-12, 1 - 1e-12)
    return {"alpha": strength * share, "beta": strength * (1 - share)}


def _exact_gamma(key: str, lower: tuple[float, float], upper: tuple[float, float]) -> dict[str, float]:
    """The ratio of two quantiles depends on alpha alone, and falls as alpha grows."""
    import numpy as np
    from scipy import special

    levels, ratio = np.array([lower[0], upper[0]]), math.log(upper[1] / lower[1])

    def excess(log_alpha: float) -> float:
        low, high = np.log(special.gammaincinv(math.exp(log_alpha), levels))
        return float(high - low) - ratio

    alpha = math.exp(_root(key, excess, -4.0, 25.0))
    return {"alpha": alpha, "beta": float(special.gammaincinv(alpha, upper[0])) / upper[1]}


def _exact_beta(key: str, lower: tuple[float, float], upper: tuple[float, float]) -> dict[str, float]:
    """Two monotone problems, one inside the other.

    At each strength a + b there is one mean that honours the lower end; at one strength it honours the upper.
    """
    from scipy import special

    def at(log_strength: float) -> tuple[float, float]:
        strength = math.exp(log_strength)

        def excess(logit: float) -> float:
            a, b = strength / (1 + math.exp(-logit)), strength / (1 + math.exp(logit))
            return float(special.betainc(a, b, lower[1])) - lower[0]

        logit = _root(key, excess, -30.0, 30.0)
        return strength / (1 + math.exp(-logit)), strength / (1 + math.exp(logit))

    def excess(log_strength: float) -> float:
        return float(special.betainc(*at(log_strength), upper[1])) - upper[0]

    alpha, beta = at(_root(key, excess, -6.0, 25.0))
    return {"alpha": alpha, "beta": beta}


def _root(key: str, function: Callable[[float], float], low: float, high: float) -> float:
    """Where a monotone function crosses zero."""
    from scipy.optimize import brentq

    if not function(low) * function(high) < 0:
        remedy = "widen or narrow the statement"
        raise Refusal(where=key, wanted="values that a member of the family can take", remedy=remedy)
    return float(brentq(function, low, high, xtol=1e-15, rtol=1e-15))


def _nearest_shape(
    family: str, start: Mapping[str, float], q: families.Array, values: families.Array
) -> dict[str, float]:
    """Least squares between quantiles, from the member that honours the two ends."""
    import numpy as np
    from scipy import special
    from scipy.optimize import least_squares

    scale = special.logit if family == "beta" else np.log

    def miss(logs: families.Array) -> families.Array:
        a, b = np.exp(logs)
        return np.asarray(scale(families.ppf(family, {"alpha": a, "beta": b}, q)) - scale(values))

    found = least_squares(miss, np.log([start["alpha"], start["beta"]]), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    alpha, beta = np.exp(found.x)
    return {"alpha": float(alpha), "beta": float(beta)}
