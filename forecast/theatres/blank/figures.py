"""A column of counts in the many ways people write numbers: separators of thousands, decimal commas, words for missing."""

import re
from collections.abc import Sequence

from forecast.formats.cells import COUNT
from priors.refusal import Refusal

MISSING = frozenset(("", "na", "n/a", "nan", "n.a.", "null", "none", "-", "–", "—", "..", ".", "…"))
SPACES = re.compile(r"[\s'’\u00a0\u202f]")
PLAIN = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,2})?")
THOUSANDS = {mark: re.compile(rf"[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+") for mark in ",."}
DECIMALS = {",": re.compile(r"\d+(\.\d{3})*,\d+"), ".": re.compile(r"\d+(,\d{3})*\.\d+")}


def plain(cells: Sequence[str]) -> list[str]:
    """The cells with a decimal point and no separators, "" where a figure is missing; others as they stand.

    A comma or point before three digits throughout a column separates thousands: counts are whole.
    """
    bare = ["" if cell.strip().lower() in MISSING else SPACES.sub("", cell) for cell in cells]
    point = next((mark for mark in ",." if _has_decimals(bare, mark)), None)
    if point is None:
        return [re.sub("[,.]", "", cell) if _grouped(cell) else cell for cell in bare]
    other = "." if point == "," else ","
    return [cell.replace(other, "").replace(point, ".") if _number(cell) else cell for cell in bare]


def numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, in nine cells of ten at least, and is not empty."""
    said = [cell for cell in plain(cells) if cell]
    return bool(said) and sum(PLAIN.fullmatch(cell) is not None for cell in said) >= 0.9 * len(said)


def counts(cells: Sequence[str], lines: Sequence[int], *, file: str, column: str) -> list[str]:
    """The cells as whole numbers, "" where missing.

    Raises:
        Refusal: for a cell that is no count, naming its line.
    """
    found = []
    for line, cell, said in zip(lines, plain(cells), cells, strict=True):
        whole = re.sub(r"\.0*$", "", cell)
        if whole and re.fullmatch(r"\d{1,9}", whole) is None:
            raise Refusal(
                file=file,
                where=f"line {line}, column {column}",
                got=said,
                wanted="a count, or nothing where it is not known",
                remedy=COUNT.remedy(cell)
                if "." not in cell
                else "counts are whole: give the counts behind a rate or share",
            )
        found.append(whole)
    return found


def _has_decimals(cells: Sequence[str], mark: str) -> bool:
    """Whether a mark must be the decimal one: somewhere it does not group three digits, or all that follows it is 000."""
    said = [cell for cell in cells if DECIMALS[mark].fullmatch(cell)]
    if any(THOUSANDS[mark].fullmatch(cell) is None for cell in said):
        return True
    return len(said) > 1 and all(cell.endswith(f"{mark}000") for cell in said)


def _grouped(cell: str) -> bool:
    return any(pattern.fullmatch(cell) for pattern in THOUSANDS.values())


def _number(cell: str) -> bool:
    return _grouped(cell) or any(pattern.fullmatch(cell) for pattern in DECIMALS.values())
