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
    first, last = _month_number(frame["start"]), _month_number(frame["end"])
    event, nth = _repeated(last - first + 1)
    number = first[event] + nth
    day, month = np.timedelta64(1, "D"), number.astype("datetime64[M]")
    starts, ends = (frame[side].to_numpy().astype("datetime64[D]")[event] for side in ("start", "end"))
    opens, reopens = (m.astype("datetime64[D]") for m in (month, month + np.timedelta64(1, "M")))
    days = ((np.minimum(ends + day, reopens) - np.maximum(starts, opens)) / day).astype(np.int64)
    spread = {
        column: largest_remainder(frame[column].to_numpy(), days, event)
        for column in MEASURED
        if column in frame
    }
    names, place = np.unique(month, return_inverse=True)
    months = pd.Series(names.astype(str), dtype="str").take(place).to_numpy()
    return frame.take(event).assign(month=months, events=(nth == 0).astype(np.float64), **spread)


def largest_remainder(totals: np.ndarray, days: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Whole totals split by days into whole parts that sum to them (Hamilton's method).

    Args:
        totals: a whole number for each event.
        days: days of each part.
        event: position in `totals` that each part belongs to, ascending.

    Returns:
        A whole number for each part; where remainders tie, the earlier part is rounded up first.
    """
    length = np.bincount(event, weights=days, minlength=len(totals)).astype(np.int64)
    whole = totals.astype(np.int64)
    parts, remainders = np.divmod(
        whole[event] * days, length[event]
    )  # in whole numbers, so that ties are ties
    left = whole - np.bincount(event, weights=parts, minlength=len(totals)).astype(np.int64)
    order = np.lexsort((-remainders, event))  # stable: by event, then the largest remainder first
    begins = np.searchsorted(event, np.arange(len(totals)))
    rank = np.empty(len(event), dtype=np.int64)
    rank[order] = np.arange(len(event)) - begins[event]
    return np.asarray(parts + (rank < left[event]), dtype=np.float64)


def _month_number(days: pd.Series) -> np.ndarray:
    return np.asarray(days.to_numpy().astype("datetime64[M]").astype(np.int64))


def _repeated(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each repetition, the position repeated and which repetition it is: (2, 1) gives (0, 0, 1) and (0, 1, 0)."""
    position = np.repeat(np.arange(len(times)), times)
    begins = np.repeat(np.cumsum(times) - times, times)
    return position, np.arange(len(position)) - begins


def _spanning(frame: pd.DataFrame) -> tuple[int, ...]:
    apart = _month_number(frame["start"]) != _month_number(frame["end"])
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
