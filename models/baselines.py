"""What a forecast must beat: references that know the past outcomes, or the past counts, and no model.

Scenario references read consecutive windows of one length (calendar quarters, or every third of the overlapping
three-month windows) as they resolved; count references read one series by month. All are cut at the origin by the caller.
The previous published forecast and the prior-only forecast are references too; they come from the ledger and the engine.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNRESOLVED = -1  # in place of a scenario's position
RECENT_WINDOWS, RECENT_MONTHS = 4, 12  # what conflictology looks back on

type Floats = NDArray[np.float64]
type ScenarioReference = Callable[[Sequence[int], int, int], Floats]
type CountReference = Callable[[ArrayLike, int, np.random.Generator, int], Floats]


def uniform(outcomes: Sequence[int], K: int, steps: int) -> Floats:
    """1/K each."""
    _checked(outcomes, K, steps)
    return np.full(K, 1.0 / K)


def climatology(outcomes: Sequence[int], K: int, steps: int) -> Floats:
    """How often each scenario came, Jeffreys: (n_k + ½)/(n + K/2)."""
    return _shares(_known(_checked(outcomes, K, steps)), K)


def markov_chain(outcomes: Sequence[int], K: int, steps: int) -> Floats:
    """Row of the last outcome in P^steps, P_ij = (n_ij + 1)/(n_i + K) from consecutive resolved windows.

    The reference to beat: if outcomes are a Markov chain it is as good as any forecast in the long run.
    """
    known = _known(_checked(outcomes, K, steps))
    if not known.size:
        return uniform(outcomes, K, steps)
    row: Floats = np.linalg.matrix_power(empirical_chain(outcomes, K), steps)[known[-1]]
    return row


def empirical_chain(outcomes: Sequence[int], K: int) -> Floats:
    """P, ``[K, K]``: rows Dirichlet(1) from consecutive resolved windows."""
    counts = np.ones((K, K))
    np.add.at(counts, _consecutive(_checked(outcomes, K, 1)), 1.0)
    chain: Floats = counts / counts.sum(axis=1, keepdims=True)
    return chain


def conflictology(outcomes: Sequence[int], K: int, steps: int) -> Floats:
    """Shares of the last four resolved windows, each scenario half a window more."""
    return _shares(_known(_checked(outcomes, K, steps))[-RECENT_WINDOWS:], K)


def persistence(outcomes: Sequence[int], K: int, steps: int) -> Floats:
    """The last outcome stays with (s + 1)/(n + 2), s of n consecutive pairs having stayed; the rest by climatology.

    As confident far ahead as near: what "nothing changes" says.
    """
    places = _checked(outcomes, K, steps)
    known = _known(places)
    shares = _shares(known, K)
    if not known.size:
        return shares
    before, after = _consecutive(places)
    stays = (np.count_nonzero(before == after) + 1.0) / (before.size + 2.0)
    last = known[-1]
    shares[last] = 0.0
    shares *= (1.0 - stays) / shares.sum()
    shares[last] = stays
    return shares


def last_value_poisson(history: ArrayLike, months: int, rng: np.random.Generator, size: int) -> Floats:
    """Poisson draws with the last known count for a mean, in every month ahead."""
    drawn: Floats = rng.poisson(_counts(history)[-1], (size, months)).astype(float)
    return drawn


def last_value_negative_binomial(
    history: ArrayLike, months: int, rng: np.random.Generator, size: int
) -> Floats:
    """As Poisson, but as wide as the last value has been wrong before, by moments.

    Variance m + a m², a = max(0, Σ[(y_t − y_{t−1})² − y_{t−1}] / Σ y_{t−1}²) over months known one after another.
    """
    last = _counts(history)[-1]
    series = np.asarray(history, dtype=float)
    before, step = series[:-1], np.diff(series)
    pairs = np.isfinite(step) & (before > 0)
    squares = float(np.sum(before[pairs] ** 2))
    excess = float(np.sum(step[pairs] ** 2 - before[pairs])) / squares if squares else 0.0
    rate = (
        np.full((size, months), last)
        if excess <= 0
        else last * excess * rng.gamma(1.0 / excess, 1.0, (size, months))
    )
    drawn: Floats = rng.poisson(rate).astype(float)
    return drawn


def bootstrap(history: ArrayLike, months: int, rng: np.random.Generator, size: int) -> Floats:
    """Independent draws from the counts of the last twelve months.

    ``history`` may have leading axes, such as fronts: their last twelve months are pooled.
    """
    series = np.atleast_2d(np.asarray(history, dtype=float))
    pool = np.concatenate([_counts(one)[-RECENT_MONTHS:] for one in series.reshape(-1, series.shape[-1])])
    drawn: Floats = rng.choice(pool, (size, months))
    return drawn


def zero(history: ArrayLike, months: int, rng: np.random.Generator, size: int) -> Floats:
    """Nothing happens."""
    return np.zeros((size, months))


def random_walk(history: ArrayLike, months: int, rng: np.random.Generator, size: int) -> Floats:
    """From the last known count on, steps drawn from past differences and their negatives; never below zero.

    Months not yet known at the end of the history are walked too.
    """
    last = _counts(history)[-1]
    series = np.asarray(history, dtype=float)
    steps = np.diff(series)
    steps = steps[np.isfinite(steps)]
    steps = np.concatenate([steps, -steps]) if steps.size else np.zeros(1)  # one month shows no step
    unseen = series.size - 1 - int(np.flatnonzero(np.isfinite(series))[-1])
    walked = np.cumsum(rng.choice(steps, (size, unseen + months)), axis=1)
    floored: Floats = np.maximum(last + walked[:, unseen:], 0.0)
    return floored


def replayed_year(history: ArrayLike, months: int, rng: np.random.Generator, size: int) -> Floats:
    """Conflictology: the last twelve known counts in a circle, entered at a month drawn at random.

    Each month ahead is the bare sample of the twelve; a path keeps the order in which they came.
    """
    recent = _counts(history)[-RECENT_MONTHS:]
    entered = rng.permutation(np.arange(size) % recent.size)  # every month as often as any other
    return recent[(entered[:, None] + np.arange(months)) % recent.size]


SCENARIOS: Mapping[str, ScenarioReference] = MappingProxyType(
    {
        "uniform": uniform,
        "climatology": climatology,
        "markov-chain": markov_chain,
        "conflictology": conflictology,
        "persistence": persistence,
    }
)
"""(outcomes, K, steps) → ``[K]``: outcomes are places 0 … K−1 of consecutive windows, −1 unresolved; ``steps`` ≥ 1 counts
windows from the last *resolved* one to the target. Without a resolved window each says 1/K."""

COUNTS: Mapping[str, CountReference] = MappingProxyType(
    {
        "last-value-poisson": last_value_poisson,
        "last-value-negative-binomial": last_value_negative_binomial,
        "bootstrap": bootstrap,
        "zero": zero,
        "random-walk": random_walk,
        "conflictology": replayed_year,
    }
)
"""(history, months, rng, size) → ``[size, months]``: history ``[T]`` by month, NaN unknown; the first month ahead follows its
last place."""


def _checked(outcomes: Sequence[int], K: int, steps: int) -> NDArray[np.int64]:
    places = np.asarray(outcomes, dtype=np.int64)
    if K < 2 or steps < 1:
        raise ValueError(f"wanted at least two scenarios and one step, not {K} and {steps}")
    if ((places < UNRESOLVED) | (places >= K)).any():
        raise ValueError(f"an outcome lies outside 0 … {K - 1} (or {UNRESOLVED}, unresolved)")
    return places


def _known(places: NDArray[np.int64]) -> NDArray[np.int64]:
    known: NDArray[np.int64] = places[places != UNRESOLVED]
    return known


def _consecutive(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where resolved windows follow one another: from, to."""
    pairs = (places[:-1] != UNRESOLVED) & (places[1:] != UNRESOLVED)
    return places[:-1][pairs], places[1:][pairs]


def _shares(known: NDArray[np.int64], K: int) -> Floats:
    counts = np.bincount(known, minlength=K).astype(np.float64)
    return (counts + 0.5) / (known.size + K / 2)


def _counts(history: ArrayLike) -> Floats:
    """The known counts, in order."""
    series = np.asarray(history, dtype=float)
    known = series[np.isfinite(series)]
    if series.ndim != 1 or not known.size:
        raise ValueError("wanted a series with at least one known month")
    if (known < 0).any():
        raise ValueError("a count is not negative")
    return known
