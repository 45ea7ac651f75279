"""What came: each window and each month as the first release had it, and as the figures stand at the end.

The first release of a month is what was known on the day of its own origin, so a question is settled with the figures
that its forecaster waited for. `scenarios.toml` says which of the two scores; the other is kept beside it.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from forecast.backtest.known import Calendar, bounds, seen
from forecast.incidents import Archive
from forecast.rules import UNRESOLVED, resolve
from forecast.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Came:
    """Outcomes by the last month of their window, and counts by month."""

    first: Mapping[str, int]  # place of the scenario that the window resolved to at first; -1 unresolved
    latest: Mapping[str, int]  # the same by the figures as they stand
    counts: xr.DataArray  # (stream, month) of the first release
    standing: xr.DataArray  # (stream, month) as they stand
    annual: bool  # which release scores

    @property
    def outcome(self) -> Mapping[str, int]:
        """What windows are scored by."""
        return self.latest if self.annual else self.first

    @property
    def observed(self) -> xr.DataArray:
        """What counts are scored by."""
        return self.standing if self.annual else self.counts


def came(
    workspace: Workspace, archive: Archive, dates: Calendar, months: Iterable[str], *, limit: datetime.date
) -> Came:
    """What windows ending in some months, and the months themselves, turned out to be.

    Args:
        workspace: its rules resolve; its masks hold from the day they were known.
        archive: its files as read.
        dates: when each month was known.
        months: those that were forecast.
        limit: what is known later is not looked at.
    """
    annual = workspace.scenarios.release == "annual"
    start = workspace.config.time.window.from_
    streams = [stream.id for stream in workspace.streams]
    wanted = [month for month in dict.fromkeys(months) if dates.day(month) <= limit]
    first, columns = {}, []
    for month in wanted:
        then = seen(workspace, archive, month, day=dates.day(month), first=start).counts
        first[month] = _place(workspace, then, month)
        columns.append(then.sel(month=month).values)
    if not wanted:
        nothing = xr.DataArray(
            np.empty((len(streams), 0)), dims=("stream", "month"), coords={"stream": streams, "month": []}
        )
        return Came(first={}, latest={}, counts=nothing, standing=nothing, annual=annual)
    panel = seen(workspace, archive, max(wanted), day=limit, first=start)
    final = panel.counts
    if annual:  # a figure that is not of the first release class is not final, and settles nothing
        classes = {source.id: source.classes for source in workspace.sources}
        for stream in workspace.streams:
            settled = panel.releases.sel(stream=stream.id) == (classes[stream.source] or ("",))[0]
            final.loc[{"stream": stream.id}] = final.sel(stream=stream.id).where(settled)
    return Came(
        first=first,
        latest={month: _place(workspace, final, month) for month in wanted},
        counts=xr.DataArray(
            np.stack(columns, axis=1),
            dims=("stream", "month"),
            coords={"stream": streams, "month": wanted},
        ),
        standing=final.sel(month=wanted),
        annual=annual,
    )


def _place(workspace: Workspace, panel: xr.DataArray, month: str) -> int:
    found = resolve(workspace.scenarios, panel, window_end=month, bounds=bounds(workspace))
    return UNRESOLVED if found is None else workspace.scenarios.ids.index(found)
