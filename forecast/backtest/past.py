"""The past of a workspace, origin by origin: what was known at each, what came after it, and what a reader must know."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from forecast import clock, months
from forecast.backtest.came import Came, came
from forecast.backtest.known import LEAST, Calendar, Known, Plan, calendar, check, known
from forecast.backtest.origin import EXAM, HORIZONS
from forecast.backtest.windows import WINDOWS
from forecast.incidents import gather
from forecast.workspace import Workspace
from reports import words

LATE = 92  # days after its month's end from which an origin is named: a whole quarter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """Every origin of a plan with what it knew, and what came."""

    workspace: Workspace
    plan: Plan
    dates: Calendar
    origins: tuple[Known, ...]
    came: Came

    @property
    def hindsight(self) -> tuple[Known, ...]:
        """Origins at which some belief of the workspace was not known yet."""
        latest = max(statement.known_from for statement in self.workspace.priors.values())
        return tuple(one for one in self.origins if one.as_of < latest)


def read(workspace: Workspace, plan: Plan) -> Past:
    """Read the files once, and cut them to each origin.

    Raises:
        Refusal: for data that cannot be read, or origins that cannot be had.
    """
    limit = clock.read(workspace.config.time).as_of
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    dates = calendar(archive, workspace.streams)
    check(plan, workspace, dates, limit=limit)
    ahead = sorted({*WINDOWS, *HORIZONS, *range(1, EXAM + 1)})
    wanted = [months.shift(origin, h) for origin in plan.origins for h in ahead]
    return Past(
        workspace=workspace,
        plan=plan,
        dates=dates,
        origins=tuple(
            known(workspace, archive, origin, day=dates.day(origin), window=plan.window)
            for origin in plan.origins
        ),
        came=came(workspace, archive, dates, wanted, limit=limit),
    )


def span(workspace: Workspace) -> tuple[str, str]:
    """The quarters of the first and the last quarterly origin that a workspace allows.

    Raises:
        Refusal: for data that cannot be read.
    """
    dates = calendar(gather(workspace.sources, workspace.streams, root=workspace.root), workspace.streams)
    as_of = clock.read(workspace.config.time).as_of
    quarter = months.quarter_of(months.shift(workspace.config.time.window.from_, LEAST - 1))
    last = months.quarter_of(as_of.isoformat()[:7])
    while dates.day(months.quarter_months(last)[2]) > as_of:
        last = months.quarter_of(months.shift(months.quarter_months(last)[0], -1))
    return quarter, last


def remarks(past: Past) -> Iterator[str]:
    """Sentences about the past that hold for every number made from it."""
    first = past.origins[0].as_of
    written = [rule.date for rule in past.workspace.scenarios.scenarios if rule.date]
    if written and max(written) > first:
        yield (
            f"The rules were written in {words.month(max(written).isoformat())} with this period in sight: every number "
            "is in-sample in the rules."
        )
    yield from _vintages(past)
    late = [one for one in past.origins if (one.as_of - months.month_end(one.origin)).days > LATE]
    for one in late:
        yield (
            f"The figures of {words.month(one.origin)} were first seen on {words.date(one.as_of.isoformat())}: that origin "
            "speaks so late, of a quarter that was over by then, though it looked at no later month."
        )
    release = "annual" if past.came.annual else "first"
    yield f"Outcomes are those of the {release} release of the figures; the other is kept beside them."


def _vintages(past: Past) -> Iterator[str]:
    oldest: datetime.date | None = min(past.dates.oldest, default=None)
    if oldest is None:
        yield "There are no vintages: every origin saw the figures as they stand now, not as first published."
        return
    before = [one for one in past.origins if one.as_of < oldest]
    if before:
        yield (
            f"The vintages begin on {words.date(oldest.isoformat())}: {words.plural(len(before), 'origin')} before that "
            "saw figures as they were later revised."
        )
