"""All fronts fitted together, and each of them then a posterior like any other: where it stands and where it may stand next.

    P(regime in h months | data) = mean over draws of  filtered[T] · P[T] ··· P[T+h-1]

exactly, without simulation; the interval is that of the draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import nutpie
import xarray as xr
from numpy.typing import NDArray

from forecast.fitting import KEPT, Posterior, Progress
from models import derived, forward, fronts
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

    sampler = nutpie.sample(
        replace(density(held, panel, model, priors, setting), initial_point_func=start),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=TARGET_ACCEPT,
        save_warmup=False,
        progress_bar=False,
        progress_callback=progress,
        progress_rate=200,
        blocking=False,
    )
    try:
        trace = sampler.wait()
    except BaseException:  # an interrupt must stop the chains, not leave a short posterior
        sampler.cancel()
        raise
    free = {str(name): value.values for name, value in trace["posterior"].data_vars.items()}
    statistics = {
        kept: (("chain", "draw"), trace["sample_stats"][name].values) for name, kept in KEPT.items()
    }
    return Joint(
        model=model,
        held=held,
        free=free,
        statistics=xr.Dataset(statistics),
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


def regimes(posterior: Posterior, *, ahead: Sequence[int]) -> xr.DataArray:
    """Return P(regime) in so many months after the panel's last, ``(ahead, chain, draw, regime)``, 0 being the last.

    Raises:
        ValueError: drivers of the setting that do not reach so far.
    """
    draws, panel, setting = posterior.draws, posterior.panel, posterior.setting
    T = panel.sizes["month"]
    law = forward.filtered(
        derived.log_emission(draws, panel, setting),
        derived.transition(draws, setting, T - 1)[0],
        draws["initial"].values,
        time_varying="leave" in draws,
    )[..., -1, :]
    P, by_step = derived.transition(draws, setting, max(*ahead, 1), first=T - 1)
    found = {0: law}
    for h in range(max(ahead)):
        step = P[:, :, h] if by_step else P
        found[h + 1] = np.matmul(found[h][..., None, :], step)[..., 0, :]
    return xr.DataArray(
        np.stack([found[h] for h in ahead]),
        dims=("ahead", "chain", "draw", "regime"),
        coords={"ahead": list(ahead), "regime": list(setting.scenarios)},
    )


def summaries(
    joint: Joint, *, ahead: Sequence[int], thin: int = 1
) -> Mapping[str, Mapping[int, Mapping[str, Mapping[str, float]]]]:
    """Return, for each front, months ahead and regime, the probability's mean and its 5 and 95 % quantiles.

    One front is worked on at a time, so that memory does not grow with their number.
    """
    found = {}
    for front in joint.held.fronts:
        p = regimes(of(joint, front, thin=thin), ahead=ahead).values
        low, high = np.quantile(p, (0.05, 0.95), axis=(1, 2))
        mean = p.mean(axis=(1, 2))
        found[front] = {
            h: {
                k: {"mean": float(mean[n, j]), "q05": float(low[n, j]), "q95": float(high[n, j])}
                for j, k in enumerate(joint.setting.scenarios)
            }
            for n, h in enumerate(ahead)
        }
    return found
