"""Futures given paths of regimes: whatever drew the regimes, levels move on and counts are drawn the same way.

    level[T+h] = level[T+h-1] + ν[z[T+h]] + σ[z[T+h]] ξ        ξ ~ Normal(0, 1), anew on each path
    counts     from their family, at the release and season of their month

The regimes of the tail (months in which some stream is missing) are drawn backward from the exact filter, those
ahead forward; a yes-or-no chain of its own goes the same way, as a chain of two regimes without ages. Each draw has a
seed of its own, so results do not depend on how the draws are shared out among threads.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import derived, emissions, forward, streams
from models.contract import Setting, Stream
from models.futures import MOST, gap
from models.kernels import Floats, compiled, inlined, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Regimes:
    """A chain with ages around the last month, flat over draws D; the tail has L months, the last one at least."""

    filtered: Floats  # [D, L, K, m]
    before: Floats  # [D, L-1 or 1, K, m] hazards of the steps within the tail
    before_go: Floats  # [D, L-1 or 1, K, K]
    after: Floats  # [D, H or 1, K, m] hazards of the steps after the last month
    after_go: Floats  # [D, H or 1, K, K]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What a month of a regime does to a log level, flat over draws; zero where it stands still."""

    drift: Floats  # [D, S, K] ν
    scale: Floats  # [D, S, K] σ


@inlined
def _pick(weights: Floats, u: float) -> int:
    """Return the place of ``u`` in [0, 1) along weights of any sum."""
    rest = u * weights.sum()
    for k in range(weights.size - 1):
        rest -= weights[k]
        if rest < 0.0:
            return k
    return int(weights.size - 1)


@compiled
def paths_of(
    filtered: Floats,
    before: Floats,
    before_go: Floats,
    after: Floats,
    after_go: Floats,
    uniforms: Floats,
    path: NDArray[np.int8],
) -> None:
    """Fill ``path`` ``[R, L + H]`` with regimes of the last L months, drawn backward, and of the H after them.

    Args:
        filtered: laws of the last L months, ``[L, K, m]``.
        before: hazards of the steps between those months, ``[L-1 or 1, K, m]``.
        before_go: their exits, ``[L-1 or 1, K, K]``.
        after: hazards of the steps out of the last month and on, ``[H or 1, K, m]``.
        after_go: their exits, ``[H or 1, K, K]``.
        uniforms: ``[R, L + H]``; each path is drawn with its own.
        path: filled.
    """
    L, K, m = filtered.shape
    R, total = uniforms.shape
    last, weights = filtered[L - 1].copy().reshape(K * m), np.empty(K * m)
    for r in range(R):
        state = _pick(last, uniforms[r, L - 1])
        k, a = state // m, state % m
        path[r, L - 1] = k
        older, age = k, a
        for t in range(L - 2, -1, -1):
            s = t if before.shape[0] > 1 else 0
            weights[:] = 0.0
            if age > 0 or m == 1:
                weights[older * m + max(age - 1, 0)] = 1.0 - before[s, older, max(age - 1, 0)]
            if age == m - 1:
                weights[older * m + age] = 1.0 - before[s, older, age]
            if age == 0:
                for j in range(K):
                    for n in range(m):
                        if j != older:
                            weights[j * m + n] = before[s, j, n] * before_go[s, j, older]
            for n in range(K * m):
                weights[n] *= filtered[t, n // m, n % m]
            state = _pick(weights, uniforms[r, t])
            older, age = state // m, state % m
            path[r, t] = older
        for t in range(L, total):
            s = t - L if after.shape[0] > 1 else 0
            h, u = after[s, k, a], uniforms[r, t]
            if u < h:
                rest = u / h
                k, a = _other(after_go[s, k], k, rest), 0
            else:
                a = min(a + 1, m - 1)
            path[r, t] = k


@inlined
def _other(go: Floats, k: int, u: float) -> int:
    """Return a regime other than ``k`` in proportion to ``go``."""
    whole = 0.0
    for j in range(go.size):
        whole += go[j] if j != k else 0.0
    rest, last = u * whole, k
    for j in range(go.size):
        if j != k and go[j] > 0.0:
            last = j
            rest -= go[j]
            if rest < 0.0:
                return j
    return last


def tail(panel: xr.DataArray) -> int:
    """Return L, the months back to the start of the longest trailing gap, the last one at least."""
    return max(gap(panel), 1)


def flat(draws: xr.Dataset, name: str) -> Floats:
    """Return a quantity of all draws, one chain after another, ``[D, …]``, zero where a stream has no such thing."""
    values = np.nan_to_num(draws[name].values)
    return plain(values.reshape(-1, *values.shape[2:]))


def draw(
    draws: xr.Dataset,
    panel: xr.DataArray,
    setting: Setting,
    regimes: Regimes,
    moves: Moves,
    *,
    months: int,
    paths: int,
    seed: int,
) -> xr.Dataset:
    """Draw ``paths`` futures of ``months`` months for each draw; the result is that of ``models.futures.draw``.

    Raises:
        ValueError: releases or drivers of the setting that do not reach so far, or a trend, which nothing here carries on.
    """
    if trends := streams.trended(setting):
        raise ValueError(f"stream {trends[0].id!r}: got a trend; wanted none in a model of this kind")
    L, S = tail(panel), len(setting.streams)
    D, number = len(regimes.filtered), np.int32
    if any(s.family == "gaussian" for s in setting.streams):
        number = np.float32  # type: ignore[assignment]
    cells = np.empty((D, paths, S, L + months), dtype=number)
    z = np.empty((D, paths, L + months), dtype=np.int8)
    seen = panel.values[:, panel.sizes["month"] - L :]
    told = {s.id: _told(draws, panel, setting, s, L, months) for s in setting.streams}
    seeds = np.random.SeedSequence(seed).spawn(D)

    def run(d: int) -> None:
        rng = np.random.default_rng(seeds[d])
        _paths(regimes, d, rng, z[d])
        for n, s in enumerate(setting.streams):
            given = {name: value[d] for name, value in told[s.id].items()}
            cells[d, :, n] = np.clip(_cells(s, setting, given, moves, d, n, z[d], L, rng), -MOST, MOST)
        cells[d, ..., :L] = np.where(np.isnan(seen), cells[d, ..., :L], np.nan_to_num(seen))

    with ThreadPoolExecutor(min(os.cpu_count() or 1, D)) as pool:
        list(pool.map(run, range(D)))
    return xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), cells[..., L:]),
            "tail": (("draw", "path", "stream", "tail_month"), cells[..., L - gap(panel) : L]),
            "filtered": (("draw", "scenario"), regimes.filtered[:, -1].sum(axis=-1)),
            "regime": (("draw", "path", "month"), z[..., L:]),
        },
        coords={"stream": panel.coords["stream"].values, "scenario": list(setting.scenarios)},
    )


def _paths(given: Regimes, d: int, rng: np.random.Generator, path: Any) -> None:
    """Draw one draw's paths of regimes into ``path`` ``[R, L + H]``."""
    filtered, before, before_go, after, after_go = (
        plain(part[d])
        for part in (given.filtered, given.before, given.before_go, given.after, given.after_go)
    )
    paths_of(filtered, before, before_go, after, after_go, rng.random(path.shape), path)


def _told(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, stream: Stream, L: int, months: int
) -> Mapping[str, Floats]:
    """Return what each draw says of a stream, ``[D, …]``."""
    own = draws.sel(stream=stream.id)
    if stream in streams.chained(setting):
        P = flat(own, "persistence")
        known = derived.states(panel.sel(stream=stream.id).values)
        return {"P": P, "filtered": forward.filtered(known, P, forward.stationary(P))[:, -L:, :, None]}
    if stream.family == "bernoulli":
        return {"chance": flat(own, "chance")}
    T = panel.sizes["month"]
    head = (draws.sizes["chain"], draws.sizes["draw"], L + months)
    factor = derived.shifted(draws, panel, setting, stream, L + months, first=T - L)
    names = ("level", "effect", "dispersion", "zero", *(["outlier"] if stream.outliers else []))
    found = {name: flat(own, name) for name in names}
    return found | {
        "level": found["level"][:, -L:],
        "factor": np.broadcast_to(factor, head).reshape(-1, L + months),
    }


def _cells(
    stream: Stream,
    setting: Setting,
    given: Mapping[str, Floats],
    moves: Moves,
    d: int,
    n: int,
    z: Any,
    L: int,
    rng: np.random.Generator,
) -> Any:
    """Return cells of one stream ``[R, L + H]`` given the regimes."""
    if stream in streams.chained(setting):
        P, own = given["P"], np.empty(z.shape, dtype=np.int8)
        leave = np.array([[[P[0, 1]], [P[1, 0]]]])
        go = np.array([[[0.0, 1.0], [1.0, 0.0]]])
        paths_of(plain(given["filtered"]), leave, go, leave, go, rng.random(z.shape), own)
        return own
    if stream.family == "bernoulli":
        return rng.random(z.shape) < given["chance"][z]
    level = np.empty(z.shape)
    level[:, :L] = given["level"]
    ahead = z[:, L:]
    steps = moves.drift[d, n][ahead] + moves.scale[d, n][ahead] * rng.standard_normal(ahead.shape)
    level[:, L:] = given["level"][-1] + np.cumsum(steps, axis=1)
    logs = level + given["factor"] + given["effect"][z]
    mean = np.exp(np.minimum(logs, np.log(MOST)))
    law = streams.law(stream)
    known = streams.parameters(law, mean, given["dispersion"], given["zero"], given.get("outlier"))
    return emissions.sample(rng, law, **known)


def steady(draws: xr.Dataset, setting: Setting) -> Moves:
    """Return moves that do not depend on the regime: the steps of a walk, without drift."""
    K = len(setting.scenarios)
    if "wander" not in draws:
        nothing = np.zeros((draws.sizes["chain"] * draws.sizes["draw"], len(setting.streams), K))
        return Moves(drift=nothing, scale=nothing)
    scale = np.repeat(flat(draws, "wander")[..., None], K, axis=-1)
    return Moves(drift=np.zeros_like(scale), scale=scale)
