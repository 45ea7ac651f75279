"""Recessions whose odds of ending move with a leading index: transitions by month have the published probabilities.

Growth of US industrial production around a mean that switches, four lags of it, and the index of the month before in
both rows of the transition: A. J. Filardo, *Journal of Business and Economic Statistics* 12 (1994), 299-308, at the
estimates of E-views, which statsmodels' own tests take as reference. The states of the recursion are the regimes of five
months; the chain starts from the stationary law of the first month's transition.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

from models import emissions, forward

PRODUCTION, LEADING, FILTERED, SMOOTHED = np.loadtxt(
    Path(__file__).parent / "figures" / "filardo.csv", delimiter=",", unpack=True
)
CONSTANT = np.array(
    [4.35941747, -1.6493936]
)  # log odds of expansion next month, after expansion and recession
SLOPE = np.array([1.7702123, 0.9945672])
MEANS, SD = np.array([0.517298, -0.865888]), np.exp(-0.362469)
LAGS = np.array([0.189474, 0.079344, 0.110944, 0.122251])
STATES = np.array(list(itertools.product(range(2), repeat=5)))  # regimes of this month and four before
EXPANSION = STATES[:, 0] == 0


@pytest.fixture(scope="module")
def case():
    """Log emissions ``[514, 32]``, transitions ``[513, 32, 32]`` and the law of the first five months' regimes."""
    growth, index = PRODUCTION[1:], LEADING[:-1]
    expand = 1 / (1 + np.exp(-(CONSTANT + SLOPE * index[:, None])))
    P = np.stack([expand, 1 - expand], axis=2)  # into each month
    law = forward.stationary(P[0])[STATES[:, 4]]
    for month in range(1, 5):
        law = law * P[month, STATES[:, 5 - month], STATES[:, 4 - month]]
    follows = (STATES[:, None, :-1] == STATES[None, :, 1:]).all(axis=2)
    moves = P[5:, STATES[:, None, 0], STATES[None, :, 0]] * follows
    past = np.stack([growth[4 - lag : len(growth) - lag] for lag in range(1, 5)], axis=1)
    mean = MEANS[STATES[:, 0]] + (past[:, None] - MEANS[STATES[:, 1:]]) @ LAGS
    return emissions.log_density(growth[4:, None], "gaussian", mean=mean, sd=SD), moves, law


def test_the_published_likelihood_is_reached(case):
    assert forward.log_likelihood(*case) == pytest.approx(-586.5718, abs=5e-5)


def test_filtered_and_smoothed_probabilities_are_the_published_ones(case):
    filtered = forward.filtered(*case)[:, EXPANSION].sum(axis=1)
    smoothed = forward.smoothed(*case)[:, EXPANSION].sum(axis=1)
    np.testing.assert_allclose(filtered, FILTERED[5:], atol=2e-6)
    np.testing.assert_allclose(smoothed, SMOOTHED[5:], atol=2e-6)
