"""The 42 published reference values of the scores, each with its source and its convention converted.

Sources: scoringrules tests at commit e48aa74 (SR, Apache-2.0); scoringRules tests by Jordan, Krüger, Lerch (R); the
tests of properscoring 0.1 (PS, Apache-2.0); scoringutils tests at 936cae0 (SU, MIT); the scoring functions of the
VIEWS prediction competition 2023 at f504ed8 (V), run on these inputs. Relative tolerance 1e-6 throughout.
"""

import numpy as np
import pytest
import scoringrules
from scipy import stats

from forecast import score


def close(value):
    return pytest.approx(value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("y", "sample", "expected"),
    [
        (
            -0.6042506,
            [1.7812118, 0.5863797, 0.7038174, -0.7743998, -0.2751647,
             1.1863249, 1.2990966, -0.3242982, -0.5968781, 0.9064937],
            0.6126602,
        ),  # SR
        (0, [0], 0.0),
        (0, [1], 1.0),
        (-1, [0], 1.0),
        (0, [0, 1], 0.25),
        (0, [1, 1], 1.0),
        (2, [0, 1], 1.25),
        (0, [-1, 1], 0.5),
        (0, [0, 0, 1], 1 / 9),
        (1, [0, 0, 1], 4 / 9),
        (0, [-1, 0, 0, 1], 0.125),
    ],
)  # fmt: skip
def test_crps_of_an_ensemble_is_the_pooled_form(y, sample, expected):  # PS but the first
    assert score.crps_pooled(sample, y) == close(expected)


def by_definition(law, y):
    """CRPS of a law on the counts: ∫ (F(x) − 1{x ≥ y})² dx, a step at every whole number and at y."""
    top = int(max(law.ppf(1 - 1e-14), y, 0)) + 2
    edges = np.unique(np.concatenate([[min(y, 0.0)], np.arange(0, top + 1.0), [y]]))
    return float((law.cdf(edges[:-1]) - (edges[:-1] >= y)) ** 2 @ np.diff(edges))


def spread_evenly(law):
    """An ensemble of 20,000 that lies as the law does."""
    return law.ppf((np.arange(20_000) + 0.5) / 20_000)


@pytest.mark.parametrize(
    ("y", "mean", "expected"), [(1.0, 3.0, 1.143447), (1.5, 2.3, 0.5001159), (-1.0, 1.5, 1.840259)]
)
def test_crps_of_a_poisson_law(y, mean, expected):  # SR
    assert by_definition(stats.poisson(mean), y) == close(expected)
    assert scoringrules.crps_poisson(y, mean) == close(expected)
    assert score.crps_pooled(spread_evenly(stats.poisson(mean)), y) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("y", "n", "prob", "expected"),
    [
        (2.0, 7.0, 0.8, 0.3834322),  # SR
        (1.5, 2.0, 0.5, 0.462963),  # SR
        (-1.0, 17.0, 0.1, 132.0942),  # SR
        (2.3, 11.0, 11.0 / (11.0 + 7.3), 3.149218),  # SR, stated by its mean 7.3
        (5, 100, 0.95, 0.53215257681),  # R, as all below
        (44, 200.1, 0.82, 1.70859687251),
        (41, 200.1, 0.83, 1.63833674721),
        (222, 2000.1, 0.9, 3.66926727576),
        (2222, 20000.1, 0.9, 11.6114812752),
    ],
)
def test_crps_of_a_negative_binomial_law(y, n, prob, expected):
    assert by_definition(stats.nbinom(n, prob), y) == close(expected)
    assert score.crps_pooled(spread_evenly(stats.nbinom(n, prob)), y) == pytest.approx(expected, rel=1e-3)
    if n < 1000:  # beyond, the library overflows
        assert scoringrules.crps_negbinom(y, n, prob) == close(expected)


def test_a_binary_brier_score_is_half_the_brier_score_over_two_categories():  # SR
    assert score.brier_event(0.271, 0) == close(0.073441)
    assert score.brier([0.729, 0.271], 0) / 2 == close(0.073441)


def test_a_log_score_is_the_ignorance_without_floor_in_nats():  # SR
    assert score.ign([0.519, 0.481], 0, floor=0.0) * np.log(2) == close(0.6558514)


@pytest.mark.parametrize(
    ("p", "y", "expected"), [([0.01, 0.32, 0.44, 0.23], 3, 0.1619), ([0.2] * 5, 5, 1.2)]
)  # SR, R: categories from 1, not divided by K − 1
def test_rps_is_divided_by_the_number_of_thresholds(p, y, expected):
    assert score.rps(p, y - 1) * (len(p) - 1) == close(expected)
    assert scoringrules.rps_score(y, np.array(p)) == close(expected)


def test_the_ranked_log_score_adds_the_log_scores_of_the_thresholds():  # SR
    p, y = np.array([0.21, 0.31, 0.32, 0.16]), 2
    above = np.clip(1.0 - np.cumsum(p), 0.0, 1.0)[:-1]
    binary = score.ign(np.stack([1.0 - above, above], axis=-1), (y > np.arange(1, 4)).astype(int), floor=0.0)
    assert binary.sum() * np.log(2) == close(1.064002)


def test_the_log_score_of_a_kernel_density():  # SR
    assert scoringrules.logs_ensemble(6.2, np.array([4.2, 5.1, 6.1, 7.6, 8.3, 9.5])) == close(1.926475)


@pytest.mark.parametrize(
    ("lower", "upper", "y", "mass", "expected"),
    [
        (0.0, 0.4, 0.1, 0.5, 0.4),
        (-1, 1, 1, 0.8, 2),
        (-1, 1, 1, 0.5, 2),
        (-1, 1, 2, 0.8, 12),
        (-1, 1, 2, 0.5, 6),
    ],
)  # SR, then R
def test_interval_score(lower, upper, y, mass, expected):
    assert score.interval_score(lower, upper, y, mass=mass) == close(expected)


@pytest.mark.parametrize(("y", "expected"), [(1, 0.1), (-1, 0.9)])
def test_quantile_score_weighs_a_miss_above_by_the_level(y, expected):  # R
    assert scoringrules.quantile_score(y, 0.0, 0.1) == close(expected)


QUANTILES = np.array([[-1.0, 0, 1, 2, 3], [-2.0, 1, 2, 2, 4], [-2.0, 0, 3, 3, 4]])
SEEN = np.array([1.0, -15.0, 22.0])


@pytest.mark.parametrize(
    ("median", "parts", "expected"),
    [
        (1.0, 3.0, [0.3, 15.616666666666667, 19.116666666666667]),  # SU with the median counted twice
        (0.5, 2.5, [0.36, 15.34, 19.14]),  # SU by default, as Bracher et al. (2021), equation 1
    ],
)
def test_the_weighted_interval_score_is_a_mean_of_interval_scores(median, parts, expected):
    total = median * np.abs(SEEN - QUANTILES[:, 2])
    for low, high, mass in ((0, 4, 0.8), (1, 3, 0.5)):
        alpha = 1 - mass
        total = total + alpha / 2 * score.interval_score(
            QUANTILES[:, low], QUANTILES[:, high], SEEN, mass=mass
        )
    assert total / parts == close(expected)


@pytest.mark.parametrize(
    ("sample", "thresholds", "expected"), [([-1, 1], [-2, 0, 2], [0, 0.25, 0]), ([0, 0, 0, 1], [0], [0.0625])]
)
def test_the_brier_score_of_exceeding_a_threshold(sample, thresholds, expected):  # PS: y = 0
    exceeds = np.mean(np.array(sample) > np.array(thresholds)[:, None], axis=-1)
    assert score.brier_event(exceeds, (np.array(thresholds) < 0).astype(int)) == close(expected)


COUNTS = np.array([[0, 0, 0, 1, 2, 3, 0, 0, 4, 30], [5, 8, 12, 7, 9, 10, 6, 11, 40, 3], [0] * 10])
CAME = np.array([0, 9, 20])


def test_the_binned_ignorance_of_views():  # V
    expected = [1.8073549220576042, 1.8073549220576042, 4.392317422778761]
    assert score.ign_binned(COUNTS, CAME) == close(expected)


def test_the_interval_score_of_views():  # V, mass .9, linear quantiles
    lower, upper = score.interval(COUNTS, mass=0.9)
    assert score.interval_score(lower, upper, CAME, mass=0.9) == close([18.3, 23.5, 400.0])


def test_the_randomised_pit_of_a_count_lies_between_its_two_heights():
    u = score.randomised_pit(
        *stats.poisson(3).cdf([[1], [2]]).repeat(2000, axis=1), rng=np.random.default_rng(1)
    )
    assert u.min() == pytest.approx(0.19915, abs=1e-3)
    assert u.max() == pytest.approx(0.42319, abs=1e-3)


def test_the_ensemble_scores_agree_with_the_library():
    rng = np.random.default_rng(7)
    sample, y = rng.normal(size=(5, 40)), rng.normal(size=5)
    assert score.crps_fair(sample, y) == close(scoringrules.crps_ensemble(y, sample, estimator="fair"))
    assert score.crps_pooled(sample, y) == close(scoringrules.crps_ensemble(y, sample, estimator="nrg"))
    chained = scoringrules.twcrps_ensemble(y, sample, a=0.3, estimator="fair")
    assert score.twcrps(sample, y, threshold=0.3) == close(chained)


def test_joint_scores_by_their_double_sums():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=3)
    between = np.linalg.norm(x[:, None] - x[None], axis=-1).sum() / (2 * 12 * 11)
    assert score.energy(x, y) == close(np.linalg.norm(x - y, axis=-1).mean() - between)
    expected = np.sqrt(np.abs(x[:, :, None] - x[:, None])).mean(axis=0)
    assert score.variogram(x, y) == close(((np.sqrt(np.abs(y[:, None] - y[None])) - expected) ** 2).sum())


def test_the_baseline_that_knows_nothing():
    """Uniform over three: log₂ 3 bits, RPS 5/18 at an end and 1/9 in the middle, Brier 2/3."""
    third = [1 / 3] * 3
    assert score.ign(third, 0) == close(np.log2(3))
    assert score.rps(third, [0, 1, 2]) == close([5 / 18, 1 / 9, 5 / 18])
    assert score.brier(third, 1) == close(2 / 3)
