"""All fronts fitted together, and each of them then a posterior like any other.

What is kept are raw draws, a few numbers a front; levels, regimes and futures are made for one front when it is asked for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast import fitting
from forecast.fitting import Posterior
from forecast.latent import Array, Latent, view
from forecast.sampling import Progress, sample
from models import CATALOGUE, forward, fronts
from models.contract import Draws, Model, Setting
from models.variables import Stated, unconstrain
from priors import PriorSet

TARGET_ACCEPT = (
    0.97  # at .9 one fit in nine of three short fronts had a divergence, from .95 on none of those had
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """The posterior of all fronts: raw draws, from which `of` reads one front at a time."""

    model: Model
    held: fronts.Pooled
    free: Draws  # [chain, draw, …] of every variable
    statistics: xr.Dataset  # (chain, draw)
    panel: xr.DataArray  # (front, stream, month)
    setting: Setting
    priors: PriorSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Front:
    """One front: its regimes per draw, and how likely each was as the months came in."""

    latent: Latent
    filtered: Array  # (month, regime), mean over draws


def fit_fronts(
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
    *,
    seed: int,
    chains: int = 4,
    tune: int = 1000,
    draws: int = 1000,
    cores: int | None = None,
    progress: Progress | None = None,
) -> Joint:
    """Sample the posterior of a panel ``(front, stream, month)``, one chain of regimes a front, partially pooled.

    Args:
        panel: equally spaced months; NaN where a cell is missing, throughout where a front does not show a stream.
        model: `regimes` or `switching-level`.
        priors: the beliefs, ``pooling.fronts`` and ``pooling.levels`` among them where there are several fronts.
        setting: as ``forecast.fit`` takes it, without labels.
        seed: decides everything random.
        chains: run side by side on the cores there are.
        tune: steps that adapt the sampler, thrown away.
        draws: kept from each chain.
        cores: how many chains run at once; all that the machine has unless stated.
        progress: called now and then with one record for each chain.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
        Refusal: priors that are missing or contradict the setting, or a model that has no chain per front.
    """
    from models.fronts_sampler import density  # late: it loads the sampler, which only a fit needs

    held = fronts.pooled(panel, model, priors, setting)

    def start(seed: Any = None) -> NDArray[np.float64]:
        drawn = fronts.draw(held, np.random.default_rng(seed), 1)
        return np.concatenate([unconstrain(name, value[0]).ravel() for name, value in drawn.items()])

    sampled = sample(
        density(held, panel, model, priors, setting),
        start,
        seed=seed,
        chains=chains,
        tune=tune,
        draws=draws,
        target_accept=TARGET_ACCEPT,
        adaptation="draw_diag",
        cores=cores,
        progress=progress,
    )
    return Joint(
        model=model,
        held=held,
        free=sampled.free,
        statistics=sampled.statistics,
        panel=panel,
        setting=model.view(setting),
        priors=priors,
    )


def of(joint: Joint, front: str, *, thin: int = 1) -> Posterior:
    """Return one front's posterior, of every ``thin``-th draw: what follows from any posterior follows from it."""
    place = joint.held.fronts.index(front)
    free = {name: values[:, ::thin] for name, values in joint.free.items()}
    draws = fronts.derive(joint.held, free, place, joint.panel, joint.model, joint.priors, joint.setting)
    return Posterior(
        model=joint.model.name,
        draws=draws,
        statistics=joint.statistics.isel(draw=slice(None, None, thin)),
        panel=joint.panel.sel(front=front, drop=True),
        setting=joint.setting,
        priors=joint.priors,
    )


def each(joint: Joint, *, months: int, thin: int = 1) -> Iterator[tuple[str, Front]]:
    """Give every front with its regimes, past, present and so many months ahead, from every ``thin``-th draw.

    One front is worked on at a time, so that memory does not grow with their number.
    """
    for name in joint.held.fronts:
        own = of(joint, name, thin=thin)
        yield name, Front(latent=view(own, months=months), filtered=_filtered(joint.model, own))


def shared(joint: Joint) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what the fronts vary about and how far, ``(chain, draw)`` each.

    The average spell of each regime in months, by its name, and the scales in percent, by the keys of their statements;
    both are empty where a single front varies about nothing.
    """
    stated = Stated(np, joint.held.beliefs, joint.free)

    def of_all(keys: Iterable[str]) -> dict[str, Array]:
        named = list(keys)
        return dict(zip(named, np.moveaxis(stated.of(named), -1, 0), strict=True))

    varied = {entry.key: entry.scale for entries in joint.held.roles.values() for entry in entries}
    dwell = of_all(key for key in varied if key.startswith("dwell."))
    return {key.removeprefix("dwell."): values for key, values in dwell.items()}, of_all(
        dict.fromkeys(varied.values())
    )


def save(joint: Joint, path: Path) -> None:
    """Write a joint posterior as one netCDF file, its raw draws in place of a front's; equal ones give equal bytes."""
    free = {
        name: (("chain", "draw", *(f"{name}_{n}" for n in range(values.ndim - 2))), values)
        for name, values in joint.free.items()
    }
    fitting.save(
        Posterior(
            model=joint.model.name,
            draws=xr.Dataset(free),
            statistics=joint.statistics,
            panel=joint.panel,
            setting=joint.setting,
            priors=joint.priors,
        ),
        path,
    )


def load(path: Path) -> Joint:
    """Read a joint posterior that `save` wrote."""
    held = fitting.load(path)
    model = CATALOGUE[held.model]
    return Joint(
        model=model,
        held=fronts.pooled(held.panel, model, held.priors, held.setting),
        free={str(name): values.values for name, values in held.draws.data_vars.items()},
        statistics=held.statistics,
        panel=held.panel,
        setting=held.setting,
        priors=held.priors,
    )


def _filtered(model: Model, own: Posterior) -> Array:
    """Return the filtered law of every month, ``(month, regime)``, mean of the draws."""
    assert model.regimes is not None
    chain = model.regimes(own.draws, own.panel, own.setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    law = forward.filtered(*given, time_varying="step" in chain["transition"].dims)
    return np.asarray(law.mean(axis=(0, 1)))
