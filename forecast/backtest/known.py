"""What an origin knew: the panel by vintage, and every belief by the day from which it was known.

The day of an origin is the first vintage that carries its month; months that the oldest vintage carries already, or
that no vintage will carry, are taken to be known thirty days after their end. No row that came later reaches what is
made here: a backtest sees the past only through it.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import xarray as xr

from forecast import months
from forecast.clock import Clock
from forecast.config import LONGEST, SHORTEST
from forecast.incidents import Archive, published
from forecast.panel import Panel, panel
from forecast.question import Question
from forecast.reporting import reporting
from forecast.rules import bounds_of
from forecast.rules.truth import Bounds
from forecast.streams import StreamDefinition
from forecast.workspace import Workspace
from priors.refusal import Refusal

LAG = datetime.timedelta(days=30)  # after its end a month is known where no vintage says when
LEAST = SHORTEST  # months that an origin must have seen
HORIZON = 12  # months ahead

type Every = Literal["quarter", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which origins are replayed, and on how much past."""

    first: str  # quarter of the first origin
    last: str  # and of the last
    every: Every
    window: int | None  # months that models learn from; None: all since the window's start

    @property
    def origins(self) -> tuple[str, ...]:
        """The last month that each origin has seen: the ends of quarters, or every month."""
        inside = months.span(months.quarter_months(self.first)[0], months.quarter_months(self.last)[2])
        return inside if self.every == "month" else inside[2::3]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """When each month came to be known."""

    appeared: tuple[Mapping[str, datetime.date], ...]  # of each stream with vintages: month, first vintage
    oldest: tuple[datetime.date, ...]  # of each: its first vintage

    def day(self, month: str) -> datetime.date:
        """The day from which an origin speaks whose last month it is."""
        usual = months.month_end(month) + LAG
        days = [usual]
        for appeared, oldest in zip(self.appeared, self.oldest, strict=True):
            came = appeared.get(month, usual)
            days.append(min(came, usual) if came == oldest else came)
        return max(days[1:], default=usual)


def calendar(archive: Archive, streams: Iterable[StreamDefinition]) -> Calendar:
    """The days on which the vintages of some streams brought each month."""
    figures = [published(archive, stream, as_of=None) for stream in streams if stream.reporting]
    return Calendar(
        appeared=tuple(
            {str(m): datetime.date.fromisoformat(day) for m, day in wide.notna().idxmax(axis=1).items()}
            for wide in figures
        ),
        oldest=tuple(datetime.date.fromisoformat(min(wide.columns)) for wide in figures),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """A workspace at an origin."""

    question: Question  # what models are told: the panel cut to the window
    expanding: xr.DataArray  # (stream, month) since the start of the workspace's window: what references read

    @property
    def origin(self) -> str:
        """The last month seen."""
        return self.question.panel.origin

    @property
    def as_of(self) -> datetime.date:
        """The day it speaks from."""
        return self.question.clock.as_of


def known(
    workspace: Workspace, archive: Archive, origin: str, *, day: datetime.date, window: int | None
) -> Known:
    """Everything that could be known of a workspace at an origin.

    Args:
        workspace: the workspace, whose own date does not matter here.
        archive: its files as read.
        origin: the last month seen.
        day: the day whose knowledge holds.
        window: months that the models learn from; None for all since the start of the workspace's window.
    """
    start = workspace.config.time.window.from_
    whole = seen(workspace, archive, origin, day=day, first=start)
    first = start if window is None else max(start, months.shift(origin, 1 - window))
    cut = whole if first == start else seen(workspace, archive, origin, day=day, first=first)
    stated = workspace.config.time
    span = stated.window.model_copy(update={"from_": first, "to": origin, "months": None})
    time = stated.model_copy(update={"window": span, "as_of": day})
    config = workspace.config.model_copy(update={"time": time})
    return Known(
        question=Question(
            workspace=replace(workspace, config=config),
            clock=Clock(as_of=day, timing="retrospective", issued_at=f"{day.isoformat()}T00:00:00+00:00"),
            panel=cut,
            reporting=reporting(
                cut, archive, as_of=day, horizon=HORIZON, release=workspace.scenarios.release
            ),
            current=None,
            quarters=(),
            months=HORIZON,
        ),
        expanding=whole.counts,
    )


def seen(workspace: Workspace, archive: Archive, last: str, *, day: datetime.date, first: str) -> Panel:
    """The panel from one month to another as known at a day; a stream may end before the last month."""
    return panel(
        archive,
        workspace.streams,
        workspace.sources,
        window_from=first,
        window_to=last,
        as_of=day,
        deciding=workspace.scenarios.streams,
    )


def bounds(workspace: Workspace) -> dict[str, Bounds]:
    """What a missing cell of each stream may be."""
    return {stream.id: bounds_of(stream) for stream in workspace.streams}


def check(plan: Plan, workspace: Workspace, dates: Calendar, *, limit: datetime.date) -> None:
    """Refuse origins that have seen too little, or that were not yet known at a date.

    Raises:
        Refusal: naming the option and the first or last quarter that can be had.
    """
    if plan.last < plan.first:
        raise Refusal(where="--to", got=plan.last, wanted=f"a quarter from {plan.first} on")
    if plan.window is not None and not SHORTEST <= plan.window <= LONGEST:
        wanted = f"expanding, or {SHORTEST} to {LONGEST} months"
        raise Refusal(where="--window", got=plan.window, wanted=wanted)
    start = workspace.config.time.window.from_
    least = months.shift(start, LEAST - 1)
    if plan.origins[0] < least:
        first = months.quarter_of(least)
        if plan.every == "month" and months.quarter_months(first)[0] < least:
            first = months.next_quarter(first)
        raise Refusal(
            where="--from",
            got=plan.first,
            wanted=f"an origin that has seen {LEAST} months since {start}",
            remedy=f"start with {first}, or let [time] window begin earlier",
        )
    late = [origin for origin in plan.origins if dates.day(origin) > limit]
    if late:
        raise Refusal(
            where="--to",
            got=f"{plan.last}, whose {late[0]} was known on {dates.day(late[0])}",
            wanted=f"months known by {limit}, the as_of of the workspace",
            remedy="end earlier, or let as_of be later",
        )
