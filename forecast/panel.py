"""The panel: streams by month, each cell with its state, so that no zero is silent and no gap is filled."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from forecast import months
from forecast.formats import Reading
from forecast.incidents import Archive, measured, vintage_day
from forecast.streams import Mask, Source, StreamDefinition
from priors.refusal import Refusal, nearest

COVERED, PROVISIONAL, MISSING, MASKED, OUTSIDE = "covered", "provisional", "missing", "masked", "outside"
STRIP_WIDTH = 120  # months on one line: ten years


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Observed streams by month up to the origin, as known at a date."""

    counts: xr.DataArray  # (stream, month) float64; NaN: missing or masked
    states: xr.DataArray  # (stream, month): covered | provisional | missing | masked | outside
    releases: xr.DataArray  # (stream, month): name of the release class, "" where the source states none
    definitions: tuple[StreamDefinition, ...]  # in panel order
    readings: tuple[Reading, ...]
    masks: Mapping[str, tuple[Mask, ...]]  # by stream: those that were known, and applied
    splices: Mapping[str, str | None]  # by stream: first month of provisional figures
    origin: str  # the last month
    tails: Mapping[str, tuple[str, ...]]  # by stream: missing months up to the origin, drawn with the future

    @property
    def months(self) -> tuple[str, ...]:
        """The months of the panel."""
        return tuple(str(month) for month in self.counts["month"].values)

    @property
    def empty(self) -> tuple[str, ...]:
        """Streams without any known cell."""
        none = self.counts.isnull().all("month")
        return tuple(str(stream) for stream in self.counts["stream"].values[none.values])


def panel(
    archive: Archive,
    streams: Iterable[StreamDefinition],
    sources: Iterable[Source],
    *,
    window_from: str,
    window_to: str | None = None,
    as_of: datetime.date | None = None,
    deciding: Collection[str] | None = None,
    longest: int | None = None,
) -> Panel:
    """Streams side by side from the first month of the window, or the first that is not too long ago, to the origin.

    Args:
        archive: what was read (`forecast.incidents.gather`).
        streams: definitions, in panel order.
        sources: their sources.
        window_from: first month.
        window_to: last month; when absent the origin, the last month that any deciding stream covers.
        as_of: the day whose knowledge holds (vintages, chronology rows, masks); None for all there is.
        deciding: ids of the streams that rules use; all of them when None.
        longest: months at most, counted back from the origin; None: all of the window.

    Raises:
        Refusal: if no deciding stream covers a month of the window.
    """
    definitions, by_id = tuple(streams), {source.id: source for source in sources}
    series = {stream.id: _known(archive, stream, as_of) for stream in definitions}
    if unknown := sorted(set(deciding or ()) - set(series)):
        raise Refusal(where="rules", got=unknown[0], wanted="a stream", remedy=nearest(unknown[0], series))
    deciders = [series[name] for name in (series if deciding is None else deciding)]
    origin = _origin(deciders, window_from, window_to)
    span = months.span(window_from, origin)
    span = span if longest is None else span[-longest:]
    masks = {stream.id: _masks(stream, as_of) for stream in definitions}
    days = {stream.id: vintage_day(archive, stream, as_of) for stream in definitions}
    rows = [
        _row(series[stream.id], by_id[stream.source], masks[stream.id], span, days[stream.id])
        for stream in definitions
    ]
    counts, states, releases = (_array([row[part] for row in rows], definitions, span) for part in range(3))
    return Panel(
        counts=counts,
        states=states,
        releases=releases,
        definitions=definitions,
        readings=tuple(incidents.reading for incidents in archive.incidents.values()),
        masks=masks,
        splices={stream.id: by_id[stream.source].splice(days[stream.id]) for stream in definitions},
        origin=origin,
        tails={stream.id: _tail(counts.sel(stream=stream.id)) for stream in definitions},
    )


def _known(archive: Archive, stream: StreamDefinition, as_of: datetime.date | None) -> pd.Series:
    changes = archive.vintages[stream.reporting.vintages] if stream.reporting else None
    return measured(archive.incidents[stream.source], stream, as_of=as_of, changes=changes)


def _origin(deciders: Iterable[pd.Series], window_from: str, window_to: str | None) -> str:
    """The last month with a known cell in any deciding stream; a stated end of the window cuts it."""
    covered = {month for series in deciders for month in series.dropna().index}
    inside = [m for m in covered if window_from <= m and (window_to is None or m <= window_to)]
    if not inside:
        until = f" to {window_to}" if window_to else ""
        raise Refusal(
            file="forecast.toml",
            where="time.window",
            got=f"from {window_from}{until}",
            wanted="a window in which a stream that the rules use has a month",
            remedy=f"the data known reach from {min(covered)} to {max(covered)}"
            if covered
            else "no month is known yet",
        )
    return window_to or max(inside)


def _masks(stream: StreamDefinition, as_of: datetime.date | None) -> tuple[Mask, ...]:
    return tuple(mask for mask in stream.masks if as_of is None or mask.known <= as_of)


def _row(
    series: pd.Series,
    source: Source,
    masks: tuple[Mask, ...],
    span: tuple[str, ...],
    day: datetime.date | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, states and release classes of one stream over the months of the panel."""
    names = np.array(span)
    values = series.reindex(list(span)).to_numpy(dtype=np.float64)
    masked = np.isin(names, [month for mask in masks for month in mask.months])
    inside = np.isin(names, list(series.index))
    classes = np.array([source.release(month, day) for month in span])
    states = np.select(
        [~inside, masked, np.isnan(values), classes == 0],
        [OUTSIDE, MASKED, MISSING, COVERED],
        default=PROVISIONAL,
    )
    return np.where(masked, np.nan, values), states, np.array(source.classes or [""])[classes]


def _array(
    rows: list[np.ndarray], streams: tuple[StreamDefinition, ...], span: tuple[str, ...]
) -> xr.DataArray:
    coordinates = {"stream": [stream.id for stream in streams], "month": list(span)}
    return xr.DataArray(np.stack(rows), dims=("stream", "month"), coords=coordinates)


def _tail(row: xr.DataArray) -> tuple[str, ...]:
    known = np.flatnonzero(row.notnull().values)
    after = known[-1] + 1 if len(known) else 0
    return tuple(str(month) for month in row["month"].values[after:])


def coverage_strip(panel: Panel, *, ascii: bool) -> str:
    """One line a stream, one character a month: what is known, zero, provisional, missing, masked, not covered.

    Args:
        panel: the panel.
        ascii: use plain characters, for an output that cannot show others.
    """
    states = [[str(state) for state in row] for row in panel.states.values]
    values = panel.counts.values
    rows = {
        stream.id: [mark(state, value, ascii=ascii) for state, value in zip(*cells, strict=True)]
        for stream, *cells in zip(panel.definitions, states, values, strict=True)
    }
    return strip(rows, panel.months, ascii=ascii)


def strip(rows: Mapping[str, list[str]], span: tuple[str, ...], *, ascii: bool) -> str:
    """Marks of consecutive months under a line of year ticks, ten years a block, with a legend."""
    margin = max(len(name) for name in rows) + 2
    lines = []
    for start in range(0, len(span), STRIP_WIDTH):
        block = span[start : start + STRIP_WIDTH]
        lines.append((" " * margin + _ticks(block)).rstrip())
        for name, marks in rows.items():
            lines.append(f"{name:<{margin}}{''.join(marks[start : start + STRIP_WIDTH])}".rstrip())
    legend = [f"{mark} {name}" for name, mark in (_ASCII_MARKS if ascii else _MARKS).items() if mark != " "]
    lines.append("  ".join([*legend, "blank: not covered"]))
    return "\n".join(lines)


_MARKS = {"known": "█", "zero": "0", PROVISIONAL: "▒", MISSING: "·", MASKED: "×", OUTSIDE: " "}
_ASCII_MARKS = {"known": "#", "zero": "0", PROVISIONAL: "~", MISSING: ".", MASKED: "x", OUTSIDE: " "}


def mark(state: str, value: float, *, ascii: bool) -> str:
    """The character of a cell; a known zero has its own."""
    if state in (COVERED, PROVISIONAL) and value == 0:
        state = "zero"
    return (_ASCII_MARKS if ascii else _MARKS)["known" if state == COVERED else state]


def _ticks(block: tuple[str, ...]) -> str:
    """The year over each January, and over the first month if it is not crowded by the next."""
    line = ""
    for place, month in enumerate(block):
        january = month.endswith("-01")
        if january or (place == 0 and month[5:] < "09"):
            line = line.ljust(place) + month[:4]
    return line
