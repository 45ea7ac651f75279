"""What a month was worth to someone who had not seen it, where regimes have ages or move the levels themselves.

Levels that walk are carried by particles, as in ``models.particles`` and with the same law of a walk that is told its
mean; regime and age are summed out for each particle. Where a step's law depends on the regime of its month, a
regime is drawn from its predicted law q, the step from that regime's law, and then both are summed out again:

    Δ ~ Σ_k q[k] N(pull + ν[k], σ[k]² (1 - n g))        law[k, a] ∝ predicted[k, a] N(Δ | k) p(y | level, k)

so the step's density cancels and a particle's weight is the density of the month's data alone. With no drift and
equal scales this is the filter of ``models.particles``.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import xarray as xr

from models import ages, densities, derived, emissions, streams
from models.contract import Setting, Stream
from models.kernels import Floats, Integers, plain
from models.particles import DEPLETED
from priors import PriorSet

TOGETHER = 20  # draws filtered in one go: their particles fit into a core's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How the levels of W streams walk, by draw: σ in the reference scenario, and what regimes make of a step."""

    step: Floats  # [D, W] σ
    drift: Floats | None  # [D, W, K] ν; None: steps do not depend on the regime
    times: Floats | None  # [D, W, K] times σ
    months: int  # N, those that the mean is taken over


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One group of draws: the chain, and for each walking stream its laws."""

    rest: Floats  # [C, T, K]
    hazard: Floats  # [C, S, K, m]
    go: Floats  # [C, S, K, K]
    initial: Floats  # [C, K, m]
    centre: Floats  # [C, W]
    spread: Floats  # [C, W]
    step: Floats  # [C, W]
    drift: Floats | None  # [C, W, K]
    times: Floats | None
    factor: Floats  # [C, W, T]
    effect: Floats  # [C, W, K]
    phi: Floats  # [C, W]
    zero: Floats  # [C, W]
    outlier: Floats  # [C, W]

    def part(self, where: slice) -> "_Given":
        """Return some of the draws."""
        cut: dict[str, Any] = {}
        for field in fields(self):
            whole = getattr(self, field.name)
            cut[field.name] = None if whole is None else whole[where]
        return _Given(**cut)


def standing(panel: xr.DataArray, setting: Setting) -> xr.DataArray:
    """Return the panel with the cells of the streams that walk missing."""
    return panel.where(~panel["stream"].isin([s.id for s in streams.walking(setting)]))


def one_step(
    draws: xr.Dataset,
    panel: xr.DataArray,
    setting: Setting,
    priors: PriorSet,
    chain: tuple[Floats, Floats, Floats, Floats],
    steps: Steps,
    *,
    number: int,
    seed: int,
) -> Floats:
    """Return ln p(month t | months before, θ) of each draw, ``[D, T]``; exact where nothing walks.

    Args:
        draws: the quantities of a model; sampled walks are not looked at.
        panel: (stream, month).
        setting: as the model sees it.
        priors: they say what the mean of a walk may be.
        chain: arguments of ``models.ages`` for each draw, log emissions those of the streams that stand still.
        steps: how levels walk.
        number: of particles for each draw.
        seed: decides everything random.

    Raises:
        ValueError: if there is no particle.
    """
    own = _own(draws, panel, setting, priors)
    if not (walks := streams.walking(setting)):
        return ages.forward(*chain)[2] + own
    if number < 1:
        raise ValueError(f"particles: got {number}; wanted at least one")
    given = _laid(draws, panel, setting, priors, chain, steps, walks)
    y = panel.sel(stream=[s.id for s in walks]).values
    density = np.empty(chain[0].shape[:2])
    begins = range(0, len(density), TOGETHER)
    seeds = np.random.SeedSequence(seed).spawn(len(begins))

    def run(begin: int, own_seed: np.random.SeedSequence) -> None:
        where, rng = slice(begin, begin + TOGETHER), np.random.default_rng(own_seed)
        density[where] = _filter(given.part(where), walks, y, steps.months, number, rng)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(run, begins, seeds))
    return density + own


def _own(draws: xr.Dataset, panel: xr.DataArray, setting: Setting, priors: PriorSet) -> Floats:
    """Return one-step log densities of the yes-or-no streams that are chains of their own, ``[D, T]``."""
    names = [s.id for s in streams.chained(setting)]
    alone = replace(
        setting,
        scenarios=(setting.reference,),
        streams=tuple(streams.chained(setting)),
        labels=None,
        drivers=(),
    )
    seen = panel.sel(stream=names)
    return densities.one_step(draws.sel(stream=names), seen, alone, priors, number=1, seed=0)


def _laid(
    draws: xr.Dataset,
    panel: xr.DataArray,
    setting: Setting,
    priors: PriorSet,
    chain: tuple[Floats, Floats, Floats, Floats],
    steps: Steps,
    walks: Sequence[Stream],
) -> _Given:
    """Return what the filter needs, flat over draws."""
    names = [s.id for s in walks]
    D, T = chain[0].shape[:2]

    def of(name: str, *shape: int) -> Floats:
        found = np.nan_to_num(draws[name].sel(stream=names).values) if name in draws else np.zeros(())
        return np.broadcast_to(found.reshape(-1, *found.shape[2:]) if found.ndim else found, (D, *shape))

    W, K = len(walks), len(setting.scenarios)
    head = (draws.sizes["chain"], draws.sizes["draw"], T)
    factor = [
        np.broadcast_to(derived.shifted(draws, panel, setting, s, T), head).reshape(D, T) for s in walks
    ]
    means = [densities.mean_of(draws, priors, s) for s in walks]
    return _Given(
        rest=chain[0],
        hazard=chain[1],
        go=chain[2],
        initial=chain[3],
        centre=np.stack([np.broadcast_to(centre, D) for centre, _ in means], axis=1),
        spread=np.stack([np.full(D, spread) for _, spread in means], axis=1),
        step=steps.step,
        drift=steps.drift,
        times=steps.times,
        factor=np.stack(factor, axis=1),
        effect=of("effect", W, K),
        phi=of("dispersion", W),
        zero=of("zero", W),
        outlier=of("outlier", W),
    )


def _filter(
    given: _Given, walks: Sequence[Stream], y: Floats, N: int, number: int, rng: np.random.Generator
) -> Floats:
    """Return one-step log densities of a group of draws, ``[C, T]``."""
    C, T, _K = given.rest.shape
    W = len(walks)
    level = np.broadcast_to(given.centre[:, None], (C, number, W))
    total = np.zeros((C, number, W))
    law = np.broadcast_to(given.initial[:, None], (C, number, *given.initial.shape[1:]))
    weight, density = np.full((C, number), 1.0 / number), np.empty((C, T))
    for t in range(T):
        if t > 0:
            s = t - 1 if given.hazard.shape[1] > 1 else 0
            law = ages.step(law, given.hazard[:, None, s], given.go[:, None, s])
        level, law = _moved(given, t, N, level, total, law, rng)
        total = total + level
        at = np.repeat(given.rest[:, t][:, None], number, axis=1)
        for w, stream in enumerate(walks):
            if not np.isnan(y[w, t]):
                at += _emitted(given, w, t, stream, y[w, t], level[..., w])
        top = at.max(axis=-1)
        top = np.where(np.isfinite(top), top, 0.0)
        seen = np.exp(at - top[..., None])
        mass = (law.sum(axis=-1) * seen).sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            law = law * (seen / mass[..., None])[..., None]
            value = top + np.log(mass)
            best = value.max(axis=1)
            weight = weight * np.exp(value - np.where(np.isfinite(best), best, 0.0)[:, None])
            heaped = weight.sum(axis=1)
            density[:, t] = best + np.log(heaped)
            weight = weight / heaped[:, None]
        law, weight = np.nan_to_num(law), np.where(np.isfinite(weight), weight, 1.0 / number)
        chosen = _chosen(weight, rng)
        row = np.arange(C)[:, None]
        level, total, law = level[row, chosen], total[row, chosen], law[row, chosen]
        weight = np.where((chosen != np.arange(number)).any(axis=1)[:, None], 1.0 / number, weight)
    return _until_impossible(density)


def _moved(
    given: _Given, t: int, N: int, level: Floats, total: Floats, law: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return levels ``[C, P, W]`` a step on, and the law given the step where that depends on the regime."""
    noise = rng.standard_normal(level.shape)
    if t == 0:
        sd = np.sqrt(given.spread**2 + given.step**2 * (N - 1.0) * (2.0 * N - 1.0) / (6.0 * N))
        return level + sd[:, None] * noise, law
    n = float(N - t)
    square = given.step**2
    pull = n * square / (square * n * (n + 1.0) * (2.0 * n + 1.0) / 6.0 + (N * given.spread) ** 2)
    along = pull[:, None] * (N * given.centre[:, None] - total - n * level)
    sd = given.step * np.sqrt(np.maximum(1.0 - n * pull, 0.0))
    if given.drift is None or given.times is None:
        return level + along + sd[:, None] * noise, law
    q = law.sum(axis=-1)
    heaped = np.cumsum(q, axis=-1)
    k = (heaped < rng.random((*q.shape[:2], 1)) * heaped[..., -1:]).sum(axis=-1)
    row = np.arange(len(k))[:, None]
    sds = sd[..., None] * given.times
    step = given.drift.swapaxes(1, 2)[row, k] + sds.swapaxes(1, 2)[row, k] * noise
    z = (step[..., None] - given.drift[:, None]) / sds[:, None]
    likely = (-0.5 * z**2 - np.log(sds)[:, None]).sum(axis=2)
    likely = np.exp(likely - likely.max(axis=-1, keepdims=True))
    likely /= (q * likely).sum(axis=-1, keepdims=True)
    return level + along + step, law * likely[..., None]


def _emitted(given: _Given, w: int, t: int, stream: Stream, y: float, level: Floats) -> Floats:
    """Return log densities of one cell for each particle and regime, ``[C, P, K]``."""
    law = streams.law(stream)
    logs = (level + given.factor[:, None, w, t])[..., None] + given.effect[:, None, w]
    one = (slice(None), w, None, None)
    known = streams.parameters(law, np.exp(logs), given.phi[one], given.zero[one], given.outlier[one])
    return emissions.log_density(y, law, **known)


def _chosen(weight: Floats, rng: np.random.Generator) -> Integers:
    """Return the particles that go on, ``[C, P]``: drawn systematically where too few carry the weight, else all."""
    C, number = weight.shape
    places = (np.arange(number) + rng.random((C, 1))) / number
    chosen = np.tile(np.arange(number), (C, 1))
    for c in np.flatnonzero((weight**2).sum(axis=1) * number * DEPLETED > 1.0):
        chosen[c] = np.minimum(np.searchsorted(np.cumsum(weight[c]), places[c], side="right"), number - 1)
    return chosen


def _until_impossible(density: Floats) -> Floats:
    """Return densities that stay -inf from the first impossible month on."""
    gone = np.logical_or.accumulate(~np.isfinite(density), axis=1)
    return plain(np.where(gone, -np.inf, density))
