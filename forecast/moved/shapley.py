"""A change that several causes made together is divided among them without an order: Shapley's shares.

    φ_i = Σ_{S ⊆ N∖i} |S|! (n − |S| − 1)! / n! · [v(S ∪ i) − v(S)]        Σ_i φ_i = v(N) − v(∅)

A share is the mean, over all orders in which the causes could have come, of what one adds when it comes. Shapley, A
value for n-person games, Contributions to the Theory of Games II (1953).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from math import factorial

import numpy as np

from forecast.tallies import Array, Chance, combined

type Coalition = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Share:
    """What one cause adds: its mean over the orders with its error, and the least and most it adds in one of them."""

    shift: Chance
    low: Array
    high: Array


def coalitions(causes: Sequence[str]) -> Iterator[Coalition]:
    """Every set of causes, the empty one first and the whole last."""
    return (frozenset(chosen) for size in range(len(causes) + 1) for chosen in combinations(causes, size))


def shares(causes: Sequence[str], values: Mapping[Coalition, Chance]) -> dict[str, Share]:
    """Divide ``values`` of the whole less that of the empty coalition among the causes.

    Coalitions that rest on the same fits give each other's noise back: a cause that changes nothing has a share of
    nought with an error of nought.

    Args:
        causes: their names.
        values: of each of the ``coalitions``.
    """
    found = {}
    for cause in causes:
        others = [name for name in causes if name != cause]
        terms: list[tuple[float, Chance]] = []
        for without in coalitions(others):
            worth = factorial(len(without)) * factorial(len(others) - len(without)) / factorial(len(causes))
            terms += [(worth, values[without | {cause}]), (-worth, values[without])]
        added = np.array([_added(cause, order, values) for order in permutations(causes)])
        found[cause] = Share(shift=combined(terms), low=added.min(axis=0), high=added.max(axis=0))
    return found


def _added(cause: str, order: Sequence[str], values: Mapping[Coalition, Chance]) -> Array:
    """What a cause adds when causes come in this order."""
    grown = [frozenset(order[:n]) for n in range(len(order) + 1)]
    before, after = next(step for step in pairwise(grown) if cause in step[1] - step[0])
    return values[after].mean - values[before].mean
