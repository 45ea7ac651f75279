"""The difference between two simulations of the same draws: exact mean, honest error, an interval without the noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.whatif import difference

OUTCOMES = arrays(np.int8, (8, 5), elements=st.integers(-1, 2))


@given(OUTCOMES, OUTCOMES)
def test_differences_over_scenarios_cancel_and_change_sign_with_the_order(
    without: np.ndarray, given_: np.ndarray
) -> None:
    found = [difference(without, given_, k, chains=2) for k in range(3)]
    if (without < 0).all() or (given_ < 0).all():
        assert found == [None] * 3
        return
    back = [difference(given_, without, k, chains=2) for k in range(3)]
    assert sum(one.mean for one in found if one) == pytest.approx(0.0, abs=1e-12)
    for one, other in zip(found, back, strict=True):
        assert one is not None
        assert other is not None
        assert (one.mean, one.mcse) == pytest.approx((-other.mean, other.mcse), abs=1e-12)
        assert (one.q05, one.q95) == pytest.approx((-other.q95, -other.q05), abs=1e-12)


@given(OUTCOMES)
def test_a_simulation_does_not_differ_from_itself(outcomes: np.ndarray) -> None:
    one = difference(outcomes, outcomes, 1, chains=2)
    if one is not None:
        assert (one.mean, one.q05, one.q95, one.mcse) == (0.0, 0.0, 0.0, 0.0)


def simulated(seed: int, *, draws: int, paths: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two simulations with common numbers, and the true difference of each draw."""
    rng = np.random.default_rng(seed)
    before = rng.beta(4, 6, draws)
    moved = np.clip(before + rng.normal(0.08, 0.03, draws), 0, 1)
    u = rng.random((draws, paths))
    return (u < before[:, None]).astype(np.int8), (u < moved[:, None]).astype(np.int8), moved - before


def test_the_interval_is_that_of_the_true_differences() -> None:
    without, given_, truth = simulated(1, draws=1000, paths=200)
    one = difference(without, given_, 1, chains=4)
    assert one is not None
    low, high = np.quantile(truth, (0.05, 0.95))
    assert one.mean == pytest.approx(truth.mean(), abs=4 * one.mcse)
    assert (one.q05, one.q95) == pytest.approx((low, high), abs=0.006)
    raw = np.quantile(given_.mean(1) - without.mean(1), (0.05, 0.95))
    assert one.q95 - one.q05 < 0.95 * (raw[1] - raw[0]), "the noise of the simulation widens the raw one"


def test_the_error_covers_the_error() -> None:
    missed = []
    for seed in range(200):
        without, given_, _ = simulated(seed, draws=100, paths=20)
        one = difference(without, given_, 1, chains=1)
        assert one is not None
        missed.append((one.mean - 0.0797) / one.mcse)  # of the law simulated: 0.08 but for the clip at one
    assert np.std(missed) == pytest.approx(1.0, abs=0.15)


def test_an_effect_that_all_draws_share_has_no_interval_to_speak_of() -> None:
    rng = np.random.default_rng(3)
    u = rng.random((1000, 200))
    one = difference((u < 0.4).astype(np.int8), (u < 0.45).astype(np.int8), 1, chains=4)
    assert one is not None
    assert one.mean == pytest.approx(0.05, abs=0.003)
    assert one.q95 - one.q05 < 0.02
