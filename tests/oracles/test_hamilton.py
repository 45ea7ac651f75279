"""Hamilton's autoregression of growth has the published likelihood and regime probabilities.

The states of the recursion are the regimes of this quarter and the four before: 2^5 of them. Growth of US
real GNP in percent, 1951Q2 to 1984Q4, and the parameters and likelihood at its maximum: J. D. Hamilton, "A
new approach to the economic analysis of nonstationary time series and the business cycle", *Econometrica*
57 (1989), as E-views and Stata reproduce them (the reference values of statsmodels' own tests). The first four
quarters are given, so 131 count; the criteria count nine parameters.
"""

import itertools

import numpy as np
import pytest
from statsmodels.tsa.regime_switching.markov_autoregression import MarkovAutoregression

from models import emissions, forward

GROWTH = """
    2.5931642 2.2021713 0.45827562 0.9687438 -0.24130757 0.89647478 2.0539322 1.7335365
    0.93871289 -0.46477833 -0.80983406 -1.3976369 -0.39886093 1.1918416 1.4562005 2.1180823
    1.0895786 1.3239027 0.87296367 -0.19773273 0.45420215 0.07221876 1.1030364 0.82097489
    -0.05795795 0.58447772 -1.5619267 -2.0504103 0.53637183 2.3367684 2.3401456 1.2339263
    1.8869648 -0.45920792 0.84940469 1.7013985 -0.28756312 0.09594627 -0.86080289 1.0344713
    1.2368594 1.420045 2.2241063 1.3021017 1.035177 0.9253425 -0.16559951 1.3444382 1.3750013
    1.7322218 0.71605635 2.2103214 0.85333031 1.0023878 0.42725441 2.1436834 1.4378918 1.5795993
    2.2746983 1.9596266 0.25992399 1.0194691 0.49016398 0.5636338 0.5959546 1.4308286 0.56230122
    1.1538839 1.6872284 0.77438205 -0.09647045 1.3960015 0.13646798 0.55223715 -0.39944872
    -0.61671102 -0.08722561 1.2101835 -0.90729755 2.6491616 -0.0080694 0.51111895 -0.00401437
    2.1682143 1.9258673 1.0350472 1.8589722 2.3200493 0.25570789 -0.09855274 0.89073682
    -0.55896485 0.28350255 -1.3115541 -0.88278776 -1.9745494 1.0127526 1.6826472 1.3827128
    1.8607364 0.4447377 0.41449001 0.99202275 1.3628358 1.5997052 1.9884582 -0.25684232
    0.87786949 3.1095655 0.85324478 1.2333732 0.00314302 -0.09433369 0.89883322 -0.19036628
    0.99772376 -2.3912005 0.06649673 1.2613602 1.9163784 -0.3348029 0.44207108 -1.4066491
    -1.5212989 0.29919869 -0.80197448 0.15204792 0.98585027 2.1303461 1.3439792 1.6155052
    2.709301 1.2446141 0.50835466 0.14802167
"""
STAY_LOW, LEAVE_HIGH = 0.754673, 0.095915  # P(low | low), P(low | high)
MEANS = np.array([-0.358811, 1.163516])  # percent per quarter: low, high
VARIANCE = np.exp(-0.262658) ** 2
LAGS = np.array([0.013486, -0.057521, -0.246983, -0.212923])


@pytest.fixture(scope="module")
def growth():
    return np.array(GROWTH.split(), dtype=np.float64)


def expanded(growth):
    """Return log emissions, transition and initial law over the regimes of five quarters, newest first."""
    P = np.array([[STAY_LOW, 1 - STAY_LOW], [LEAVE_HIGH, 1 - LEAVE_HIGH]])
    states = np.array(list(itertools.product(range(2), repeat=5)))
    follows = (states[:, None, :-1] == states[None, :, 1:]).all(axis=2)
    transition = follows * P[states[:, None, 0], states[None, :, 0]]
    past = np.stack([growth[4 - lag : len(growth) - lag] for lag in range(1, 5)], axis=1)
    mean = MEANS[states[:, 0]] + (past[:, None, :] - MEANS[states[:, 1:]]) @ LAGS
    e = emissions.log_density(growth[4:, None], "gaussian", mean=mean, sd=np.sqrt(VARIANCE))
    return e, transition, forward.stationary(transition), states[:, 0]


def test_the_published_likelihood_is_reached(growth):
    e, P, law, _ = expanded(growth)
    assert e.shape == (131, 32)
    assert forward.log_likelihood(e, P, law) == pytest.approx(-181.26339, abs=1e-5)


def test_criteria_count_nine_parameters(growth):
    e, P, law, _ = expanded(growth)
    value = forward.log_likelihood(e, P, law)
    assert -2 * value + 2 * 9 == pytest.approx(380.5268, abs=1e-4)
    assert -2 * value + 9 * np.log(131) == pytest.approx(406.4036, abs=1e-4)


def test_recessions_have_the_published_dates(growth):
    """Quarters more likely than not in the low regime given all data: the paper's own dates, peak to trough."""
    e, P, law, regime = expanded(growth)
    low = np.concatenate([[False], forward.smoothed(e, P, law)[:, regime == 0].sum(axis=1) > 0.5, [False]])
    quarters = [f"{year}Q{quarter}" for year in range(1952, 1985) for quarter in range(1, 5)][1:]
    begins, ends = np.flatnonzero(~low[:-1] & low[1:]), np.flatnonzero(low[:-1] & ~low[1:]) - 1
    assert [f"{quarters[a]} to {quarters[b]}" for a, b in zip(begins, ends, strict=True)] == [
        "1953Q3 to 1954Q2",
        "1957Q1 to 1958Q1",
        "1960Q2 to 1960Q4",
        "1969Q3 to 1970Q4",
        "1974Q1 to 1975Q1",
        "1979Q2 to 1980Q3",
        "1981Q2 to 1982Q4",
    ]


def test_filtered_and_smoothed_regimes_are_those_of_statsmodels(growth):
    oracle = MarkovAutoregression(growth, k_regimes=2, order=4, switching_ar=False)
    result = oracle.smooth(np.array([STAY_LOW, LEAVE_HIGH, *MEANS, VARIANCE, *LAGS]))
    e, P, law, regime = expanded(growth)
    assert forward.log_likelihood(e, P, law) == pytest.approx(result.llf, abs=1e-9)
    low = regime == 0
    np.testing.assert_allclose(
        forward.filtered(e, P, law)[:, low].sum(axis=1),
        result.filtered_marginal_probabilities[:, 0],
        atol=1e-9,
    )
    np.testing.assert_allclose(
        forward.smoothed(e, P, law)[:, low].sum(axis=1),
        result.smoothed_marginal_probabilities[:, 0],
        atol=1e-9,
    )
