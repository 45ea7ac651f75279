"""A map of fronts places dated events: the first row that fits one names its front, an area or, by its dyad, an actor."""

from dataclasses import replace

import pandas as pd

from forecast.formats.cells import FILLED, NAME, check_cells, check_columns, check_once, names
from forecast.formats.reading import Rows
from forecast.formats.sheet import Sheet
from priors.refusal import Refusal, nearest

COLUMNS = ("front", "column", "value")


def fronts(sheet: Sheet) -> pd.DataFrame:
    """Rows front, column, value: an event whose column holds the value is of that front."""
    check_columns(sheet, required=COLUMNS)
    check_cells(sheet, {"front": NAME, "column": FILLED, "value": FILLED})
    check_once(sheet, ["column", "value"], what="value", remedy="an event lies on one front; keep one row")
    return sheet.cells.assign(front=names(sheet.cells["front"]))


def placed(rows: Rows, map: Sheet) -> Rows:
    """The events that a map of fronts knows, each on the first front whose row it fits.

    Raises:
        Refusal: if the map names a column or a value that the events have not.
    """
    frame = rows.frame
    front = pd.Series("", index=frame.index)
    for line, (name, column, value) in fronts(map)[list(COLUMNS)].iterrows():
        if column not in frame.columns:
            raise _unknown(map, line, "column", column, rows, list(frame.columns))
        fits = frame[column] == value
        if not fits.any():
            raise _unknown(map, line, "value", value, rows, sorted(set(frame[column])))
        front = front.mask(fits & (front == ""), name)
    known = front != ""
    reading = replace(rows.reading, elsewhere=int((~known).sum()))
    return Rows(frame=frame.assign(front=front)[known], reading=reading)


def _unknown(map: Sheet, line: object, role: str, got: str, rows: Rows, known: list[str]) -> Refusal:
    wanted = f"a column of {rows.reading.file}" if role == "column" else f"a value in {rows.reading.file}"
    where = f"line {line}, column {role}"
    return Refusal(file=map.file, where=where, got=got, wanted=wanted, remedy=nearest(got, known))
