"""The log densities of a counted stream's cells with their slopes, for the compiled density of a whole model.

They are ln p and its derivatives in the log mean, the dispersion φ and the share of zeros, without the terms that none
of them enters (ln y!, ½ ln 2π). The one part of a negative binomial that costs much, ``rising``, is the same in every
regime, so a stream's months are taken at once (``risen``) and the cells go without it: what is left of a cell is affine in y. The formulas are those of ``models.emissions``, which says what the
families are; the two are held together by tests.
"""

import numpy as np

from models.kernels import Floats, Integers, compiled, inlined

NEGATIVE_BINOMIAL, POISSON, GAUSSIAN = range(3)
PLAIN, INFLATED, HURDLE = range(3)
STIRLING_FROM = 64.0  # the dispersion from which the difference of log gammas is taken from Stirling's series
SHIFTED_TO = 10.0  # arguments below are raised to here, where seven terms of the series are exact
FEW = 256  # counts up to here are counted
MANY = 1e200  # a product of so much is turned into a logarithm, lest it overflow
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


@compiled
def risen(y: Floats, seen: Floats, phi: float) -> tuple[float, float]:
    """Return the sum of ``rising`` over the months that are seen, and its derivative in φ.

    Small counts are taken together. With n(i) months of more than i events their part is Σ_i n(i) ln(1 + i/φ): each i
    is met once, and one logarithm serves all those that have one n.
    """
    months, most = np.zeros(FEW + 1), 0
    log_phi = np.log(phi)
    below, below_slope = log_gamma(phi)
    value, slope = 0.0, 0.0
    for t in range(y.size):
        if seen[t] > 0.0 and y[t] <= FEW:
            months[int(y[t])] += 1.0
            most = max(most, int(y[t]))
        elif seen[t] > 0.0:
            rise, rise_slope = rising(y[t], phi, log_phi, below, below_slope)
            value += rise
            slope += rise_slope
    per, above, product, heavy = 1.0 / phi, 0.0, 1.0, 0.0
    for i in range(most - 1, 0, -1):
        if months[i + 1] > 0.0 or product > MANY:
            value += above * np.log(product)
            above += months[i + 1]
            product = 1.0
        product *= 1.0 + i * per
        heavy += above * i / (phi + i)
    return value + above * np.log(product), slope - heavy * per


@inlined
def scatter(mean: float, per: float) -> tuple[float, float]:
    """Return ln(1 + mean/φ) and mean/(φ + mean) of a negative binomial, given 1/φ; months of one mean share them."""
    ratio = mean * per
    return np.log(1.0 + ratio) if ratio > SMALL else np.log1p(ratio), ratio / (1.0 + ratio)


@inlined
def base(
    kind: int,
    y: float,
    log_mean: float,
    mean: float,
    phi: float,
    log: float,
    share: float,
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
    value = (y * log_mean if y > 0.0 else 0.0) - (y + phi) * log
    return value, y - (y + phi) * share, (y + phi) * share / phi - log


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
) -> tuple[float, float, float, float]:
    """Return ln p and its slopes in log mean, φ and the share of zeros."""
    if zeros == PLAIN:
        value, slope, by_phi = base(kind, y, log_mean, mean, phi, log, share)
        return value, slope, by_phi, 0.0
    if zeros == HURDLE and y == 0.0:
        return np.log(zero), 0.0, 0.0, 1.0 / zero
    value, slope, by_phi = base(kind, y, log_mean, mean, phi, log, share)
    if zeros == INFLATED:
        if y > 0.0:
            return np.log1p(-zero) + value, slope, by_phi, -1.0 / (1.0 - zero)
        nothing = np.exp(value)
        total = zero + (1.0 - zero) * nothing
        weight = (1.0 - zero) * nothing / total
        return np.log(total), weight * slope, weight * by_phi, (1.0 - nothing) / total
    none, none_slope, none_by_phi = base(kind, 0.0, log_mean, mean, phi, log, share)
    some = -np.expm1(none)
    weight = np.exp(none) / some
    value += np.log1p(-zero) - np.log(some)
    return value, slope + weight * none_slope, by_phi + weight * none_by_phi, -1.0 / (1.0 - zero)


@inlined
def regular(
    y: Floats, seen: Floats, log_mean: Floats, effect: Floats, phi: float, emission: Floats, at_cell: Floats
) -> None:
    """Do what ``general`` does for a negative binomial without zeros of its own, the commonest family, in half the time."""
    K, per = effect.size, 1.0 / phi
    times = np.exp(effect)
    flat, steep, logs, shares = np.empty(K), np.empty(K), np.empty(K), np.empty(K)
    last = np.nan
    for t in range(y.size):
        if seen[t] <= 0.0:
            for k in range(K):
                at_cell[0, t, k], at_cell[1, t, k] = 0.0, 0.0
            continue
        if log_mean[t] != last:
            last = log_mean[t]
            mean = np.exp(last)
            for k in range(K):
                logs[k], shares[k] = scatter(mean * times[k], per)
                flat[k], steep[k] = -phi * logs[k], last + effect[k] - logs[k]
        for k in range(K):
            pull = (y[t] + phi) * shares[k]
            emission[t, k] += flat[k] + steep[k] * y[t]
            at_cell[0, t, k], at_cell[1, t, k] = y[t] - pull, pull * per - logs[k]


@compiled
def general(
    kind: int,
    zeros: int,
    y: Floats,
    seen: Floats,
    log_mean: Floats,
    effect: Floats,
    phi: float,
    zero: float,
    emission: Floats,
    at_cell: Floats,
) -> None:
    """Add ln p of a stream's months to ``[T, K]`` and fill its slopes ``[3, T, K]``, both without ``rising``."""
    K, per = effect.size, 1.0 / phi
    times = np.exp(effect)
    logs, shares = np.empty(K), np.empty(K)
    last, mean = np.nan, np.nan
    for t in range(y.size):
        if seen[t] <= 0.0:
            at_cell[:, t] = 0.0
            continue
        if log_mean[t] != last:
            last = log_mean[t]
            mean = np.exp(last)
            for k in range(K):
                logs[k], shares[k] = scatter(mean * times[k], per)
        for k in range(K):
            found, by_mean, by_phi, by_zero = cell(
                kind, zeros, y[t], last + effect[k], mean * times[k], phi, zero, logs[k], shares[k]
            )
            emission[t, k] += found
            at_cell[0, t, k], at_cell[1, t, k], at_cell[2, t, k] = by_mean, by_phi, by_zero


@compiled
def unmoved(y: Floats, seen: Floats, log_mean: Floats, phi: float, emission: Floats) -> None:
    """Do what ``regular`` does where log means ``[K]`` are those of every month: a cell is a + b y."""
    K = log_mean.size
    flat, steep = np.empty(K), np.empty(K)
    for k in range(K):
        log, _ = scatter(np.exp(log_mean[k]), 1.0 / phi)
        flat[k], steep[k] = -phi * log, log_mean[k] - log
    for t in range(y.size):
        if seen[t] > 0.0:
            for k in range(K):
                emission[t, k] += flat[k] + steep[k] * y[t]


@compiled
def unmoved_slopes(
    y: Floats, seen: Floats, log_mean: Floats, phi: float, law: Floats
) -> tuple[Floats, float]:
    """Return the slopes in the log means ``[K]`` and φ, from the months and events that the laws expect in each regime."""
    K = log_mean.size
    months, events = np.zeros(K), np.zeros(K)
    for t in range(y.size):
        if seen[t] > 0.0:
            for k in range(K):
                months[k] += law[t, k]
                events[k] += law[t, k] * y[t]
    slope, by_phi = np.empty(K), 0.0
    for k in range(K):
        log, share = scatter(np.exp(log_mean[k]), 1.0 / phi)
        pull = (events[k] + phi * months[k]) * share
        slope[k] = events[k] - pull
        by_phi += pull / phi - log * months[k]
    return slope, by_phi


@compiled
def effects(s: int, K: int, value: Floats, steps: Integers) -> Floats:
    """Return a stream's log effects, ``[K]``."""
    effect = np.zeros(K)
    for n, key, first, stop in steps:
        if n == s:
            for k in range(first, stop):
                effect[k] += np.log(value[key])
    return effect


@compiled
def absorb_effects(s: int, value: Floats, steps: Integers, d_effect: Floats, d_value: Floats) -> None:
    """Carry the slopes in a stream's log effects back to the effects."""
    for n, key, first, stop in steps:
        if n == s:
            for k in range(first, stop):
                d_value[key] += d_effect[k] / value[key]


@inlined
def weigh(law: Floats, at_cell: Floats, zeroed: bool, here: Floats, d_effect: Floats) -> tuple[float, float]:
    """Weigh a stream's slopes by the laws: fill those in log means by month and by regime, return those in φ and zeros."""
    T, K = law.shape
    by_phi, by_zero = 0.0, 0.0
    for t in range(T):
        for k in range(K):
            g = law[t, k] * at_cell[0, t, k]
            here[t] += g
            d_effect[k] += g
            by_phi += law[t, k] * at_cell[1, t, k]
    if zeroed:
        for t in range(T):
            for k in range(K):
                by_zero += law[t, k] * at_cell[2, t, k]
    return by_phi, by_zero
