"""Simulated outcomes become the probabilities that are published: by quarter, of a first time, of a transition.

A quarter that the rules cannot resolve is not scored, so the probability of a quarter or of a transition is conditional
on being resolved, and the share of futures that stay unresolved is reported beside it. A first passage spans several
quarters: it is the share of all futures that have resolved to the scenario by then. A quarter that stays unresolved
counts as one that did not. To leave such futures out would leave out only those that no rule has decided, and what the
rules do decide would look likelier than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from forecast.months import next_quarter, quarter_months
from forecast.rules import UNRESOLVED, ScenarioSet
from forecast.rules.truth import positions
from forecast.scenarios.nested import Array, Estimate, combine, estimate

if TYPE_CHECKING:
    import xarray as xr

type Row = Mapping[str, Estimate | None]  # None: the question never arose
type Table = Mapping[str, Row]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probabilities:
    """What simulated futures say of the scenarios, for one model or for the ensemble."""

    resolved: Table  # quarter -> scenario; sums to one over scenarios
    unresolved: Mapping[str, float]  # quarter -> share of futures that the rules cannot resolve
    passages: Table  # scenario -> quarter, cumulative; without the scenario that was resolved last
    transitions: Table  # scenario of a quarter -> scenario of the next; the running quarter is left out
    visits: Mapping[str, int]  # scenario -> simulated quarters behind its row of transitions

    @property
    def first_passage(self) -> Table:
        """The passages; None up to the first quarter that some future resolves."""
        return {
            name: {quarter: self._asked(row, quarter) for quarter in row}
            for name, row in self.passages.items()
        }

    def _asked(self, row: Row, quarter: str) -> Estimate | None:
        so_far = list(row)[: list(row).index(quarter) + 1]
        return row[quarter] if any(self.unresolved[name] < 1 for name in so_far) else None

    def after(self, quarter: str) -> Row | None:
        """The row of transitions from a resolved quarter: the quarter after it; None if that is not simulated."""
        return self.resolved.get(next_quarter(quarter))


def probabilities(
    outcomes: "xr.DataArray",
    rules: ScenarioSet,
    *,
    current: str | None,
    last_resolved: str | None,
    chains: int,
) -> Probabilities:
    """Probabilities of scenarios from outcomes.

    Args:
        outcomes: (draw, path, quarter) from `outcomes`, consecutive quarters.
        rules: the scenario set.
        current: the running quarter, if it is among them; it is no target of first passage or of transitions.
        last_resolved: the scenario of the last resolved quarter of the past.
        chains: the draws are this many chains, one after the other.
    """
    found = outcomes.transpose("draw", "path", "quarter")
    quarters = [str(name) for name in found["quarter"].values]
    by_quarter = {name: found.sel(quarter=name).values for name in quarters}
    targets = [name for name in quarters if name != current]
    ahead = [by_quarter[name] for name in targets]
    pairs = list(pairwise(ahead))
    return Probabilities(
        resolved={
            name: _row([(np.ones(now.shape, bool), now)], rules.ids, chains)
            for name, now in by_quarter.items()
        },
        unresolved={name: float((now == UNRESOLVED).mean()) for name, now in by_quarter.items()},
        passages={
            name: _passage(ahead, i, targets, chains)
            for i, name in enumerate(rules.ids)
            if name != last_resolved
        },
        transitions={
            name: _row([(now == i, after) for now, after in pairs], rules.ids, chains)
            for i, name in enumerate(rules.ids)
        },
        visits={
            name: int(sum(((now == i) & (after != UNRESOLVED)).sum() for now, after in pairs))
            for i, name in enumerate(rules.ids)
        },
    )


def pooled(parts: Sequence[Probabilities], weights: Sequence[float]) -> Probabilities:
    """The ensemble's probabilities: a future comes from model m with probability `weights[m]`."""
    first = parts[0]
    total = sum(weights)
    return Probabilities(
        resolved=_pooled([part.resolved for part in parts], weights),
        unresolved={
            name: sum(w * part.unresolved[name] for part, w in zip(parts, weights, strict=True)) / total
            for name in first.unresolved
        },
        passages=_pooled([part.passages for part in parts], weights),
        transitions=_pooled([part.transitions for part in parts], weights),
        visits={name: sum(part.visits[name] for part in parts) for name in first.visits},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crosswalk:
    """How the latent regime and the resolved scenario of a quarter go together."""

    table: Table  # latent majority of the quarter's months -> resolved scenario
    differ: Estimate | None  # probability that their names differ


def crosswalk(
    outcomes: "xr.DataArray",
    regime: "xr.DataArray",
    rules: ScenarioSet,
    *,
    regimes: Sequence[str],
    current: str | None,
    chains: int,
) -> Crosswalk:
    """P(resolved | latent majority) over all quarters ahead, one row per regime.

    Args:
        outcomes: (draw, path, quarter) from `outcomes`.
        regime: (draw, path, month) positions in `regimes`. Three different months: the last one counts.
        rules: the scenario set.
        regimes: the names of the latent regimes.
        current: the running quarter, which is left out.
        chains: the draws are this many chains, one after the other.
    """
    at = {int(month): column for column, month in enumerate(positions(regime["month"].values))}
    paths = regime.transpose("draw", "path", "month").values
    cells: list[tuple[Array, Array]] = []
    for quarter in (str(name) for name in outcomes["quarter"].values if name != current):
        first, second, last = (paths[..., at[int(m)]] for m in positions(quarter_months(quarter)))
        resolved = outcomes.sel(quarter=quarter).transpose("draw", "path").values
        cells.append((np.where(first == second, first, last), resolved))
    known = np.add.reduce([resolved != UNRESOLVED for _, resolved in cells], dtype=np.int8)
    same = [
        (latent == i) & (resolved == rules.ids.index(name))
        for latent, resolved in cells
        for i, name in enumerate(regimes)
        if name in rules.ids
    ]
    agree = np.add.reduce(same, dtype=np.int8) if same else np.zeros_like(known)
    return Crosswalk(
        table={
            name: _row([(latent == i, resolved) for latent, resolved in cells], rules.ids, chains)
            for i, name in enumerate(regimes)
        },
        differ=estimate(known - agree, known, chains=chains),
    )


def _row(cases: Sequence[tuple[Array, Array]], names: Sequence[str], chains: int) -> Row:
    """P(outcome | case) with the cases of a path taken together: pairs of (does the case arise, the outcome)."""
    if not cases:
        return dict.fromkeys(names)
    trials = np.add.reduce([case & (result != UNRESOLVED) for case, result in cases], dtype=np.int8)
    return {
        name: estimate(
            np.add.reduce([case & (result == k) for case, result in cases], dtype=np.int8),
            trials,
            chains=chains,
        )
        for k, name in enumerate(names)
    }


def _passage(ahead: Sequence[Array], scenario: int, quarters: Sequence[str], chains: int) -> Row:
    """P(some quarter up to this one resolves to the scenario), over all futures."""
    come = np.zeros(ahead[0].shape, bool)
    row: dict[str, Estimate | None] = {}
    for name, now in zip(quarters, ahead, strict=True):
        come = come | (now == scenario)
        row[name] = estimate(come, chains=chains)
    return row


def _pooled(tables: Sequence[Table], weights: Sequence[float]) -> Table:
    return {
        row: {column: combine([table[row][column] for table in tables], weights) for column in tables[0][row]}
        for row in tables[0]
    }
