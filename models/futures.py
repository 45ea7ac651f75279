"""Futures: paths of regime, level and counts from the exact filter at the last month on, for every draw.

Given a draw's parameters and its level up to the last month T:

    z[T]        drawn on each path by itself from the exact filtered probabilities, so that paths are independent
    z[t]        backward from z[T] through the tail, months in which some stream is missing
    z[T+h]      forward through P
    level[T+h]  = level[T+h-1] + σ ξ, ξ ~ Normal(0, 1), anew on each path; with a trend, + b[T+h-1], the first of
                  which is drawn given the steps up to T
    counts      from their family; a yes-or-no chain of its own goes the same way as z

Each draw has a seed of its own, so results do not depend on how the draws are shared out among threads.
Counts beyond `MOST` are held there.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import derived, forward, levels, streams
from models.contract import Setting, Stream
from models.kernels import Floats, Integers, compiled
from models.outliers import WIDE, WIDER

MOST = 2_000_000_000.0  # of a count: what 32 bits hold
FEWEST = 1e-6  # a positive count of a smaller mean is one

POISSON, NEGATIVE_BINOMIAL, GAUSSIAN, BERNOULLI, CHAIN = range(5)
PLAIN, INFLATED, HURDLE = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Everything the kernel needs, flat over draws D; the tail has L months, the last one at least."""

    kind: Integers  # [S], POISSON … CHAIN
    zeros: Integers  # [S], PLAIN … HURDLE
    observed: Floats  # [S, L], NaN where missing
    level: Floats  # [D, S, L] log level, release included
    last: Floats  # [D, S] log level of the last month, without its release
    factor: Floats  # [D or 1, S, H] log factor of the release futures are drawn at, and the season
    step: Floats  # [D, S] sd of monthly level steps
    effect: Floats  # [D, S, K]
    phi: Floats  # [D, S]
    zero: Floats  # [D, S]
    chance: Floats  # [D, S, K]
    regime: Floats  # [D, L, K] filtered
    before: Floats  # [D, L-1 or 1, K, K] steps within the tail
    after: Floats  # [D, H or 1, K, K] steps after the last month
    state: Floats  # [D, S, L, 2] filtered, of chains
    persistence: Floats  # [D, S, 2, 2]
    slope: Floats  # [D, S] what a trend adds to the first step
    unsure: Floats  # [D, S] its sd given its waves
    trend: Floats  # [D, S] τ, 0 without a trend
    damping: Floats  # [D, S] ρ
    outlier: Floats  # [D, S] share of outlying months


def draw(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, months: int, paths: int, seed: int
) -> xr.Dataset:
    """Draw ``paths`` futures of ``months`` months after the panel's last for each posterior draw.

    Draws are those of all chains, one chain after another. Returns

        count (draw, path, stream, month)       whole numbers of 32 bits (floats if a stream is gaussian)
        tail (draw, path, stream, tail_month)   the panel's last months back to the start of the longest
                                                trailing gap; observed cells as observed
        regime (draw, path, month)              places in ``setting.scenarios``, where there are several
        filtered (draw, scenario)               P(regime of the last month | data)

    Raises:
        ValueError: releases or drivers of the setting that do not reach so far.
    """
    start = _start(draws, panel, setting, months)
    D, S, L = start.level.shape
    number = np.float32 if any(s.family == "gaussian" for s in setting.streams) else np.int32
    count = np.empty((D, paths, S, months), dtype=number)
    tail = np.empty((D, paths, S, L), dtype=number)
    regime = np.empty((D, paths, months), dtype=np.int8)
    seeds = np.random.SeedSequence(seed).generate_state(D).astype(np.uint32)
    given = tuple(getattr(start, field.name) for field in fields(Start))
    workers = min(os.cpu_count() or 1, D)
    bounds = np.linspace(0, D, 4 * workers + 1).astype(np.int64)

    def run(begin: int, end: int) -> None:
        _simulate(seeds, given, count, tail, regime, begin, end)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, bounds[:-1], bounds[1:]))
    found = {
        "count": (("draw", "path", "stream", "month"), count),
        "tail": (("draw", "path", "stream", "tail_month"), tail[..., L - gap(panel) :]),
        "filtered": (("draw", "scenario"), start.regime[:, -1]),
    }
    if len(setting.scenarios) > 1:
        found["regime"] = (("draw", "path", "month"), regime)
    return xr.Dataset(
        found, coords={"stream": panel.coords["stream"].values, "scenario": list(setting.scenarios)}
    )


def gap(panel: xr.DataArray) -> int:
    """Return the length of the longest run of missing cells that ends in the last month."""
    seen = ~np.isnan(panel.values)
    return int(max(np.argmax(row[::-1]) if row.any() else row.size for row in seen))


def _start(draws: xr.Dataset, panel: xr.DataArray, setting: Setting, months: int) -> Start:
    """Filter every draw to the last month and lay out what the kernel needs."""
    T, S, K = panel.sizes["month"], len(setting.streams), len(setting.scenarios)
    L = max(gap(panel), 1)
    D = draws.sizes["chain"] * draws.sizes["draw"]

    def flat(values: Any, *shape: int) -> Floats:
        return np.ascontiguousarray(np.broadcast_to(values, (*draws_shape, *shape)).reshape(D, *shape))

    draws_shape = (draws.sizes["chain"], draws.sizes["draw"])
    named = {str(name): np.nan_to_num(draws[name].values) for name in draws.data_vars}
    level = named.get("level", np.zeros((*draws_shape, S, T)))
    factor = np.zeros((*draws_shape, S, L + months))
    for n, s in enumerate(setting.streams):
        factor[:, :, n] = derived.shifted(draws, panel, setting, s, L + months, first=T - L)
    regime, before, after = _chain(draws, panel, setting, L, months)
    state = np.zeros((D, S, L, 2))
    for n, s in enumerate(setting.streams):
        if s in streams.chained(setting):
            P = flat(named["persistence"][:, :, n], 2, 2)
            known = derived.states(panel.values[n])
            state[:, n] = forward.filtered(known, P, forward.stationary(P))[:, -L:]
    return Start(
        kind=np.array([_kind(s, setting) for s in setting.streams]),
        zeros=np.array([_zeros(s.family) for s in setting.streams]),
        observed=np.ascontiguousarray(panel.values[:, T - L :], dtype=np.float64),
        level=flat(level[..., T - L :] + factor[..., :L], S, L),
        last=flat(level[..., -1], S),
        factor=flat(factor[..., L:], S, months),
        step=flat(named.get("wander", 0.0), S),
        effect=flat(named.get("effect", 0.0), S, K),
        phi=flat(named.get("dispersion", 0.0), S),
        zero=flat(named.get("zero", 0.0), S),
        chance=flat(named.get("chance", 0.0), S, K),
        regime=regime,
        before=before,
        after=after,
        state=state,
        persistence=flat(named.get("persistence", 0.0), S, 2, 2),
        slope=flat(named.get("slope", np.zeros(1))[..., -1], S),
        unsure=flat(_unsure(named, setting, T), S),
        trend=flat(named.get("trend", 0.0), S),
        damping=flat(named.get("damping", 0.0), S),
        outlier=flat(named.get("outlier", 0.0), S),
    )


def _unsure(named: dict[str, Floats], setting: Setting, T: int) -> Any:
    """Return the sd of the last slopes given the steps, ``[chain, draw, S]``, or zero without a trend."""
    if "trend" not in named:
        return 0.0
    waves, turn = levels.slopes(T + setting.horizon, setting.basis)
    trend = np.where(named["trend"] > 0.0, named["trend"], 1.0)  # of a stream without one nothing is asked
    pace, share = levels.paces(np, named["wander"], trend, named["damping"], turn)
    known = ((waves[T - 1] * pace * share) ** 2).sum(axis=-1)
    return np.sqrt(np.maximum(named["trend"] ** 2 - known, 0.0))


def _chain(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, L: int, months: int
) -> tuple[Floats, Floats, Floats]:
    """Return filtered laws of the last L months and the matrices within and after them, flat over draws."""
    D, T, K = draws.sizes["chain"] * draws.sizes["draw"], panel.sizes["month"], len(setting.scenarios)
    if K == 1:
        return np.ones((D, L, 1)), np.ones((D, 1, 1, 1)), np.ones((D, 1, 1, 1))
    law = forward.filtered(
        derived.log_emission(draws, panel, setting).reshape(D, T, K),
        derived.transition(draws, setting, T - 1)[0].reshape(D, -1, K, K)
        if "leave" in draws
        else draws["transition"].values.reshape(D, K, K),
        draws["initial"].values.reshape(D, K),
        time_varying="leave" in draws,
    )
    before, _ = derived.transition(draws, setting, max(L - 1, 1), first=T - max(L, 2))
    after, _ = derived.transition(draws, setting, months, first=T - 1)
    return (
        np.ascontiguousarray(law[:, T - L :]),
        np.ascontiguousarray(before.reshape(D, -1, K, K)),
        np.ascontiguousarray(after.reshape(D, -1, K, K)),
    )


def _kind(stream: Stream, setting: Setting) -> int:
    if stream in streams.chained(setting):
        return CHAIN
    if stream.family in ("bernoulli", "gaussian"):
        return BERNOULLI if stream.family == "bernoulli" else GAUSSIAN
    return NEGATIVE_BINOMIAL if "negative-binomial" in stream.family else POISSON


def _zeros(family: str) -> int:
    return (
        HURDLE if family.startswith("hurdle") else INFLATED if family.startswith("zero-inflated") else PLAIN
    )


@compiled
def _pick(weights: Floats, u: float) -> int:
    """Return the place of ``u`` in [0, 1) along weights of any sum."""
    rest = u * weights.sum()
    for k in range(weights.size - 1):
        rest -= weights[k]
        if rest < 0.0:
            return k
    return weights.size - 1


@compiled
def _back(law: Floats, P: Floats, last: int, out: Integers) -> None:
    """Draw states backward from ``last`` through filtered laws ``[L, K]`` into ``out``."""
    L, K = law.shape
    out[L - 1] = last
    weights = np.empty(K)
    for t in range(L - 2, -1, -1):
        for i in range(K):
            weights[i] = law[t, i] * P[t if P.shape[0] > 1 else 0, i, out[t + 1]]
        out[t] = _pick(weights, np.random.random())


@compiled
def _positive(kind: int, mean: float, phi: float) -> float:
    """Draw a count given that it is positive: a Poisson's first event is placed, the rest follow it."""
    if mean < FEWEST:
        return 1.0
    rate = mean
    while kind == NEGATIVE_BINOMIAL:
        rate = np.random.gamma(phi, mean / phi)
        if np.random.random() < -np.expm1(-rate):
            break
    first = -np.log1p(np.random.random() * np.expm1(-rate))
    return 1.0 + float(np.random.poisson(max(min(rate, MOST) - first, 0.0)))


@compiled
def _count(kind: int, zeros: int, mean: float, phi: float, zero: float, outlier: float) -> float:
    """Draw one cell of a counted stream."""
    if outlier > 0.0 and np.random.random() < outlier:
        if kind == GAUSSIAN:
            phi /= WIDER**2
        else:
            phi = 1.0 / WIDE if kind == POISSON else phi / (1.0 + WIDE * phi)
            kind = NEGATIVE_BINOMIAL
    if kind == GAUSSIAN:
        return float(mean + np.random.normal() * mean / np.sqrt(phi))
    if zeros != PLAIN and np.random.random() < zero:
        return 0.0
    if zeros == HURDLE:
        return min(_positive(kind, mean, phi), MOST)
    rate = np.random.gamma(phi, mean / phi) if kind == NEGATIVE_BINOMIAL else mean
    return min(float(np.random.poisson(min(rate, MOST))), MOST)


@compiled
def _simulate(
    seeds: NDArray[np.uint32],
    start: tuple[Any, ...],
    count: NDArray[Any],
    tail: NDArray[Any],
    path: NDArray[np.int8],
    begin: int,
    end: int,
) -> None:
    """Fill the paths of draws ``begin`` to ``end``; ``start`` holds the fields of `Start` in their order."""
    kind, zeros, observed, level, last, factor, step, effect = start[:8]
    phi, zero, chance, regime, before, after, state, persistence = start[8:16]
    slope, unsure, trend, damping, outlier = start[16:]
    _, R, S, H = count.shape
    L = regime.shape[1]
    z, own = np.empty(L, dtype=np.int64), np.empty(L, dtype=np.int64)
    exponent, bend = np.empty(S), np.empty(S)
    now = np.empty(S, dtype=np.int64)
    for d in range(begin, end):
        np.random.seed(seeds[d])
        for r in range(R):
            _back(regime[d], before[d], _pick(regime[d, L - 1], np.random.random()), z)
            for s in range(S):
                if kind[s] == CHAIN:
                    law = state[d, s]
                    _back(law, persistence[d, s : s + 1], _pick(law[L - 1], np.random.random()), own)
                    now[s] = own[L - 1]
                for t in range(L):
                    if not np.isnan(observed[s, t]):
                        tail[d, r, s, t] = observed[s, t]
                    elif kind[s] == CHAIN:
                        tail[d, r, s, t] = own[t]
                    elif kind[s] == BERNOULLI:
                        tail[d, r, s, t] = np.random.random() < chance[d, s, z[t]]
                    else:
                        mean = np.exp(level[d, s, t] + effect[d, s, z[t]])
                        tail[d, r, s, t] = _count(
                            kind[s], zeros[s], mean, phi[d, s], zero[d, s], outlier[d, s]
                        )
                exponent[s] = last[d, s]
                if trend[d, s] > 0.0:
                    bend[s] = slope[d, s] + unsure[d, s] * np.random.normal()
            k = z[L - 1]
            for h in range(H):
                k = _pick(after[d, h if after.shape[1] > 1 else 0, k], np.random.random())
                path[d, r, h] = k
                for s in range(S):
                    if kind[s] == CHAIN:
                        now[s] = _pick(persistence[d, s, now[s]], np.random.random())
                        count[d, r, s, h] = now[s]
                    elif kind[s] == BERNOULLI:
                        count[d, r, s, h] = np.random.random() < chance[d, s, k]
                    else:
                        if step[d, s] > 0.0:
                            exponent[s] += step[d, s] * np.random.normal()
                        if trend[d, s] > 0.0:
                            exponent[s] += bend[s]
                            turn = trend[d, s] * np.sqrt(1.0 - damping[d, s] ** 2)
                            bend[s] = damping[d, s] * bend[s] + turn * np.random.normal()
                        mean = np.exp(exponent[s] + factor[d, s, h] + effect[d, s, k])
                        count[d, r, s, h] = _count(
                            kind[s], zeros[s], mean, phi[d, s], zero[d, s], outlier[d, s]
                        )
