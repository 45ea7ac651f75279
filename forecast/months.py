"""Calendar arithmetic on names: a month is "YYYY-MM", a quarter "YYYYQn", and nothing else is a date of data."""

import re
from calendar import monthrange
from datetime import date

from priors.refusal import Refusal

FIRST_YEAR, LAST_YEAR = 1900, 2199  # a year outside is a slip of the keyboard, such as 0202
MONTH_PATTERN = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
QUARTER_PATTERN = r"^(19|20|21)[0-9]{2}Q[1-4]$"

_MONTH = re.compile(MONTH_PATTERN)
_QUARTER = re.compile(QUARTER_PATTERN)


def ordinal(month: str) -> int:
    """Months since year 0, so that consecutive months differ by one.

    Raises:
        Refusal: if `month` is not "YYYY-MM" of a year from 1900 to 2199.
    """
    if not _MONTH.fullmatch(month):
        raise Refusal(got=month, wanted='a month "YYYY-MM"', remedy='write it like "2026-05"')
    return int(month[:4]) * 12 + int(month[5:]) - 1


def month(ordinal: int) -> str:
    """The month whose `ordinal` it is."""
    year, rest = divmod(ordinal, 12)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refusal(got=ordinal, wanted=f"a month of the years {FIRST_YEAR} to {LAST_YEAR}")
    return f"{year:04d}-{rest + 1:02d}"


def shift(name: str, months: int) -> str:
    """The month `months` later (earlier if negative)."""
    return month(ordinal(name) + months)


def span(first: str, last: str) -> tuple[str, ...]:
    """Every month from `first` to `last`, both included; empty if `last` comes before `first`."""
    return tuple(month(n) for n in range(ordinal(first), ordinal(last) + 1))


def quarter_of(name: str) -> str:
    """The calendar quarter a month belongs to."""
    year, rest = divmod(ordinal(name), 12)
    return f"{year:04d}Q{rest // 3 + 1}"


def quarter_months(quarter: str) -> tuple[str, str, str]:
    """The three months of a quarter."""
    start = _quarter_start(quarter)
    return month(start), month(start + 1), month(start + 2)


def next_quarter(quarter: str, n: int = 1) -> str:
    """The quarter `n` later (earlier if negative)."""
    return quarter_of(month(_quarter_start(quarter) + 3 * n))


def days_in(name: str) -> int:
    """Days of the month."""
    year, rest = divmod(ordinal(name), 12)
    return monthrange(year, rest + 1)[1]


def month_end(name: str) -> date:
    """The last day of the month."""
    year, rest = divmod(ordinal(name), 12)
    return date(year, rest + 1, days_in(name))


def month_of(day: date) -> str:
    """The month a day falls in."""
    return month(day.year * 12 + day.month - 1)


def _quarter_start(quarter: str) -> int:
    if not _QUARTER.fullmatch(quarter):
        raise Refusal(got=quarter, wanted='a quarter "YYYYQn"', remedy='write it like "2026Q3"')
    return int(quarter[:4]) * 12 + 3 * (int(quarter[5]) - 1)
