"""Incidents are read once, then measured by month: a stream is a filter and a measure over a source's rows.

Zero and missing are different. Inside a source's coverage a month without a row is zero; a month with an empty
count, outside the coverage, or not yet known is missing.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from forecast import formats, months
from forecast.formats import Reading, dated, monthly, spells
from forecast.formats.sheet import sheet
from forecast.formats.vintages import as_published, vintages
from forecast.streams import MEASURES, Source, StreamDefinition, slug
from priors.refusal import Refusal, nearest

GROWING = ("chronology", "events", "ucdp-candidate")  # formats that may lack a kind that is yet to come
IN_FORCE = 15  # days of a month on which an agreement must hold for the month to count


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """The rows of one source inside its coverage, by month, with the account of reading them."""

    source: Source
    frame: pd.DataFrame
    reading: Reading
    first: str  # first and last month that the source speaks for
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Everything that was read for a workspace: incidents by source, vintages by file."""

    incidents: Mapping[str, Incidents]
    vintages: Mapping[str, pd.DataFrame]


def gather(sources: Iterable[Source], streams: Iterable[StreamDefinition], *, root: Path) -> Archive:
    """Read the files that the streams are cut from, each once.

    Args:
        sources: the workspace's sources.
        streams: the workspace's streams.
        root: the folder that file names are relative to.

    Raises:
        Refusal: for a file that cannot be read, a stream over an unknown source, or a measure that the source's
            rows do not carry.
    """
    known = {source.id: source for source in sources}
    wanted = tuple(streams)
    for stream in wanted:
        _check_stream(stream, known)
    values = {stream.source for stream in wanted if stream.measure == "value"}
    files = {stream.reporting.vintages for stream in wanted if stream.reporting}
    return Archive(
        incidents={
            name: incidents(source, root=root, whole=name not in values)
            for name, source in known.items()
            if any(stream.source == name for stream in wanted)
        },
        vintages={file: vintages(sheet(root / file, name=file)) for file in sorted(files)},
    )


def incidents(source: Source, *, root: Path, whole: bool = True) -> Incidents:
    """Read one source; rows outside its coverage are set aside and listed in the reading."""
    path = root / source.file
    if source.format == "table":
        cells = sheet(path, name=source.file)
        rows = monthly.table(
            cells, columns=source.columns, stream=source.stream or "", front=source.front, whole=whole
        )
    elif source.format == "tidy":
        rows = monthly.tidy(sheet(path, name=source.file), whole=whole)
    else:
        rows = formats.read(path, source.format, name=source.file)
    return within(rows, source)


def within(rows: formats.Rows, source: Source) -> Incidents:
    """Rows cut to the coverage of their source, dated events spread over their months first."""
    frame, is_spells = rows.frame, source.format == "chronology"
    if is_spells:
        begin = frame["start"].dt.strftime("%Y-%m")
        finish = frame["end"].dt.strftime("%Y-%m").fillna("9999-12")  # one that goes on reaches any coverage
        ended = finish[finish != "9999-12"]
        last_row = max([*begin, *ended])
    else:
        frame = dated.by_month(frame) if "start" in frame else frame
        begin = finish = frame["month"]
        last_row = max(begin)
    coverage = source.coverage
    first, last = (min(begin), last_row) if coverage == "rows" else (coverage.from_, coverage.to or last_row)
    if last < first:
        raise Refusal(
            file=source.file,
            where=f"coverage of {source.id}",
            got=f"from {first}, last row {last}",
            wanted="a row inside the coverage",
        )
    outside = (finish < first) | (begin > last)
    listed = _listed(frame[outside], begin[outside])
    quiet = () if is_spells or last_row >= last else months.span(months.shift(last_row, 1), last)
    reading = replace(rows.reading, outside=listed, quiet=quiet)
    return Incidents(source=source, frame=frame[~outside], reading=reading, first=first, last=last)


def measured(
    incidents: Incidents,
    stream: StreamDefinition,
    *,
    as_of: datetime.date | None = None,
    changes: pd.DataFrame | None = None,
) -> pd.Series:
    """A stream by month as it was known at a date: its measure, NaN where missing.

    A month is known once it has ended and, for sources with vintages, once a vintage carries it. Where the vintage
    of that day differs from the last one, its figure holds; where they agree, and before the first vintage, the
    source's own does.

    Args:
        incidents: the rows of the stream's source.
        stream: filter and measure.
        as_of: the day from which the past is seen; None sees everything.
        changes: the source's vintages (`forecast.formats.vintages`).

    Returns:
        Values indexed by consecutive months: the coverage (or, where coverage is by rows, from the first row to the
        last), as far as it was known.
    """
    rows = _selected(incidents.frame, stream, incidents.source)
    if incidents.source.format == "chronology":
        series = _spell_measure(rows, stream.measure, incidents, as_of=as_of)
    else:
        series = _sums(rows, "count" if stream.measure == "value" else stream.measure, incidents)
    _check_family(series, rows, stream, incidents.source.file)
    if as_of is not None:
        series = series[[months.month_end(month) <= as_of for month in series.index]]
        if changes is not None:
            series = _as_known(series, _selected(changes, stream, None), as_of)
    return series


def published(archive: Archive, stream: StreamDefinition, *, as_of: datetime.date | None) -> pd.DataFrame:
    """A stream's figures as published, months by vintage up to a date, NaN where a vintage has none.

    Raises:
        Refusal: if the stream's filter names what its vintages have not.
    """
    if stream.reporting is None:
        return pd.DataFrame()
    rows = _selected(archive.vintages[stream.reporting.vintages], stream, None)
    seen = sorted(day for day in set(rows["vintage"]) if as_of is None or day <= as_of.isoformat())
    return pd.DataFrame({day: as_published(rows, day).groupby("month")["count"].sum() for day in seen})


def vintage_day(
    archive: Archive, stream: StreamDefinition, as_of: datetime.date | None
) -> datetime.date | None:
    """The day whose releases a stream's figures are of; None where they are the source's own at any date."""
    if as_of is None or stream.reporting is None:
        return None
    oldest = min(archive.vintages[stream.reporting.vintages]["vintage"])
    return as_of if oldest <= as_of.isoformat() else None


def _check_stream(stream: StreamDefinition, sources: Mapping[str, Source]) -> None:
    where = f"streams.{stream.id}"
    if stream.source not in sources:
        raise Refusal(
            file="forecast.toml",
            where=f"{where}.source",
            got=stream.source,
            wanted="the id of a source",
            remedy=nearest(stream.source, sources),
        )
    format = sources[stream.source].format
    if stream.measure not in MEASURES[format]:
        raise Refusal(
            file="forecast.toml",
            where=f"{where}.measure",
            got=stream.measure,
            wanted=" | ".join(MEASURES[format]),
            remedy=f"that is what rows of format {format!r} carry",
        )


def _selected(frame: pd.DataFrame, stream: StreamDefinition, source: Source | None) -> pd.DataFrame:
    """Rows whose columns hold one of the wanted values; both are compared as ids."""
    file = source.file if source else stream.reporting.vintages if stream.reporting else ""
    chosen = pd.Series(True, index=frame.index)
    for column, values in stream.where.items():
        where = f"streams.{stream.id}.where"
        if column not in frame.columns:
            raise Refusal(
                file="forecast.toml",
                where=where,
                got=column,
                wanted=f"a column of {file}",
                remedy=nearest(column, frame.columns),
            )
        texts = frame[column].astype(str)
        names = {text: slug(text) or text for text in texts.unique()}
        wanted = [slug(value) or value for value in values]
        for value in wanted:
            _check_occurs(
                value, wanted, set(names.values()), where=f"{where}.{column}", file=file, source=source
            )
        chosen &= texts.map(names).isin(wanted).astype(bool)
    return frame[chosen]


def _check_occurs(
    value: str, wanted: Sequence[str], occurring: set[str], *, where: str, file: str, source: Source | None
) -> None:
    """A value that no row has is a slip; only a file that grows by the row may wait for the first of its kind."""
    if value in occurring:
        return
    near = get_close_matches(value, occurring - set(wanted), n=1, cutoff=0.85)
    if near or source is None or source.format not in GROWING:
        raise Refusal(
            file="forecast.toml",
            where=where,
            got=value,
            wanted=f"a value that occurs in {file}",
            remedy=nearest(value, occurring - {""}),
        )


def _sums(rows: pd.DataFrame, column: str, incidents: Incidents) -> pd.Series:
    if incidents.source.coverage == "rows":
        sums = rows.groupby("month")[column].sum(skipna=False)
        return sums.reindex(months.span(min(sums.index), max(sums.index))) if len(sums) else sums
    zero = pd.Series(0.0, index=list(months.span(incidents.first, incidents.last)))
    sums = rows.groupby("month")[column].sum(skipna=False)
    return sums.reindex(zero.index).where(zero.index.isin(sums.index), zero)


def _spell_measure(
    rows: pd.DataFrame,
    measure: str,
    incidents: Incidents,
    *,
    as_of: datetime.date | None,
) -> pd.Series:
    if as_of is not None:
        rows = rows[rows["known_from"] <= pd.Timestamp(as_of)]
    span = list(months.span(incidents.first, incidents.last))
    if measure == "events":
        found = rows["start"].dt.strftime("%Y-%m").value_counts()
    else:
        last = pd.Timestamp(months.month_end(incidents.last))
        found = spells.days_by_month(rows, first=pd.Timestamp(f"{incidents.first}-01"), last=last)
    days = found.reindex(span, fill_value=0).astype("float64")
    return (days >= IN_FORCE).astype("float64") if measure == "in-force" else days


def _as_known(series: pd.Series, changes: pd.DataFrame, as_of: datetime.date) -> pd.Series:
    latest, seen = max(changes["vintage"]), changes["vintage"][changes["vintage"] <= as_of.isoformat()]
    if seen.empty or max(seen) == latest:
        return series
    then = as_published(changes, max(seen)).groupby("month")["count"].sum()
    now = as_published(changes, latest).groupby("month")["count"].sum()
    revised = then[then != now.reindex(then.index)]
    known = series[series.index <= max(then.index)]
    return revised.reindex(known.index).fillna(known)


def _check_family(series: pd.Series, rows: pd.DataFrame, stream: StreamDefinition, file: str) -> None:
    """Counts are whole and not negative, and a Bernoulli stream is 0 or 1, before any model sees them."""
    values = series.to_numpy()
    wrong = np.zeros(len(values), dtype=bool)
    if stream.counts:
        wrong = (values < 0) | (np.isfinite(values) & (values != np.floor(values)))
    if stream.family == "bernoulli":
        wrong |= values > 1
    if wrong.any():
        month = series.index[wrong][0]
        lines = [str(line) for line in rows.index[rows["month"] == month]] if "month" in rows else []
        raise Refusal(
            file=file,
            where=f"line {', '.join(lines)}" if lines else month,
            got=f"{series[month]:g} in {month}",
            wanted=f"0 or 1, as stream {stream.id} is {stream.family}"
            if stream.family == "bernoulli"
            else f"a whole number from 0, as stream {stream.id} is {stream.family}",
            remedy='mend the figure, or declare family = "gaussian"',
        )


def _listed(frame: pd.DataFrame, begin: pd.Series) -> tuple[str, ...]:
    named = frame["kind"] if "kind" in frame else frame["front"]
    return tuple(
        f"line {line}: {month} {what}" for line, month, what in zip(frame.index, begin, named, strict=True)
    )
