"""The clock is an input: everything that depends on time is computed from it; the wall only tells whether a run is live."""

import datetime
import os
from dataclasses import dataclass
from typing import Literal

from forecast.config import Clock as Stated
from forecast.months import month_end, quarter_months, quarter_of
from priors.refusal import Refusal

PRESENT = datetime.timedelta(days=1)  # from the wall clock; a SOURCE_DATE_EPOCH further away is not live


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When a forecast speaks, and when it was made."""

    as_of: datetime.date  # what was known then
    timing: Literal["live", "retrospective"]
    issued_at: str  # ISO 8601, UTC, whole seconds


def read(stated: Stated, *, as_of: datetime.date | None = None, again: bool = False) -> Clock:
    """The clock of a run: `as_of = "today"` is live, any other date is retrospective.

    With a SOURCE_DATE_EPOCH that is not of the present, "today" is that day and the run retrospective: it was made afterwards.

    Args:
        stated: the table [time] of forecast.toml.
        as_of: a date that holds instead of the stated one.
        again: whether a live run of that moment is made again (`forecast.replay`), beside a ledger of its own.

    Raises:
        Refusal: a date that has not come yet, or a SOURCE_DATE_EPOCH that is no number.
    """
    now = _now()
    wanted = stated.as_of if as_of is None else as_of
    if wanted == "today":
        present = again or abs(now - wall()) <= PRESENT
        return Clock(
            as_of=now.date(), timing="live" if present else "retrospective", issued_at=now.isoformat()
        )
    if wanted > now.date():
        raise Refusal(
            file="forecast.toml",
            where="time.as_of",
            got=wanted.isoformat(),
            wanted=f"a date up to {now.date().isoformat()}",
            remedy='nobody knows yet what will be known then; write "today" for a live run',
        )
    return Clock(as_of=wanted, timing="retrospective", issued_at=now.isoformat())


def age(origin: str, clock: Clock) -> int:
    """Whole months from the end of the last month with data to `as_of`."""
    end, seen = month_end(origin), clock.as_of
    months = (seen.year - end.year) * 12 + seen.month - end.month
    is_month_end = (seen + datetime.timedelta(days=1)).day == 1
    return months if is_month_end or seen.day >= end.day else max(months - 1, 0)


def check_live(clock: Clock, first_quarter: str, origin: str, *, max_age: int) -> None:
    """A live forecast speaks of quarters that have not ended, from data that are fresh.

    Raises:
        Refusal: for a quarter that has ended, or data older than `max_age` months.
    """
    if clock.timing == "retrospective":
        return
    if month_end(quarter_months(first_quarter)[2]) < clock.as_of:
        raise Refusal(
            where="time.as_of",
            got=f"today, with data to {origin}: the first quarter to forecast, {first_quarter}, has ended",
            wanted=f"data that reach into {quarter_of(clock.as_of.isoformat()[:7])} or the quarter before it",
            remedy="ingest the newest export, or write the date of the data as as_of for a retrospective run",
        )
    if age(origin, clock) > max_age:
        raise Refusal(
            where="time.max_age_months",
            got=f"data to {origin}, {age(origin, clock)} months old",
            wanted=f"at most {max_age} months for a live run",
            remedy="ingest the newest export, or raise max_age_months and say why",
        )


def wall() -> datetime.datetime:
    """The wall clock, in UTC and whole seconds."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _now() -> datetime.datetime:
    """The wall clock, or SOURCE_DATE_EPOCH where it is set, so that a run can be made again to the byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return wall()
    if not epoch.isdecimal() or len(epoch) > 11:  # eleven digits reach the year 5138
        raise Refusal(where="SOURCE_DATE_EPOCH", got=epoch, wanted="a whole number of seconds since 1970")
    return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
