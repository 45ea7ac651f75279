"""A comparison is right on average, says nothing where it may not, and its test holds its level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.skill.comparison import FIXED_B, compare, critical, diebold_mariano, p_value, relative_skill


def compared(model, reference, *, steps=1, ratios=False, seed=0, origins=None, groups=None):
    origins = np.arange(len(model)) if origins is None else origins
    return compare(
        model,
        reference,
        origins=origins,
        steps=steps,
        ratios=ratios,
        groups=groups,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("b", [0.1, 0.5])
def test_the_critical_values_are_those_of_the_limit(b):
    """The statistic of independent normal numbers, n = 400, has the law of the limit: simulated tails agree with the published ones."""
    rng, n = np.random.default_rng(5), 400
    lags = int(b * n)
    d = rng.normal(size=(8000, n))
    partial = np.cumsum(d - d.mean(axis=1, keepdims=True), axis=1)
    lagged = np.sum(partial[:, :-lags] * partial[:, lags:], axis=1)
    variance = 2.0 / (n * lags) * (np.sum(partial**2, axis=1) - lagged)
    t = np.sqrt(n / variance) * d.mean(axis=1)
    for level in FIXED_B:
        share = np.mean(np.abs(t) > critical(level, b=b)) / 2
        assert share == pytest.approx(level, abs=3.5 * np.sqrt(level / 16000) + 0.1 * level)


def test_the_variance_of_partial_sums_is_that_of_weighted_lags():
    d = np.random.default_rng(6).normal(size=60) + 0.3
    t, _ = diebold_mariano(d, steps=5)
    lags, partial = 7, np.cumsum(d - d.mean())  # ⌊√60⌋ = 7
    variance = 2.0 / (60 * lags) * (np.sum(partial**2) - np.sum(partial[:-lags] * partial[lags:]))
    assert t == pytest.approx(np.sqrt(60 / variance) * d.mean())


def test_the_test_holds_its_level_where_forecasts_overlap():
    rng, hits = np.random.default_rng(7), 0
    for _ in range(1500):
        noise = rng.normal(size=83)
        d = np.convolve(noise, np.ones(4), "valid")  # n = 80, four steps ahead
        hits += diebold_mariano(d, steps=4)[1] < 0.05
    assert hits / 1500 < 0.085


def test_p_is_one_half_without_a_difference_and_ends_at_the_table():
    assert p_value(0.0, b=0.2) == pytest.approx(0.5)
    assert p_value(1e9, b=0.2) == pytest.approx(0.01)
    assert p_value(-1e9, b=0.2) == pytest.approx(0.99)
    for level in FIXED_B:
        assert p_value(critical(level, b=0.3), b=0.3) == pytest.approx(level)


def test_a_hidden_gain_is_found_and_signed():
    rng = np.random.default_rng(8)
    reference = rng.gamma(4.0, 0.25, 120)
    better = compared(reference - 0.3 + rng.normal(0, 0.2, 120), reference)
    assert better.low > 0
    assert better.gain == pytest.approx(0.3, abs=0.06)
    assert better.p < 0.05
    assert better.sentence.startswith("better (p ≤ 0.01)")
    assert compared(reference, reference - 0.3).sentence.startswith("worse")
    even = compared(reference, reference + np.tile([0.5, -0.5], 60))
    assert even.sentence.startswith("cannot be told apart")


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(9), 0
    for seed in range(100):
        d = np.convolve(rng.normal(size=103), np.ones(4) / 4, "valid") + 0.1
        found = compared(np.zeros(100), d, steps=4, seed=seed)
        held += found.low <= 0.1 <= found.high
    assert 0.76 < held / 100 < 0.96


def test_too_few_to_say():
    three = compared([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])
    assert (three.low, three.high, three.p, three.sentence) == (None, None, None, "too few")
    assert three.gain == pytest.approx(0.1)
    thirty = compared(np.zeros(36), np.linspace(0.1, 0.2, 36), steps=4)
    assert thirty.p is None
    assert thirty.sentence == "better (too few for a test)"


def test_bits_have_no_ratio_and_points_have():
    model, reference = np.full(20, 0.1), np.linspace(0.1, 0.3, 20)
    assert compared(model, reference).skill is None
    found = compared(model, reference, ratios=True)
    assert found.skill == pytest.approx(0.5)
    assert found.skill_low < 0.5 < found.skill_high


def test_a_longer_horizon_makes_the_interval_wider():
    d = np.convolve(np.random.default_rng(10).normal(size=160), np.ones(8) / 8, "valid")
    near, far = (compared(np.zeros(d.size), d, steps=steps) for steps in (1, 8))
    assert far.high - far.low > near.high - near.low


def test_targets_of_one_origin_move_together_and_groups_apart():
    rng = np.random.default_rng(11)
    shared = np.repeat(rng.normal(size=40), 6)
    origins = np.repeat(np.arange(40), 6)
    together = compared(np.zeros(240), shared, origins=origins)
    apart = compared(np.zeros(240), shared, origins=origins, groups=np.tile(list("abcdef"), 40))
    assert together.origins == 40
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=12, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(scores, random):
    model, reference = np.array(scores), np.array(scores)[::-1]
    order = list(range(len(scores)))
    random.shuffle(order)
    whole = compared(model, reference, ratios=True)
    again = compared(model[order], reference[order], origins=np.array(order), ratios=True)
    assert again.gain == pytest.approx(whole.gain)
    assert again.low == pytest.approx(whole.low)
    assert again.sentence == whole.sentence


def test_relative_skill_is_on_common_targets():
    nan = np.nan
    scores = {"a": [1.0, 1.0, nan, 1.0], "b": [2.0, 2.0, 2.0, nan], "c": [4.0, 4.0, 4.0, 4.0]}
    theta = relative_skill(scores)
    assert theta["a"] == pytest.approx((1 / 2 * 1 / 4) ** (1 / 3))
    assert np.prod(list(theta.values())) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"model": [], "reference": []}, "equal length"),
        ({"model": [np.nan], "reference": [1.0]}, "missing"),
        ({"model": [1.0], "reference": [1.0], "steps": 0}, "at least one step"),
        ({"model": [1.0], "reference": [1.0], "origins": [0.5]}, "whole numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        compared(**kwargs)
