"""A table of months as people keep them becomes a tidy file, with an account of how it was read.

One column of months, or a year beside a month; every other column of numbers is a stream; a column called country, region
or the like tells fronts apart. What can be read in two ways is refused.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecast import months
from forecast.formats import FORMATS, monthly
from forecast.formats.cells import NAME
from forecast.formats.sheet import LARGEST, SAVE_AS_UTF8
from forecast.streams import slug
from forecast.theatres.blank import dates, figures
from priors.refusal import Refusal

MONTHS = (
    "month",
    "date",
    "period",
    "time",
    "year-month",
    "yearmonth",
    "month-start",
    "month-year",
    "mois",
    "monat",
    "mes",
)
FRONTS = ("front", "country", "country-name", "region", "province", "state", "district", "governorate", "admin1", "adm-1", "admin2", "adm-2", "location", "place", "area", "pays", "land")  # fmt: skip
STREAMS = ("stream", "type", "category", "event-type", "indicator", "series", "variable", "measure")
NO_COUNTS = ("", "id", "index", "year", "month-id", "country-id", "gwno", "gwcode", "isonum", "lat", "latitude", "lon", "longitude", "week", "day")  # fmt: skip
BOUNDS = ("low", "high", "lower", "upper", "min", "max")  # estimates beside the best one
COUNTED = ("count", "counts", "value", "values", "total", "number", "n")  # says nothing of what is counted
WHOLE = 0.9  # of the months have a row: then one without is not known, and not zero
ALL = "all"
NO_TEXT = (b"PK", b"\x1f\x8b", b"%PDF")
MARKS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A newcomer's table, tidy."""

    content: bytes  # month,front,stream,count
    told: tuple[str, ...]  # how it was read


def tidied(data: Path) -> Brought:
    """Read a table that is not tidy.

    Args:
        data: a csv file, whatever its separator and encoding.

    Raises:
        Refusal: for a file that holds no months and counts, or in which they can be read in more ways than one.
    """
    text, told = _text(data)
    header, lines, rows = _cells(text, str(data))
    _check_events(header, data)
    columns = {name: [row[n] for row in rows] for n, name in enumerate(header)}
    month, when, used = _months(columns, lines, str(data))
    front = _column(columns, FRONTS, used)
    stream = _column(columns, STREAMS, used)
    counted = _counted(columns, {*used, front, stream})
    if not counted:
        names = ", ".join(header)
        remedy = 'add one such as "deaths", or make a tidy file with `forecast ingest`'
        raise Refusal(file=str(data), got=f"columns {names}", wanted="a column of counts", remedy=remedy)
    series: dict[tuple[str, str, str], tuple[int, str]] = {}
    for column in counted:
        cells = figures.counts(columns[column], lines, file=str(data), column=column)
        whose = [_name(x, data, "front") for x in columns[front]] if front else [ALL] * len(rows)
        what = _kinds(columns, stream, column, data, alone=len(counted) == 1)
        for key in zip(month, whose, what, lines, cells, strict=True):
            _put(series, key, str(data))
    filled, remarks = _filled(series)
    unread = [name for name in header if name not in {*used, front, stream, *counted}]
    places = f", fronts from {front}" if front else ""
    told = (
        f"months from {' and '.join(used)} ({when}), counts from {', '.join(counted)}{places}",
        *told,
        *(
            (f"columns not read: {', '.join(name or 'one without a name' for name in unread)}",)
            if unread
            else ()
        ),
        *remarks,
    )
    body = "".join(f"{','.join(row)}\n" for row in filled)
    return Brought(content=f"month,front,stream,count\n{body}".encode(), told=told)


def is_tidy(data: Path) -> bool:
    """Whether a file is in the tidy form already, or nothing that can be read: the tidy reader then says what is amiss."""
    if not data.is_file() or data.stat().st_size > LARGEST:
        return True
    raw = data.read_bytes()
    head = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip().split(b",")
    tidy = {name.encode() for name in monthly.COLUMNS} <= set(head) and raw.isascii() | _is_utf8(raw)
    return tidy or not raw.strip() or raw.startswith(NO_TEXT)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(data: Path) -> tuple[str, tuple[str, ...]]:
    raw = data.read_bytes()
    for encoding, mark in MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace"), ()
    if _is_utf8(raw) and b"\0" not in raw:
        return raw.decode(), ()
    if b"\0" in raw:
        raise Refusal(file=str(data), got="no text", wanted="a csv file", remedy=SAVE_AS_UTF8)
    return raw.decode("cp1252", errors="replace"), ("it is not UTF-8: read as Windows text (cp1252)",)


def _cells(text: str, file: str) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, the line each row starts on, and the rows, each as wide as the header."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    mark = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    found, start = [], 1
    while (row := _row(reader, start, file)) is not None:
        if any(cell.strip() for cell in row):
            found.append((reader.line_num, [cell.strip() for cell in row]))
            began = start
        start = reader.line_num + 1
    if found and began < found[-1][0] and text.count('"') % 2:  # the last row runs on to the end of the file
        raise _open_quote(began, file)
    if len(found) < 2:
        raise Refusal(file=file, wanted="a header and a row for each month", remedy="export the rows as well")
    header = found[0][1]
    if dates.read(header[:1]) or dates.read(header[1:2]):
        remedy = 'begin the file with a line such as "month,deaths"'
        raise Refusal(
            file=file, where="line 1", got=",".join(header), wanted="names of columns", remedy=remedy
        )
    if twice := [name for name, n in Counter(header).items() if n > 1 and name]:
        raise Refusal(file=file, where="line 1", got=twice[0], wanted="every column once")
    for line, row in found[1:]:
        if len(row) != len(header):
            wanted = f"{len(header)} fields, as in the header"
            remedy = (
                'put a number with a comma in quotes: "1,234"'
                if len(row) > len(header)
                else "add the missing ones"
            )
            raise Refusal(file=file, where=f"line {line}", got=mark.join(row), wanted=wanted, remedy=remedy)
    return header, [line for line, _ in found[1:]], [row for _, row in found[1:]]


def _row(reader: Iterator[list[str]], start: int, file: str) -> list[str] | None:
    """The next row; None after the last. A quote that stays open takes in more than a cell can hold."""
    try:
        return next(reader, None)
    except csv.Error as error:
        raise _open_quote(start, file) from error


def _open_quote(line: int, file: str) -> Refusal:
    return Refusal(
        file=file,
        where=f"line {line}",
        got="a cell that does not end",
        wanted="quotes in pairs",
        remedy='close the quote, or write "" for a quote inside a cell',
    )


def _check_events(header: Sequence[str], data: Path) -> None:
    """Refuse an export of dated events, with the command that counts them by month."""
    for shape in FORMATS.values():
        if shape.shape != "monthly" and shape.signature <= {name.lower() for name in header}:
            raise Refusal(
                file=str(data),
                got=f"dated events ({shape.name})",
                wanted="counts by month",
                remedy=f"first: forecast ingest {data} --format {shape.name} -o counts.csv; then give --data counts.csv",
            )


def _months(
    columns: Mapping[str, list[str]], lines: Sequence[int], file: str
) -> tuple[list[str], str, tuple[str, ...]]:
    """The month of each row, how it is written, and the columns it is from."""
    ids = {slug(name): name for name in columns}
    if {"year", "month"} <= ids.keys() and all(
        len(cell) < 4 or cell.isalpha() for cell in columns[ids["month"]]
    ):
        both = ids["year"], ids["month"]
        pairs = zip(*(columns[name] for name in both), strict=True)
        joined = [f"{m} {y}" if m.isalpha() else f"{y}-{m}" for y, m in pairs]
        found = dates.read(joined)
        if found is None:
            raise dates.odd_one(joined, lines, file=file, column=" and ".join(both))
        return found[0], found[1], both
    named = [ids[name] for name in MONTHS if name in ids]
    likely = [name for name in (*named, *columns) if dates.fitting(columns[name]) >= WHOLE]
    for name in likely or named:
        if (found := dates.read(columns[name])) is not None:
            return found[0], found[1], (name,)
    if not likely and not named:
        wanted = 'a column of months, such as "2026-05"'
        remedy = "name it month; quarters and weeks cannot be used; dated events go through `forecast ingest` first"
        raise Refusal(file=file, got=f"columns {', '.join(columns)}", wanted=wanted, remedy=remedy)
    name = (likely or named)[0]
    raise dates.odd_one(columns[name], lines, file=file, column=name)


def _column(columns: Mapping[str, list[str]], names: Sequence[str], used: Sequence[str]) -> str | None:
    """The first column of texts that goes by one of the names."""
    ids = {slug(name): name for name in columns if name not in used}
    return next((ids[n] for n in names if n in ids and not figures.numeric(columns[ids[n]])), None)


def _counted(columns: Mapping[str, list[str]], taken: set[str | None]) -> list[str]:
    found = [
        name
        for name, cells in columns.items()
        if name not in taken and slug(name) not in NO_COUNTS and figures.numeric(cells)
    ]
    best = [name for name in found if slug(name).split("-")[-1] not in BOUNDS]
    return best if any("best" in slug(name).split("-") for name in best) else found


def _kinds(
    columns: Mapping[str, list[str]], stream: str | None, column: str, data: Path, *, alone: bool
) -> list[str]:
    """The stream of each row."""
    rows = len(columns[column])
    own = _name("counts" if slug(column) in COUNTED else column, data, "stream")
    if stream is None:
        return [own] * rows
    kinds = [_name(cell, data, "stream") for cell in columns[stream]]
    return kinds if alone else [f"{kind}-{own}"[:41] for kind in kinds]


def _name(text: str, data: Path, role: str) -> str:
    found = slug(text)[:41].rstrip("-")
    if not found or not found[0].isalpha():
        raise Refusal(file=str(data), got=text, wanted=f"the name of a {role}", remedy=NAME.remedy(text))
    return found


def _put(
    series: dict[tuple[str, str, str], tuple[int, str]], row: tuple[str, str, str, int, str], file: str
) -> None:
    month, front, stream, line, cell = row
    if (month, front, stream) in series:
        raise Refusal(
            file=file,
            where=f"lines {series[month, front, stream][0]} and {line}",
            got=month,
            wanted="each month once",
            remedy="add rows of one month up first, or name the column that tells them apart country or type",
        )
    series[month, front, stream] = line, cell


def _filled(
    series: Mapping[tuple[str, str, str], tuple[int, str]],
) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """Rows in order, with empty ones for months that are not known; and what to say of those."""
    rows = [(month, front, stream, cell) for (month, front, stream), (_, cell) in series.items()]
    told = []
    for pair in dict.fromkeys((front, stream) for _, front, stream, _ in rows):
        own = {month: cell for month, *key, cell in rows if tuple(key) == pair}
        absent = [month for month in months.span(min(own), max(own)) if month not in own]
        unknown = len(own) >= WHOLE * (len(own) + len(absent)) or "0" in own.values()
        if absent:
            where = " ".join(name for name in pair if name != ALL)
            some = ", ".join(absent[:6]) + (" …" if len(absent) > 6 else "")
            told.append(
                f"{where}: months without a row are {'taken as not known' if unknown else 'counted as zero'}: {some}"
            )
            rows += [(month, *pair, "") for month in absent if unknown]
    pairs = list(dict.fromkeys(row[1:3] for row in rows))
    return sorted(rows, key=lambda row: (pairs.index(row[1:3]), row[0])), told
