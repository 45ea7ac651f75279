"""A probability from counts is the one that is published, and what two of them share cancels in their difference."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.scenarios import combine, estimate
from forecast.tallies import Tally, chance, combined

D, R, CHAINS = 400, 50, 4


def futures(seed: int, *, asked: float = 1.0) -> tuple[Any, Any]:
    """Hits and trials (draw, path) whose probability wanders from draw to draw."""
    rng = np.random.default_rng(seed)
    p = rng.beta(4, 12, D)
    trials = rng.random((D, R)) < asked
    return (rng.random((D, R)) < p[:, None]) & trials, trials


def tally(hits: Any, trials: Any) -> Tally:
    return Tally(hits=hits.sum(axis=1).astype(float), trials=trials.sum(axis=1).astype(float))


@pytest.mark.parametrize("asked", [1.0, 0.6])
def test_it_is_the_estimate_that_is_published(asked: float) -> None:
    both = [futures(seed, asked=asked) for seed in (1, 2)]
    published = combine([estimate(h, t, chains=CHAINS) for h, t in both], (0.3, 0.7))
    found = chance({n: tally(*one) for n, one in enumerate(both)}, {0: 0.3, 1: 0.7}, chains=CHAINS)
    assert published is not None
    assert found.mean == pytest.approx(published.mean, abs=1e-14)
    assert found.error == pytest.approx(published.mcse, rel=0.03)


def test_the_error_is_what_repetition_shows() -> None:
    found = [
        chance({0: tally(*futures(seed)), 1: tally(*futures(seed + 1000))}, {0: 0.3, 1: 0.7}, chains=CHAINS)
        for seed in range(200)
    ]
    spread = np.std([one.mean for one in found])
    stated = np.median([one.error for one in found])
    assert stated == pytest.approx(spread, rel=0.2)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_what_two_numbers_share_cancels(a: float, b: float) -> None:
    one, other = (tally(*futures(seed)) for seed in (3, 4))
    first, second = (chance({0: one, 1: other}, {0: w, 1: 1 - w}, chains=CHAINS) for w in (a, b))
    difference = combined([(1.0, second), (-1.0, first)])
    assert difference.mean == pytest.approx(float(second.mean - first.mean), abs=1e-15)
    own = [chance({0: t}, {0: 1.0}, chains=CHAINS) for t in (one, other)]
    moved = (b - a) * combined([(1.0, own[0]), (-1.0, own[1])]).mean
    assert difference.mean == pytest.approx(float(moved), abs=1e-12)
    assert difference.error < np.hypot(first.error, second.error) + 1e-15
    if a == b:
        assert difference.error == 0


def test_nothing_asked_is_no_number() -> None:
    none = np.zeros(D)
    assert np.isnan(chance({0: Tally(hits=none, trials=none)}, {0: 1.0}, chains=CHAINS).mean)
    with pytest.raises(ValueError, match="got no part"):
        combined([])
