"""A column of months in the many ways people write them, read in the one way that fits every cell.

A date with the day or the month first is told by its rows: monthly figures stand on first or on last days.
"""

import re
from collections.abc import Callable, Sequence

from forecast import months
from forecast.months import MONTH_PATTERN
from priors.refusal import Refusal

type Way = Callable[[str], str | None]  # a text to "YYYY-MM", None where it is not written in this way

YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(?:M|m)?(\d{1,2})(?:[-/.]\d{1,2})?(?:[ T]00:00(?::00(?:\.0+)?)?)?")
MONTH_YEAR = re.compile(r"(\d{1,2})[-/.](\d{4})")
THREE = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: 0{1,2}:00(?::00)?)?")
NAMED = re.compile(r"([A-Za-z]{3,9})\.?[- ,/']*(\d{4}|\d{2})|(\d{4})[- ,/]+([A-Za-z]{3,9})")
WORDS = "january february march april may june july august september october november december"
NAMES = {word[:length]: n for n, word in enumerate(WORDS.split(), start=1) for length in (3, 4, len(word))}


def read(cells: Sequence[str]) -> tuple[list[str], str] | None:
    """The months of a column and how they were written; None if no one way fits every cell."""
    for way, called in WAYS:
        found = [way(cell.strip()) for cell in cells]
        if all(month is not None for month in found):
            return [month for month in found if month is not None], called
    return None


def fitting(cells: Sequence[str]) -> float:
    """The largest share of cells that one way fits."""
    return max(sum(way(cell.strip()) is not None for cell in cells) / len(cells) for way, _ in WAYS)


def odd_one(cells: Sequence[str], lines: Sequence[int], *, file: str, column: str) -> Refusal:
    """What to say of a column that has months, but not in every cell or not in one way."""
    if all(THREE.fullmatch(cell.strip()) for cell in cells):
        return Refusal(
            file=file,
            where=f"column {column}",
            got=cells[0],
            wanted="the first or the last day of each month",
            remedy='day and month cannot be told apart: write months as "2026-05"; give dated events to `forecast ingest` first',
        )
    best = max(WAYS, key=lambda one: sum(one[0](cell.strip()) is not None for cell in cells))[0]
    line, cell = next((n, c) for n, c in zip(lines, cells, strict=True) if best(c.strip()) is None)
    return Refusal(
        file=file,
        where=f"line {line}, column {column}",
        got=cell,
        wanted="a month, written as in the other rows",
        remedy="mend it, or take the row out if it is a total or a remark",
    )


def _named(year: int, month: int) -> str | None:
    name = f"{year:04d}-{month:02d}"
    return name if re.fullmatch(MONTH_PATTERN, name) else None


def _ends(year: int, month: int, day: int) -> str | None:
    """The month, if the day is its first or its last."""
    name = _named(year, month)
    return name if name and day in (1, months.days_in(name)) else None


def _year_first(text: str) -> str | None:
    found = YEAR_FIRST.fullmatch(text)
    if found is None:
        return None
    return _named(int(found[1]), int(found[2]))  # whatever the day: two of one month are refused later


def _month_year(text: str) -> str | None:
    found = MONTH_YEAR.fullmatch(text)
    return found and _named(int(found[2]), int(found[1]))


def _three(day_at: int) -> Way:
    def way(text: str) -> str | None:
        found = THREE.fullmatch(text)
        return found and _ends(int(found[3]), int(found[3 - day_at]), int(found[day_at]))

    return way


def _words(text: str) -> str | None:
    found = NAMED.fullmatch(text)
    if found is None:
        return None
    word, year = (found[1], found[2]) if found[1] else (found[4], found[3])
    month = NAMES.get(word.lower())
    century = 0 if len(year) == 4 else 1900 if int(year) >= 70 else 2000
    return None if month is None else _named(century + int(year), month)


WAYS: tuple[tuple[Way, str], ...] = (
    (_year_first, "year first"),
    (_month_year, "month and year"),
    (_three(1), "day first"),
    (_three(2), "month first"),
    (_words, "month in words"),
)
