"""Rows of drivers.csv are read strictly: month, driver, value, and from when that was known."""

import csv
import datetime
import io
import re
from collections.abc import Mapping

from forecast.config import Driver, DriverRow
from forecast.months import MONTH_PATTERN
from priors.refusal import Refusal, nearest

COLUMNS = ("month", "driver", "value", "known_from")


def rows(text: str, drivers: Mapping[str, Driver], *, file: str) -> tuple[DriverRow, ...]:
    """The rows of the file, in its order.

    Args:
        text: the file.
        drivers: the drivers of forecast.toml by id.
        file: its name.

    Raises:
        Refusal: naming line and column.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[DriverRow] = []
    try:
        _check_header(next(reader, []), file)
        for cells in reader:
            if any(cells):
                found.append(_row(cells, drivers, file, f"line {reader.line_num}"))
                _check_order(found, file, f"line {reader.line_num}")
    except csv.Error as error:
        raise Refusal(
            file=file, where=f"line {reader.line_num}", wanted="quotes that close", remedy=str(error)
        ) from None
    return tuple(found)


def check_paths(drivers: Mapping[str, Driver], *, origin: str) -> None:
    """Refuse a path ahead that begins in the past: it would have no effect, and nobody would know.

    Args:
        drivers: the drivers of forecast.toml by id.
        origin: the last month with data.

    Raises:
        Refusal: naming the first month that is over.
    """
    for driver in drivers.values():
        path = driver.ahead if isinstance(driver.ahead, Mapping) else {}
        for month in path:
            if month <= origin:
                raise Refusal(
                    file="forecast.toml",
                    where=f"drivers.{driver.id}.future",
                    got=month,
                    wanted=f"a month after {origin}, the last with data",
                    remedy="what was so by then is a row of drivers.csv",
                )


def _check_header(names: list[str], file: str) -> None:
    if tuple(names) != COLUMNS:
        wrong = next((name for name in names if name not in COLUMNS), ",".join(names))
        wanted = f"the columns {','.join(COLUMNS)}"
        raise Refusal(file=file, where="line 1", got=wrong, wanted=wanted, remedy=nearest(wrong, COLUMNS))


def _row(cells: list[str], drivers: Mapping[str, Driver], file: str, line: str) -> DriverRow:
    if len(cells) != len(COLUMNS):
        raise Refusal(
            file=file, where=line, got=",".join(cells), wanted=f"{len(COLUMNS)} cells, as in the header"
        )
    month, name, value, known_from = cells
    if not re.fullmatch(MONTH_PATTERN, month):
        raise Refusal(file=file, where=f"{line}, month", got=month, wanted='a month "YYYY-MM"')
    driver = drivers.get(name)
    where = f"{line}, driver"
    if driver is None:
        wanted = "a driver of forecast.toml"
        raise Refusal(file=file, where=where, got=name, wanted=wanted, remedy=nearest(name, drivers))
    if driver.use == "what-if":
        remedy = 'take the row out, or write use = "history"'
        raise Refusal(
            file=file, where=where, got=name, wanted="no history of a what-if driver", remedy=remedy
        )
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value):
        wanted = "a number with a point for the decimals"
        raise Refusal(file=file, where=f"{line}, value", got=value, wanted=wanted)
    try:
        driver.check(float(value))
    except ValueError as error:
        raise Refusal(file=file, where=f"{line}, value", remedy=str(error)) from None
    return DriverRow(month=month, driver=name, value=float(value), known_from=_day(known_from, file, line))


def _day(cell: str, file: str, line: str) -> datetime.date:
    where, wanted = f"{line}, known_from", "a date YYYY-MM-DD"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        raise Refusal(file=file, where=where, got=cell, wanted=wanted)
    try:
        return datetime.date.fromisoformat(cell)
    except ValueError as error:
        raise Refusal(file=file, where=where, got=cell, wanted=wanted, remedy=str(error)) from None


def _check_order(found: list[DriverRow], file: str, line: str) -> None:
    """Each driver's months ascend, so that no month stands twice and none is misplaced."""
    last = found[-1]
    before = [row.month for row in found[:-1] if row.driver == last.driver]
    if before and last.month <= before[-1]:
        wanted = f"a month after {before[-1]}, the one before of {last.driver!r}"
        raise Refusal(
            file=file, where=f"{line}, month", got=last.month, wanted=wanted, remedy="put the rows in order"
        )
