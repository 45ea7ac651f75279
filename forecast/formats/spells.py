"""Dated spells: a chronology of clashes, truces and talks, one public source a row."""

import pandas as pd

from forecast.formats.cells import (
    DAY,
    LINK,
    NAME,
    TEXT,
    check_cells,
    check_columns,
    check_once,
    days,
    names,
    one_of,
)
from forecast.formats.reading import Reading, Rows
from forecast.formats.sheet import Sheet
from priors.refusal import Refusal

COLUMNS = ("start", "end", "kind", "place", "mediator", "detail", "date_quality", "source_url", "known_from")
REQUIRED = ("start", "end", "kind", "date_quality", "source_url", "known_from")
QUALITIES = ("exact", "approx", "month")
AHEAD = pd.Timedelta(days=31)  # the longest time by which a truce or a round of talks is announced ahead


def chronology(sheet: Sheet) -> Rows:
    """Rows from `start` to `end`, both days included; an empty end goes on.

    `known_from` is the day on which the row could first have been written: an origin before it does not see it.
    It may lie before `start`, as an agreement is announced ahead, but not by more than `AHEAD`.
    """
    optional = [column for column in COLUMNS if column not in REQUIRED]
    check_columns(sheet, required=REQUIRED, optional=optional)
    check_cells(
        sheet,
        {
            "start": DAY,
            "end": DAY.or_empty(),
            "kind": NAME,
            "date_quality": one_of(*QUALITIES),
            "source_url": LINK,
            "known_from": DAY,
            **{column: TEXT for column in ("place", "mediator", "detail") if column in sheet.header},
        },
    )
    check_once(sheet, sheet.header, what="row", remedy="remove one")
    cells = sheet.cells
    frame = cells.assign(
        start=days(cells["start"]),
        end=days(cells["end"]),
        kind=names(cells["kind"]),
        known_from=days(cells["known_from"]),
    )
    if (backwards := frame["end"] < frame["start"]).any():
        line = int(frame.index[backwards][0])
        raise Refusal(
            file=sheet.file,
            where=f"line {line}, column end",
            got=cells.loc[line, "end"],
            wanted=f"a day from {cells.loc[line, 'start']} on",
            remedy="swap start and end, or mend one",
        )
    if (foreseen := frame["known_from"] < frame["start"] - AHEAD).any():
        line = int(frame.index[foreseen][0])
        raise Refusal(
            file=sheet.file,
            where=f"line {line}, column known_from",
            got=cells.loc[line, "known_from"],
            wanted=f"a day from {(frame.loc[line, 'start'] - AHEAD):%Y-%m-%d} on",
            remedy="a row is known at most 31 days before its start, when it was announced ahead",
        )
    reading = Reading(file=sheet.file, format="chronology", sha256=sheet.sha256, rows=len(frame))
    return Rows(frame=frame, reading=reading)


def days_by_month(spells: pd.DataFrame, *, first: pd.Timestamp, last: pd.Timestamp) -> pd.Series:
    """Days of each month covered by at least one spell; a day under two spells counts once.

    Args:
        spells: columns start and end, both days included; an end of NaT goes on to `last`.
        first: the first day counted.
        last: the last day counted.

    Returns:
        Days, indexed by month; months without a day are absent.
    """
    ends = spells["end"].fillna(last).clip(upper=last)
    covered: set[pd.Timestamp] = set()
    for start, end in zip(spells["start"].clip(lower=first), ends, strict=True):
        covered.update(pd.date_range(start, end))
    months = pd.Series([day.strftime("%Y-%m") for day in covered], dtype="str")
    return months.value_counts().sort_index()
