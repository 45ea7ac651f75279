"""All fronts fitted together, and each of them then a posterior like any other.

What is kept are raw draws, a few numbers a front; levels, regimes and futures are made for one front when it is asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.fitting import Posterior
from forecast.latent import Latent, view
from forecast.sampling import Progress, sample
from models import fronts
from models.contract import Draws, Model, Setting
from models.variables import unconstrain
from priors import PriorSet

TARGET_ACCEPT = 0.9  # a thousand directions are well known, and no funnel is left among them


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
        priors: the beliefs, ``pooling.fronts`` among them where there are several fronts.
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


def each(joint: Joint, *, months: int, thin: int = 1) -> Iterator[tuple[str, Latent]]:
    """Give every front with its regimes, past, present and so many months ahead, from every ``thin``-th draw.

    One front is worked on at a time, so that memory does not grow with their number.
    """
    for front in joint.held.fronts:
        yield front, view(of(joint, front, thin=thin), months=months)
