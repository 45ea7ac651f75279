"""The references of `models.baselines` at an origin, in the shape in which models answer."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from forecast import months
from forecast.backtest.origin import HORIZONS, SAMPLE, Floats, Said
from forecast.backtest.windows import PASSAGES, WINDOWS
from forecast.months import days_in
from forecast.rules import UNRESOLVED, Bounds
from models.baselines import COUNTS, SCENARIOS


def references(
    places: Sequence[int],
    K: int,
    expanding: xr.DataArray,
    bounds: Mapping[str, Bounds],
    *,
    ordered: Sequence[str],
    seed: int,
) -> Mapping[str, Said]:
    """What every reference says at an origin, NaN where it has nothing to say.

    Args:
        places: outcomes of the windows behind the origin, oldest first.
        K: number of scenarios.
        expanding: (stream, month) as known, since the start of the workspace's window.
        bounds: what a cell of each stream may be; streams that may be below zero have no reference.
        ordered: streams in their order.
        seed: of the draws.
    """
    origin = str(expanding["month"].values[-1])
    told = {}
    for name in dict.fromkeys((*SCENARIOS, *COUNTS)):
        rng = np.random.default_rng((seed, months.ordinal(origin), zlib.crc32(name.encode())))
        p = _windows(name, places, K)
        told[name] = Said(
            probabilities=p,
            unresolved=np.full(len(WINDOWS), np.nan),
            passages=_passages(p, places),
            sample=_sample(name, expanding, bounds, ordered, rng),
        )
    return told


def _windows(name: str, places: Sequence[int], K: int) -> Floats:
    """Probabilities of the windows ahead, ``[window, K]``; steps count from the last resolved window."""
    if name not in SCENARIOS:
        return np.full((len(WINDOWS), K), np.nan)
    behind = next((n for n, place in enumerate(reversed(places)) if place != UNRESOLVED), 0)
    return np.stack([SCENARIOS[name](places, K, behind + h) for h in range(1, len(WINDOWS) + 1)])


def _passages(p: Floats, places: Sequence[int]) -> Floats:
    """First passages with the windows taken for independent: a reference says no more of them than one by one."""
    q = np.stack([1.0 - np.prod(1.0 - p[:n], axis=0) for n in PASSAGES], axis=-1)
    last = next((place for place in reversed(places) if place != UNRESOLVED), UNRESOLVED)
    if last != UNRESOLVED:
        q[last] = np.nan
    return q


def _sample(
    name: str,
    expanding: xr.DataArray,
    bounds: Mapping[str, Bounds],
    ordered: Sequence[str],
    rng: np.random.Generator,
) -> Floats:
    """Joint futures at the horizons, ``[S, stream, horizon]``, inside what each stream can be."""
    found = np.full((SAMPLE, len(ordered), len(HORIZONS)), np.nan)
    if name not in COUNTS:
        return found
    origin = str(expanding["month"].values[-1])
    days = np.array([float(days_in(months.shift(origin, h))) for h in HORIZONS])
    for place, stream in enumerate(ordered):
        history, may = expanding.sel(stream=stream).values, bounds[stream]
        if may.lower < 0 or not np.isfinite(history).any():
            continue
        drawn = COUNTS[name](history, max(HORIZONS), rng, SAMPLE)[:, [h - 1 for h in HORIZONS]]
        found[:, place] = np.minimum(drawn, days if may.upper is None else may.upper)
    return found
