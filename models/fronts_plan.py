"""The structure of all fronts in numbers: the tables of ``models.plan`` and what varies from front to front.

Rows of the tables that come on top:

    fronts      first and last of what varies, first and last of the tilted exits, then for each counted stream 1 if the
                front shows it, then for each walk its row of waves, -1 where it has none
    varied      key, coordinate, key of its scale, 1 if centred, 1 if a level
    tilted      row of shares, first coordinate
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import plan, streams
from models.contract import Model, Setting
from models.fronts import LEVELS, POOLING, Pooled, data
from models.kernels import Integers
from models.variables import said
from priors import PriorSet

TABLES = (*plan.TABLES, "fronts", "varied", "tilted")
VECTORS = ("said", "fixed", "sharing", "layout")
PLANNED = 11  # numbers of the layout that models.plan gives


def arguments(
    held: Pooled, panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting
) -> Mapping[str, NDArray[Any]]:
    """Return all that the density takes after the point and the gradient, by name and in order.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
    """
    seen = model.view(setting)
    planned = plan.plan(held.beliefs, seen)
    keys = [key for members in held.beliefs.families.values() for key in members]
    rows = [key for members in held.beliefs.shares.values() for key in members]
    at = int(planned["layout"][PLANNED - 1]) + len(held.walked) * seen.basis
    pooling = keys.index(POOLING) if POOLING in keys else -1
    planned["layout"] = np.append(planned["layout"], [len(held.walked), pooling])
    varied: list[tuple[int, ...]] = []
    for entries in held.roles.values():
        varied += [
            (v.front, keys.index(v.key), at + n, keys.index(v.scale), int(v.centred), int(v.scale == LEVELS))
            for n, v in enumerate(entries)
        ]
        at += len(entries)
    sharing = [np.log(v.sharing) for entries in held.roles.values() for v in entries]
    order = np.argsort([row[0] for row in varied], kind="stable").astype(np.int64)
    tilted = [(f, rows.index(key), at + n) for n, (f, key, j) in enumerate(held.tilted) if j == 0]
    tables = {
        "fronts": _fronts(held, seen, [varied[n][0] for n in order], [row[0] for row in tilted]),
        "varied": np.array(varied, dtype=np.int64).reshape(-1, 6)[order, 1:],
        "tilted": np.array(tilted, dtype=np.int64).reshape(-1, 3)[:, 1:],
    }
    constant = plan.constant(held.all, panel, seen) - plan.HALF_LOG_TWO_PI * sum(held.sizes.values())
    rows_of_months = data(panel, model, priors, setting)
    vectors = {
        "said": np.append(said(held.all), constant),
        "fixed": planned["fixed"],
        "sharing": np.array(sharing)[order],
        "layout": planned["layout"],
    }
    months = {"months": rows_of_months.reshape(-1, rows_of_months.shape[-1])}
    found = {**vectors, **months, **{name: {**planned, **tables}[name] for name in TABLES}}
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _fronts(held: Pooled, setting: Setting, varied: list[int], tilted: list[int]) -> Integers:
    """Return the row of each front: where its entries begin and end, what it shows, its rows of waves."""
    counted = [setting.streams.index(s) for s in streams.counted(setting)]
    walks = len(streams.walking(setting))
    found = []
    for f in range(len(held.fronts)):
        spans = [
            np.searchsorted(places, f, side) for places in (varied, tilted) for side in ("left", "right")
        ]
        waves = [held.walked.index((f, w)) if (f, w) in held.walked else -1 for w in range(walks)]
        found.append([*spans, *held.shown[f, counted].astype(int), *waves])
    return np.array(found, dtype=np.int64)
