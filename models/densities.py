"""What a month was worth to someone who had not seen it: densities given parameters, levels and regimes summed out.

    ln p(y[t+1] | y[1..t], θ)    θ: everything of a draw but its walks and their means

A forward pass along a sampled level would flatter, because that level has seen the month. Walks are therefore
integrated out by particles (``models.particles``), with their means wherever the prior of a mean is lognormal; a
mean of another family is taken as the draw has it. Where nothing walks the densities are exact. Those of consecutive
months add up to their joint log density, because θ is the same in all.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from models import derived, emissions, forward, particles, streams
from models.contract import Setting, Stream
from models.kernels import Floats
from models.outliers import WIDE, WIDER, wide_dispersion
from models.particles import Walks
from priors import PriorSet, distribution


def one_step(
    draws: xr.Dataset,
    panel: xr.DataArray,
    setting: Setting,
    priors: PriorSet,
    *,
    number: int,
    seed: int,
) -> Floats:
    """Return ln p(month t | months before, θ) of each draw, ``[D, T]``, chain after chain.

    A missing cell adds nothing; labels count as in the model, as factors of the regimes' densities.

    Args:
        draws: the quantities of ``models.derived``; sampled walks are not looked at.
        panel: (stream, month).
        setting: as the model sees it.
        priors: they say what the mean of a walk may be.
        number: of particles for each draw; the error of a sum over months falls with its square root.
        seed: decides everything random.

    Raises:
        ValueError: if there is no particle.
    """
    T, K = panel.sizes["month"], len(setting.scenarios)
    D = draws.sizes["chain"] * draws.sizes["draw"]
    walks = streams.walking(setting)
    rest = _standing(draws, panel, setting)
    P, initial = np.ones((D, 1, 1, 1)), np.ones((D, 1))
    varying = False
    if K > 1:
        P, by_step = derived.transition(draws, setting, T - 1)
        varying = bool(by_step)
        P, initial = P.reshape(D, -1, K, K), draws["initial"].values.reshape(D, K)
    if not walks:
        density = forward.one_step_log_density(rest, P if varying else P[:, 0], initial, time_varying=varying)
        return density + _own(draws, panel, setting)
    layout = _layout(draws, panel, setting, priors, walks)
    given = Walks(
        rest=np.ascontiguousarray(rest),
        transition=np.ascontiguousarray(P),
        initial=np.ascontiguousarray(initial),
        **layout,
    )
    return particles.filtered(given, particles=number, seed=seed) + _own(draws, panel, setting)


def _standing(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> Floats:
    """Return log densities of the streams that do not walk given each regime, labels included, ``[D, T, K]``."""
    walks = [s.id for s in streams.walking(setting)]
    standing = panel.where(~panel["stream"].isin(walks))
    found = derived.log_emission(draws, standing, setting)
    return found.reshape(-1, *found.shape[2:])


def _own(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> Floats:
    """Return one-step log densities of the yes-or-no streams that are chains of their own, ``[D, T]`` or zeros."""
    total = np.zeros(panel.sizes["month"])
    for s in streams.chained(setting):
        P = draws["persistence"].sel(stream=s.id).values.reshape(-1, 2, 2)
        known = derived.states(panel.sel(stream=s.id).values)
        total = total + forward.one_step_log_density(known, P, forward.stationary(P), time_varying=False)
    return total


def _layout(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, priors: PriorSet, walks: Sequence[Stream]
) -> dict[str, Any]:
    """Return what the filter needs to know about the streams that walk."""
    names = [s.id for s in walks]
    T, K = panel.sizes["month"], len(setting.scenarios)
    D, W = draws.sizes["chain"] * draws.sizes["draw"], len(walks)

    def of(name: str, *shape: int) -> Floats:
        found = np.nan_to_num(draws[name].sel(stream=names).values)
        return np.ascontiguousarray(found.reshape(D, W, *shape))

    y, phi = panel.sel(stream=names).values, of("dispersion")
    means = [mean_of(draws, priors, s) for s in walks]
    factor = np.zeros((*draws["wander"].shape[:2], W, T))
    for w, s in enumerate(walks):
        factor[:, :, w] = derived.shifted(draws, panel, setting, s, T)
    options: dict[str, Floats] = {}
    if streams.trended(setting):
        options |= {"trend": of("trend"), "damping": of("damping")}
    if any(s.outliers for s in walks):
        wide = np.stack([_wide(s, phi[:, w]) for w, s in enumerate(walks)], axis=1)
        rare = [_constant(_widened(s), y[w], wide[:, w, None]) for w, s in enumerate(walks)]
        options |= {"outlier": of("outlier"), "wide": wide, "rare": np.stack(rare, axis=1)}
    return options | {
        "y": np.ascontiguousarray(y, dtype=np.float64),
        "kind": np.array([_kind(s) for s in walks]),
        "zeros": np.array([_zeros(s) for s in walks]),
        "constant": np.stack([_constant(s, y[w], phi[:, w, None]) for w, s in enumerate(walks)], axis=1),
        "factor": factor.reshape(D, W, T),
        "effect": of("effect", K),
        "phi": phi,
        "zero": of("zero"),
        "centre": np.stack([np.broadcast_to(centre, D) for centre, _ in means], axis=1),
        "spread": np.stack([np.full(D, spread) for _, spread in means], axis=1),
        "step": of("wander"),
        "months": T + setting.horizon,
    }


def mean_of(draws: xr.Dataset, priors: PriorSet, stream: Stream) -> tuple[Any, float]:
    """Return μ and τ of a walk's mean: those of its prior, or the draws' own means as if known."""
    key = f"level.{stream.id}"
    law = distribution(priors[key])
    if law.family == "lognormal":
        return law.parameters["mu"], law.parameters["sigma"]
    return np.log(draws["stated"].sel(prior=key).values.ravel()), 0.0


def _constant(stream: Stream, y: Floats, phi: Floats) -> Floats:
    """Return the terms of a cell's log density that the mean does not enter, ``[D, T]``; 0 where missing."""
    match _kind(stream):
        case particles.GAUSSIAN:
            found = 0.5 * np.log(phi) - emissions.HALF_LOG_TWO_PI
        case particles.POISSON:
            found = emissions.log_density(y, "poisson", mean=1.0) + 1.0
        case _:
            at_one = emissions.log_density(y, "negative-binomial", mean=1.0, dispersion=phi)
            found = at_one + (y + phi) * np.log1p(1.0 / phi)
    return np.where(np.isnan(y), 0.0, np.broadcast_to(found, (phi.shape[0], y.size)))


def _wide(stream: Stream, phi: Floats) -> Floats:
    """Return φ of a stream's outlying months, ``[D]``."""
    if not streams.spreads(stream):
        return np.full_like(phi, 1 / WIDE)
    return phi / WIDER**2 if stream.family == "gaussian" else wide_dispersion(phi)


def _widened(stream: Stream) -> Stream:
    """Return the stream as its outlying months are distributed."""
    return replace(stream, family=stream.family.replace("poisson", "negative-binomial"))


def _kind(stream: Stream) -> int:
    if stream.family == "gaussian":
        return particles.GAUSSIAN
    return particles.NEGATIVE_BINOMIAL if "negative-binomial" in stream.family else particles.POISSON


def _zeros(stream: Stream) -> int:
    if stream.family.startswith("hurdle"):
        return particles.HURDLE
    return particles.INFLATED if stream.family.startswith("zero-inflated") else particles.PLAIN
