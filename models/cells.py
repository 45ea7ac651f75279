"""The log density of one cell of a counted stream with its slopes, for the compiled density of a whole model.

Each function returns ln p and its derivatives in the log mean, the dispersion φ and the share of zeros, without the
terms that none of them enters (ln y!, ½ ln 2π). The formulas are those of ``models.emissions``, which says what the
families are; the two are held together by tests.
"""

import numpy as np

from models.kernels import inlined

NEGATIVE_BINOMIAL, POISSON, GAUSSIAN = range(3)
PLAIN, INFLATED, HURDLE = range(3)
STIRLING_FROM = 64.0  # the dispersion from which the difference of log gammas is taken from Stirling's series
SHIFTED_TO = 10.0  # arguments below are raised to here, where seven terms of the series are exact
SMALL = 1e-3  # below it ln(1 + x) is taken without adding first, which is slower
HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


@inlined
def log_gamma(x: float) -> tuple[float, float]:
    """Return ln Γ(x) and its derivative, by recurrence up to ten and Stirling's series from there."""
    product, reciprocals = 1.0, 0.0
    while x < SHIFTED_TO:
        product *= x
        reciprocals += 1.0 / x
        x += 1.0
    log, s = np.log(x), 1.0 / (x * x)
    series = 1 / 1680 - s * (1 / 1188 - s * (691 / 360360 - s / 156))
    slope = 1 / 240 - s * (1 / 132 - s * (691 / 32760 - s / 12))
    value = (x - 0.5) * log - x + HALF_LOG_TWO_PI + (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * series))) / x
    return (
        value - np.log(product),
        log - 0.5 / x - s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * slope))) - reciprocals,
    )


@inlined
def rising(y: float, phi: float, log_phi: float, below: float, below_slope: float) -> tuple[float, float]:
    """Return ln Γ(y + φ) - ln Γ(φ) - y ln φ and its derivative in φ; what φ alone decides is given."""
    if y == 0.0:
        return 0.0, 0.0
    if phi < STIRLING_FROM:
        above, above_slope = log_gamma(y + phi)
        return above - below - y * log_phi, above_slope - below_slope - y / phi
    n, log = y + phi, np.log1p(y / phi)
    s, r = 1.0 / (n * n), 1.0 / (phi * phi)
    value = (n - 0.5) * log - y
    value += (1 / 12 - s * (1 / 360 - s / 1260)) / n - (1 / 12 - r * (1 / 360 - r / 1260)) / phi
    slope = log - (n - 0.5) * y / (phi * n)
    slope += r * (1 / 12 - r * (1 / 120 - r / 252)) - s * (1 / 12 - s * (1 / 120 - s / 252))
    return value, slope


@inlined
def scatter(kind: int, mean: float, phi: float) -> tuple[float, float]:
    """Return ln(1 + mean/φ) and mean/(φ + mean), which months of one mean share."""
    if kind != NEGATIVE_BINOMIAL:
        return 0.0, 0.0
    ratio = mean / phi
    return np.log(1.0 + ratio) if ratio > SMALL else np.log1p(ratio), mean / (phi + mean)


@inlined
def base(
    kind: int,
    y: float,
    log_mean: float,
    mean: float,
    phi: float,
    log: float,
    share: float,
    rise: float,
    rise_slope: float,
) -> tuple[float, float, float]:
    """Return ln p and its slopes in log mean and φ of a family without zeros of its own."""
    if kind == GAUSSIAN:
        off = y / mean - 1.0
        return (
            0.5 * (np.log(phi) - phi * off * off) - log_mean,
            phi * off * (off + 1.0) - 1.0,
            0.5 / phi - 0.5 * off * off,
        )
    if kind == POISSON:
        return (y * log_mean if y > 0.0 else 0.0) - mean, y - mean, 0.0
    value = (y * log_mean if y > 0.0 else 0.0) - (y + phi) * log + rise
    return value, y - (y + phi) * share, (y + phi) * share / phi - log + rise_slope


@inlined
def cell(
    kind: int,
    zeros: int,
    y: float,
    log_mean: float,
    mean: float,
    phi: float,
    zero: float,
    log: float,
    share: float,
    rise: float,
    rise_slope: float,
) -> tuple[float, float, float, float]:
    """Return ln p and its slopes in log mean, φ and the share of zeros."""
    if zeros == PLAIN:
        value, slope, by_phi = base(kind, y, log_mean, mean, phi, log, share, rise, rise_slope)
        return value, slope, by_phi, 0.0
    if zeros == HURDLE and y == 0.0:
        return np.log(zero), 0.0, 0.0, 1.0 / zero
    value, slope, by_phi = base(kind, y, log_mean, mean, phi, log, share, rise, rise_slope)
    if zeros == INFLATED:
        if y > 0.0:
            return np.log1p(-zero) + value, slope, by_phi, -1.0 / (1.0 - zero)
        nothing = np.exp(value)
        total = zero + (1.0 - zero) * nothing
        weight = (1.0 - zero) * nothing / total
        return np.log(total), weight * slope, weight * by_phi, (1.0 - nothing) / total
    none, none_slope, none_by_phi = base(kind, 0.0, log_mean, mean, phi, log, share, 0.0, 0.0)
    some = -np.expm1(none)
    weight = np.exp(none) / some
    value += np.log1p(-zero) - np.log(some)
    return value, slope + weight * none_slope, by_phi + weight * none_by_phi, -1.0 / (1.0 - zero)
