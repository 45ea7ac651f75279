"""A posterior becomes futures: counts and regimes month by month, and latent probabilities without simulation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.fitting import Posterior
from forecast.months import MONTH_PATTERN, QUARTER_PATTERN, next_quarter, shift
from models import CATALOGUE, forward
from models.contract import Model, Setting
from models.derived import transition
from models.transitions import with_values


def simulate(
    posterior: Posterior,
    *,
    months: int,
    paths: int,
    seed: int,
    drivers: Mapping[str, Sequence[float]] | None = None,
    draws: int | None = None,
) -> xr.Dataset:
    """Draw futures of the ``months`` after the panel's last, ``paths`` for each posterior draw.

    Args:
        posterior: a fit, or draws from a prior.
        months: how far.
        paths: futures of each draw; regime, level and counts differ, parameters do not.
        seed: decides everything random.
        drivers: an analyst's path for some drivers, one value for each month ahead.
        draws: how many posterior draws to use, evenly spaced along each chain; all of them if absent.

    Returns:
        ``count (draw, path, stream, month)``, ``regime (draw, path, month)`` as places in the setting's
        scenarios, ``tail (draw, path, stream, tail_month)`` and ``filtered (draw, scenario)``; ``chain``
        along ``draw`` tells where each draw comes from.

    Raises:
        ValueError: if nothing is asked for, or a setting does not reach so far.
        Refusal: a path for a driver that the setting does not know.
    """
    if min(months, paths) < 1:
        raise ValueError(f"simulate: got {months} months and {paths} paths; wanted at least one of each")
    chosen = thinned(posterior.draws, draws)
    setting = _with_drivers(posterior, drivers)
    model = CATALOGUE[posterior.model]
    futures = model.draw(chosen, posterior.panel, setting, months=months, paths=paths, seed=seed)
    past = posterior.panel.coords["month"].values
    return futures.assign_coords(
        month=after(past, months),
        tail_month=past[past.size - futures.sizes["tail_month"] :],
        chain=("draw", np.repeat(np.arange(chosen.sizes["chain"]), chosen.sizes["draw"])),
    )


def latent(
    posterior: Posterior, *, months: int, drivers: Mapping[str, Sequence[float]] | None = None
) -> xr.Dataset:
    """Return what the model holds about its regimes, exactly for each draw.

    ``filtered (chain, draw, regime)`` at the last month, ``smoothed (month, regime)`` over the panel, mean of
    the draws, ``ahead (chain, draw, month_ahead, regime)``: filtered times the matrices of the steps, and
    ``transition (chain, draw, regime_from, regime_to)`` with drivers at their reference.

    Raises:
        ValueError: a model without regimes.
    """
    model = CATALOGUE[posterior.model]
    if model.regimes is None or len(posterior.setting.scenarios) == 1:
        raise ValueError(f"latent: got {posterior.model!r}, which has no regimes to tell apart")
    past = posterior.panel.coords["month"].values
    setting = _with_drivers(posterior, drivers)
    if model.laws is not None:
        told = model.laws(posterior.draws, posterior.panel, setting, months=months)
        now, ahead = told["filtered"].values[..., -1, :], told["ahead"].values
        smoothed = told["smoothed"].values.mean(axis=(0, 1))
    else:
        now, smoothed, ahead = _markov(posterior, model, setting, months)
    return xr.Dataset(
        {
            "filtered": (("chain", "draw", "regime"), now),
            "smoothed": (("month", "regime"), smoothed),
            "ahead": (("chain", "draw", "month_ahead", "regime"), ahead),
            "transition": posterior.draws["transition"],
        },
        coords={
            "regime": list(posterior.setting.scenarios),
            "month": past,
            "month_ahead": after(past, months),
        },
    )


def _markov(
    posterior: Posterior, model: Model, setting: Setting, months: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the filtered law of the last month, the mean smoothed laws and the laws ahead of a plain chain."""
    assert model.regimes is not None
    chain = model.regimes(posterior.draws, posterior.panel, posterior.setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    varying = "step" in chain["transition"].dims
    law = now = forward.filtered(*given, time_varying=varying)[..., -1, :]
    smoothed = forward.smoothed(*given, time_varying=varying).mean(axis=(0, 1))
    first = posterior.panel.sizes["month"] - 1
    P, by_step = transition(posterior.draws, setting, months, first=first)
    ahead = np.empty((*now.shape[:2], months, now.shape[-1]))
    for h in range(months):
        law = np.einsum("...i,...ij->...j", law, P[..., h, :, :] if by_step else P)
        ahead[..., h, :] = law
    return now, smoothed, ahead


def thinned(draws: xr.Dataset, number: int | None) -> xr.Dataset:
    """Return about ``number`` draws, evenly spaced along each chain, as many from every chain (rounded up)."""
    if number is None:
        return draws
    each = min(-(-number // draws.sizes["chain"]), draws.sizes["draw"])
    return draws.isel(draw=np.linspace(0, draws.sizes["draw"] - 1, each).round().astype(np.int64))


def after(past: NDArray[Any], months: int) -> NDArray[Any]:
    """Return the coordinates that follow: of the calendar after months, quarters and years, else in equal steps.

    Dates that fall on one day of the month go on by months; names that are none of the calendar are followed by 1, 2, ….
    """
    if past.dtype.kind in "OUT":
        return _named(str(past[-1]), months)
    if past.dtype.kind == "M" and past.size > 1:
        month = past.astype("M8[M]")
        day, gap = past - month.astype(past.dtype), np.diff(month)
        if (day == day[0]).all() and (gap == gap[0]).all() and gap[0].astype(int) > 0:
            return np.asarray((month[-1] + gap[0] * np.arange(1, months + 1)).astype(past.dtype) + day[0])
    step = past[-1] - past[-2] if past.size > 1 else past.dtype.type(1)
    return np.asarray(past[-1] + step * np.arange(1, months + 1))


def _named(last: str, months: int) -> NDArray[Any]:
    """Return the names that follow one of a month, a quarter or a year."""
    ahead = range(1, months + 1)
    if re.fullmatch(MONTH_PATTERN, last):
        return np.array([shift(last, n) for n in ahead], dtype=object)
    if re.fullmatch(QUARTER_PATTERN, last):
        return np.array([next_quarter(last, n) for n in ahead], dtype=object)
    if re.fullmatch(r"\d{4}", last):
        return np.array([f"{int(last) + n:04d}" for n in ahead], dtype=object)
    return np.array(ahead)


def _with_drivers(posterior: Posterior, drivers: Mapping[str, Sequence[float]] | None) -> Setting:
    if drivers is None:
        return posterior.setting
    months = posterior.panel.sizes["month"]
    moved = with_values(posterior.setting.drivers, drivers, months)
    return replace(posterior.setting, drivers=moved)
