"""A calibrated forecaster lies inside the band, another leaves it, and small numbers are not drawn as curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from forecast import score
from forecast.skill.calibration import bias, coverage, effective, reliability


def test_the_curve_is_the_best_rising_one():
    """Against every rising step function of a grid: none scores less than the recalibrated forecasts."""
    rng = np.random.default_rng(1)
    q = rng.choice([0.1, 0.4, 0.7], 60)
    came = rng.random(60) < q**2
    found = reliability(q, came, rng=rng)
    best = ((found.recalibrated[np.searchsorted(found.forecast, q)] - came) ** 2).mean()
    grid = np.linspace(0, 1, 41)
    for a in grid:
        for b in grid[grid >= a]:
            low, middle = np.mean((a - came[q == 0.1]) ** 2), np.mean((b - came[q == 0.4]) ** 2)
            c = max(b, came[q == 0.7].mean())
            sizes = [np.sum(q == value) for value in (0.1, 0.4, 0.7)]
            total = np.dot(sizes, [low, middle, np.mean((c - came[q == 0.7]) ** 2)]) / 60
            assert best <= total + 1e-12


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_the_decomposition_is_exact(seed):
    rng = np.random.default_rng(seed)
    q = np.round(rng.random(55), 1)
    came = rng.random(55) < 0.4
    parts = reliability(q, came, rng=rng).decomposition
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(score.brier_event(q, came).mean())
    assert parts.miscalibration >= -1e-12
    assert parts.discrimination >= -1e-12


def test_the_band_holds_a_calibrated_curve_and_not_another():
    rng = np.random.default_rng(2)
    q = np.round(rng.random(400), 1)
    calm, loud = (reliability(q, rng.random(400) < p, rng=rng) for p in (q, 0.5 + 0.3 * (q - 0.5)))
    inside = [(one.low <= one.recalibrated) & (one.recalibrated <= one.high) for one in (calm, loud)]
    assert inside[0].mean() > 0.75
    assert inside[1].mean() < 0.6


def test_no_curve_below_fifty():
    assert reliability([0.5] * 49, [1] * 49, rng=np.random.default_rng(3)) is None
    assert reliability([0.5] * 50, [1] * 50, rng=np.random.default_rng(3)) is not None


def test_the_difference_has_an_interval_even_where_nothing_came():
    found = bias([0.2, 0.3, 0.1], [0, 0, 0], steps=1)
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.2 - (1 - 0.05 ** (1 / 3))), pytest.approx(0.2))
    wide, narrow = bias([0.3] * 8, [0, 1] * 4, steps=1), bias([0.3] * 80, [0, 1] * 40, steps=1)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_interval_of_the_difference_holds_the_truth():
    rng, held = np.random.default_rng(4), 0
    for _ in range(400):
        found = bias(np.full(20, 0.4), rng.random(20) < 0.3, steps=1)
        held += found.low <= 0.1 <= found.high
    assert 0.88 < held / 400 < 0.99


def test_overlapping_targets_are_worth_fewer():
    rng = np.random.default_rng(5)
    independent = rng.normal(size=4000)
    moving = np.convolve(independent, np.ones(4), "valid")
    assert effective(independent, steps=4) == pytest.approx(4000, rel=0.1)
    assert effective(moving, steps=4) == pytest.approx(4000 / 4, rel=0.12)  # 1 + 2 (¾ + ½ + ¼) = 4
    assert effective(moving, steps=1) == moving.size
    assert effective([1, 1, 1], steps=3) == 3


def test_coverage_stays_inside_its_limits_where_the_law_is_right():
    rng = np.random.default_rng(6)
    y = rng.normal(size=500)
    right = coverage(np.abs(y) < norm.isf(0.1), stated=0.8, steps=1)
    narrow = coverage(np.abs(y) < 0.8 * norm.isf(0.1), stated=0.8, steps=1)
    assert right.holds
    assert not narrow.holds
    assert right.low == pytest.approx(0.8 - 2.576 * np.sqrt(0.16 / 500), abs=0.004)


def test_the_randomised_transform_of_poisson_counts_is_uniform():
    rng = np.random.default_rng(7)
    y = rng.poisson(3.0, 20_000)
    u = score.randomised_pit(poisson.cdf(y - 1, 3.0), poisson.cdf(y, 3.0), rng=rng)
    assert np.histogram(u, 20, (0, 1))[0] == pytest.approx(1000, abs=4 * np.sqrt(950))
