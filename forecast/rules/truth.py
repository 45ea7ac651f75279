"""A rule is true, false or unknown, and unknown only where the missing months could still decide it.

Each condition compares the `take` over a window with a limit. The `take` rises with every cell, so the lowest and
the highest completion of the missing cells bound it: both pass, the condition is TRUE; neither, FALSE; else UNKNOWN.
`all` is the least, `any` the greatest of its parts (Kleene's strong logic). One function serves observed and
simulated months. After STATISTICS F3; Kleene, *Introduction to Metamathematics* (1952), section 64.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.months import days_in, month, month_of, ordinal
from forecast.rules.grammar import AllOf, AnyOf, Condition, ScenarioSet
from forecast.streams import StreamDefinition
from priors.refusal import Refusal, nearest

if TYPE_CHECKING:
    import xarray as xr

type Array = np.ndarray[Any, np.dtype[Any]]

FALSE, UNKNOWN, TRUE = 0, 1, 2
UNRESOLVED = -1  # in place of a scenario's position
MONTHS = MappingProxyType({"quarter": 3, "two-quarters": 6})  # of a condition's window
BASELINE, ENOUGH = 12, 9  # months before the window, and how many of them must be known
ROUNDING = 1e-9  # relative; a mean of exactly 1.1 times the baseline is at least 1.1 times the baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a missing cell of a stream may turn out to be."""

    lower: float
    upper: float | None  # None: as many as its month has days


COUNT = Bounds(lower=0.0, upper=np.inf)
NO_BOUNDS: Mapping[str, Bounds] = MappingProxyType({})


def bounds_of(stream: StreamDefinition) -> Bounds:
    """The values a stream's cell can take, by its family and its measure."""
    if not stream.counts:
        return Bounds(lower=-np.inf, upper=np.inf)
    if stream.family == "bernoulli" or stream.measure == "in-force":
        return Bounds(lower=0.0, upper=1.0)
    return Bounds(lower=0.0, upper=None) if stream.measure == "days" else COUNT


def resolve(
    rules: ScenarioSet, panel: "xr.DataArray", *, window_end: object, bounds: Mapping[str, Bounds] = NO_BOUNDS
) -> str | None:
    """The scenario to which the three months ending in `window_end` resolve; None if the rules cannot tell.

    Args:
        rules: the scenario set.
        panel: (stream, month); NaN is a missing cell, and so is every month outside the panel.
        window_end: a month, written as the panel's coordinate writes it or as "YYYY-MM".
        bounds: what missing cells may be; a stream that is not named counts something (0 to infinity).

    Raises:
        Refusal: if the panel lacks a stream of the rules, or its months are not consecutive.
    """
    table = panel.transpose("stream", "month")
    position = resolve_many(
        rules,
        table.values,
        streams=[str(name) for name in table["stream"].values],
        months=table["month"].values,
        window_ends=[window_end],
        bounds=bounds,
    )[0]
    return None if position == UNRESOLVED else rules.ids[position]


def resolve_many(
    rules: ScenarioSet,
    values: Array,
    *,
    streams: Sequence[str],
    months: Iterable[object],
    window_ends: Iterable[object],
    bounds: Mapping[str, Bounds] = NO_BOUNDS,
) -> Array:
    """Positions in `rules.ids` to which windows resolve, `UNRESOLVED` where the rules cannot tell.

    Args:
        rules: the scenario set.
        values: [..., stream, month], NaN where missing.
        streams: names of the rows.
        months: names of the columns, consecutive.
        window_ends: the last month of each window of three.
        bounds: what missing cells may be (see `resolve`).

    Returns:
        int8 [..., window].
    """
    seen = windows(values, streams=streams, months=months, window_ends=window_ends, bounds=bounds)
    outcome = np.full((len(seen.ends), *seen.values.shape[2:]), UNRESOLVED, np.int8)
    undecided = np.ones(outcome.shape, bool)
    for name in rules.precedence:
        holds = truth(rules.rule(name), seen)
        outcome[undecided & (holds == TRUE)] = rules.ids.index(name)
        undecided &= holds == FALSE
    outcome[undecided] = rules.ids.index(rules.remainder)
    return np.moveaxis(outcome, 0, -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Values, and the windows to be looked at in them; cases last, so that months are folded over whole rows."""

    values: Array  # [stream, month, ...]
    rows: Mapping[str, int]  # stream -> row
    first: int  # ordinal of the first month
    ends: Array  # column of each window's last month; may lie outside
    bounds: Mapping[str, Bounds]

    def columns(self, first: int, last: int) -> Array:
        """[window, month] columns of the months `first` to `last`, counted from each window's last month."""
        return self.ends[:, None] + np.arange(first, last + 1)

    def cells(self, stream: str, columns: Array) -> Array:
        """[window, month, ...] cells of a stream; a month outside the values is missing."""
        if stream not in self.rows:
            raise Refusal(got=stream, wanted="a stream of the panel", remedy=nearest(stream, self.rows))
        series = self.values[self.rows[stream]]
        cells: Array = series[columns.clip(0, len(series) - 1)]
        cells[(columns < 0) | (columns >= len(series))] = np.nan
        return cells

    def completions(self, stream: str, columns: Array) -> tuple[Array, Array]:
        """The lowest and the highest that the cells may be, [window, month, ...]; one array if none is missing."""
        cells = self.cells(stream, columns)
        missing = np.isnan(cells)
        if not missing.any():
            return cells, cells
        may = self.bounds.get(stream, COUNT)
        upper = self._days(columns) if may.upper is None else np.full(columns.shape, may.upper)
        upper = upper.reshape(*columns.shape, *[1] * (cells.ndim - 2))
        return np.where(missing, may.lower, cells), np.where(missing, upper, cells)

    def _days(self, columns: Array) -> Array:
        return np.array([[float(days_in(month(self.first + int(c)))) for c in row] for row in columns])


def windows(
    values: Array,
    *,
    streams: Sequence[str],
    months: Iterable[object],
    window_ends: Iterable[object],
    bounds: Mapping[str, Bounds] = NO_BOUNDS,
) -> Windows:
    """Values with their windows; arguments as in `resolve_many`."""
    at = positions(months)
    if len(at) == 0 or (np.diff(at) != 1).any():
        raise Refusal(where="month", wanted="consecutive months, one column each")
    return Windows(
        values=np.moveaxis(np.asarray(values, np.float64), (-2, -1), (0, 1)),
        rows={name: row for row, name in enumerate(streams)},
        first=int(at[0]),
        ends=positions(window_ends) - at[0],
        bounds=bounds,
    )


def truth(rule: AllOf | AnyOf | Condition, seen: Windows, *, monthwise: bool = False) -> Array:
    """FALSE, UNKNOWN or TRUE, [window, ...]; `monthwise` asks each month of it by itself: [window, month, ...]."""
    match rule:
        case Condition():
            low, high, limit = measured(rule, seen, monthwise=monthwise)
            return compared(rule, low, high, limit)
        case AllOf():
            each = monthwise or rule.same_month
            parts = [truth(part, seen, monthwise=each) for part in rule.all]
            holds: Array = np.minimum.reduce(parts)
            return holds.max(axis=1) if rule.same_month and not monthwise else holds
        case AnyOf():
            found: Array = np.maximum.reduce([truth(part, seen, monthwise=monthwise) for part in rule.any])
            return found


def measured(condition: Condition, seen: Windows, *, monthwise: bool = False) -> tuple[Array, Array, Array]:
    """What a condition sees: the number under the lowest and the highest completion, and the limit it must keep.

    Each is [window, ...] (with `monthwise` [window, month, ...]); the limit is NaN where the baseline is unknown.
    """
    length = MONTHS[condition.window]
    columns = seen.columns(1 - length, 0)
    pairs = [seen.completions(stream, columns) for stream in condition.streams]
    complete = all(lowest is highest for lowest, highest in pairs)
    low: Array = reduce(np.add, [lowest for lowest, _ in pairs])
    high: Array = low if complete else reduce(np.add, [highest for _, highest in pairs])
    limit = np.full((1,) * (low.ndim - 1), condition.limit)
    if condition.times is not None:
        limit = limit * _baseline(condition, seen)
    if monthwise:
        return low, high, limit[:, None]
    low = _take(condition, low)
    return low, low if complete else _take(condition, high), limit


def _baseline(condition: Condition, seen: Windows) -> Array:
    """Mean of the known among the twelve months before the window, [window, ...]; NaN with fewer than nine."""
    length = MONTHS[condition.window]
    columns = seen.columns(1 - length - BASELINE, -length)
    cells: Array = reduce(np.add, [seen.cells(stream, columns) for stream in condition.streams])
    missing = np.isnan(cells)
    if not missing.any():
        return cells.sum(axis=1) / BASELINE
    n = BASELINE - missing.sum(axis=1)
    return np.where(n >= ENOUGH, np.where(missing, 0.0, cells).sum(axis=1) / np.maximum(n, 1), np.nan)


def compared(condition: Condition, low: Array, high: Array, limit: Array) -> Array:
    """FALSE, UNKNOWN or TRUE of numbers against their limit, element by element."""
    slack = ROUNDING * np.abs(limit)
    if condition.at_least is not None:
        certain, possible = low >= limit - slack, high >= limit - slack
    else:
        certain, possible = high <= limit + slack, low <= limit + slack
    return np.where(np.isnan(limit), np.int8(UNKNOWN), certain.astype(np.int8) + possible)


def positions(coordinate: Iterable[object]) -> Array:
    """Months as integers that differ by one from month to month.

    A coordinate of integers is taken as it is; anything else is a month: text, date, time stamp or period.
    """
    values = list(coordinate)
    if all(isinstance(value, int | np.integer) for value in values):
        return np.array([int(value) for value in values], np.int64)  # type: ignore[call-overload]
    return np.array([_ordinal(value) for value in values], np.int64)


def _ordinal(value: object) -> int:
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[M]").astype(np.int64)) + 1970 * 12
    return ordinal(month_of(value) if isinstance(value, datetime.date) else str(value))


def _take(condition: Condition, cells: Array) -> Array:
    match condition.take:
        case "max":
            return cells.max(axis=1)
        case "mean":
            return cells.mean(axis=1)
        case "sum":
            return cells.sum(axis=1)
        case "last":
            return cells[:, -1]
