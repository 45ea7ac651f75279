"""Raw exports become a tidy file: same input, same bytes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from forecast import formats, months
from forecast.formats import Reading, monthly
from forecast.formats.datapackage import PACKAGE, Provenance, described
from forecast.formats.fronts import placed
from forecast.formats.sheet import sheet
from forecast.formats.spells import COLUMNS as SPELL_COLUMNS
from forecast.formats.spells import days_by_month
from forecast.formats.vintages import compact
from forecast.incidents import within
from forecast.panel import COVERED, MISSING, OUTSIDE, mark, strip
from forecast.streams import Coverage, Source
from priors.refusal import Refusal, nearest

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a text that begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """Rows ready to be written, in the one order they are written in."""

    shape: Literal["tidy", "vintages", "chronology"]
    frame: pd.DataFrame
    key: tuple[str, ...]  # columns that name a row; none in a chronology
    readings: tuple[Reading, ...]
    first: str
    last: str


def ingest(
    files: Sequence[Path],
    *,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    stream: str | None = None,
    front: str | None = None,
    coverage: Coverage | Literal["rows"] | None = None,
    fronts: Path | None = None,
    measures: Sequence[str] | None = None,
) -> Ingested:
    """Read exports of one shape and bring them into the tidy form.

    Dated events become whole counts by month: the streams events, best, low and high (count by stream for a plain
    list), or under the name `stream` the best estimate alone. A chronology stays dated, a table with vintages keeps
    what changed.

    Args:
        files: the exports; the same month, or event, in two of them is refused.
        format: one of the formats; guessed from the header when absent, `table` when columns are given.
        columns: our names to the file's: for a table all of them, for another format those that differ.
        stream: for a table, what its counts are counts of; for events, the name of the best estimate.
        front: for a table without a front column, where the counts are.
        fronts: for dated events, a csv front,column,value that places them; without it a front is a country.
        measures: for events with deaths, which of events, best, low and high become streams; all when absent.
        coverage: the months the files speak for: rows outside are ignored and listed, months without a row become
            zero. "rows" leaves out rows without a figure. Absent: rows as they stand.

    Raises:
        Refusal: for a file that cannot be read as its format, or two that overlap.
    """
    if not files:
        raise Refusal(where="ingest", got="no file", wanted="at least one", remedy="name the export to read")
    read = [_read(path, format, columns, stream, front) for path in files]
    if fronts is not None:
        read = [_placed(rows, fronts) for rows in read]
    shapes = {_shape(rows) for rows in read}
    if len(shapes) > 1:
        raise Refusal(
            file=", ".join(path.name for path in files),
            got=" and ".join(sorted(shapes)),
            wanted="files of one shape",
            remedy="ingest them one after the other",
        )
    if len(read) > 1:
        _check_overlap(read)
    cut = [within(rows, _as_source(rows, coverage or "rows")) for rows in read]
    first, last = min(one.first for one in cut), max(one.last for one in cut)
    frame = pd.concat([one.frame for one in cut], ignore_index=True)
    key: tuple[str, ...] = ()
    if (shape := shapes.pop()) == "chronology":
        frame = _spells(frame)
    elif shape == "vintages":
        frame, key = compact(frame), ("vintage", *monthly.COLUMNS[:3])
    else:
        frame, key = (
            _tidy(frame, stream=stream, coverage=coverage, span=months.span(first, last), measures=measures),
            monthly.COLUMNS[:3],
        )
    return Ingested(
        shape=shape,
        frame=frame,
        key=key,
        readings=tuple(one.reading for one in cut),
        first=first,
        last=last,
    )


def text_of(ingested: Ingested) -> str:
    """The file as text: sorted rows, LF, no index, whole numbers without a point."""
    frame = ingested.frame.copy()
    for column in frame:
        frame[column] = [_cell(value) for value in frame[column]]
    return str(frame.to_csv(index=False, lineterminator="\n"))


def write(ingested: Ingested, path: Path, *, provenance: Provenance | None = None) -> None:
    """Write the file and, where its provenance is told, its entry in the data package beside it.

    Each file replaces an old one in one step.

    Raises:
        Refusal: if the file is one of the inputs, or its folder does not exist.
    """
    if path.resolve() in {Path(reading.file).resolve() for reading in ingested.readings}:
        raise Refusal(file=str(path), got="an input file", wanted="another name", remedy="write elsewhere")
    if path.is_dir() or not path.parent.is_dir():
        raise Refusal(file=str(path), wanted="a file in a folder that exists", remedy="make the folder first")
    content = text_of(ingested).encode("utf-8")
    files = {path: content}
    if provenance is not None:
        files[path.parent / PACKAGE] = described(
            ingested.frame, ingested.key, ingested.readings, file=path, content=content, provenance=provenance
        )
    for place, data in files.items():
        aside = place.with_name(f".{place.name}.part")
        with aside.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, place)


def coverage_of(ingested: Ingested, *, ascii: bool) -> str:
    """The coverage strip of what was ingested: a line for each front and stream, or each kind of a chronology."""
    span = months.span(ingested.first, ingested.last)
    if ingested.shape == "chronology":
        typed = ingested.frame.assign(**{c: pd.to_datetime(ingested.frame[c]) for c in ("start", "end")})
        ends = (pd.Timestamp(f"{span[0]}-01"), pd.Timestamp(months.month_end(span[-1])))
        found = {
            str(kind): days_by_month(rows, first=ends[0], last=ends[1]).reindex(span, fill_value=0)
            for kind, rows in typed.groupby("kind")
        }
    else:
        frame = ingested.frame[ingested.frame["month"] != ""]
        frame = frame.drop_duplicates(["month", "front", "stream"], keep="last")
        found = {
            f"{stream} {front}": rows.set_index("month")["count"]
            for (stream, front), rows in frame.groupby(["stream", "front"])
        }
    marks = {name: [_state_mark(series, month, ascii) for month in span] for name, series in found.items()}
    return strip(marks, span, ascii=ascii)


def _state_mark(series: pd.Series, month: str, ascii: bool) -> str:
    if month not in series.index:
        return mark(OUTSIDE, 0.0, ascii=ascii)
    value = float(series[month])
    return mark(MISSING if np.isnan(value) else COVERED, value, ascii=ascii)


def _read(
    path: Path, format: str | None, columns: Mapping[str, str] | None, stream: str | None, front: str | None
) -> formats.Rows:
    name = str(path)
    if format == "table" or (format is None and columns is not None):
        if not columns or not stream:
            raise Refusal(
                where="ingest",
                got=f"columns {dict(columns or {})}, stream {stream}",
                wanted='format "table" with --columns and --stream',
                remedy="a table needs --columns month=…,count=… --stream …; columns of another format, its --format",
            )
        return monthly.table(sheet(path, name=name), columns=columns, stream=stream, front=front)
    chosen = format or formats.guess(path, name=name)
    if chosen not in formats.FORMATS:
        raise Refusal(
            file=name,
            where="--format",
            got=chosen,
            wanted="a format of incidents",
            remedy=nearest(chosen, [*formats.FORMATS, "table"]),
        )
    if front is not None or (stream is not None and formats.FORMATS[chosen].shape != "dated"):
        raise Refusal(
            file=name,
            got=f"format {chosen} with --{'front' if front else 'stream'}",
            wanted="that only for a table (and --stream for events with deaths)",
            remedy="leave it out: the rows say so themselves",
        )
    return formats.read(path, chosen, name=name, columns=columns or formats.NO_COLUMNS)


def _placed(rows: formats.Rows, fronts: Path) -> formats.Rows:
    if "start" not in rows.frame or "kind" in rows.frame:
        raise Refusal(
            file=rows.reading.file,
            got=f"format {rows.reading.format} with fronts",
            wanted="a map of fronts only for dated events",
            remedy="leave it out: the rows say so themselves",
        )
    return placed(rows, sheet(fronts, name=str(fronts)))


def _shape(rows: formats.Rows) -> Literal["tidy", "vintages", "chronology"]:
    if "kind" in rows.frame:
        return "chronology"
    return "vintages" if "vintage" in rows.frame else "tidy"


def _as_source(rows: formats.Rows, coverage: Coverage | Literal["rows"]) -> Source:
    reading = rows.reading
    is_table = reading.format == "table"
    if reading.format == "chronology" and coverage == "rows":
        coverage = Coverage.model_validate({"from": f"{rows.frame['start'].min():%Y-%m}"})
    return Source.model_validate(
        {
            "id": "input",
            "file": reading.file,
            "format": reading.format,
            "coverage": coverage,
            **({"columns": {"month": "month", "count": "count"}, "stream": "input"} if is_table else {}),
        }
    )


def _check_overlap(read: Sequence[formats.Rows]) -> None:
    """No event, and no month of a front and stream, may come from two files: it would count twice."""
    seen: dict[tuple[str, ...], str] = {}
    for rows in read:
        identity = next((c for c in ("id", "event_id_cnty") if c in rows.frame), None)
        columns = (
            [identity]
            if identity
            else [c for c in ("vintage", "month", "front", "stream") if c in rows.frame]
        )
        if not identity and "month" not in columns:
            columns = list(rows.frame.columns)
        here = set(rows.frame[columns].astype(str).itertuples(index=False, name=None))
        if again := sorted(here & seen.keys()):
            raise Refusal(
                file=rows.reading.file,
                got=", ".join(again[0]),
                wanted=f"rows that {seen[again[0]]} does not have",
                remedy=f"{len(again)} rows would count twice; cut one file to the months the other lacks",
            )
        seen |= dict.fromkeys(here, rows.reading.file)


def _tidy(
    frame: pd.DataFrame,
    *,
    stream: str | None,
    coverage: Coverage | Literal["rows"] | None,
    span: tuple[str, ...],
    measures: Sequence[str] | None,
) -> pd.DataFrame:
    if measures is not None and ("best" not in frame or stream is not None):
        remedy = "leave measures out" if stream is None else "name a stream or measures, not both"
        raise Refusal(where="measures", got=", ".join(measures), wanted="events with deaths", remedy=remedy)
    if "events" in frame:
        frame = _melted(frame, stream, measures)
        sums = frame.groupby(["month", "front", "stream"], as_index=False)["count"].sum()
    else:
        sums = frame[[*monthly.COLUMNS, *(column for column in monthly.REMARKS if column in frame)]]
    if coverage == "rows":
        sums = sums.dropna(subset=["count"])
    elif coverage is not None:
        pairs = sums[["front", "stream"]].drop_duplicates()
        grid = pd.DataFrame({"month": list(span)}).merge(pairs, how="cross")
        filled = grid.merge(sums, how="left", on=["month", "front", "stream"], indicator="row")
        filled.loc[filled["row"] == "left_only", "count"] = 0.0
        sums = filled[list(sums.columns)]
    return sums.sort_values(["month", "front", "stream"]).reset_index(drop=True)


def _melted(frame: pd.DataFrame, stream: str | None, wanted: Sequence[str] | None) -> pd.DataFrame:
    """Parts of events as rows month, front, stream, count: one stream for each measure, or the named one."""
    if "stream" in frame:
        return frame if stream is None else frame.assign(stream=stream)
    if stream is not None:
        return frame.assign(stream=stream, count=frame["best"])
    carried = [column for column in ("events", "best", "low", "high") if column in frame]
    measures = list(dict.fromkeys(wanted or carried))
    if unknown := sorted(set(measures) - set(carried)):
        remedy = nearest(unknown[0], carried)
        raise Refusal(where="measures", got=unknown[0], wanted=" | ".join(carried), remedy=remedy)
    sums = frame.groupby(["month", "front"], as_index=False)[measures].sum()
    return sums.melt(["month", "front"], measures, "stream", "count")


def _spells(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[[column for column in SPELL_COLUMNS if column in frame]].copy()
    for column in ("start", "end", "known_from"):
        kept[column] = kept[column].dt.strftime("%Y-%m-%d").fillna("")
    order = [column for column in ("start", "end", "kind", "place", "source_url") if column in kept]
    return kept.sort_values(order, kind="stable").reset_index(drop=True)


def _cell(value: object) -> str:
    """A cell as text; a text that a spreadsheet would run is quoted with an apostrophe."""
    if isinstance(value, float):  # NaN also stands for the remark of a row that was filled in
        return "" if np.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
