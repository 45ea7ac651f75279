"""The Poisson hidden Markov models of the earthquake counts have their published likelihoods.

Earthquakes of magnitude 7 or more in the world, 1900 to 2006, and the maximum likelihood estimates for one
to three states: W. Zucchini, I. L. MacDonald and R. Langrock, *Hidden Markov Models for Time Series*, 2nd
ed. (2016), table 1.1 and chapters 2 to 6. Criteria count m^2 parameters with a stationary start and
m^2 + m - 1 with a free one.
"""

import numpy as np
import pytest

from models import emissions, forward

COUNTS = """
    13 14 8 10 16 26 32 27 18 32 36 24 22 23 22 18 25 21 21 14 8 11 14 23 18 17 19 20 22 19 13 26 13 14 22
    24 21 22 26 21 23 24 27 41 31 27 35 26 28 36 39 21 17 22 17 19 15 34 10 15 22 18 15 20 15 22 19 16 30
    27 29 23 20 16 21 21 25 16 18 15 18 14 10 15 8 15 6 11 8 7 18 16 13 12 13 20 15 16 12 18 15 16 13 15 16
    11 11
"""
YEARS = np.array(COUNTS.split(), dtype=np.float64)
THREE = [
    [0.9546243, 0.0244426, 0.02093313],
    [0.04976679, 0.8993673, 0.05086592],
    [1.5e-9, 0.196642, 0.80335799],
]
FREE = [
    [0.9392937, 0.03209754, 0.02860881],
    [0.04040106, 0.90643731, 0.05316163],
    [9.05e-12, 0.19025401, 0.80974599],
]
# states and start: means per year, transition, initial law (None: stationary), -log L, AIC, BIC
PUBLISHED = {
    "one": ([19.36448598], [[1.0]], [1.0], 391.9189, 785.8379, 788.5107),
    "two, stationary": (
        [15.472, 26.125],
        [[0.934, 0.066], [0.1285, 0.8715]],
        None,
        342.3183,
        692.6365,
        703.3278,
    ),
    "three, stationary": ([13.14573, 19.72101, 29.71437], THREE, None, 329.4603, 676.9206, 700.976),
    "three, free": ([13.13374, 19.71312, 29.70964], FREE, [1.0, 0.0, 0.0], 328.5275, 679.055, 708.4561),
}


def likelihood_arguments(means, transition, law):
    P = np.array(transition)
    P /= P.sum(axis=1, keepdims=True)  # printed to seven digits
    e = emissions.log_density(YEARS[:, None], "poisson", mean=np.array(means))
    return e, P, forward.stationary(P) if law is None else np.array(law)


@pytest.mark.parametrize("case", PUBLISHED)
def test_likelihood_and_criteria_are_the_published_ones(case):
    means, transition, law, minus, aic, bic = PUBLISHED[case]
    value = forward.log_likelihood(*likelihood_arguments(means, transition, law))
    m = len(means)
    free = m * m + (m - 1 if "free" in case else 0)
    assert -value == pytest.approx(minus, abs=1e-4)
    assert -2 * value + 2 * free == pytest.approx(aic, abs=2e-4)
    assert -2 * value + free * np.log(len(YEARS)) == pytest.approx(bic, abs=2e-4)


def test_the_stationary_law_is_the_published_one():
    law = likelihood_arguments(*PUBLISHED["three, stationary"][:3])[2]
    np.testing.assert_allclose(law, [0.443642, 0.4044983, 0.1518597], atol=5e-6)


def test_no_slope_is_left_at_the_published_maximum():
    means, transition, law, *_ = PUBLISHED["three, stationary"]
    e, P, law = likelihood_arguments(means, transition, law)
    _, d_e, _, _ = forward.log_likelihood_and_gradients(e, P, law)
    by_mean = (d_e * (YEARS[:, None] / np.array(means) - 1.0)).sum(axis=0)
    np.testing.assert_allclose(by_mean, 0.0, atol=2e-3)


def test_decoded_states_are_the_published_ones():
    """Runs of states along the likeliest path, and of the likeliest state of each year (momentuHMM)."""
    means, transition = [13.13513, 19.70822, 29.70794], np.array(
        [[0.941433, 0.03072828, 0.02783867], [0.04007763, 0.90674107, 0.0531813], [3e-13, 0.19027062, 0.80972938]]
    )  # fmt: skip
    case = likelihood_arguments(means, transition, [1.0, 0.0, 0.0])
    viterbi = [(1, 5), (3, 6), (2, 8), (1, 4), (2, 19), (3, 9), (2, 17), (3, 3), (2, 10), (1, 26)]
    local = [(1, 5), (3, 7), (2, 7), (1, 4), (2, 18), (3, 10), (2, 17), (3, 3), (2, 9), (1, 27)]
    np.testing.assert_array_equal(forward.most_likely_path(*case), unrolled(viterbi))
    np.testing.assert_array_equal(forward.smoothed(*case).argmax(axis=-1), unrolled(local))


def unrolled(runs):
    """Turn pairs of a state, counted from one, and its years into a path."""
    return np.concatenate([np.full(years, state - 1) for state, years in runs])
