"""Walks carried by particles, and for each particle the regimes summed out exactly: a Rao-Blackwellised filter.

The law of a walk. The model's level is m + σ (random walk less its mean over N months), N window and horizon, so its
steps are independent Normal(0, σ²) and its mean over all N months is m. With log m ~ Normal(μ, τ²) this is a walk
with a flat start that is told its mean. With x the last level, s the sum so far and n = N - t months to come,

    level[1]   ~ Normal(μ, τ² + σ² (N-1)(2N-1) / 6N)
    next step  ~ Normal(g (N μ - s - n x), σ² (1 - n g)),    g = n σ² / (σ² n(n+1)(2n+1)/6 + N² τ²)

so (x, s) is all that a particle needs. The model itself carries a walk on its smoothest waves; the few per cent of
variance that those leave out are in the walk here. With a trend (``models.levels``) the slope b is a third number, and
what is to come is told by two that run backward: the sum of n months has mean n x + c[n] b and variance V[n],

    c[n] = n + ρ c[n-1]        V[n] = V[n-1] + n² σ² + c[n-1]² τ² (1 - ρ²)

The exponential of a sum of densities over months is an unbiased estimate of their joint density. Doucet, de Freitas,
Murphy and Russell, Rao-Blackwellised particle filtering for dynamic Bayesian networks, UAI (2000).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from models.kernels import Floats, Integers, compiled, inlined, plain

NEGATIVE_BINOMIAL, POISSON, GAUSSIAN = range(3)
PLAIN, INFLATED, HURDLE = range(3)
SMALL = 1e-3  # below it ln(1 + x) is taken without adding first, which is slower
DEPLETED = 0.5  # particles are drawn anew when fewer than this share of them carry the weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """Series whose levels walk in W streams, and all that is known besides; flat over draws D."""

    rest: Floats  # [D, T, K] log density of the streams that do not walk, labels included
    transition: Floats  # [D, T-1 or 1, K, K]
    initial: Floats  # [D, K]
    y: Floats  # [W, T], NaN where missing
    kind: Integers  # [W], NEGATIVE_BINOMIAL …
    zeros: Integers  # [W], PLAIN …
    constant: Floats  # [D, W, T] terms of the log density that the mean does not enter
    factor: Floats  # [D, W, T] log reporting factor
    effect: Floats  # [D, W, K]
    phi: Floats  # [D, W]
    zero: Floats  # [D, W]
    centre: Floats  # [D, W] μ
    spread: Floats  # [D, W] τ
    step: Floats  # [D, W] σ
    months: int  # N
    trend: Floats | None = None  # [D, W] τ, 0 without a trend; None: no stream has one
    damping: Floats | None = None  # [D, W] ρ
    outlier: Floats | None = None  # [D, W] share of outlying months; None: no stream has some
    wide: Floats | None = None  # [D, W] φ of those
    rare: Floats | None = None  # [D, W, T] terms of their log density that the mean does not enter


def filtered(given: Walks, *, particles: int, seed: int) -> Floats:
    """Return ln p(month t | months before) of every draw, ``[D, T]``; -inf from an impossible month on.

    Each draw has a seed of its own, so results do not depend on how the draws are shared out among threads.

    Raises:
        ValueError: if there is no particle.
    """
    if particles < 1:
        raise ValueError(f"particles: got {particles}; wanted at least one")
    (D, T, _), W = given.rest.shape, len(given.y)
    density = np.empty((D, T))
    none = {"trend": (D, W), "damping": (D, W), "outlier": (D, W), "wide": (D, W), "rare": (D, W, T)}
    arrays = tuple(
        plain(
            np.zeros(none[field.name]) if getattr(given, field.name) is None else getattr(given, field.name)
        )
        for field in fields(Walks)
        if field.name != "months"
    )
    seeds = np.random.SeedSequence(seed).spawn(D)

    def run(d: int) -> None:
        rng = np.random.default_rng(seeds[d])
        normals, uniforms = rng.standard_normal((T, particles, W)), rng.random((T,))
        turns = rng.standard_normal((T, particles, 0 if given.trend is None else W))
        _filter(d, arrays, given.months, normals, uniforms, turns, density)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, D)) as pool:
        list(pool.map(run, range(D)))
    return density


@inlined
def _base(kind: int, y: float, log_mean: float, mean: float, phi: float) -> float:
    """Return a cell's log density without its constant terms."""
    if kind == NEGATIVE_BINOMIAL:
        ratio = mean / phi
        return float(y * log_mean - (y + phi) * (np.log(1.0 + ratio) if ratio > SMALL else np.log1p(ratio)))
    if kind == POISSON:
        return y * log_mean - mean
    return -0.5 * phi * (y / mean - 1.0) ** 2 - log_mean


@inlined
def _cell(
    kind: int, zeros: int, y: float, log_mean: float, mean: float, phi: float, zero: float, constant: float
) -> float:
    """Return a cell's log density in one regime."""
    plain = _base(kind, y, log_mean, mean, phi) + constant
    if zeros == PLAIN:
        return plain
    nothing = _base(kind, 0.0, log_mean, mean, phi)  # the density of zero has no constant terms
    if zeros == HURDLE:
        positive = np.log1p(-zero) + plain - np.log(-np.expm1(nothing))
        return float(np.log(zero) if y == 0.0 else positive)
    inflated = np.log(zero + (1.0 - zero) * np.exp(nothing))
    return float(inflated if y == 0.0 else np.log1p(-zero) + plain)


@inlined
def _step(t: int, N: int, spread: float, step: float) -> tuple[float, float]:
    """Return the pull toward the mean and the sd of a walk's step into month ``t``, from 0."""
    if t == 0:
        return 0.0, np.sqrt(spread**2 + step**2 * (N - 1.0) * (2.0 * N - 1.0) / (6.0 * N))
    n = float(N - t)
    pull = n * step**2 / (step**2 * n * (n + 1.0) * (2.0 * n + 1.0) / 6.0 + (N * spread) ** 2)
    return pull, step * np.sqrt(max(1.0 - n * pull, 0.0))


@inlined
def _mixed(outlier: float, usual: float, outlying: float) -> float:
    """Return a cell's log density from those of usual and of outlying months."""
    one, other = np.log1p(-outlier) + usual, np.log(outlier) + outlying
    best = max(one, other)
    return float(best + np.log1p(np.exp(-abs(one - other)))) if best > -np.inf else -np.inf


@inlined
def _ahead(N: int, step: float, trend: float, damping: float, reach: Floats, open_: Floats) -> None:
    """Write c[n] and V[n] of the module's head for n = 0 … N months to come."""
    reach[0] = open_[0] = 0.0
    for n in range(1, N + 1):
        turn = (reach[n - 1] * trend) ** 2 * (1.0 - damping**2)
        reach[n] = n + damping * reach[n - 1]
        open_[n] = open_[n - 1] + (n * step) ** 2 + turn


@inlined
def _tilted(
    t: int,
    N: int,
    law: tuple[float, float, float, float, float],
    ahead: tuple[Floats, Floats],
    at: tuple[float, float, float],
    normal: tuple[float, float],
) -> tuple[float, float]:
    """Return level and slope of month ``t`` from those before it, drawn by two standard normals.

    ``law`` is (μ, τ of the mean, σ, τ of the slope, ρ), ``at`` the level, the slope and the sum so far.
    """
    centre, spread, step, trend, damping = law
    reach, open_ = ahead
    if t == 0:
        slope = trend * normal[1]
        sd = np.sqrt(spread**2 + open_[N - 1] / N**2)
        return centre - reach[N - 1] * slope / N + sd * normal[0], slope
    level, slope, total = at
    n = N - t
    turn = trend**2 * (1.0 - damping**2)
    gain = 1.0 / (open_[n] + (N * spread) ** 2)
    missing = gain * (N * centre - total - n * level - reach[n] * slope)
    along, across = n * step**2, reach[n - 1] * turn
    own = max(step**2 - along**2 * gain, 0.0)
    shared = -along * across * gain / np.sqrt(own) if own > 0.0 else 0.0
    rest = max(turn - across**2 * gain - shared**2, 0.0)
    return (
        level + slope + along * missing + np.sqrt(own) * normal[0],
        damping * slope + across * missing + shared * normal[0] + np.sqrt(rest) * normal[1],
    )


@inlined
def _systematic(weight: Floats, uniform: float, chosen: Integers) -> None:
    """Choose particles in proportion to weights that sum to one, by one number from [0, 1)."""
    n = weight.size
    i, heaped = 0, weight[0]
    for j in range(n):
        while heaped < (j + uniform) / n and i < n - 1:
            i += 1
            heaped += weight[i]
        chosen[j] = i


@inlined
def _move(law: Floats, P: Floats, moved: Floats) -> None:
    """Write a law of regimes one month on into ``moved``."""
    for k in range(law.size):
        moved[k] = 0.0
        for j in range(law.size):
            moved[k] += law[j] * P[j, k]


@inlined
def _condition(before: Floats, log_emission: Floats, law: Floats) -> float:
    """Write the law of regimes given a month into ``law``; return the month's log density."""
    best, mass = log_emission.max(), 0.0
    for k in range(law.size):
        law[k] = before[k] * np.exp(log_emission[k] - best) if best > -np.inf else 0.0
        mass += law[k]
    if not mass > 0.0:
        return -np.inf
    for k in range(law.size):
        law[k] /= mass
    return float(best + np.log(mass))


@compiled
def _filter(
    d: int,
    given: tuple[Any, ...],
    N: int,
    normals: Floats,
    uniforms: Floats,
    turns: Floats,
    density: Floats,
) -> None:
    """Fill the densities of draw ``d``; ``given`` holds the arrays of `Walks` in order.

    ``normals`` ``[T, particles, W]`` move the levels, ``turns`` of the same shape (or empty) their slopes, ``uniforms``
    ``[T]`` draw particles anew.
    """
    rest, transition, initial, y, kind, zeros, constant, factor = given[:8]
    effect, phi, zero, centre, spread, step, trend, damping, outlier, wide, rare = given[8:]
    T, particles, W = normals.shape
    K = rest.shape[2]
    level, total, law = np.empty((particles, W)), np.zeros((particles, W)), np.empty((particles, K))
    weight, value = np.full(particles, 1.0 / particles), np.empty(particles)
    chosen = np.empty(particles, dtype=np.int64)
    at, before, times = np.empty(K), np.empty(K), np.exp(effect[d])
    level[:] = centre[d]
    slope = np.zeros((particles, W))
    reach, open_ = np.empty((W, N + 1)), np.empty((W, N + 1))
    for w in range(W):
        _ahead(N, step[d, w], trend[d, w], damping[d, w], reach[w], open_[w])
    for t in range(T):
        P = transition[d, t - 1 if transition.shape[1] > 1 else 0]
        for w in range(W):
            if trend[d, w] > 0.0:
                own = (centre[d, w], spread[d, w], step[d, w], trend[d, w], damping[d, w])
                for i in range(particles):
                    level[i, w], slope[i, w] = _tilted(
                        t,
                        N,
                        own,
                        (reach[w], open_[w]),
                        (level[i, w], slope[i, w], total[i, w]),
                        (normals[t, i, w], turns[t, i, w]),
                    )
                    total[i, w] += level[i, w]
                continue
            pull, sd = _step(t, N, spread[d, w], step[d, w])
            for i in range(particles):
                missing = N * centre[d, w] - total[i, w] - (N - t) * level[i, w]
                level[i, w] += pull * missing + sd * normals[t, i, w]
                total[i, w] += level[i, w]
        top = -np.inf
        for i in range(particles):
            at[:] = rest[d, t]
            for w in range(W):
                if np.isnan(y[w, t]):
                    continue
                x = level[i, w] + factor[d, w, t]
                mean = np.exp(x)
                for k in range(K):
                    usual = _cell(
                        kind[w],
                        zeros[w],
                        y[w, t],
                        x + effect[d, w, k],
                        mean * times[w, k],
                        phi[d, w],
                        zero[d, w],
                        constant[d, w, t],
                    )
                    if outlier[d, w] > 0.0:
                        outlying = _cell(
                            kind[w] if kind[w] == GAUSSIAN else NEGATIVE_BINOMIAL,
                            zeros[w],
                            y[w, t],
                            x + effect[d, w, k],
                            mean * times[w, k],
                            wide[d, w],
                            zero[d, w],
                            rare[d, w, t],
                        )
                        usual = _mixed(outlier[d, w], usual, outlying)
                    at[k] += usual
            before[:] = initial[d]
            if t > 0:
                _move(law[i], P, before)
            value[i] = _condition(before, at, law[i])
            top = max(top, value[i])
        if top == -np.inf:
            density[d, t:] = -np.inf
            return
        weight *= np.exp(value - top)
        mass = weight.sum()
        weight /= mass
        density[d, t] = top + np.log(mass)
        if (weight**2).sum() * particles * DEPLETED > 1.0:
            _systematic(weight, uniforms[t], chosen)
            level, total, law = level[chosen], total[chosen], law[chosen]
            if turns.size > 0:
                slope = slope[chosen]
            weight[:] = 1.0 / particles
