"""The log density of all fronts and its gradient in one pass: each front in turn through the parts of ``models.fused``.

The theatre's numbers are read once. A front's are a copy with those replaced that vary; its slopes come back to what they
vary about, and how far. The work grows with the fronts and with the months, and what it needs of memory at a time is one
front's. The tables are those of ``models.fronts_plan``.
"""

import numpy as np

from models import fused, marginal
from models.fronts_plan import PLANNED
from models.kernels import Floats, Integers, compiled


@compiled
def _vary(
    x: Floats,
    first: int,
    last: int,
    varied: Integers,
    sharing: Floats,
    keys: Integers,
    fixed: Floats,
    common: Floats,
    value: Floats,
    slope: Floats,
    gradient: Floats,
    d_value: Floats,
) -> float:
    """Put a front's own numbers in place of the common ones; return their log prior, its slopes added."""
    total = 0.0
    for n in range(first, last):
        key, at, by, centred, level = varied[n]
        scale = np.log1p(common[by] / 100.0)
        centre = x[keys[key, 1]] - sharing[n] - (0.5 * scale * scale if level == 1 else 0.0)
        if centred == 1:
            z = (x[at] - centre) / scale
            u = x[at]
            total -= 0.5 * z * z + np.log(scale)
            gradient[at] -= z / scale
            _back(z / scale, (z * z - 1.0) / scale, scale, by, level, keys[key, 1], common, gradient, d_value)
        else:
            z = x[at]
            u = centre + scale * z
            total -= 0.5 * z * z
            gradient[at] -= z
        family = keys[key, 0]
        if family == fused.NORMAL:
            value[key], slope[key] = u, 1.0
        elif family == fused.SIGNED:
            value[key] = np.exp(fixed[key] * np.exp(u))
            slope[key] = value[key] * fixed[key] * np.exp(u)
        else:
            slope[key] = np.exp(u)
            value[key] = fixed[key] + slope[key]
    return total


@compiled
def _back(
    d_centre: float,
    d_scale: float,
    scale: float,
    by: int,
    level: int,
    at: int,
    common: Floats,
    gradient: Floats,
    d_value: Floats,
) -> None:
    """Carry the slopes in a centre and a scale back to what was stated."""
    gradient[at] += d_centre
    if level == 1:
        d_scale -= scale * d_centre
    d_value[by] += d_scale / (100.0 + common[by])


@compiled
def _vary_back(
    x: Floats,
    first: int,
    last: int,
    varied: Integers,
    keys: Integers,
    common: Floats,
    slope: Floats,
    d_own: Floats,
    d_value: Floats,
    gradient: Floats,
) -> None:
    """Carry the slopes in a front's own numbers back, and those in the common ones."""
    for n in range(first, last):
        key, at, by, centred, level = varied[n]
        d = d_own[key] * slope[key]
        d_own[key] = 0.0
        if centred == 1:
            gradient[at] += d
        else:
            scale = np.log1p(common[by] / 100.0)
            gradient[at] += d * scale
            _back(d, d * x[at], scale, by, level, keys[key, 1], common, gradient, d_value)
    for n in range(keys.shape[0]):
        d_value[n] += d_own[n]


@compiled
def _tilt(
    x: Floats,
    first: int,
    last: int,
    tilted: Integers,
    shares: Integers,
    tau: float,
    p: Floats,
    gradient: Floats,
) -> float:
    """Tilt a front's exits in place; return the log prior of the tilts, its slopes added."""
    total, by = 0.0, tau / np.sqrt(2.0)
    for n in range(first, last):
        row, at = tilted[n]
        mass = 0.0
        for j in range(shares[row, 0]):
            e = x[at + j]
            total -= 0.5 * e * e
            gradient[at + j] -= e
            p[row, j] *= np.exp(by * e)
            mass += p[row, j]
        for j in range(shares[row, 0]):
            p[row, j] /= mass
    return total


@compiled
def _tilt_back(
    x: Floats,
    first: int,
    last: int,
    tilted: Integers,
    shares: Integers,
    tau: float,
    common: Floats,
    p: Floats,
    d_own: Floats,
    d_p: Floats,
    gradient: Floats,
) -> float:
    """Carry the slopes in a front's shares back to tilts and common shares; return the slope in τ."""
    by, d_by = tau / np.sqrt(2.0), 0.0
    for n in range(first, last):
        row, at = tilted[n]
        count = shares[row, 0]
        mean, mass = 0.0, 0.0
        for j in range(count):
            mean += d_own[row, j] * p[row, j]
            mass += common[row, j] * np.exp(by * x[at + j])
        for j in range(count):
            d = p[row, j] * (d_own[row, j] - mean)
            gradient[at + j] += by * d
            d_by += x[at + j] * d
            d_own[row, j] = np.exp(by * x[at + j]) / mass * (d_own[row, j] - mean)
    d_p += d_own
    return float(d_by / np.sqrt(2.0))


@compiled
def _front(
    x: Floats,
    gradient: Floats,
    months: Floats,
    layout: Integers,
    shown: Integers,
    value: Floats,
    p: Floats,
    counted: Integers,
    steps: Integers,
    factors: Integers,
    chances: Integers,
    chains: Integers,
    dwell: Integers,
    exits: Integers,
    start: Integers,
    odds: Integers,
    d_value: Floats,
    d_p: Floats,
) -> float:
    """Return the log likelihood of one front's months and add its slopes to what they rest on."""
    K, y_at, seen_at, waves_at, _, labels_at, drivers_at, _, waves, walks, shape_at = layout[:PLANNED]
    T, S = months.shape[0], counted.shape[0]
    rows = shown[S:]
    path = np.zeros((walks, T))
    for w in range(walks):
        if rows[w] >= 0:
            at = shape_at + rows[w] * waves
            path[w] = fused.paths(x[at : at + waves].reshape(1, waves), months, waves_at)[0]
    emission = np.zeros((T, K))
    if labels_at >= 0:
        emission[:] = months[:, labels_at : labels_at + K]
    at_cell = np.empty((S, 3, T, K))
    for s in range(S):
        if shown[s] == 1:
            fused.emit(s, value, months, y_at, seen_at, path, counted, steps, factors, emission, at_cell[s])
    for column, k, key in chances:
        for t in range(T):
            if months[t, seen_at + column] > 0.0:
                v = value[key]
                emission[t, k] += np.log(v if months[t, y_at + column] > 0.0 else 1.0 - v)
    total, law = marginal.chain(
        emission, months, drivers_at, value, p, dwell, exits, start, odds, d_value, d_p
    )
    total += marginal.own(months, value, chains, d_value)
    for s in range(S):
        if shown[s] == 1:
            w = counted[s, 7]
            at = shape_at + (rows[w] - w) * waves if w >= 0 else 0
            fused.absorb(
                s, value, months, waves_at, at, path, counted, steps, factors, law, at_cell[s], d_value, gradient, waves
            )  # fmt: skip
    for column, k, key in chances:
        for t in range(T):
            if months[t, seen_at + column] > 0.0:
                yes = months[t, y_at + column] > 0.0
                d_value[key] += law[t, k] / value[key] if yes else -law[t, k] / (1.0 - value[key])
    return float(total)


@compiled
def density(
    x: Floats,
    gradient: Floats,
    said: Floats,
    fixed: Floats,
    sharing: Floats,
    layout: Integers,
    months: Floats,
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
    fronts: Integers,
    varied: Integers,
    tilted: Integers,
) -> float:
    """Return the log density at x and fill its gradient; months of all fronts lie one after another."""
    F = fronts.shape[0]
    T = months.shape[0] // F
    K, waves, shape_at, rows, pooling = layout[0], layout[8], layout[10], layout[11], layout[12]
    gradient[:] = 0.0
    common, slope, d_value = np.empty(keys.shape[0]), np.empty(keys.shape[0]), np.zeros(keys.shape[0])
    value, own_slope, d_own = np.empty_like(common), np.empty_like(common), np.empty_like(common)
    p = np.empty((shares.shape[0], K))
    d_p, own_p, d_own_p = np.zeros_like(p), np.empty_like(p), np.empty_like(p)
    total: float = said[-1] + fused.stated(x, said, keys, fixed, common, slope, gradient)
    total += fused.shared(x, said, shares, p, gradient)
    for n in range(shape_at, shape_at + rows * waves):
        total -= 0.5 * x[n] * x[n]
        gradient[n] -= x[n]
    tau = np.log1p(common[pooling] / 100.0) if pooling >= 0 else 0.0
    d_tau = 0.0
    for f in range(F):
        a, b, c, d = fronts[f, :4]
        value[:] = common
        own_p[:] = p
        d_own[:] = 0.0
        d_own_p[:] = 0.0
        total += _vary(x, a, b, varied, sharing, keys, fixed, common, value, own_slope, gradient, d_value)
        total += _tilt(x, c, d, tilted, shares, tau, own_p, gradient)
        total += _front(
            x,
            gradient,
            months[f * T : (f + 1) * T],
            layout,
            fronts[f, 4:],
            value,
            own_p,
            counted,
            steps,
            factors,
            chances,
            chains,
            dwell,
            exits,
            start,
            odds,
            d_own,
            d_own_p,
        )
        _vary_back(x, a, b, varied, keys, common, own_slope, d_own, d_value, gradient)
        d_tau += _tilt_back(x, c, d, tilted, shares, tau, p, own_p, d_own_p, d_p, gradient)
    if pooling >= 0:
        d_value[pooling] += d_tau / (100.0 + common[pooling])
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
