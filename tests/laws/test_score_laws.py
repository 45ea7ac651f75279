"""Scores are proper, sit in their range, scale as they must, and refuse what is no forecast."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from forecast import score

finite = st.floats(-1e3, 1e3, allow_subnormal=False)
samples = arrays(float, st.integers(2, 12), elements=finite)
laws = (
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6)
    .filter(lambda w: sum(w) > 0.1)
    .map(lambda w: np.array(w) / sum(w))
)


@given(laws, st.data())
def test_categorical_scores_sit_in_their_ranges(p, data):
    y = data.draw(st.integers(0, len(p) - 1))
    assert 0 <= score.rps(p, y) <= 1 + 1e-12
    assert 0 <= score.brier(p, y) <= 2 + 1e-12
    assert -np.log2(1 - (len(p) - 1) * 0.001) - 1e-12 <= score.ign(p, y) <= -np.log2(0.001) + 1e-12


@given(laws, laws)
def test_the_true_law_is_never_beaten_in_expectation(p, q):
    q = np.resize(q, len(p)) / np.resize(q, len(p)).sum() if np.resize(q, len(p)).sum() > 0 else p
    outcomes = np.arange(len(p))
    for rule in (score.rps, score.brier, lambda p, y: score.ign(p, y, floor=1e-12)):
        assert (
            p @ rule(np.tile(p, (len(p), 1)), outcomes) <= p @ rule(np.tile(q, (len(p), 1)), outcomes) + 1e-9
        )


@given(st.floats(0, 1), st.integers(0, 1))
def test_over_two_categories_rps_is_the_brier_score_of_the_event(p, y):
    assert score.rps([1 - p, p], y) == pytest.approx(score.brier_event(p, y))
    assert score.brier([1 - p, p], y) == pytest.approx(2 * score.brier_event(p, y))


@given(laws, st.data())
def test_rps_reads_the_same_from_either_end(p, data):
    y = data.draw(st.integers(0, len(p) - 1))
    assert score.rps(p, y) == pytest.approx(score.rps(p[::-1], len(p) - 1 - y))


def test_rps_minds_the_distance_and_brier_does_not():
    near, far = [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]
    assert score.rps(near, 2) < score.rps(far, 2)
    assert score.brier(near, 2) == score.brier(far, 2)


@given(samples, finite, st.floats(0.1, 10), finite)
def test_crps_is_not_negative_and_follows_scale_and_shift(x, y, scale, shift):
    assert score.crps_pooled(x, y) >= -1e-9
    for rule in (score.crps_pooled, score.crps_fair):
        moved = rule(scale * x + shift, scale * y + shift)
        assert moved == pytest.approx(scale * rule(x, y), abs=1e-6, rel=1e-6)


@given(samples, finite)
def test_crps_by_its_double_sum(x, y):
    m, spread = len(x), np.abs(x[:, None] - x[None]).sum()
    assert score.crps_fair(x, y) == pytest.approx(np.abs(x - y).mean() - spread / (2 * m * (m - 1)), abs=1e-8)
    assert score.crps_pooled(x, y) == pytest.approx(np.abs(x - y).mean() - spread / (2 * m * m), abs=1e-8)


@settings(max_examples=30)
@given(arrays(float, st.integers(2, 12), elements=st.floats(-5, 5)), st.floats(-5, 5))
def test_crps_is_the_integral_of_the_threshold_brier_score(x, y):
    grid = np.linspace(-6, 6, 240_001)
    below = np.searchsorted(np.sort(x), grid, side="right") / len(x)
    integral = score.brier_event(below, (y <= grid).astype(int)).mean() * 12
    assert score.crps_pooled(x, y) == pytest.approx(integral, abs=3e-4)


@given(samples, finite)
def test_below_every_value_a_threshold_changes_nothing_and_above_it_hides_all(x, y):
    assert score.twcrps(x, y, threshold=-1e4) == pytest.approx(score.crps_fair(x, y))
    assert score.twcrps(x, y, threshold=1e4) == pytest.approx(0.0, abs=1e-9)


def test_fair_crps_does_not_punish_a_small_ensemble():
    rng = np.random.default_rng(3)
    y = rng.normal(size=20_000)
    small = score.crps_fair(rng.normal(size=(20_000, 3)), y).mean()
    large = score.crps_fair(rng.normal(size=(20_000, 50)), y).mean()
    assert small == pytest.approx(large, abs=0.02)
    assert score.crps_pooled(rng.normal(size=(20_000, 3)), y).mean() > large + 0.1


@pytest.mark.parametrize("rule", [score.crps_fair, score.ign_binned])
def test_a_wrong_count_forecast_loses_on_average(rule):
    rng = np.random.default_rng(4)
    y = rng.poisson(20, size=4_000)
    true = rule(rng.poisson(20, size=(4_000, 200)), y).mean()
    for mean in (10, 15, 26, 40):
        assert true < rule(rng.poisson(mean, size=(4_000, 200)), y).mean()
    assert true < rule(rng.negative_binomial(2, 2 / 22, size=(4_000, 200)), y).mean()


def test_leading_axes_are_scored_one_by_one():
    rng = np.random.default_rng(5)
    p = rng.dirichlet([1, 1, 1], size=(2, 4))
    y = rng.integers(0, 3, size=(2, 4))
    for rule in (score.ign, score.rps, score.brier):
        assert rule(p, y) == pytest.approx(
            np.array([[rule(p[i, j], y[i, j]) for j in range(4)] for i in range(2)])
        )
        assert rule(p[0, 0], [0, 1, 2]).shape == (3,)
    sample, seen = rng.poisson(9, size=(2, 4, 30)), rng.poisson(9, size=(2, 4))
    for rule in (score.crps_fair, score.crps_pooled, score.ign_binned):
        assert rule(sample, seen)[1, 3] == pytest.approx(rule(sample[1, 3], seen[1, 3]))


def test_the_interval_of_the_true_law_covers_as_it_says():
    rng = np.random.default_rng(6)
    sample, y = rng.normal(size=(4_000, 400)), rng.normal(size=4_000)
    for mass in (0.5, 0.8, 0.9):
        assert score.covered(sample, y, mass=mass).mean() == pytest.approx(mass, abs=0.025)


@pytest.mark.parametrize("law", [stats.poisson(4), stats.nbinom(2, 0.1)])
def test_the_randomised_pit_of_the_true_law_is_uniform(law):
    rng = np.random.default_rng(9)
    y = law.rvs(10_000, random_state=rng)
    u = score.randomised_pit(law.cdf(y - 1), law.cdf(y), rng=rng)
    assert stats.kstest(u, "uniform").pvalue > 1e-3


def test_without_skill_the_process_rarely_alarms_and_with_skill_it_does():
    rng = np.random.default_rng(10)
    truth = np.array([0.5, 0.3, 0.2])
    alarms = {True: 0, False: 0}
    for skilled in alarms:
        for _ in range(500):
            y = rng.choice(3, p=truth, size=150)
            mine, other = (truth, truth[::-1]) if skilled else (truth[::-1], truth)
            process = score.skill_process(
                score.rps(np.tile(other, (150, 1)), y), score.rps(np.tile(mine, (150, 1)), y)
            )
            alarms[skilled] += process.max() >= score.ALARM
    assert alarms[False] <= 25 + 3 * np.sqrt(25)
    assert alarms[True] > 400


def test_equal_skill_alarms_at_most_one_time_in_twenty():
    """Truth ½; one says .2, the other .8: equally wrong. A product of likelihood ratios would alarm far more often."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(1_000):
        y = rng.integers(0, 2, size=40)
        process = score.skill_process(score.rps([[0.8, 0.2]] * 40, y), score.rps([[0.2, 0.8]] * 40, y))
        alarms += process.max() >= score.ALARM
    assert alarms <= 50


@given(arrays(float, st.tuples(st.just(2), st.integers(1, 30)), elements=st.floats(0, 1)))
def test_the_skill_process_by_its_recursion(scores):
    reference, model = scores
    expected, wealth, total, squares = [], 1.0, 0.0, 0.0
    for d in reference - model:
        wealth *= 1 + min(max(total / (1 + squares), 0.0), 0.5) * d
        total, squares = total + d, squares + d * d
        expected.append(wealth)
    assert score.skill_process(reference, model) == pytest.approx(np.array(expected), rel=1e-6)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), st.integers(0, 1)), min_size=1, max_size=40
    )
)
def test_miscalibration_less_discrimination_plus_uncertainty_is_the_score(pairs):
    q, z = np.array(pairs, dtype=float).T
    parts = score.decompose(q, z)
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(score.brier_event(q, z).mean(), abs=1e-12)
    assert parts.miscalibration >= -1e-12
    assert parts.discrimination >= -1e-12


def test_a_calibrated_forecast_has_no_miscalibration():
    q, z = [0.25] * 4 + [0.75] * 4, [1, 0, 0, 0, 1, 1, 1, 0]
    assert score.decompose(q, z).miscalibration == pytest.approx(0.0)
    assert score.decompose(q, z).discrimination == pytest.approx(0.0625)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: score.ign([0.5, 0.6], 0), "sum to 1"),
        (lambda: score.rps([50, 30, 20], 0), "sum to 1"),
        (lambda: score.brier([1.2, -0.2], 0), "not negative"),
        (lambda: score.ign([np.nan, 1.0], 0), "missing or infinite"),
        (lambda: score.ign([0.5, 0.5], 2), "outside 0 … 1"),
        (lambda: score.ign([0.5, 0.5], -1), "outside 0 … 1"),
        (lambda: score.ign([0.5, 0.5], 1.0), "whole position"),
        (lambda: score.ign([0.5, 0.5], True), "whole position"),
        (lambda: score.ign([1.0], 0), "at least two scenarios"),
        (lambda: score.brier_event(1.1, 1), "between 0 and 1"),
        (lambda: score.brier_event(0.5, 0.5), "came"),
        (lambda: score.crps_fair([1.0], 1.0), "at least 2 draws"),
        (lambda: score.crps_pooled([], 1.0), "at least 1 draws"),
        (lambda: score.crps_fair([1.0, 2.0], np.inf), "missing or infinite"),
        (lambda: score.ign_binned([-1, 2], 1), "below the first bin"),
        (lambda: score.interval_score(1, 0, 0, mass=0.9), "exceeds its upper"),
        (lambda: score.interval_score(0, 1, 0, mass=90), "between 0 and 1"),
        (lambda: score.randomised_pit(0.5, 0.4, rng=np.random.default_rng(0)), "wanted 0"),
        (lambda: score.skill_process([0.1, 0.2], [0.1]), "equal length"),
        (lambda: score.skill_process([1.2], [0.1]), "between 0 and 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
