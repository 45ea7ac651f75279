"""The whole log density and its gradient in one pass of machine code, for every structure of the switching models.

What `switching-level` states as a PyMC model is written here a second time, with derivatives by hand, driven by the
tables of ``models.plan``: nothing is compiled for a new workspace, and a gradient costs microseconds. The tests hold it to the PyMC model to 1e-10 for every
structure. The order is that of the model: what was stated and its prior,
levels, cells, the chain (``models.marginal``); then the same backwards, slopes named ``d_`` and what they belong to.
"""

import numpy as np

from models import marginal
from models.cells import (
    NEGATIVE_BINOMIAL,
    PLAIN,
    absorb_effects,
    effects,
    general,
    regular,
    risen,
    unmoved,
    unmoved_slopes,
    weigh,
)
from models.kernels import Floats, Integers, compiled

NORMAL, LOGNORMAL, SHIFTED, SIGNED, STUDENTT, BETA, GAMMA, HALFNORMAL, EXPONENTIAL = range(9)


@compiled
def stated(
    x: Floats, said: Floats, keys: Integers, fixed: Floats, value: Floats, slope: Floats, gradient: Floats
) -> float:
    """Fill the value of each key and dvalue/dx; return the log prior, its slope added to the gradient."""
    total = 0.0
    for n in range(keys.shape[0]):
        family, at, a, step = keys[n]
        u = x[at]
        if family <= SIGNED:
            z = (u - said[a]) / said[a + step]
            total -= 0.5 * z * z
            gradient[at] -= z / said[a + step]
            if family == NORMAL:
                value[n], slope[n] = u, 1.0
            elif family == SIGNED:
                value[n] = np.exp(fixed[n] * np.exp(u))
                slope[n] = value[n] * fixed[n] * np.exp(u)
            else:
                slope[n] = np.exp(u)
                value[n] = fixed[n] + slope[n]
        elif family == STUDENTT:
            nu, sigma = said[a], said[a + 2 * step]
            z = (u - said[a + step]) / sigma
            total -= 0.5 * (nu + 1.0) * np.log1p(z * z / nu)
            gradient[at] -= (nu + 1.0) * z / (sigma * (nu + z * z))
            value[n], slope[n] = u, 1.0
        elif family == BETA:
            p, q = 1.0 / (1.0 + np.exp(-u)), 1.0 / (1.0 + np.exp(u))
            total += said[a] * np.log(p) + said[a + step] * np.log(q)
            gradient[at] += said[a] * q - said[a + step] * p
            value[n], slope[n] = p, p * q
        else:
            v = np.exp(u)
            value[n], slope[n] = v, v
            if family == GAMMA:
                total += said[a] * u - said[a + step] * v
                gradient[at] += said[a] - said[a + step] * v
            elif family == HALFNORMAL:
                z = v / said[a]
                total += u - 0.5 * z * z
                gradient[at] += 1.0 - z * z
            else:
                total += u - said[a] * v
                gradient[at] += 1.0 - said[a] * v
    return total


@compiled
def shared(x: Floats, said: Floats, shares: Integers, p: Floats, gradient: Floats) -> float:
    """Fill the shares of each statement, softmax of (y, -Σy); return their log prior as `stated` does."""
    total = 0.0
    for n in range(shares.shape[0]):
        count, at, a = shares[n]
        last, top = 0.0, -np.inf
        for j in range(count - 1):
            last -= x[at + j]
            top = max(top, x[at + j])
        top = max(top, last)
        mass, whole = 0.0, 0.0
        for j in range(count):
            z = x[at + j] if j < count - 1 else last
            p[n, j] = np.exp(z - top)
            mass += p[n, j]
            whole += said[a + j]
            total += said[a + j] * (z - top)
        total -= whole * np.log(mass)
        for j in range(count):
            p[n, j] /= mass
        end = said[a + count - 1] - whole * p[n, count - 1]
        for j in range(count - 1):
            gradient[at + j] += said[a + j] - whole * p[n, j] - end
    return total


@compiled
def paths(shape: Floats, months: Floats, waves_at: int) -> Floats:
    """Return B ε of every walk, ``[walks, T]``."""
    walks, waves = shape.shape
    T = months.shape[0]
    path = np.zeros((walks, T))
    if walks > 0:
        wave = np.ascontiguousarray(months[:, waves_at : waves_at + waves].T)
        for w in range(walks):
            along = path[w]
            for r in range(waves):
                size, one = shape[w, r], wave[r]
                for t in range(T):
                    along[t] += size * one[t]
    return path


@compiled
def _levels(
    s: int, value: Floats, months: Floats, path: Floats, counted: Integers, factors: Integers
) -> Floats:
    """Return a stream's log mean in the reference scenario, ``[T]``."""
    level, wander, walk = counted[s, 3], counted[s, 4], counted[s, 7]
    found = np.full(months.shape[0], np.log(value[level]))
    if walk >= 0:
        found += np.log1p(value[wander] / 100.0) * path[walk]
    for n, key, at in factors:
        if n == s:
            found += value[key] * months[:, at]
    return found


@compiled
def emit(
    s: int,
    value: Floats,
    months: Floats,
    y_at: int,
    seen_at: int,
    path: Floats,
    counted: Integers,
    steps: Integers,
    factors: Integers,
    emission: Floats,
    at_cell: Floats,
) -> None:
    """Add a stream's log densities to ``[T, K]`` and keep their slopes in ``[3, T, K]``.

    What no regime changes stands in the first month, whose laws sum to one like every month's.
    """
    column, kind, zeros, _, _, spread, share, _ = counted[s]
    y, seen = months[:, y_at + column], months[:, seen_at + column]
    log_mean = _levels(s, value, months, path, counted, factors)
    effect = effects(s, emission.shape[1], value, steps)
    phi = (100.0 / value[spread]) ** 2 if spread >= 0 else 1.0
    if kind == NEGATIVE_BINOMIAL and zeros == PLAIN:
        regular(y, seen, log_mean, effect, phi, emission, at_cell)
    else:
        zero = value[share] if share >= 0 else 0.0
        general(kind, zeros, y, seen, log_mean, effect, phi, zero, emission, at_cell)
    if kind == NEGATIVE_BINOMIAL:
        rise, rise_slope = risen(y, seen, phi)
        emission[0] += rise
        at_cell[1, 0] += rise_slope


@compiled
def absorb(
    s: int,
    value: Floats,
    months: Floats,
    waves_at: int,
    shape_at: int,
    path: Floats,
    counted: Integers,
    steps: Integers,
    factors: Integers,
    law: Floats,
    at_cell: Floats,
    d_value: Floats,
    gradient: Floats,
    waves: int,
) -> None:
    """Carry the slopes of a stream's cells, weighed by the smoothed laws, back to what it rests on."""
    T, K = law.shape
    _, _, _, level, wander, spread, share, walk = counted[s]
    here, d_effect = np.zeros(T), np.zeros(K)
    d_phi, d_zero = weigh(law, at_cell, share >= 0, here, d_effect)
    d_value[level] += d_effect.sum() / value[level]
    for n, key, at in factors:
        if n == s:
            for t in range(T):
                d_value[key] += here[t] * months[t, at]
    if walk >= 0:
        scale, d_scale = np.log1p(value[wander] / 100.0), 0.0
        d_shape = np.zeros(waves)
        for t in range(T):
            d_scale += here[t] * path[walk, t]
            size, wave = here[t], months[t, waves_at : waves_at + waves]
            for r in range(waves):
                d_shape[r] += size * wave[r]
        d_value[wander] += d_scale / (100.0 + value[wander])
        gradient[shape_at + walk * waves : shape_at + (walk + 1) * waves] += scale * d_shape
    if spread >= 0:
        d_value[spread] -= 2.0 * d_phi * (100.0 / value[spread]) ** 2 / value[spread]
    if share >= 0:
        d_value[share] += d_zero
    absorb_effects(s, value, steps, d_effect, d_value)


@compiled
def constant(s: int, counted: Integers, factors: Integers) -> bool:
    """Tell whether a stream is a plain negative binomial of one mean in each regime."""
    for n in range(factors.shape[0]):
        if factors[n, 0] == s:
            return False
    plain: bool = counted[s, 1] == NEGATIVE_BINOMIAL and counted[s, 2] == PLAIN
    return plain and counted[s, 7] < 0


@compiled
def emit_constant(
    s: int,
    value: Floats,
    months: Floats,
    y_at: int,
    seen_at: int,
    counted: Integers,
    steps: Integers,
    emission: Floats,
    d_value: Floats,
) -> float:
    """Do the work of ``emit`` for a constant stream, and return what no regime changes."""
    column, level, spread = counted[s, 0], counted[s, 3], counted[s, 5]
    log_mean = np.log(value[level]) + effects(s, emission.shape[1], value, steps)
    phi = (100.0 / value[spread]) ** 2
    y, seen = months[:, y_at + column], months[:, seen_at + column]
    unmoved(y, seen, log_mean, phi, emission)
    rise, rise_slope = risen(y, seen, phi)
    d_value[spread] -= 2.0 * rise_slope * phi / value[spread]
    return rise


@compiled
def absorb_constant(
    s: int,
    value: Floats,
    months: Floats,
    y_at: int,
    seen_at: int,
    counted: Integers,
    steps: Integers,
    law: Floats,
    d_value: Floats,
) -> None:
    """Do the work of ``absorb`` for a constant stream."""
    column, level, spread = counted[s, 0], counted[s, 3], counted[s, 5]
    log_mean = np.log(value[level]) + effects(s, law.shape[1], value, steps)
    phi = (100.0 / value[spread]) ** 2
    y, seen = months[:, y_at + column], months[:, seen_at + column]
    d_effect, d_phi = unmoved_slopes(y, seen, log_mean, phi, law)
    d_value[level] += d_effect.sum() / value[level]
    d_value[spread] -= 2.0 * d_phi * phi / value[spread]
    absorb_effects(s, value, steps, d_effect, d_value)


@compiled
def density(
    x: Floats,
    gradient: Floats,
    said: Floats,
    months: Floats,
    fixed: Floats,
    layout: Integers,
    keys: Integers,
    shares: Integers,
    counted: Integers,
    steps: Integers,
    factors: Integers,
    chances: Integers,
    chains: Integers,
    dwell: Integers,
    exits: Integers,
    start: Integers,
    odds: Integers,
) -> float:
    """Return the log density at x and fill its gradient; the last of ``said`` holds the constant terms."""
    K, y_at, seen_at, waves_at, _, labels_at, drivers_at, _, waves, walks, shape_at = layout
    T, S = months.shape[0], counted.shape[0]
    gradient[:] = 0.0
    value, slope, d_value = np.empty(keys.shape[0]), np.empty(keys.shape[0]), np.zeros(keys.shape[0])
    p = np.empty((shares.shape[0], K))
    d_p = np.zeros_like(p)
    total: float = said[-1] + stated(x, said, keys, fixed, value, slope, gradient)
    total += shared(x, said, shares, p, gradient)
    shape = x[shape_at : shape_at + walks * waves].reshape(walks, waves)
    path = paths(shape, months, waves_at)
    for n in range(shape_at, shape_at + walks * waves):
        total -= 0.5 * x[n] * x[n]
        gradient[n] -= x[n]
    emission = np.zeros((T, K))
    if labels_at >= 0:
        emission[:] = months[:, labels_at : labels_at + K]
    at_cell = np.empty((S, 3, T, K))
    for s in range(S):
        if constant(s, counted, factors):
            total += emit_constant(s, value, months, y_at, seen_at, counted, steps, emission, d_value)
        else:
            emit(s, value, months, y_at, seen_at, path, counted, steps, factors, emission, at_cell[s])
    for column, k, key in chances:
        for t in range(T):
            if months[t, seen_at + column] > 0.0:
                v = value[key]
                emission[t, k] += np.log(v if months[t, y_at + column] > 0.0 else 1.0 - v)
    law = np.ones((T, K))
    if K > 1 and (S > 0 or chances.shape[0] > 0):
        found, law = marginal.chain(
            emission, months, drivers_at, value, p, dwell, exits, start, odds, d_value, d_p
        )
        total += found
    else:
        total += emission.sum()
    total += marginal.own(months, value, chains, d_value)
    for s in range(S):
        if constant(s, counted, factors):
            absorb_constant(s, value, months, y_at, seen_at, counted, steps, law, d_value)
        else:
            absorb(
                s, value, months, waves_at, shape_at, path, counted, steps, factors, law, at_cell[s], d_value, gradient, waves
            )  # fmt: skip
    for column, k, key in chances:
        for t in range(T):
            if months[t, seen_at + column] > 0.0:
                yes = months[t, y_at + column] > 0.0
                d_value[key] += law[t, k] / value[key] if yes else -law[t, k] / (1.0 - value[key])
    for n in range(keys.shape[0]):
        gradient[keys[n, 1]] += d_value[n] * slope[n]
    for n in range(shares.shape[0]):
        count, at, _ = shares[n]
        mean = 0.0
        for j in range(count):
            mean += d_p[n, j] * p[n, j]
        end = p[n, count - 1] * (d_p[n, count - 1] - mean)
        for j in range(count - 1):
            gradient[at + j] += p[n, j] * (d_p[n, j] - mean) - end
    return total
