"""What moved between two forecasts of the same quarter, and why: bars that add up to the change, to the last digit.

    published before ─ rules ─ weights ─ re-run ─┬─ history ─┐
                                                 ├─ months  ─┤─ published after
                                                 └─ beliefs ─┘

First come bars with an order of their own. ``rules``: the earlier futures resolved by today's rules, without a fit.
``weights``: the earlier models at what the later run weighs them. ``rerun``: what the earlier run was given, fitted by
today's code with a new seed; models that the earlier run did not use are in this bar, with their weights. The rest is
divided among three causes by Shapley's shares over eight coalitions, all at the later run's weights; the last of them
is the later run as published. After STATISTICS F17.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from forecast.moved.mixing import BELIEFS, CAUSES, HISTORY, MONTHS
from forecast.moved.shapley import coalitions, shares
from forecast.moved.sides import Side, side_of
from forecast.moved.valuing import Asked, pooled, resolved_again, values
from forecast.tallies import Array, Chance, combined
from forecast.terminal import points
from forecast.watching import Progress, silent
from reports import words

__all__ = ["BARS", "Asked", "Bar", "Moved", "Side", "account", "side_of", "what_moved"]

type Json = dict[str, Any]

RULES, WEIGHTS, RERUN = "rules", "weights", "rerun"
BARS: Mapping[str, str] = {
    RULES: "edited rules",
    WEIGHTS: "re-learned weights of the models",
    RERUN: "code, models and re-run noise",
    HISTORY: "revised history",
    MONTHS: "new months",
    BELIEFS: "edited priors, labels and drivers",
}
NOISE = 2.0  # Monte Carlo errors below which a bar is not spoken of
LEAST = 0.0005  # half a tenth of a point: a bar that is printed as nought is not spoken of either
ROUNDING = 1e-12  # of the last digits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bar:
    """What one cause moved, ``[quarter, scenario]``; its range over the orders of causes that have none."""

    name: str  # of BARS
    shift: Array
    error: Array  # Monte Carlo
    low: Array
    high: Array

    @property
    def told(self) -> Array:
        """Where it can be seen, and stands out from the noise of the simulation."""
        found: Array = (abs(self.shift) >= LEAST) & (abs(self.shift) >= NOISE * self.error)
        return found

    @property
    def depends_on_order(self) -> Array:
        """Where its range over orders is wider than the bar is long."""
        found: Array = self.high - self.low > abs(self.shift) + ROUNDING
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moved:
    """The quarters that two runs both speak of, before and after, and the bars between."""

    quarters: tuple[str, ...]
    scenarios: tuple[str, ...]
    before: Chance  # [quarter, scenario]
    after: Chance
    bars: tuple[Bar, ...]  # their shifts add up to after less before


def what_moved(
    before: Side, after: Side, asked: Asked, *, rules_edited: bool, progress: Progress = silent
) -> Moved:
    """Divide the change of every probability among its causes.

    Args:
        before: the earlier run.
        after: the later run, with the posteriors of all its weighted models.
        asked: the quarters that both speak of, and the rules of the later run.
        rules_edited: whether the earlier run was resolved by other rules.
        progress: called before each fit; there are none where nothing but the seed differs.
    """
    tallies = before.tallies(asked.quarters)
    start = pooled(before, tallies, before.weights)
    steps = {"": start}
    if rules_edited:
        progress("resolving the earlier futures by the edited rules")
        tallies = resolved_again(before, asked)
        steps[RULES] = pooled(before, tallies, before.weights)
    if before.weights != after.weights and after.weights.keys() <= tallies.keys():
        steps[WEIGHTS] = pooled(before, tallies, after.weights)
    found = values(before, after, asked, progress=progress)
    nothing, *_, everything = coalitions(CAUSES)
    steps[RERUN] = found[nothing]
    divided = shares(CAUSES, found)
    return Moved(
        quarters=asked.quarters,
        scenarios=asked.rules.ids,
        before=start,
        after=found[everything],
        bars=(
            *(_step(name, was, now) for (_, was), (name, now) in pairwise(steps.items())),
            *(_bar(name, one.shift, one.low, one.high) for name, one in divided.items()),
        ),
    )


def account(moved: Moved) -> Json:
    """The same as a record: by quarter and scenario the numbers, their bars, and a sentence; null where nothing resolves.

    Returns:
        ``bars`` (name, title) in their order and ``quarters``: for each scenario ``before``, ``after``, ``shift``, its
        ``mcse``, ``bars`` by name (shift, mcse, low, high, told, depends_on_order) and ``sentence``.
    """
    total = combined([(1.0, moved.after), (-1.0, moved.before)])
    error = total.error
    quarters = []
    for q, quarter in enumerate(moved.quarters):
        row = {}
        for k, scenario in enumerate(moved.scenarios):
            bars = {bar.name: _told(bar, q, k) for bar in moved.bars}
            row[scenario] = {
                "before": _number(moved.before.mean[q, k]),
                "after": _number(moved.after.mean[q, k]),
                "shift": _number(total.mean[q, k]),
                "mcse": _number(error[q, k]),
                "bars": bars,
                "sentence": sentence(bars),
            }
        quarters.append({"quarter": quarter, "resolved": row})
    return {"bars": [{"name": bar.name, "title": BARS[bar.name]} for bar in moved.bars], "quarters": quarters}


def sentence(bars: Mapping[str, Json]) -> str:
    """The bars that stand out from the noise, longest first, in points of a percent; the others are not described.

    Args:
        bars: by name, as ``account`` tells them.
    """
    spoken = sorted(
        (name for name, bar in bars.items() if bar["told"]), key=lambda name: -abs(bars[name]["shift"])
    )
    if not spoken:
        return "No cause stands out from the noise of the simulation."
    parts = [
        f"{BARS[name]} {points(bars[name]['shift'])}"
        + (" (depends on the order)" if bars[name]["depends_on_order"] else "")
        for name in spoken
    ]
    rest = "" if len(spoken) == len(bars) else "; the rest is within the noise of the simulation"
    return f"In points: {words.listed(parts)}{rest}."


def _step(name: str, was: Chance, now: Chance) -> Bar:
    shift = combined([(1.0, now), (-1.0, was)])
    return _bar(name, shift, shift.mean, shift.mean)


def _bar(name: str, shift: Chance, low: Array, high: Array) -> Bar:
    return Bar(name=name, shift=shift.mean, error=shift.error, low=low, high=high)


def _told(bar: Bar, q: int, k: int) -> Json:
    return {
        "shift": _number(bar.shift[q, k]),
        "mcse": _number(bar.error[q, k]),
        "low": _number(bar.low[q, k]),
        "high": _number(bar.high[q, k]),
        "told": bool(bar.told[q, k]),
        "depends_on_order": bool(bar.depends_on_order[q, k]),
    }


def _number(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
