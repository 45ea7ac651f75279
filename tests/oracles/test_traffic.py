"""A Poisson regression that switches between two regimes has its published likelihood and criteria.

Deaths on Spanish roads by day in 2010, on temperature and precipitation; both regressions as printed in the vignette of
the R package MSwM (J. A. Sanchez-Espigares and A. Lopez-Moreno). Covariates enter as means that vary by day and regime.

Conventions of that package: the chain starts in regime one on the day before the first, so the initial law is the
first row of the transition; AIC counts the six coefficients but no transition; BIC weighs each of them with 2 ln n.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from models import emissions, forward

FIGURES = np.loadtxt(Path(__file__).parent / "figures" / "traffic.csv", delimiter=",", usecols=(1, 2, 3))
DEATHS, DAYS = FIGURES[:, :1], np.column_stack([np.ones(len(FIGURES)), FIGURES[:, 1:]])
COEFFICIENTS = np.array([[0.7648733, 0.02884933, 0.0001846684], [1.5658582, 0.0193977, 0.0004106061]])
STAY = 0.7287732, 0.5086107
TRANSITION = np.array([[STAY[0], 1 - STAY[0]], [1 - STAY[1], STAY[1]]])
SCALE = np.array([1.0, 0.1, 0.001])  # of the coefficients, so that all are of a size


def by_day(coefficients):
    """Return the log density of each day in each regime, and its derivative in the log mean."""
    mean = np.exp(DAYS @ np.transpose(coefficients))
    return emissions.log_density(DEATHS, "poisson", mean=mean), DEATHS - mean


def test_one_regime_is_the_published_regression():
    e, slope = by_day([[1.1638122, 0.0225513, 0.0002187]])
    value = forward.log_likelihood(e, [[1.0]], [1.0])
    assert -2 * value + 2 * 3 == pytest.approx(1755.9, abs=0.05)
    residual = 2 * (emissions.log_density(DEATHS, "poisson", mean=np.maximum(DEATHS, 1e-12)).sum() - value)
    assert residual == pytest.approx(567.94, abs=0.005)
    errors = np.array([0.0808726, 0.0041964, 0.0001113])
    np.testing.assert_allclose((slope * DAYS).sum(axis=0) * errors, 0.0, atol=0.05)


def test_two_regimes_have_the_published_likelihood_and_criteria():
    value = forward.log_likelihood(by_day(COEFFICIENTS)[0], TRANSITION, TRANSITION[0])
    assert value == pytest.approx(-850.9388, abs=1e-4)
    assert -2 * value + 2 * 6 == pytest.approx(1713.878, abs=1e-3)
    assert -2 * value + 2 * 6 * np.log(365) == pytest.approx(1772.676, abs=1e-3)


def test_the_maximum_is_a_little_above_the_published_one():
    """EM had stopped early. With a free start, climbing by the gradient of the recursion ends at -850.6485."""

    def loss(x):
        leave = 1 / (1 + np.exp(-x[6:]))
        P = np.array([[1 - leave[0], leave[0]], [leave[1], 1 - leave[1]]])
        e, slope = by_day(x[:6].reshape(2, 3) * SCALE)
        value, d_e, d_P, _ = forward.log_likelihood_and_gradients(e, P, [1.0, 0.0])
        by_coefficient = (d_e * slope).T @ (DAYS * SCALE)
        by_leaving = (d_P[[0, 1], [1, 0]] - d_P[[0, 1], [0, 1]]) * leave * (1 - leave)
        return -value, -np.concatenate([by_coefficient.ravel(), by_leaving])

    start = np.concatenate([(COEFFICIENTS / SCALE).ravel(), np.log((1 - np.array(STAY)) / STAY)])
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-4})
    assert found.success
    assert -found.fun == pytest.approx(-850.6485, abs=1e-4)
    leave = 1 / (1 + np.exp(-found.x[6:]))
    np.testing.assert_allclose(leave, [0.29847, 0.46263], atol=1e-4)
    published = np.array([1 - STAY[0], 1 - STAY[1]])
    np.testing.assert_allclose(leave, published, atol=0.04)
    np.testing.assert_allclose(found.x[:6].reshape(2, 3) * SCALE, COEFFICIENTS, rtol=0.09)
