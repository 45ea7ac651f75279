"""A level that walks, seen through noise, has the Kalman filter's published figures on the Nile.

The level is a chain of 81 states, 20 units apart: for a Gaussian walk whose steps are twice that, sums over the grid
are integrals to machine precision. J. Durbin and S. J. Koopman, *Time Series Analysis by State Space Methods*, 2nd ed.
(2012), chapter 2; likelihoods by KFAS (J. Helske) and statespacer (D. Beijers).

A flat start leaves the first year's density undefined. KFAS leaves the year out, -632.5456; statespacer and statsmodels
give it the constant -ln(2 pi) / 2 of a normal density, -633.4646.
"""

from pathlib import Path

import numpy as np
import pytest

from models import emissions, forward

FLOW = np.loadtxt(Path(__file__).parent / "figures" / "nile.csv", delimiter=",")[:, 1]
GRID = np.arange(200.0, 1801.0, 20.0)
VARIANCES = 15098.53, 1469.178  # of the noise and of a year's step


def arguments(noise=VARIANCES[0], step=VARIANCES[1], *, ahead=0):
    """Return log emissions, transition and a flat initial law, per unit of the level; ``ahead`` years are missing."""
    series = np.append(FLOW, np.full(ahead, np.nan))
    e = emissions.log_density(series[:, None], "gaussian", mean=GRID, sd=np.sqrt(noise))
    P = np.exp(emissions.log_density(GRID[:, None], "gaussian", mean=GRID, sd=np.sqrt(step)).T) * 20.0
    return e, P, np.full(len(GRID), 20.0)


def moments(law):
    """Return the mean and variance of the level under laws on the grid."""
    mean = law @ GRID
    return mean, law @ GRID**2 - mean**2


def test_the_likelihood_is_the_published_one_under_both_conventions():
    densities = forward.one_step_log_density(*arguments())
    assert densities[0] == pytest.approx(0.0, abs=1e-7)  # under a law of density one
    assert densities[1:].sum() == pytest.approx(-632.5456, abs=5e-5)
    assert densities[1:].sum() - 0.5 * np.log(2 * np.pi) == pytest.approx(-633.4646, abs=5e-5)
    by_statespacer = forward.log_likelihood(*arguments(15100.252, 1468.724)) - 0.5 * np.log(2 * np.pi)
    assert by_statespacer / len(FLOW) == pytest.approx(-6.334646, abs=5e-7)


def test_the_published_variances_are_its_maximum():
    top = forward.log_likelihood(*arguments(15099.0, 1469.1))
    for noise, step in ((15500.0, 1469.1), (14700.0, 1469.1), (15099.0, 1520.0), (15099.0, 1420.0)):
        assert forward.log_likelihood(*arguments(noise, step)) < top


def test_filtered_and_smoothed_levels_are_those_of_the_kalman_filter():
    """The first years' predictions and their variances, and the smoothed level at both ends of the series."""
    mean, variance = moments(forward.predicted(*arguments())[1:])
    np.testing.assert_allclose(mean[:2], [1120.0, 1140.92791446], atol=1e-4)
    np.testing.assert_allclose(variance[:2] + VARIANCES[0], [31666.238, 24467.2266], rtol=1e-6)
    mean, variance = moments(forward.smoothed(*arguments()))
    np.testing.assert_allclose(mean[[0, 1, 99]], [1111.66868, 1110.85799, 798.36728], atol=1e-4)
    np.testing.assert_allclose(variance[[0, 1, 99]], [4032.17606, 3242.92677, 4032.17606], rtol=1e-6)


def test_ten_years_ahead_are_forecast_as_by_the_kalman_filter():
    """Missing years: the mean stays, the variance grows by a step a year."""
    mean, variance = moments(forward.predicted(*arguments(ahead=10))[100:])
    np.testing.assert_allclose(mean, 798.36728, atol=1e-3)
    sd = np.sqrt(variance + VARIANCES[0])
    np.testing.assert_allclose(sd[[0, 1, 9]], [143.526597, 148.556595, 183.908907], rtol=1e-5)
