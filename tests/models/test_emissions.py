"""The emission densities are scipy's, the graphs are the arrays, and residuals are normal under the truth."""

import warnings

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import scipy.stats as ss
from hypothesis import given, settings
from hypothesis import strategies as st

from models import emissions

COUNTS = np.arange(0.0, 400.0)
EXAMPLES = {
    "poisson": {"mean": 4.2},
    "negative-binomial": {"mean": 4.2, "dispersion": 1.7},
    "bernoulli": {"chance": 0.3},
    "gaussian": {"mean": -1.0, "sd": 2.5},
    "zero-inflated-poisson": {"mean": 4.2, "zero": 0.3},
    "zero-inflated-negative-binomial": {"mean": 4.2, "dispersion": 1.7, "zero": 0.3},
    "hurdle-poisson": {"mean": 4.2, "zero": 0.3},
    "hurdle-negative-binomial": {"mean": 0.8, "dispersion": 1.7, "zero": 0.1},
    "outlying-poisson": {"mean": 4.2, "outlier": 0.1},
    "outlying-negative-binomial": {"mean": 4.2, "dispersion": 1.7, "outlier": 0.1},
    "outlying-gaussian": {"mean": -1.0, "sd": 2.5, "outlier": 0.1},
    "outlying-zero-inflated-poisson": {"mean": 4.2, "zero": 0.3, "outlier": 0.1},
    "outlying-hurdle-negative-binomial": {"mean": 0.8, "dispersion": 1.7, "zero": 0.1, "outlier": 0.1},
}
DISCRETE = [family for family in EXAMPLES if not family.endswith("gaussian")]
each_family = pytest.mark.parametrize("family", EXAMPLES)
each_discrete_family = pytest.mark.parametrize("family", DISCRETE)


def test_simple_families_are_those_of_scipy():
    y = np.arange(0.0, 30.0)
    for mean in (0.01, 3.0, 40.0):
        np.testing.assert_allclose(
            emissions.log_density(y, "poisson", mean=mean), ss.poisson.logpmf(y, mean), rtol=1e-12
        )
    np.testing.assert_allclose(
        emissions.log_density([0, 1], "bernoulli", chance=0.2), np.log([0.8, 0.2]), rtol=1e-12
    )
    x = np.linspace(-9, 9, 31)
    np.testing.assert_allclose(
        emissions.log_density(x, "gaussian", mean=1.0, sd=2.0), ss.norm.logpdf(x, 1.0, 2.0), rtol=1e-12
    )


@given(
    y=st.integers(0, 500),
    mean=st.floats(1e-3, 500.0),
    dispersion=st.floats(0.05, 63.0),
)
def test_negative_binomial_is_that_of_scipy(y, mean, dispersion):
    expected = ss.nbinom.logpmf(y, dispersion, dispersion / (dispersion + mean))
    assert emissions.log_density(y, "negative-binomial", mean=mean, dispersion=dispersion) == pytest.approx(
        expected, rel=1e-12, abs=1e-11
    )


@given(y=st.integers(0, 200), mean=st.floats(0.1, 200.0), dispersion=st.floats(64.0, 1e4))
def test_negative_binomial_of_large_dispersion_multiplies_out(y, mean, dispersion):
    rising = np.log1p(np.arange(y) / dispersion).sum() + y * np.log(mean) - np.log(np.arange(1, y + 1)).sum()
    exact = rising - (y + dispersion) * np.log1p(mean / dispersion)
    assert emissions.log_density(y, "negative-binomial", mean=mean, dispersion=dispersion) == pytest.approx(
        exact, rel=1e-12, abs=1e-11
    )


def test_negative_binomial_becomes_poisson():
    y = np.arange(0.0, 60.0)
    poisson = emissions.log_density(y, "poisson", mean=20.0)
    for dispersion, tolerance in ((1e8, 1e-5), (1e10, 1e-7), (1e14, 1e-10)):
        nearly = emissions.log_density(y, "negative-binomial", mean=20.0, dispersion=dispersion)
        np.testing.assert_allclose(nearly, poisson, rtol=0, atol=tolerance)
        assert np.abs(np.exp(nearly) - np.exp(poisson)).max() < 1e-6


@each_discrete_family
def test_a_count_density_sums_to_one_and_to_its_distribution_function(family):
    mass = np.exp(emissions.log_density(COUNTS, family, **EXAMPLES[family]))
    assert mass.sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(mass.cumsum(), emissions.cdf(COUNTS, family, **EXAMPLES[family]), atol=1e-12)
    assert emissions.cdf(-1.0, family, **EXAMPLES[family]) == 0.0


@each_discrete_family
def test_a_quantile_is_the_smallest_value_that_reaches_its_probability(family):
    q = np.linspace(0.001, 0.999, 97)
    parameters = EXAMPLES[family]
    x = emissions.quantile(q, family, **parameters)
    assert np.all(emissions.cdf(x, family, **parameters) >= q - 1e-12)
    assert np.all(emissions.cdf(x - 1, family, **parameters) < q + 1e-12)


@each_family
def test_draws_follow_the_distribution_function(family):
    rng = np.random.default_rng(3)
    n = 20_000
    draws = emissions.sample(rng, family, n, **EXAMPLES[family])
    points = np.unique(draws) if family != "gaussian" else np.linspace(-6, 5, 30)
    seen = (draws[:, None] <= points).mean(axis=0)
    expected = emissions.cdf(points, family, **EXAMPLES[family])
    assert np.abs(seen - expected).max() < 1.95 / np.sqrt(n)  # Kolmogorov's bound at one in a thousand


@each_family
def test_a_missing_cell_contributes_exactly_nothing(family):
    density = emissions.log_density([np.nan, 1.0], family, **EXAMPLES[family])
    assert density[0] == 0.0
    assert density[1] != 0.0
    assert np.isnan(emissions.cdf(np.nan, family, **EXAMPLES[family]))


@each_discrete_family
@pytest.mark.parametrize("y", [-1.0, 1.5])
def test_a_value_outside_the_support_is_impossible(family, y):
    assert emissions.log_density(y, family, **EXAMPLES[family]) == -np.inf


def test_a_certain_bernoulli_is_not_nan():
    np.testing.assert_array_equal(
        emissions.log_density([0, 1, 2], "bernoulli", chance=[0.0, 0.0, 0.0]), [0.0, -np.inf, -np.inf]
    )


@pytest.fixture(scope="module")
def graphs():
    """Compile value and gradient of every family at [T, 1] data and [T, K] means."""
    rng = np.random.default_rng(8)
    T, K = 6, 2
    y = np.array([0.0, 1.0, 3.0, np.nan, 0.0, 170.0])[:, None]
    compiled = {}
    for family, example in EXAMPLES.items():
        data = np.minimum(y, 1.0) if family == "bernoulli" else y
        values = {name: x * np.exp(0.1 * rng.normal(size=(T, K))) for name, x in example.items()}
        if "dispersion" in values:
            values["dispersion"][1] = 3e3
        inputs = {name: pt.matrix(name) for name in values}
        density = emissions.log_density_graph(data, ~np.isnan(data), family, **inputs)
        slopes = pytensor.grad(density.sum(), list(inputs.values()))
        function = pytensor.function(list(inputs.values()), [density, *slopes], mode="FAST_COMPILE")
        compiled[family] = (function, data, values)
    return compiled


@each_family
def test_a_graph_has_the_value_and_slope_of_the_array(graphs, family):
    function, y, values = graphs[family]
    value, *slopes = function(*values.values())
    np.testing.assert_allclose(value, emissions.log_density(y, family, **values), rtol=1e-12, atol=1e-12)
    for (name, x), slope in zip(values.items(), slopes, strict=True):
        h = 1e-6 * np.abs(x)
        up, down = (emissions.log_density(y, family, **(values | {name: x + s * h})) for s in (1, -1))
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-5, atol=1e-5)
        assert np.all(slope[3] == 0.0)  # the missing month


def test_a_graph_keeps_double_precision_beside_plain_numbers():
    density = emissions.log_density_graph(
        np.array([7.0]), np.array([True]), "negative-binomial", mean=1.1, dispersion=1.5
    )
    assert density.dtype == "float64"
    assert density.eval(mode="FAST_COMPILE")[0] == pytest.approx(
        ss.nbinom.logpmf(7, 1.5, 1.5 / 2.6), rel=1e-12
    )


def hidden_chain(rng, T, P):
    state = np.zeros(T, dtype=int)
    for t in range(1, T):
        state[t] = rng.choice(len(P), p=P[state[t - 1]])
    return state


@pytest.mark.parametrize("family", ["poisson", "negative-binomial", "gaussian", "hurdle-poisson"])
def test_residuals_are_standard_normal_under_the_true_model(family):
    from models import forward

    rng = np.random.default_rng(21)
    T, P = 4000, np.array([[0.9, 0.1], [0.2, 0.8]])
    law = forward.stationary(P)
    state = hidden_chain(rng, T, P)
    parameters = {name: np.array([x, 2 * x]) if name == "mean" else x for name, x in EXAMPLES[family].items()}
    own = {name: np.asarray(x)[state] if name == "mean" else x for name, x in parameters.items()}
    y = emissions.sample(rng, family, T, **own)
    y[::7] = np.nan
    e = emissions.log_density(y[:, None], family, **parameters)
    ahead = forward.predicted(e, P, law)
    residual = emissions.pseudo_residuals(y, family, ahead, rng=rng, **parameters)
    np.testing.assert_array_equal(np.isnan(residual), np.isnan(y))
    assert ss.kstest(residual[~np.isnan(y)], "norm").pvalue > 1e-3


def test_residuals_average_the_distribution_over_draws_before_the_quantile():
    y = np.array([2.0, 5.0])
    rates = np.array([[1.0, 3.0], [4.0, 9.0]])  # draw, state
    weight = np.array([[[0.3, 0.7], [0.5, 0.5]], [[0.9, 0.1], [0.2, 0.8]]])  # draw, month, state
    below = [
        (weight * ss.poisson.cdf(y[:, None] - back, rates[:, None, :])).sum(axis=-1).mean(axis=0)
        for back in (1, 0)
    ]
    u = below[0] + np.random.default_rng(4).random(2) * (below[1] - below[0])
    residual = emissions.pseudo_residuals(
        y, "poisson", weight, rng=np.random.default_rng(4), mean=rates[:, None, :]
    )
    np.testing.assert_allclose(residual, ss.norm.ppf(u), rtol=1e-10)


def test_an_absurd_observation_has_a_finite_residual():
    residual = emissions.pseudo_residuals(
        [1e6, 0.0], "poisson", np.ones((2, 1)), rng=np.random.default_rng(1), mean=np.array([5.0])
    )
    assert np.all(np.isfinite(residual))


@settings(max_examples=50)
@given(mean=st.floats(0.05, 80.0), zero=st.floats(0.01, 0.9))
def test_a_hurdle_puts_exactly_its_share_on_zero(mean, zero):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density = emissions.log_density(0.0, "hurdle-poisson", mean=mean, zero=zero)
    assert np.exp(density) == pytest.approx(zero, rel=1e-12)


def test_an_unknown_family_is_refused():
    with pytest.raises(ValueError, match="got 'pascal'; wanted one of poisson"):
        emissions.log_density(1, "pascal", mean=1.0)


def test_parameters_of_another_family_are_refused():
    with pytest.raises(ValueError, match="negative-binomial: got parameters mean; wanted mean, dispersion"):
        emissions.log_density(1, "negative-binomial", mean=1.0)
    with pytest.raises(ValueError, match="poisson: got parameters mean, sd; wanted mean"):
        emissions.log_density_graph(1.0, True, "poisson", mean=1.0, sd=2.0)
