"""A csv file becomes cells of text with the line an editor shows, or a refusal: nothing is guessed on the way.

One pass reads, hashes and splits, in bounded memory; cells stay text (a region code `NA` is a code).
"""

import csv
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import batched
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from priors.refusal import Refusal, nearest

LARGEST = 2**30  # bytes; the world's events since 1989 are a quarter of this
MOST_ROWS = 1_000_000
LONGEST_LINE = 2**22  # bytes
BLOCK = 20_000  # rows held as loose text before they are packed

SAVE_AS_UTF8 = 'save it as "CSV UTF-8 (comma delimited)"'
_MAGIC = (
    (b"PK", "a spreadsheet or zip archive", f"open it in a spreadsheet and {SAVE_AS_UTF8}"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"\xff\xfe", "UTF-16 text", SAVE_AS_UTF8),
    (b"\xfe\xff", "UTF-16 text", SAVE_AS_UTF8),
    (b"%PDF", "a PDF", "export the table as csv"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The cells of one csv file."""

    file: str  # the name its owner knows
    cells: pd.DataFrame  # text; the index is the line on which the row starts
    sha256: str  # of the bytes that were read

    @property
    def header(self) -> tuple[str, ...]:
        """Column names, as they stand in the file."""
        return tuple(self.cells.columns)


def sheet(path: Path, *, name: str | None = None, keep: Collection[str] | None = None) -> Sheet:
    """Read a comma-separated UTF-8 file strictly.

    Args:
        path: the file; a symlink is followed.
        name: what messages call it; the path as given when absent.
        keep: columns to hold in memory, where the file has them; all of them when absent.

    Raises:
        Refusal: for whatever is not such a file, naming the line.
    """
    file = name or str(path)
    digest = hashlib.sha256()
    with _opened(path, file) as raw:
        rows = _rows(_lines(raw, file, digest), file)
        _, header = next(rows, (0, []))
        _check_header(header, file)
        places = [place for place, column in enumerate(header) if keep is None or column in keep]
        columns = [header[place] for place in places]
        lines: list[int] = []
        blocks = []
        for block in batched(_checked(rows, header, file), BLOCK):
            lines += [line for line, _ in block]
            kept = [[row[place] for place in places] for _, row in block]
            blocks.append(pd.DataFrame(kept, columns=columns, dtype="str"))
    if not lines:
        raise Refusal(file=file, got="a header without rows", remedy="export the rows as well")
    cells = pd.concat(blocks)
    cells.index = pd.Index(lines, name="line")
    return Sheet(file=file, cells=cells, sha256=digest.hexdigest())


def header(path: Path, *, name: str | None = None) -> tuple[str, ...]:
    """The column names of a csv file alone."""
    file = name or str(path)
    with _opened(path, file) as raw:
        _, first = next(_rows(_lines(raw, file, hashlib.sha256()), file), (0, []))
    _check_header(first, file)
    return tuple(first)


def renamed(sheet: Sheet, columns: Mapping[str, str]) -> Sheet:
    """The sheet under other column names, ours to the file's; one column may serve under two names.

    Raises:
        Refusal: if the file lacks a column, or has one of our name already.
    """
    for ours, theirs in columns.items():
        where = f"columns, {ours}"
        if theirs not in sheet.header:
            remedy = nearest(theirs, sheet.header)
            raise Refusal(
                file=sheet.file, where=where, got=theirs, wanted="a column of the file", remedy=remedy
            )
        if ours != theirs and ours in sheet.header:
            remedy = f"leave {ours} out: the file has a column of that name"
            raise Refusal(file=sheet.file, where=where, got=theirs, wanted=ours, remedy=remedy)
    taken = {ours: sheet.cells[theirs] for ours, theirs in columns.items()}
    rest = sheet.cells.drop(columns=sorted(set(columns.values())))
    return replace(sheet, cells=rest.assign(**taken))


def _opened(path: Path, file: str) -> BinaryIO:
    """The file, opened, if there is one and it looks like text."""
    if path.is_dir():
        raise Refusal(file=file, got="a directory", wanted="a csv file")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Refusal(file=file, remedy=f"there is no such file; {nearest(path.name, beside)}")
    if not path.is_file():
        raise Refusal(file=file, got="a device or pipe", wanted="a csv file")
    if path.stat().st_size > LARGEST:
        raise Refusal(file=file, wanted="at most 1 GiB", remedy="cut the export to your area")
    try:
        raw = path.open("rb")
    except PermissionError:
        raise Refusal(file=file, remedy="it may not be read; change its permissions") from None
    start = raw.read(2**16)
    raw.seek(0)
    try:
        _check_start(start, file)
    except Refusal:
        raw.close()
        raise
    return raw


def _check_start(start: bytes, file: str) -> None:
    if not start.strip():
        raise Refusal(file=file, got="an empty file", wanted="a header and rows")
    for magic, what, remedy in _MAGIC:
        if start.startswith(magic):
            raise Refusal(file=file, got=what, wanted="a csv file", remedy=remedy)
    if start.count(b"\0") > len(start) // 4:
        raise Refusal(file=file, got="UTF-16 text", wanted="UTF-8", remedy=SAVE_AS_UTF8)
    if b"\r" in start and b"\n" not in start:
        raise Refusal(file=file, got="lines that end in CR alone", wanted="LF or CR LF", remedy=SAVE_AS_UTF8)


def _lines(raw: BinaryIO, file: str, digest: "hashlib._Hash") -> Iterator[str]:
    """Lines of text, hashed as they are read; a byte-order mark is no part of the first."""
    number = 0
    while line := raw.readline(LONGEST_LINE):
        number += 1
        digest.update(line)
        where = f"line {number}"
        if len(line) == LONGEST_LINE:
            raise Refusal(
                file=file, where=where, wanted="a line of at most 4 MiB", remedy="is it a csv file?"
            )
        if b"\0" in line:
            raise Refusal(file=file, where=where, got="a NUL byte", wanted="text", remedy=SAVE_AS_UTF8)
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x}"
            raise Refusal(
                file=file, where=where, got=byte, wanted="UTF-8 text", remedy=SAVE_AS_UTF8
            ) from None
        yield text


def _rows(lines: Iterator[str], file: str) -> Iterator[tuple[int, list[str]]]:
    """Records and the line each starts on; blank lines and rows of empty cells are no records."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise Refusal(
                file=file,
                where=f"line {line}",
                got=str(error),
                wanted="quotes that close and fields below 131,072 characters",
                remedy='close the quote, and write a quote inside a field as ""',
            ) from None
        if row is None:
            return
        if any(row):
            yield line, row


def _is_hxl(row: list[str]) -> bool:
    """Whether a row holds HXL tags, the second header of exports from the Humanitarian Data Exchange."""
    tags = [cell for cell in row if cell]
    return bool(tags) and all(cell.startswith("#") for cell in tags)


def _check_header(names: list[str], file: str) -> None:
    if not names:
        raise Refusal(file=file, got="an empty file", wanted="a header and rows")
    for mark, what in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            raise Refusal(
                file=file,
                where="line 1",
                got=f"columns separated by {what}",
                wanted="commas",
                remedy=SAVE_AS_UTF8,
            )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refusal(
            file=file, where="line 1", got=twice[0], wanted="every column once", remedy="rename or remove one"
        )


def _checked(
    rows: Iterator[tuple[int, list[str]]], names: list[str], file: str
) -> Iterator[tuple[int, list[str]]]:
    """Records as wide as the header, without the row of tags; not more of them than a computer holds."""
    for number, (line, row) in enumerate(rows):
        if number == 0 and _is_hxl(row):
            continue
        if number == MOST_ROWS:
            raise Refusal(
                file=file, wanted=f"at most {MOST_ROWS:,} rows", remedy="cut the export to your area"
            )
        if len(row) != len(names):
            short = len(row) < len(names)
            raise Refusal(
                file=file,
                where=f"line {line}",
                got=f"{len(row)} fields: {','.join(row)}",
                wanted=f"{len(names)}, as in the header",
                remedy="add the missing commas" if short else "a number with a comma needs a point instead",
            )
        yield line, row
