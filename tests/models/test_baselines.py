"""References are exact where they can be counted by hand, and samples where they are samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import baselines
from models.baselines import COUNTS, SCENARIOS

SEEN = [0, 0, 1, -1, 1, 2, 1]  # steps 0→0, 0→1, 1→2, 2→1


def test_climatology_counts_what_was_resolved():
    assert SCENARIOS["climatology"](SEEN, 3, 4) == pytest.approx(np.array([2.5, 3.5, 1.5]) / 7.5)


def test_the_chain_counts_only_windows_that_follow_one_another():
    chain = np.array([[2 / 5, 2 / 5, 1 / 5], [1 / 4, 1 / 4, 2 / 4], [1 / 4, 2 / 4, 1 / 4]])
    assert SCENARIOS["markov-chain"](SEEN, 3, 1) == pytest.approx(chain[1])
    assert SCENARIOS["markov-chain"](SEEN, 3, 3) == pytest.approx((chain @ chain @ chain)[1])


def test_conflictology_looks_back_on_four_resolved_windows():
    assert SCENARIOS["conflictology"](SEEN, 3, 1) == pytest.approx(np.array([0.5, 3.5, 1.5]) / 5.5)
    assert SCENARIOS["conflictology"]([2], 3, 1) == pytest.approx(np.array([0.5, 0.5, 1.5]) / 2.5)


def test_persistence_stays_as_often_as_pairs_did():
    p = SCENARIOS["persistence"](SEEN, 3, 4)
    assert p[1] == pytest.approx(2 / 6)  # one of four pairs stayed
    assert p[0] / p[2] == pytest.approx(2.5 / 1.5)


@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    outcomes=st.lists(st.integers(-1, 3), max_size=30),
    steps=st.integers(1, 9),
)
def test_a_reference_is_a_distribution_that_excludes_nothing(name, outcomes, steps):
    p = SCENARIOS[name](outcomes, 4, steps)
    assert p.sum() == pytest.approx(1.0)
    assert (p > 0).all()
    if not any(place >= 0 for place in outcomes):
        assert p == pytest.approx(0.25)


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=20), st.permutations(range(3)))
def test_the_names_of_scenarios_do_not_matter(outcomes, order):
    renamed = [order[place] if place >= 0 else -1 for place in outcomes]
    for reference in SCENARIOS.values():
        assert reference(renamed, 3, 2)[list(order)] == pytest.approx(reference(outcomes, 3, 2))


def test_the_chain_forgets_where_it_started():
    assert SCENARIOS["markov-chain"]([0, 1, 0, 1, 1], 2, 400) == pytest.approx(
        SCENARIOS["markov-chain"]([1, 0, 1, 1, 0], 2, 400), abs=0.2
    )
    once, later = (SCENARIOS["markov-chain"]([0, 1, 0, 1, 1], 2, steps) for steps in (400, 401))
    assert once == pytest.approx(later)


@pytest.mark.parametrize(("outcomes", "K", "steps"), [([3], 3, 1), ([-2], 3, 1), ([0], 1, 1), ([0], 3, 0)])
def test_what_is_no_outcome_is_refused(outcomes, K, steps):
    with pytest.raises(ValueError, match=r"wanted at least|lies outside"):
        SCENARIOS["climatology"](outcomes, K, steps)


counts = st.lists(st.one_of(st.just(np.nan), st.integers(0, 500).map(float)), min_size=1, max_size=40).filter(
    lambda series: np.isfinite(series).any()
)


@given(name=st.sampled_from(sorted(COUNTS)), history=counts, seed=st.integers(0, 99))
def test_counts_are_counts_and_depend_on_the_seed_alone(name, history, seed):
    drawn, again = (COUNTS[name](history, 5, np.random.default_rng(seed), 24) for _ in range(2))
    assert drawn.shape == (24, 5)
    assert (drawn >= 0).all()
    assert (drawn == np.round(drawn)).all()
    assert (drawn == again).all()


def test_the_walk_is_symmetric_and_crosses_what_is_not_known():
    history = [*np.cumsum([400.0, 3.0, -5.0, 2.0]), np.nan, np.nan]
    drawn = COUNTS["random-walk"](history, 2, np.random.default_rng(1), 40_000)
    per_step = np.mean(np.square([3.0, 5.0, 2.0]))
    assert drawn.mean(axis=0) == pytest.approx(400.0, abs=0.2)
    assert drawn.var(axis=0) == pytest.approx(per_step * np.array([3, 4]), rel=0.05)


def test_the_last_value_is_as_wide_as_it_has_been_wrong():
    rng = np.random.default_rng(2)
    phi, level = 4.0, 60.0
    history = rng.negative_binomial(phi, phi / (phi + level), 4000).astype(float)
    history[-1] = 50.0
    drawn = COUNTS["last-value-negative-binomial"](history, 1, rng, 100_000)
    assert drawn.mean() == pytest.approx(50.0, rel=0.02)
    square = level**2 * (1 + 1 / phi) + level  # E y², and Σ(y_t − y_{t−1})² is 2 Var y
    excess = (2 * (level + level**2 / phi) - level) / square
    assert drawn.var() == pytest.approx(50.0 + excess * 2500, rel=0.1)


def test_a_steady_series_leaves_the_last_value_poisson():
    drawn = COUNTS["last-value-negative-binomial"]([9.0] * 30, 2, np.random.default_rng(3), 50_000)
    assert drawn.var() == pytest.approx(9.0, rel=0.03)


def test_conflictology_of_counts_is_the_bare_sample_of_twelve_months_in_their_order():
    history = np.arange(30.0)
    drawn = COUNTS["conflictology"](history, 3, np.random.default_rng(4), 120)
    for month in drawn.T:
        assert np.unique(month, return_counts=True)[1].tolist() == [10] * 12
    assert set(np.diff(drawn, axis=1).ravel()) == {1.0, -11.0}


def test_the_bootstrap_pools_fronts_and_forgets_what_is_older():
    fronts = np.stack(
        [np.r_[np.full(20, 900.0), np.full(12, 1.0)], np.r_[np.full(20, 900.0), np.full(12, 7.0)]]
    )
    drawn = COUNTS["bootstrap"](fronts, 2, np.random.default_rng(5), 20_000)
    assert set(drawn.ravel()) == {1.0, 7.0}
    assert drawn.mean() == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("history", [[np.nan], [], [-1.0]])
def test_a_series_without_counts_is_refused(history):
    with pytest.raises(ValueError, match=r"at least one known month|not negative"):
        baselines.last_value_poisson(history, 1, np.random.default_rng(0), 1)
