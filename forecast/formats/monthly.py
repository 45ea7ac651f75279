"""Counts by month: the tidy form, and any table that a column map turns into it."""

from collections.abc import Mapping

import pandas as pd

from forecast.formats.cells import (
    COUNT,
    DAY,
    MONTH,
    NAME,
    NUMBER,
    TEXT,
    check_cells,
    check_columns,
    check_once,
    names,
    numbers,
)
from forecast.formats.reading import Reading, Rows
from forecast.formats.sheet import Sheet
from forecast.streams import TABLE_COLUMNS
from priors.refusal import Refusal, nearest

COLUMNS = ("month", "front", "stream", "count")
REMARKS = ("source", "note")  # may stand in a tidy file, for its readers; nothing is computed from them
ALL = "all"  # the front of a table that has none

_TWICE = "add the rows up, or tell them apart by front or stream"


def tidy(sheet: Sheet, *, whole: bool = True) -> Rows:
    """Rows month, front, stream, count; an empty count is a missing month, never zero.

    Args:
        sheet: the file.
        whole: refuse numbers that are no counts; False where a stream measures a value.
    """
    check_columns(sheet, required=COLUMNS, optional=REMARKS)
    number = COUNT if whole else NUMBER
    check_cells(sheet, {"month": MONTH, "front": NAME, "stream": NAME, "count": number.or_empty()})
    cells = sheet.cells
    frame = pd.DataFrame(
        {
            "month": cells["month"].str[:7],
            "front": names(cells["front"]),
            "stream": names(cells["stream"]),
            "count": numbers(cells["count"]),
            **{column: cells[column] for column in REMARKS if column in cells},
        }
    )
    check_once(
        Sheet(file=sheet.file, cells=frame, sha256=""),
        COLUMNS[:3],
        what="month of a front and stream",
        remedy=_TWICE,
    )
    reading = Reading(file=sheet.file, format="tidy", sha256=sheet.sha256, rows=len(frame))
    return Rows(frame=frame, reading=reading)


def table(
    sheet: Sheet, *, columns: Mapping[str, str], stream: str, front: str | None = None, whole: bool = True
) -> Rows:
    """Any csv whose columns are named by a map, `month` and `count` at least.

    Args:
        sheet: the file.
        columns: our name (month, front, count, vintage, source) to the file's.
        stream: what the counts are counts of.
        front: where they are, if no column says so; "all" when absent.
        whole: as in `tidy`.
    """
    _check_map(sheet, columns)
    kinds = {
        "month": MONTH,
        "count": (COUNT if whole else NUMBER).or_empty(),
        "front": NAME,
        "vintage": DAY,
        "source": TEXT,
    }
    check_cells(sheet, {theirs: kinds[ours] for ours, theirs in columns.items()})
    cells = sheet.cells.rename(columns={theirs: ours for ours, theirs in columns.items()})
    frame = pd.DataFrame(
        {
            "month": cells["month"].str[:7],
            "front": names(cells["front"]) if "front" in columns else (front or ALL),
            "stream": stream,
            "count": numbers(cells["count"]),
        },
        index=cells.index,
    )
    if "source" in columns:
        frame["source"] = cells["source"]
    key = list(COLUMNS[:3])
    if "vintage" in columns:
        frame.insert(0, "vintage", cells["vintage"].str[:10])
        key.insert(0, "vintage")
    check_once(Sheet(file=sheet.file, cells=frame, sha256=""), key, what="month of a front", remedy=_TWICE)
    unread = tuple(column for column in sheet.header if column not in columns.values())
    reading = Reading(
        file=sheet.file, format="table", sha256=sheet.sha256, rows=len(frame), columns_unread=unread
    )
    return Rows(frame=frame, reading=reading)


def _check_map(sheet: Sheet, columns: Mapping[str, str]) -> None:
    for ours in columns:
        if ours not in TABLE_COLUMNS:
            raise Refusal(
                where="columns",
                got=ours,
                wanted=" | ".join(TABLE_COLUMNS),
                remedy=nearest(ours, TABLE_COLUMNS),
            )
    for ours in ("month", "count"):
        if ours not in columns:
            raise Refusal(
                file=sheet.file,
                where="columns",
                got=f"no {ours}",
                wanted=f"{ours}=<column>",
                remedy="name it",
            )
    for ours, theirs in columns.items():
        if theirs not in sheet.header:
            raise Refusal(
                file=sheet.file,
                where=f"columns, {ours}",
                got=theirs,
                wanted="a column of the file",
                remedy=nearest(theirs, sheet.header),
            )
