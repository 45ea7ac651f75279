"""The Poisson hidden Markov models of the earthquake counts have their published likelihoods, decodings and posterior.

Earthquakes of magnitude 7 or more in the world, 1900 to 2006, and the maximum likelihood estimates for one to four
states: W. Zucchini, I. L. MacDonald and R. Langrock, *Hidden Markov Models for Time Series*, 2nd ed. (2016), table 1.1
and chapters 1 to 6. Criteria count m means and m (m - 1) transitions, m^2 in all, with a stationary start, and m - 1
more with a free one. Where only a likelihood was printed, the parameters that reach it are ours.
"""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.checks import convergence, same_regimes
from models import emissions, forward

YEARS = np.loadtxt(Path(__file__).parent / "figures" / "earthquakes.csv", delimiter=",")[:, 1]
THREE = [
    [0.9546243, 0.0244426, 0.02093313],
    [0.04976679, 0.8993673, 0.05086592],
    [1.5e-9, 0.196642, 0.80335799],
]
THREE_FREE = [
    [0.9392937, 0.03209754, 0.02860881],
    [0.04040106, 0.90643731, 0.05316163],
    [9.05e-12, 0.19025401, 0.80974599],
]
FOUR = [
    [0.804872146, 0.101874204, 0.093253650, 0.0],
    [0.0, 0.976065145, 0.0, 0.023934855],
    [0.050124408, 0.0, 0.901725977, 0.048149615],
    [0.0, 0.0, 0.188117496, 0.811882504],
]
FOUR_FREE = [
    [0.808860322, 0.060047467, 0.081252357, 0.049839855],
    [0.0, 1.0, 0.0, 0.0],
    [0.041061790, 0.0, 0.903645550, 0.055292659],
    [0.0, 0.0, 0.190979077, 0.809020923],
]
MIXED = [0.2775329, 0.5928037, 0.1296634]
# states and start: means per year, transition, initial law (None: stationary), free parameters, -log L, AIC, BIC
PUBLISHED = {
    "one": ([19.36448598], [[1.0]], [1.0], 1, 391.9189, 785.8379, 788.5107),
    "two, stationary": (
        [15.472, 26.125],
        [[0.934, 0.066], [0.1285, 0.8715]],
        None,
        4,
        342.3183,
        692.6365,
        703.3278,
    ),
    "two, free": (
        [15.420762, 26.018235],
        [[0.92837395, 0.07162605], [0.1190344, 0.8809656]],
        [1.0, 0.0],
        5,
        341.8787,
        693.7574,
        707.1216,
    ),
    "three, stationary": ([13.14573, 19.72101, 29.71437], THREE, None, 9, 329.4603, 676.9206, 700.976),
    "three, free": ([13.13374, 19.71312, 29.70964], THREE_FREE, [1, 0, 0], 11, 328.5275, 679.055, 708.4561),
    "four, stationary": (
        [11.282909, 13.853183, 19.695387, 29.699858],
        FOUR,
        None,
        16,
        327.8316,
        687.6632,
        730.4284,
    ),
}


def arguments(means, transition, law):
    P = np.array(transition)
    P /= P.sum(axis=1, keepdims=True)  # printed to seven digits
    e = emissions.log_density(YEARS[:, None], "poisson", mean=np.array(means))
    return e, P, forward.stationary(P) if law is None else np.array(law)


def test_the_counts_are_the_published_ones():
    assert (len(YEARS), round(YEARS.mean(), 2), round(YEARS.var(ddof=1), 2)) == (107, 19.36, 51.57)


@pytest.mark.parametrize("case", PUBLISHED)
def test_likelihood_and_criteria_are_the_published_ones(case):
    means, transition, law, free, minus, aic, bic = PUBLISHED[case]
    value = forward.log_likelihood(*arguments(means, transition, law))
    assert -value == pytest.approx(minus, abs=1e-4)
    assert -2 * value + 2 * free == pytest.approx(aic, abs=2e-4)
    assert -2 * value + free * np.log(len(YEARS)) == pytest.approx(bic, abs=2e-4)


def test_years_without_memory_have_the_likelihood_of_the_mixture():
    case = arguments([12.73573, 19.78515, 31.6294], [MIXED] * 3, MIXED)
    assert -forward.log_likelihood(*case) == pytest.approx(356.8489, abs=1e-4)


def test_four_states_with_a_free_start_have_a_better_maximum_than_the_published_one():
    """The 326.6749 in print is a local maximum: a likelihood of so many parameters has several."""
    case = arguments([11.501576, 14.317479, 19.655072, 29.691958], FOUR_FREE, [1, 0, 0, 0])
    assert -forward.log_likelihood(*case) == pytest.approx(326.4635, abs=1e-4)


def test_the_stationary_law_is_the_published_one():
    law = arguments(*PUBLISHED["three, stationary"][:3])[2]
    np.testing.assert_allclose(law, [0.443642, 0.4044983, 0.1518597], atol=5e-6)


def test_no_slope_is_left_at_the_published_maximum():
    means, transition, law, *_ = PUBLISHED["three, stationary"]
    _, d_e, _, _ = forward.log_likelihood_and_gradients(*arguments(means, transition, law))
    by_mean = (d_e * (YEARS[:, None] / np.array(means) - 1.0)).sum(axis=0)
    np.testing.assert_allclose(by_mean, 0.0, atol=2e-3)


def test_decoded_states_are_the_published_ones():
    """Runs of states along the likeliest path, and of the likeliest state of each year (momentuHMM)."""
    means, transition = (
        [13.13513, 19.70822, 29.70794],
        [
            [0.941433, 0.03072828, 0.02783867],
            [0.04007763, 0.90674107, 0.0531813],
            [3e-13, 0.19027062, 0.80972938],
        ],
    )
    case = arguments(means, transition, [1.0, 0.0, 0.0])
    viterbi = [(1, 5), (3, 6), (2, 8), (1, 4), (2, 19), (3, 9), (2, 17), (3, 3), (2, 10), (1, 26)]
    local = [(1, 5), (3, 7), (2, 7), (1, 4), (2, 18), (3, 10), (2, 17), (3, 3), (2, 9), (1, 27)]
    np.testing.assert_array_equal(forward.most_likely_path(*case), unrolled(viterbi))
    np.testing.assert_array_equal(forward.smoothed(*case).argmax(axis=-1), unrolled(local))


def unrolled(runs):
    """Turn pairs of a state, counted from one, and its years into a path."""
    return np.concatenate([np.full(years, state - 1) for state, years in runs])


# parameter: posterior mean, Monte Carlo error of the means at most, standard deviation
POSTERIOR = {
    "mean": ([13.113, 19.78, 29.741], 0.034, [0.899, 1.104, 1.956]),
    "transition": (
        [[0.855, 0.095, 0.049], [0.091, 0.816, 0.093], [0.075, 0.229, 0.696]],
        0.003,
        [[0.083, 0.075, 0.041], [0.059, 0.086, 0.064], [0.068, 0.118, 0.128]],
    ),
    "stationary": ([0.383, 0.421, 0.196], 0.004, [0.14, 0.128, 0.092]),
}
MEANS_WITHIN = [[11.252, 17.564, 26.216], [14.774, 21.886, 33.771]]  # 2.5 and 97.5 percent points


def gibbs(rng, mean, sweeps):
    """Sample chains side by side, paths given parameters and parameters given paths, from means ``[chains, K]``.

    Means ~ Gamma(0.1, rate 0.01) in order, rows of the transition ~ flat Dirichlet, stationary start. Given a path,
    means are gamma and rows Dirichlet but for the law of the first state, which decides whether new rows are kept.
    """
    chains, K = mean.shape
    P = np.tile(0.8 * np.eye(K) + 0.2 / K, (chains, 1, 1))
    law, kept = forward.stationary(P), []
    for _ in range(sweeps):
        e = emissions.log_density(YEARS[:, None], "poisson", mean=mean[:, None])
        z = forward.sample_paths(e, P, law, rng=rng)[0][..., None] == np.arange(K)
        years, events = z.sum(axis=1), (z * YEARS[:, None]).sum(axis=1)
        mean = rng.gamma(0.1 + events, 1.0 / (0.01 + years))
        moves = (z[:, :-1, :, None] & z[:, 1:, None]).sum(axis=1)
        rows = rng.standard_gamma(1.0 + moves)
        rows /= rows.sum(axis=2, keepdims=True)
        after = forward.stationary(rows)
        accepted = rng.random(chains) * law[z[:, 0]] < after[z[:, 0]]
        P = np.where(accepted[:, None, None], rows, P)
        law = np.where(accepted[:, None], after, law)
        order = mean.argsort(axis=1)
        ordered = np.take_along_axis(P, order[:, :, None], axis=1)
        kept.append(
            {
                "mean": np.take_along_axis(mean, order, axis=1),
                "transition": np.take_along_axis(ordered, order[:, None], axis=2),
                "stationary": np.take_along_axis(law, order, axis=1),
            }
        )
    return {name: np.stack([one[name] for one in kept], axis=1) for name in kept[0]}


@pytest.fixture(scope="module")
def posterior():
    """Three states by 200 chains: the model of a public fit by Stan of 4,000 draws."""
    rng = np.random.default_rng(1900)
    found = gibbs(rng, rng.normal([13.1, 19.7, 29.7], 1.0, (200, 3)), sweeps=350)
    return {name: draws[:, 100:] for name, draws in found.items()}


@pytest.mark.parametrize("name", POSTERIOR)
def test_the_posterior_has_the_published_means(posterior, name):
    mean, error, _ = POSTERIOR[name]
    ours = posterior[name].mean(axis=1)  # of each chain: they are independent
    our_error = ours.std(axis=0) / np.sqrt(len(ours))
    assert np.all(np.abs(ours.mean(axis=0) - mean) < 4 * np.hypot(error, our_error))


def test_the_posterior_has_the_published_spread(posterior):
    """Within 0.3 standard deviations for the means' intervals, which are 4 errors of the published points.

    Standard deviations of the means are not compared: a state without a year draws its mean from the vague prior.
    """
    within = np.quantile(posterior["mean"], [0.025, 0.975], axis=(0, 1))
    assert np.all(np.abs(within - MEANS_WITHIN) < 0.3 * np.array(POSTERIOR["mean"][2]))
    for name in ("transition", "stationary"):
        np.testing.assert_allclose(posterior[name].std(axis=(0, 1)), POSTERIOR[name][2], rtol=0.15)


def test_the_gate_refuses_four_states():
    """Chains from two maxima each wander between answers that fit alike: a thousand draws of them do not agree."""
    starts = np.array([[11.3, 13.9, 19.7, 29.7], [13.1, 18.4, 20.8, 29.4]] * 2)
    mean = gibbs(np.random.default_rng(4), starts, sweeps=1200)["mean"][:, 200:]
    marks = {"diverging": np.zeros(mean.shape[:2], dtype=bool), "energy": mean[..., 0]}
    lines = convergence(
        xr.Dataset({"mean": (("chain", "draw", "state"), mean)}),
        xr.Dataset({name: (("chain", "draw"), values) for name, values in marks.items()}),
        reported=["mean"],
    )
    assert {line.name for line in lines if not line.ok} >= {"R-hat", "bulk ESS"}


def climbed(mean):
    """Return the log likelihood and smoothed states where EM ends that starts from these means."""
    P, law = 0.8 * np.eye(len(mean)) + 0.2 / len(mean), np.full(len(mean), 1 / len(mean))
    for _ in range(1000):
        e = emissions.log_density(YEARS[:, None], "poisson", mean=mean)
        states, pairs = forward.smoothed(e, P, law), forward.smoothed_pairs(e, P, law).sum(axis=0)
        mean = (states * YEARS[:, None]).sum(axis=0) / states.sum(axis=0)
        P, law = pairs / pairs.sum(axis=1, keepdims=True), states[0] / states[0].sum()
    e = emissions.log_density(YEARS[:, None], "poisson", mean=mean)
    return float(forward.log_likelihood(e, P, law)), forward.smoothed(e, P, law)


def test_two_maxima_of_four_states_are_not_the_same_regimes():
    """Both fit, one and a third apart in log likelihood; what they call the second state is not the same years."""
    best, early = climbed(np.array([10.0, 14.0, 20.0, 30.0]))
    other, late = climbed(np.array([13.1, 18.4, 20.8, 29.4]))
    assert best == pytest.approx(-326.4635, abs=1e-4)
    assert other == pytest.approx(-327.7927, abs=1e-3)
    assert same_regimes(early, early).ok
    assert not same_regimes(early, late).ok
