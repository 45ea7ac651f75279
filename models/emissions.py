"""The densities a stream may have given the regime: one formula each, for arrays and for PyTensor graphs.

The families, and their parameters, which broadcast against ``y``:

    poisson               mean                       log p = y ln mean - mean - ln y!
    negative-binomial     mean, dispersion           variance = mean + mean^2 / dispersion
    bernoulli             chance                     of y = 1
    gaussian              mean, sd
    zero-inflated-poisson, zero-inflated-negative-binomial
                          the same and zero          p(y) = zero [y = 0] + (1 - zero) base(y)
    hurdle-poisson, hurdle-negative-binomial
                          the same and zero          p(0) = zero; p(y) = (1 - zero) base(y) / (1 - base(0))
    outlying-<any of these but bernoulli>
                          the same and outlier       p(y) = (1 - outlier) base(y) + outlier wide(y): models.outliers

A missing cell is NaN and contributes exactly 0 to a log density. ``mean``, ``dispersion`` and ``sd`` are
positive and in the stream's unit; ``chance`` and ``zero`` are probabilities.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import ArrayLike

from models.kernels import Floats
from models.mixtures import Law, averaged
from models.outliers import OUTLYING, both, widened

STIRLING_FROM = 64.0  # the dispersion from which three terms of Stirling's remainder are exact to 1e-15
DEEPEST = 1e-300  # residuals are taken from probabilities not nearer to zero than this


@dataclass(frozen=True, slots=True, kw_only=True)
class _Library:
    """The functions a density is written in."""

    log: Callable[..., Any]
    log1p: Callable[..., Any]
    expm1: Callable[..., Any]
    logaddexp: Callable[..., Any]
    gammaln: Callable[..., Any]
    where: Callable[..., Any]
    maximum: Callable[..., Any]
    minimum: Callable[..., Any]
    xlogy: Callable[..., Any]


ARRAYS = _Library(
    log=np.log,
    log1p=np.log1p,
    expm1=np.expm1,
    logaddexp=np.logaddexp,
    gammaln=scipy.special.gammaln,
    where=np.where,
    maximum=np.maximum,
    minimum=np.minimum,
    xlogy=scipy.special.xlogy,
)
HALF = np.float64(0.5)  # a plain 0.5 would be a float32 constant inside a graph
HALF_LOG_TWO_PI = np.float64(0.5 * np.log(2 * np.pi))


def _poisson(of: _Library, y: Any, mean: Any) -> Any:
    return of.xlogy(y, mean) - mean - of.gammaln(y + 1)


def _negative_binomial(of: _Library, y: Any, mean: Any, dispersion: Any) -> Any:
    """Return y ln m - (y + f) ln(1 + m/f) + ln G(y + f) - ln G(f) - y ln f - ln y!, dispersion f.

    The difference of the log gammas cancels where f is large; Stirling's series takes over there.
    """
    few = of.minimum(dispersion, STIRLING_FROM)
    many = of.maximum(dispersion, STIRLING_FROM)
    direct = of.gammaln(y + few) - of.gammaln(few) - y * of.log(few)
    series = (y + many - HALF) * of.log1p(y / many) - y + _remainder(y + many) - _remainder(many)
    rising = of.where(dispersion < STIRLING_FROM, direct, series) - of.gammaln(y + 1)
    return of.xlogy(y, mean) - (y + dispersion) * of.log1p(mean / dispersion) + rising


def _remainder(x: Any) -> Any:
    """Return ln G(x) - (x - 1/2) ln x + x - ln(2 pi)/2 to three terms."""
    square = 1 / (x * x)
    return (np.float64(1 / 12) - square * (np.float64(1 / 360) - square * np.float64(1 / 1260))) / x


def _bernoulli(of: _Library, y: Any, chance: Any) -> Any:
    return of.log(of.where(y > 0, chance, 1 - chance))


def _gaussian(of: _Library, y: Any, mean: Any, sd: Any) -> Any:
    z = (y - mean) / sd
    return -HALF * z * z - of.log(sd) - HALF_LOG_TWO_PI


def _zero_inflated(base: Callable[..., Any]) -> Callable[..., Any]:
    def density(of: _Library, y: Any, zero: Any, **parameters: Any) -> Any:
        counted = of.log1p(-zero) + base(of, y, **parameters)
        return of.where(y > 0, counted, of.logaddexp(of.log(zero), counted))

    return density


def _hurdle(base: Callable[..., Any]) -> Callable[..., Any]:
    def density(of: _Library, y: Any, zero: Any, **parameters: Any) -> Any:
        positive = of.log(-of.expm1(base(of, np.float64(0.0), **parameters)))
        return of.where(y > 0, of.log1p(-zero) + base(of, y, **parameters) - positive, of.log(zero))

    return density


def _outlying(family: str) -> Callable[..., Any]:
    def density(of: _Library, y: Any, outlier: Any, **parameters: Any) -> Any:
        wide, given = widened(family, parameters)
        usual = of.log1p(-outlier) + PLAIN[family](of, y, **parameters)
        return of.logaddexp(usual, of.log(outlier) + PLAIN[wide](of, y, **given))

    return density


PLAIN: Mapping[str, Callable[..., Any]] = {
    "poisson": _poisson,
    "negative-binomial": _negative_binomial,
    "bernoulli": _bernoulli,
    "gaussian": _gaussian,
    "zero-inflated-poisson": _zero_inflated(_poisson),
    "zero-inflated-negative-binomial": _zero_inflated(_negative_binomial),
    "hurdle-poisson": _hurdle(_poisson),
    "hurdle-negative-binomial": _hurdle(_negative_binomial),
}
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "poisson": ("mean",),
    "negative-binomial": ("mean", "dispersion"),
    "bernoulli": ("chance",),
    "gaussian": ("mean", "sd"),
    "zero-inflated-poisson": ("mean", "zero"),
    "zero-inflated-negative-binomial": ("mean", "dispersion", "zero"),
    "hurdle-poisson": ("mean", "zero"),
    "hurdle-negative-binomial": ("mean", "dispersion", "zero"),
}
_OUTLYING = tuple(name for name in PLAIN if name != "bernoulli")
DENSITIES = {**PLAIN, **{OUTLYING + name: _outlying(name) for name in _OUTLYING}}
PARAMETERS = {**_PARAMETERS, **{OUTLYING + name: (*_PARAMETERS[name], "outlier") for name in _OUTLYING}}


def log_density(y: ArrayLike, family: str, **parameters: ArrayLike) -> Floats:
    """Return ln p(y), broadcast; exactly 0 where ``y`` is NaN, -inf outside the support.

    Raises:
        ValueError: for an unknown family, or parameters that are not the family's.
    """
    y, given = _arrays(y, family, parameters)
    missing = np.isnan(y)
    outside = np.zeros_like(missing) if real(family) else (y < 0) | (y != np.floor(y))
    if family == "bernoulli":
        outside |= y > 1
    usable = np.where(missing | outside, 0.0, y)
    with np.errstate(divide="ignore"):  # a probability of zero has log density -inf
        density = DENSITIES[family](ARRAYS, usable, **given)
    return np.where(missing, 0.0, np.where(outside, -np.inf, density))


def log_density_graph(y: Any, mask: Any, family: str, **parameters: Any) -> Any:
    """Return the same as a PyTensor expression: ln p(y) where ``mask`` is true, exactly 0 elsewhere.

    ``y`` is data already checked to lie in the support; a cell outside the mask may hold anything, NaN
    too, and has gradient zero. Terms without the mean keep the shape of ``y``, so give ``y`` as ``[T, 1]``
    beside means ``[T, K]`` and they are computed once for all regimes.
    """
    import pytensor.tensor as pt  # late: what is computed from draws does not need it
    from pytensor.tensor.special import logaddexp

    graphs = _Library(
        log=pt.log,
        log1p=pt.log1p,
        expm1=pt.expm1,
        logaddexp=logaddexp,
        gammaln=pt.gammaln,
        where=pt.where,
        maximum=pt.maximum,
        minimum=pt.minimum,
        xlogy=lambda y, x: y * pt.log(x),  # a graph's mean is positive, and log(exp(x)) simplifies to x
    )
    _check(family, parameters)
    given = {name: pt.cast(pt.as_tensor_variable(x), "float64") for name, x in parameters.items()}
    zero = np.float64(0.0)
    usable = graphs.where(mask, pt.cast(pt.as_tensor_variable(y), "float64"), zero)
    return graphs.where(mask, DENSITIES[family](graphs, usable, **given), zero)


def cdf(y: ArrayLike, family: str, **parameters: ArrayLike) -> Floats:
    """Return P(Y <= y), broadcast; NaN where ``y`` is NaN."""
    y, given = _arrays(y, family, parameters)
    return np.asarray(_cdf(y, family, given))


def _cdf(y: Floats, family: str, given: Mapping[str, Floats]) -> Floats:
    if family.startswith(OUTLYING):
        share, usual, wide = both(family, given)
        return np.asarray((1.0 - share) * _cdf(y, *usual) + share * _cdf(y, *wide))
    if family == "gaussian":
        return np.asarray(scipy.special.ndtr((y - given["mean"]) / given["sd"]))
    count = np.floor(y)
    if family == "bernoulli":
        below = np.where(count < 1, 1.0 - given["chance"], 1.0)
    elif family == "poisson":
        below = scipy.special.gammaincc(np.maximum(count, 0) + 1, given["mean"])
    elif family == "negative-binomial":
        share = given["dispersion"] / (given["dispersion"] + given["mean"])
        below = scipy.special.betainc(given["dispersion"], np.maximum(count, 0) + 1, share)
    else:
        kind, base, zero, rest = _split(family, given)
        below = _cdf(count, base, rest)
        if kind == "hurdle":
            nothing = _cdf(np.zeros_like(count), base, rest)
            below = (below - nothing) / (1.0 - nothing)
        below = zero + (1.0 - zero) * below
    return np.where(np.isnan(y), np.nan, np.where(count < 0, 0.0, below))


def quantile(q: ArrayLike, family: str, **parameters: ArrayLike) -> Floats:
    """Return the smallest y with P(Y <= y) >= q, broadcast."""
    q, given = _arrays(q, family, parameters)
    return np.asarray(_quantile(q, family, given))


def _quantile(q: Floats, family: str, given: Mapping[str, Floats]) -> Floats:
    if family.startswith(OUTLYING):
        return _between(q, family, given)
    if family == "gaussian":
        return np.asarray(given["mean"] + given["sd"] * scipy.special.ndtri(q))
    if family == "bernoulli":
        return np.where(q > 1.0 - given["chance"], 1.0, 0.0)
    if family == "poisson":
        return np.asarray(np.maximum(scipy.stats.poisson.ppf(q, given["mean"]), 0.0))
    if family == "negative-binomial":
        share = given["dispersion"] / (given["dispersion"] + given["mean"])
        return np.asarray(np.maximum(scipy.stats.nbinom.ppf(q, given["dispersion"], share), 0.0))
    kind, base, zero, rest = _split(family, given)
    rest_of_q = np.clip((q - zero) / (1.0 - zero), 0.0, 1.0)
    if kind == "hurdle":
        return np.where(q > zero, _positive(rest_of_q, base, rest), 0.0)
    return np.where(q > zero, _quantile(rest_of_q, base, rest), 0.0)


def _between(q: Floats, family: str, given: Mapping[str, Floats]) -> Floats:
    """Return the quantile of a mixture: it lies between those of its parts, whose interval is halved."""
    _, usual, wide = both(family, given)
    ends = _quantile(q, *usual), _quantile(q, *wide)
    low, high = np.minimum(*ends) - (0.0 if real(family) else 1.0), np.maximum(*ends)
    while True:  # to the last bit, or whole number
        middle = (low + high) / 2.0 if real(family) else np.floor((low + high) / 2.0)
        if np.all((middle == low) | (middle == high)):
            return high
        reached = _cdf(middle, family, given) >= q
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)


def sample(
    rng: np.random.Generator, family: str, size: int | tuple[int, ...] | None = None, **parameters: ArrayLike
) -> Floats:
    """Draw from a family, ``size`` as numpy's generators read it; counts are whole float64."""
    _, given = _arrays(0.0, family, parameters)
    shape = np.broadcast_shapes(*(x.shape for x in given.values())) if size is None else size
    if family.startswith(OUTLYING):
        outlier, *laws = both(family, given)
        return np.where(rng.random(shape) < outlier, *(sample(rng, f, shape, **own) for f, own in laws[::-1]))
    if family == "gaussian":
        return np.asarray(rng.normal(given["mean"], given["sd"], shape))
    if family == "bernoulli":
        return np.asarray(rng.random(shape) < given["chance"], dtype=np.float64)
    if family == "poisson":
        return np.asarray(rng.poisson(given["mean"], shape), dtype=np.float64)
    if family == "negative-binomial":
        rate = rng.gamma(given["dispersion"], given["mean"] / given["dispersion"], shape)
        return np.asarray(rng.poisson(rate), dtype=np.float64)
    kind, base, zero, rest = _split(family, given)
    kept = rng.random(shape) >= zero
    if kind == "hurdle":
        return np.where(kept, _positive(rng.random(shape), base, rest), 0.0)
    return np.where(kept, sample(rng, base, shape, **rest), 0.0)


def pseudo_residuals(
    y: ArrayLike, family: str, predicted: ArrayLike, *, rng: np.random.Generator, **parameters: ArrayLike
) -> Floats:
    """Return randomised quantile residuals, standard normal under the model, NaN where ``y`` is missing.

        u[t] = F[t](y - 1) + v p[t](y),   v ~ U(0, 1);   residual = normal quantile of u
        F[t](x) = mean over draws of sum_j P(S[t] = j | y before t) F_j(x),   p[t] the same of the densities

    ``y`` is ``[..., T]``, ``predicted`` ``[..., T, K]`` and each parameter ``[..., T, K]`` or ``[K]``. Axes
    that lead beyond those of ``y`` are draws, and the distribution functions are averaged over them
    before the quantile is taken. A Gaussian needs no randomisation. After Dunn and Smyth (1996).
    """
    y, given = _arrays(y, family, parameters)
    cell = y[..., None] if real(family) else np.floor(y)[..., None]

    def below(law: Law) -> Floats:
        return _cdf(cell if real(family) else cell - 1.0, family, law)

    def at(law: Law) -> Floats:
        return np.exp(log_density(cell, family, **law))

    functions = (below,) if real(family) else (below, at)
    weight = np.asarray(predicted, dtype=np.float64)
    u, *jump = averaged(functions, weight, given, cells=y.shape)
    chance = rng.random(y.shape)
    u += chance * jump[0] if jump else 0.0
    return np.asarray(scipy.special.ndtri(np.clip(u, DEEPEST, 1.0 - np.finfo(np.float64).epsneg)))


def real(family: str) -> bool:
    """Tell whether a family's cells are real numbers, which no transform need randomise."""
    return family.endswith("gaussian")


def _positive(q: Floats, base: str, rest: Mapping[str, Floats]) -> Floats:
    """Return the quantile of a count conditioned on being positive."""
    nothing = _cdf(np.zeros(()), base, rest)
    return np.maximum(_quantile(nothing + q * (1.0 - nothing), base, rest), 1.0)


def _split(family: str, given: Mapping[str, Floats]) -> tuple[str, str, Floats, Mapping[str, Floats]]:
    """Return whether a compound family is a hurdle or inflated, its base, its zero and the base's parameters."""
    kind = "hurdle" if family.startswith("hurdle-") else "zero-inflated"
    rest = {name: value for name, value in given.items() if name != "zero"}
    return kind, family.removeprefix(f"{kind}-"), given["zero"], rest


def _arrays(
    y: ArrayLike, family: str, parameters: Mapping[str, ArrayLike]
) -> tuple[Floats, dict[str, Floats]]:
    _check(family, parameters)
    given = {name: np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
    return np.asarray(y, dtype=np.float64), given


def _check(family: str, parameters: Mapping[str, Any]) -> None:
    """Refuse a family that does not exist, and parameters that are not its own."""
    if family not in PARAMETERS:
        raise ValueError(f"family: got {family!r}; wanted one of {', '.join(PARAMETERS)}")
    if set(parameters) != set(PARAMETERS[family]):
        got = ", ".join(sorted(parameters)) or "none"
        raise ValueError(f"{family}: got parameters {got}; wanted {', '.join(PARAMETERS[family])}")
