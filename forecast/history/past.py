"""How the rules resolve the past: every quarter of the window, what decided it, and what revision would flip it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.months import month, next_quarter, quarter_months, quarter_of
from forecast.rules import (
    UNRESOLVED,
    AllOf,
    AnyOf,
    Bounds,
    Condition,
    ScenarioSet,
    condition_in_words,
    conditions,
    resolve_many,
)
from forecast.rules.truth import (
    MONTHS,
    NO_BOUNDS,
    TRUE,
    UNKNOWN,
    Windows,
    compared,
    measured,
    positions,
    truth,
    windows,
)

if TYPE_CHECKING:
    import xarray as xr

type Array = np.ndarray[Any, np.dtype[Any]]
type Verdict = Literal["false", "unknown", "true"]

VERDICTS: tuple[Verdict, ...] = ("false", "unknown", "true")
REVISIONS = np.geomspace(1.0, 2.0, 201)[
    1:
]  # factors of a revision, and their inverses; a third of a percent apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one condition of a rule saw in a quarter."""

    scenario: str  # whose rule
    condition: str  # in words
    low: float  # the number under the lowest completion of missing cells
    high: float  # and under the highest; the same where none is missing
    limit: float | None  # None: the baseline is unknown
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The smallest common factor on a stream's figures of the window that resolves the quarter otherwise."""

    stream: str
    factor: float  # above one: the published figures are too low
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """A quarter of the past and how the rules resolve it."""

    quarter: str
    resolved: str | None  # scenario id; None: the rules cannot tell
    decided_by: str  # in words
    seen: tuple[Seen, ...]
    flips: tuple[Flip, ...]  # at most one a stream, the smallest revision first; none beyond a factor of two


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every quarter of the window, oldest first."""

    quarters: tuple[Quarter, ...]
    precedents: Mapping[str, int]  # scenario -> quarters that resolved to it

    @property
    def last_resolved(self) -> Quarter | None:
        """The newest quarter that the rules could resolve."""
        return next((quarter for quarter in reversed(self.quarters) if quarter.resolved is not None), None)

    @property
    def without_precedent(self) -> tuple[str, ...]:
        """Scenarios to which no quarter resolved."""
        return tuple(name for name, n in self.precedents.items() if n == 0)


def history(
    rules: ScenarioSet,
    panel: "xr.DataArray",
    *,
    titles: Mapping[str, str],
    bounds: Mapping[str, Bounds] = NO_BOUNDS,
) -> History:
    """The rules applied to every quarter from the first whole one of the panel to the one that holds its last month.

    Months before the panel are unknown: before the window it was another conflict.

    Args:
        rules: the scenario set.
        panel: observed (stream, month), NaN where missing; its first month is the window's.
        titles: stream id -> title, for the words.
        bounds: what missing cells may be (see `forecast.rules.resolve`).
    """
    table = panel.sel(stream=list(rules.streams)).transpose("stream", "month")
    at = positions(table["month"].values)
    names = _quarters(month(int(at[0])), month(int(at[-1])))
    found = tuple(_quarter(rules, table.values, at, name, titles, bounds) for name in names)
    precedents = {name: sum(quarter.resolved == name for quarter in found) for name in rules.ids}
    return History(quarters=found, precedents=precedents)


def _quarters(first: str, last: str) -> Iterator[str]:
    quarter = quarter_of(first)
    if quarter_months(quarter)[0] != first:
        quarter = next_quarter(quarter)
    while quarter <= quarter_of(last):
        yield quarter
        quarter = next_quarter(quarter)


def _quarter(
    rules: ScenarioSet,
    values: Array,
    months: Array,
    name: str,
    titles: Mapping[str, str],
    bounds: Mapping[str, Bounds],
) -> Quarter:
    end = positions(quarter_months(name)[2:])
    view = windows(values, streams=rules.streams, months=months, window_ends=end, bounds=bounds)
    position = int(
        resolve_many(rules, values, streams=rules.streams, months=months, window_ends=end, bounds=bounds)[0]
    )
    resolved = None if position == UNRESOLVED else rules.ids[position]
    seen = tuple(
        _seen(scenario, condition, view, titles)
        for scenario in rules.precedence
        for condition in conditions(rules.rule(scenario))
    )
    flips = () if resolved is None else _flips(rules, values, months, end, bounds, resolved)
    return Quarter(
        quarter=name,
        resolved=resolved,
        decided_by=_decided_by(rules, resolved, view, titles),
        seen=seen,
        flips=tuple(sorted(flips, key=lambda flip: abs(np.log(flip.factor)))),
    )


def _seen(scenario: str, condition: Condition, view: Windows, titles: Mapping[str, str]) -> Seen:
    low, high, limit = measured(condition, view)
    verdict = compared(condition, low, high, limit)
    bound = float(np.broadcast_to(limit, low.shape)[0])
    return Seen(
        scenario=scenario,
        condition=condition_in_words(condition, titles),
        low=float(low[0]),
        high=float(high[0]),
        limit=None if np.isnan(bound) else bound,
        verdict=VERDICTS[int(verdict[0])],
    )


def _decided_by(rules: ScenarioSet, resolved: str | None, view: Windows, titles: Mapping[str, str]) -> str:
    """The conditions that made a rule hold, or those that leave it open."""
    if resolved == rules.remainder:
        return "no other rule holds"
    if resolved is not None:
        return "; ".join(_telling(rules.rule(resolved), view, titles, TRUE))
    undecided = next(name for name in rules.precedence if int(truth(rules.rule(name), view)[0]) == UNKNOWN)
    return "cannot tell: " + "; ".join(_telling(rules.rule(undecided), view, titles, UNKNOWN))


def _telling(
    rule: AllOf | AnyOf | Condition, view: Windows, titles: Mapping[str, str], verdict: int
) -> Iterator[str]:
    """The conditions of that verdict, through the parts of the rule that have it too."""
    if isinstance(rule, Condition):
        low, high, limit = measured(rule, view)
        if int(compared(rule, low, high, limit)[0]) == verdict:
            yield f"{condition_in_words(rule, titles)} ({_reading(float(low[0]), float(high[0]), limit)})"
        return
    if isinstance(rule, AllOf) and rule.same_month:
        for condition in conditions(rule):
            yield condition_in_words(condition, titles)
        return
    for part in rule.all if isinstance(rule, AllOf) else rule.any:
        if int(truth(part, view)[0]) == verdict:
            yield from _telling(part, view, titles, verdict)


def _reading(low: float, high: float, limit: Array) -> str:
    if np.isnan(limit).any():
        return "fewer than nine known months before it"
    if low == high:
        return f"it was {low:,.4g}"
    return f"at least {low:,.4g}" if np.isinf(high) else f"between {low:,.4g} and {high:,.4g}"


def _flips(
    rules: ScenarioSet,
    values: Array,
    months: Array,
    end: Array,
    bounds: Mapping[str, Bounds],
    resolved: str,
) -> Iterator[Flip]:
    """For each stream the smallest factor, up or down to two, on its cells of the window (not of its baseline)."""
    factors = np.column_stack([REVISIONS, 1 / REVISIONS]).ravel()  # ever further from one
    length = max(
        MONTHS[condition.window] for name in rules.precedence for condition in conditions(rules.rule(name))
    )
    column = int(end[0] - months[0])
    inside = slice(max(0, column - length + 1), column + 1)
    for row, stream in enumerate(rules.streams):
        if bounds.get(stream) == Bounds(lower=0.0, upper=1.0):
            continue  # a yes or no has no size that could be revised
        revised = np.repeat(values[None], len(factors), axis=0)
        revised[:, row, inside] *= factors[:, None]
        outcome = resolve_many(
            rules, revised, streams=rules.streams, months=months, window_ends=end, bounds=bounds
        )[:, 0]
        other = np.flatnonzero((outcome != rules.ids.index(resolved)) & (outcome != UNRESOLVED))
        if len(other):
            yield Flip(stream=stream, factor=float(factors[other[0]]), to=rules.ids[int(outcome[other[0]])])
