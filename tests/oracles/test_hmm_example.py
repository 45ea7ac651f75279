"""A posterior sampled through the operation is the reference posterior of posteriordb's ``hmm_example``.

Observations (rounded to six decimals), model and reference moments: posteriordb,
``hmm_example-hmm_example``, 10,000 reference draws by Stan (M. Magnusson and others, 2021 onwards). Two
Gaussian regimes of unit variance; the first month carries no initial law, which is one of ones here.
"""

import arviz as az
import numpy as np
import nutpie
import pymc as pm
import pytest

from models import emissions, forward

OBSERVED = """
    3.802439 8.231713 9.389686 7.150075 8.052593 8.352997 9.935282 8.837096 10.803442 7.965394
    3.962029 3.987680 3.121935 8.927677 8.861770 7.943368 7.740415 9.530232 8.499625 8.552473
    1.349363 3.602755 4.414944 1.653551 2.249109 2.194038 8.174258 9.045802 10.847535 8.561008
    2.656665 2.927163 4.436831 7.251955 9.416892 7.878913 8.517882 10.310382 8.785683 7.845491
    8.629985 9.568641 3.445117 9.615466 8.977480 8.969175 9.170953 9.129067 8.037216 8.658818
    9.563572 8.887949 7.352432 9.060031 8.966725 8.756405 6.562742 8.845874 7.696474 9.109322
    2.291575 2.887003 3.092603 2.356126 3.039015 9.923352 9.523501 9.013755 7.739344 9.693112
    7.177219 9.159915 9.388025 10.141030 8.325444 7.806090 9.603412 8.911355 8.465173 8.744021
    7.955041 10.430274 10.696272 10.025166 9.128345 8.655068 8.262887 8.766533 9.255002 8.617307
    10.275598 8.056849 9.270386 10.187413 7.433156 9.723457 7.241831 7.339795 9.945562 7.893902
"""
# parameter: mean, Monte Carlo error of the mean, standard deviation
REFERENCE = {
    "stay": ([0.666645, 0.926867], [0.001002, 0.000286], [0.101231, 0.028442]),
    "mu": ([3.021517, 8.827282], [0.002224, 0.001117], [0.224453, 0.110578]),
}


@pytest.fixture(scope="module")
def posterior():
    y = np.array(OBSERVED.split(), dtype=np.float64)[:, None]
    with pm.Model() as model:
        theta = pm.Dirichlet("theta", np.ones((2, 2)))
        ordered = pm.distributions.transforms.ordered
        mu = pm.Normal("mu", [3.0, 10.0], 1.0, transform=ordered, initval=np.array([3.0, 10.0]))
        e = emissions.log_density_graph(y, np.isfinite(y), "gaussian", mean=mu, sd=np.float64(1.0))
        pm.Potential("series", forward.markov_log_likelihood(e, theta, np.ones(2)))
        pm.Deterministic("stay", pm.math.diag(theta))
    return nutpie.sample(
        nutpie.compile_pymc_model(model),
        draws=1500,
        tune=600,
        chains=4,
        cores=2,
        seed=20261124,
        progress_bar=False,
    )


def test_no_transition_diverges(posterior):
    assert int(posterior.sample_stats.diverging.sum()) == 0


@pytest.mark.parametrize("name", REFERENCE)
def test_moments_are_the_reference_moments(posterior, name):
    mean, error, sd = map(np.array, REFERENCE[name])
    draws = posterior.posterior[name]
    ours = draws.mean(("chain", "draw")).values
    spread = draws.std(("chain", "draw")).values
    our_error = az.mcse(posterior, var_names=[name])[name].values
    assert np.all(np.abs(ours - mean) <= 4 * np.hypot(error, our_error))
    assert np.all((spread / sd > 0.92) & (spread / sd < 1.08))
