"""The rules applied to windows of three months that end with given months: in the past, and in simulated futures.

Quarterly origins look at calendar quarters; monthly origins at the three months that end 3, 6, 9 and 12 months later, so
that one code serves both.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast import months
from forecast.rules import UNRESOLVED, Bounds, ScenarioSet, resolve_many
from forecast.rules.truth import positions
from forecast.scenarios.futures import REACH

WINDOWS = (3, 6, 9, 12)  # months ahead at which a window ends
PASSAGES = (1, 4)  # windows within which a first passage is asked for

type Places = NDArray[np.int8]
type Floats = NDArray[np.float64]


def ends(origin: str) -> tuple[str, ...]:
    """The last months of the windows ahead."""
    return tuple(months.shift(origin, ahead) for ahead in WINDOWS)


def past(rules: ScenarioSet, panel: xr.DataArray, bounds: Mapping[str, Bounds]) -> tuple[int, ...]:
    """Places of the scenarios to which the windows behind the panel's last month resolve, oldest first.

    Windows follow one another without overlap and the last ends with the panel; -1 where the rules cannot tell.
    """
    names = [str(month) for month in panel["month"].values]
    last = names[2:][::-1][::3][::-1]
    found = resolve_many(
        rules,
        panel.sel(stream=list(rules.streams)).transpose("stream", "month").values,
        streams=rules.streams,
        months=names,
        window_ends=last,
        bounds=bounds,
    )
    return tuple(int(place) for place in found)


def ahead(
    rules: ScenarioSet, panel: xr.DataArray, futures: xr.Dataset, bounds: Mapping[str, Bounds]
) -> Places:
    """Places to which each future resolves the windows ahead, ``[future, window]``.

    Args:
        rules: the scenario set.
        panel: (stream, month) up to the origin, NaN where missing.
        futures: as `forecast.simulate` returns them; their tail fills cells that were missing up to the origin.
        bounds: what cells that stay missing may be.
    """
    streams = list(rules.streams)
    behind = panel.sel(stream=streams).transpose("stream", "month").isel(month=slice(-REACH, None))
    count = futures["count"].sel(stream=streams).transpose("stream", "month", "draw", "path").values
    names = [*behind["month"].values, *futures["month"].values]
    cells = np.empty((len(streams), len(names), count.shape[2] * count.shape[3]))
    cells[:, : behind.sizes["month"]] = behind.values[..., None]
    cells[:, behind.sizes["month"] :] = count.reshape(*count.shape[:2], -1)
    if futures.sizes["tail_month"]:
        drawn = futures["tail"].sel(stream=streams).transpose("stream", "tail_month", "draw", "path").values
        at = positions(futures["tail_month"].values) - positions(names[:1])[0]
        reached = at >= 0
        cells[:, at[reached]] = drawn[:, reached].reshape(len(streams), int(reached.sum()), -1)
    found: Places = resolve_many(
        rules,
        np.moveaxis(cells, -1, 0),
        streams=streams,
        months=names,
        window_ends=ends(str(panel["month"].values[-1])),
        bounds=bounds,
    )
    return found


def shares(outcomes: Places, K: int) -> tuple[Floats, Floats]:
    """Probabilities of the scenarios given that a window resolves ``[window, K]``, and the share that does not.

    NaN where no future resolves.
    """
    hits = np.stack([(outcomes == k).mean(axis=0) for k in range(K)], axis=-1)
    resolved = hits.sum(axis=-1, keepdims=True)
    p = np.divide(hits, resolved, out=np.full_like(hits, np.nan), where=resolved > 0)
    return p, 1.0 - resolved[..., 0]


def passages(outcomes: Places, K: int, last: int) -> Floats:
    """P(some window up to the n-th resolves to the scenario), ``[K, len(PASSAGES)]``; NaN for the last resolved one."""
    q = np.array([[(outcomes[:, :n] == k).any(axis=1).mean() for n in PASSAGES] for k in range(K)])
    if last != UNRESOLVED:
        q[last] = np.nan
    return q


def last_resolved(places: Sequence[int]) -> int:
    """The place of the last resolved window, or -1."""
    return next((place for place in reversed(places) if place != UNRESOLVED), UNRESOLVED)
