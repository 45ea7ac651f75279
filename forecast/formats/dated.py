"""Dated events with deaths: UCDP and ACLED exports and a plain list, spread by day where they span months."""

import numpy as np
import pandas as pd

from forecast.formats.cells import (
    COUNT,
    DAY,
    DAY_IN_WORDS,
    FILLED,
    NAME,
    check_cells,
    check_columns,
    check_once,
    days,
    names,
    numbers,
)
from forecast.formats.reading import Reading, Rows
from forecast.formats.sheet import Sheet
from priors.refusal import Refusal

UCDP_REQUIRED = ("id", "country", "date_start", "date_end", "best", "low", "high")
UCDP_FILTERS = (
    "type_of_violence",
    "code_status",
    "conflict_name",
    "dyad_name",
    "side_a",
    "side_b",
    "where_prec",
    "adm_1",
    "adm_2",
    "iso3",
    "country_id",
    "region",
    "event_clarity",
    "date_prec",
)
ACLED_REQUIRED = ("event_id_cnty", "event_date", "country", "fatalities")
ACLED_FILTERS = (
    "disorder_type",
    "event_type",
    "sub_event_type",
    "actor1",
    "actor2",
    "interaction",
    "civilian_targeting",
    "iso",
    "region",
    "admin1",
    "admin2",
    "admin3",
    "location",
    "time_precision",
    "geo_precision",
)
EVENTS_COLUMNS = ("date", "front", "stream", "count")
MEASURED = ("best", "low", "high", "count")

_SAME_ID = "an event is counted once; keep its latest row"


def ucdp(sheet: Sheet, *, name: str) -> Rows:
    """UCDP GED or Candidate events as UCDP and HDX export them.

    Estimates are clipped to low ≤ best ≤ high, which some rows of the source itself do not keep; the best estimate
    stands.

    Raises:
        Refusal: for an id that occurs twice, or an event that ends before it starts.
    """
    check_columns(sheet, required=UCDP_REQUIRED, optional=None)
    check_cells(
        sheet,
        {
            "id": FILLED,
            "country": NAME,
            "date_start": DAY,
            "date_end": DAY,
            **dict.fromkeys(("best", "low", "high"), COUNT),
        },
    )
    check_once(sheet, ["id"], what="event id", remedy=_SAME_ID)
    cells = sheet.cells
    best, low, high = (numbers(cells[estimate]) for estimate in ("best", "low", "high"))
    filters = [column for column in UCDP_FILTERS if column in sheet.header]
    frame = cells[["id", "country", *filters]].assign(
        start=days(cells["date_start"]),
        end=days(cells["date_end"]),
        front=names(cells["country"]),
        best=best,
        low=low.clip(upper=best),
        high=high.clip(lower=best),
    )
    _check_order(frame, sheet.file)
    crossed = (low > best) | (high < best)
    return Rows(
        frame=frame,
        reading=Reading(
            file=sheet.file,
            format=name,
            sha256=sheet.sha256,
            rows=len(frame),
            clipped=tuple(int(line) for line in frame.index[crossed]),
            spread=_spanning(frame),
        ),
    )


def acled(sheet: Sheet) -> Rows:
    """ACLED events as its csv export has them; fatalities are the one estimate there is (`best`)."""
    check_columns(sheet, required=ACLED_REQUIRED, optional=None)
    check_cells(
        sheet, {"event_id_cnty": FILLED, "event_date": DAY_IN_WORDS, "country": NAME, "fatalities": COUNT}
    )
    check_once(sheet, ["event_id_cnty"], what="event id", remedy=_SAME_ID)
    cells = sheet.cells
    day = days(cells["event_date"])
    filters = [column for column in ACLED_FILTERS if column in sheet.header]
    frame = cells[["event_id_cnty", "country", *filters]].assign(
        start=day, end=day, front=names(cells["country"]), best=numbers(cells["fatalities"])
    )
    reading = Reading(file=sheet.file, format="acled", sha256=sheet.sha256, rows=len(frame))
    return Rows(frame=frame, reading=reading)


def events(sheet: Sheet) -> Rows:
    """A plain list: date, front, stream, count, note. An event without a count is refused: write 0 or the figure."""
    check_columns(sheet, required=EVENTS_COLUMNS, optional=("note",))
    check_cells(sheet, {"date": DAY, "front": NAME, "stream": NAME, "count": COUNT})
    check_once(sheet, sheet.header, what="event", remedy="if they are two events, tell them apart in a note")
    cells = sheet.cells
    day = days(cells["date"])
    frame = pd.DataFrame(
        {
            "start": day,
            "end": day,
            "front": names(cells["front"]),
            "stream": names(cells["stream"]),
            "count": numbers(cells["count"]),
        }
    )
    reading = Reading(file=sheet.file, format="events", sha256=sheet.sha256, rows=len(frame))
    return Rows(frame=frame, reading=reading)


def by_month(frame: pd.DataFrame) -> pd.DataFrame:
    """Events as parts by month, each part a whole number and the parts of an event summing to its total.

    An event is spread evenly over its days; whole deaths go to months by largest remainder within the event, the
    earlier month first where remainders tie. An event of one month passes unchanged. As an occurrence (`events`) an
    event belongs to the month it starts in.

    Returns:
        The frame with `month`, the measured columns as parts, and `events` (1 in the first part, else 0).
    """
    first = frame["start"].dt.strftime("%Y-%m")
    spanning = first != frame["end"].dt.strftime("%Y-%m")
    whole = frame[~spanning].assign(month=first[~spanning], events=1.0)
    parts = [_parts(frame.loc[[line]]) for line in frame.index[spanning]]
    return pd.concat([whole, *parts]).sort_index(kind="stable")


def _parts(event: pd.DataFrame) -> pd.DataFrame:
    start, end = event["start"].iloc[0], event["end"].iloc[0]
    months, days_in_each = np.unique(pd.date_range(start, end).strftime("%Y-%m"), return_counts=True)
    shares = days_in_each / days_in_each.sum()
    spread = {
        column: largest_remainder(float(event[column].iloc[0]), shares)
        for column in MEASURED
        if column in event
    }
    repeated = event.loc[event.index.repeat(len(months))]
    return repeated.assign(month=months, events=[1.0] + [0.0] * (len(months) - 1), **spread)


def largest_remainder(total: float, shares: np.ndarray) -> np.ndarray:
    """A whole total split by shares into whole parts that sum to it (Hamilton's method)."""
    exact = total * shares
    parts = np.floor(exact + 1e-9)
    remainders = np.round(exact - parts, 9)  # equal remainders must tie whatever the rounding of the machine
    left = round(total - parts.sum())
    parts[np.argsort(-remainders, kind="stable")[:left]] += 1
    return parts


def _spanning(frame: pd.DataFrame) -> tuple[int, ...]:
    apart = frame["start"].dt.strftime("%Y-%m") != frame["end"].dt.strftime("%Y-%m")
    return tuple(int(line) for line in frame.index[apart])


def _check_order(frame: pd.DataFrame, file: str) -> None:
    if (backwards := frame["end"] < frame["start"]).any():
        line = int(frame.index[backwards][0])
        raise Refusal(
            file=file,
            where=f"line {line}, column date_end",
            got=str(frame.loc[line, "end"].date()),
            wanted=f"a day from {frame.loc[line, 'start'].date()} on",
            remedy="mend the dates",
        )
