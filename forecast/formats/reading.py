"""What a reader hands on: rows as typed columns, and an account of what it met on the way."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading one file; everything that was changed or left out is counted here."""

    file: str
    format: str
    sha256: str  # of the bytes read
    rows: int
    columns_unread: tuple[str, ...] = ()
    clipped: tuple[int, ...] = ()  # lines where low ≤ best ≤ high was made to hold
    spread: tuple[int, ...] = ()  # lines of events spread by day over more than one month
    outside: tuple[str, ...] = ()  # rows outside the coverage, ignored: "line 14: 2026-06 pakistan"
    elsewhere: int = 0  # events on no front of the map, left out
    quiet: tuple[str, ...] = ()  # covered months after the last row: counted as zero

    def account(self) -> tuple[str, ...]:
        """The account in sentences, for a terminal or a log."""
        told = [f"{self.file}: {_counted(self.rows)} read as {self.format}"]
        if self.columns_unread:
            told.append(f"columns not read: {', '.join(self.columns_unread)}")
        if self.clipped:
            told.append(
                f"{_rows(self.clipped)} had low > best or high < best, and {_were(self.clipped)} clipped: {_lines(self.clipped)}"
            )
        if self.spread:
            told.append(
                f"{_rows(self.spread)} reached over more than one month, and {_were(self.spread)} spread by day: {_lines(self.spread)}"
            )
        if self.elsewhere:
            told.append(f"{_counted(self.elsewhere, 'event')} on no front of the map, left out")
        if self.outside:
            told.append(f"{_rows(self.outside)} outside the coverage ignored: {_some(self.outside)}")
        if self.quiet:
            told.append(f"covered months after the last row, counted as zero: {_some(self.quiet)}")
        return tuple(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a file, typed, the index being the line each starts on, with the account of reading them.

    Columns by shape of format: *monthly* has month, front, stream, count (NaN: missing); *dated* has start, end
    (days), front, and best, low, high or count; *spells* have start, end (NaT: goes on), kind, known_from. All keep
    the text columns that a stream may filter on.
    """

    frame: pd.DataFrame
    reading: Reading


def _rows(lines: tuple[object, ...]) -> str:
    return _counted(len(lines))


def _counted(count: int, noun: str = "row") -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _were(lines: tuple[object, ...]) -> str:
    return "was" if len(lines) == 1 else "were"


def _lines(lines: tuple[int, ...]) -> str:
    return ("lines " if len(lines) > 1 else "line ") + _some(tuple(str(line) for line in lines))


def _some(items: tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
