"""Reweighed draws say what a conjugate posterior under the other prior says, and refuse where they cannot know."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import norm

from forecast.sensitivity import cjs, reweighed, scaled, tipping
from forecast.sensitivity.reweighing import Model
from forecast.sensitivity.scaling import log_density
from forecast.sensitivity.tipping import median, moved
from forecast.tallies import Tally
from priors import Distribution

D, CHAINS, TRIALS = 4000, 4, 1e6
SEEN, NOISE = 0.8, 1.2  # the one observation of θ, and its standard deviation
WHERE = {"quarters": ["2026Q3"], "scenarios": ["calm", "war"], "chains": CHAINS}


def law(mu: float = 0.0, sigma: float = 1.0, family: str = "normal") -> Distribution:
    return Distribution(quantity="dwell.war", family=family, parameters={"mu": mu, "sigma": sigma})


def posterior(prior: Distribution) -> tuple[float, float]:
    """Mean and standard deviation of θ given what was seen."""
    mu, sigma = prior.parameters["mu"], prior.parameters["sigma"]
    precision = 1 / sigma**2 + 1 / NOISE**2
    return (mu / sigma**2 + SEEN / NOISE**2) / precision, precision**-0.5


def war(prior: Distribution) -> float:
    """P(war) = E Φ(θ − 1.5) under the posterior of a prior."""
    mean, sd = posterior(prior)
    return float(ndtr((mean - 1.5) / np.sqrt(1 + sd**2)))


def drawn(**others: Distribution) -> dict[str, Model]:
    """A model whose θ has the posterior of the standard prior; other beliefs are as before the data and of no use."""
    rng = np.random.default_rng(11)
    mean, sd = posterior(law())
    theta = mean + sd * norm.ppf((rng.permutation(D) + 0.5) / D)
    p = ndtr(theta - 1.5)
    hits = TRIALS * np.stack([1 - p, p], axis=-1)[:, None, :]
    stated = {"dwell.war": theta} | {key: one.rvs(rng, D) for key, one in others.items()}
    tally = Tally(hits=hits, trials=np.full((D, 1, 1), TRIALS))
    return {"one": Model(weight=1.0, tally=tally, laws={"dwell.war": law(), **others}, stated=stated)}


@pytest.mark.parametrize("z", [-0.5, 0.5, 1.0])
def test_draws_reweighed_are_the_posterior_of_the_other_prior(z: float) -> None:
    models = drawn()
    other, theta = moved(law(), z), models["one"].stated["dwell.war"]
    assert other is not None
    found = reweighed(models, {"one": other.logpdf(theta) - law().logpdf(theta)}, chains=CHAINS)
    assert found.trusted
    assert found.chance.mean[0, 1] == pytest.approx(war(other), abs=0.003)
    assert found.chance.mean.sum() == pytest.approx(1)


def test_the_belief_that_tips_a_word_is_found() -> None:
    (calm, found) = tipping(drawn(), **WHERE)
    assert (found.key, found.scenario, found.word, found.to_word) == (
        "dwell.war",
        "war",
        "very unlikely",
        "unlikely",
    )
    assert found.now == pytest.approx(war(law()), abs=0.002)
    assert found.tips_at is not None
    assert war(law(mu=found.tips_at)) == pytest.approx(0.20, abs=0.004)
    assert calm.to_word == "likely"
    assert calm.tips_at == pytest.approx(found.tips_at, abs=1e-9)


def test_beyond_what_the_draws_can_tell_it_is_refused() -> None:
    narrow = Distribution(quantity="dwell.war", family="normal", parameters={"mu": 0.0, "sigma": 0.1})
    rng = np.random.default_rng(2)
    theta = rng.normal(0.0, 0.1, D)  # nothing was seen: the draws are those of the prior
    p = ndtr(theta - 1.2)
    tally = Tally(hits=TRIALS * np.stack([1 - p, p], axis=-1)[:, None, :], trials=np.full((D, 1, 1), TRIALS))
    models = {"one": Model(weight=1.0, tally=tally, laws={"dwell.war": narrow}, stated={"dwell.war": theta})}
    found = tipping(models, **WHERE)[1]
    assert found.tips_at is None
    assert found.to_word is None
    assert found.highest.refused
    assert found.lowest.refused
    assert found.lowest.median < 0 < found.highest.median < 0.3
    assert found.highest.mean == pytest.approx(
        float(ndtr((found.highest.median - 1.2) / np.sqrt(1.01))), abs=0.01
    )


def test_the_group_that_carries_the_headline_is_told_from_one_that_does_not() -> None:
    idle = Distribution(quantity="level.x", family="lognormal", parameters={"mu": 1.0, "sigma": 0.5})
    rows = scaled(drawn(**{"level.x": idle}), **WHERE)
    found = {(one.group, one.scenario): one for one in rows}
    carries, carried = found["dwell", "war"], found["level", "war"]
    assert carries.sensitive
    assert not carried.sensitive
    assert carried.sensitivity < 0.02 < 0.05 < carries.sensitivity
    assert carries.trusted
    less, more = (
        war(law(sigma=alpha**-0.5)) for alpha in (0.8, 1.25)
    )  # a power of a normal is a narrower one
    assert carries.shift == pytest.approx((more - less) / (2 * np.log2(1.25)), abs=0.003)
    assert found["dwell", "calm"].shift == pytest.approx(-carries.shift, abs=1e-12)
    assert found["all", "war"].shift == pytest.approx(carries.shift, abs=0.004)
    assert abs(carried.shift) < 4 * carried.shift_mcse


def test_a_model_without_the_belief_dilutes_what_it_carries() -> None:
    both = drawn()
    other = Model(weight=3.0, tally=both["one"].tally, laws={}, stated={})
    alone, mixed = (
        next(row for row in scaled(models, **WHERE) if (row.group, row.scenario) == ("dwell", "war"))
        for models in (both, {**both, "two": other})
    )
    assert mixed.shift == pytest.approx(alone.shift / 4, rel=1e-6)
    assert mixed.sensitivity < alone.sensitivity


def test_the_distance_is_that_of_the_package_the_method_is_known_by() -> None:
    from arviz_stats.base.array import array_stats

    of: Any = array_stats
    rng = np.random.default_rng(7)
    values, log = rng.beta(3, 8, 500), rng.normal(size=500)
    less, more = (np.exp((alpha - 1) * log) for alpha in (0.8, 1.25))
    known = of.power_scale_sense(values[None], less[None], more[None], lower_alpha=0.8, upper_alpha=1.25)
    flat = np.full(500, 1 / 500)
    ours = np.mean([cjs(values, flat, one / one.sum()) / np.log2(1.25) for one in (less, more)])
    assert ours == pytest.approx(float(known), rel=1e-6)


weights = st.lists(st.floats(0.01, 1), min_size=6, max_size=6).map(lambda w: np.array(w) / sum(w))


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), weights, weights)
@settings(max_examples=50)
def test_the_distance_is_nought_for_the_same_law_and_knows_no_direction(
    values: list[float], a: Any, b: Any
) -> None:
    x = np.array(values)
    assert cjs(x, a, a) == pytest.approx(0, abs=1e-7)
    assert 0 <= cjs(x, a, b) <= 1
    assert cjs(x, a, b) == pytest.approx(cjs(x, b, a), abs=1e-7)
    assert cjs(-x, a, b) == pytest.approx(cjs(x, a, b), abs=1e-7)
    assert cjs(3 * x, a, b) == pytest.approx(cjs(x, a, b), abs=1e-6)


@pytest.mark.parametrize("family", ["lognormal", "shifted-lognormal", "signed-lognormal"])
def test_a_power_of_a_prior_keeps_its_median(family: str) -> None:
    given_ = {"mu": 0.4, "sigma": 0.7, "shift": 1.0, "sign": -1.0}
    kept = {"mu", "sigma", "shift"} if family[1] == "h" else {"mu", "sigma", "sign"}
    one = Distribution(quantity="x", family=family, parameters={key: given_[key] for key in kept})
    values = one.ppf((np.arange(D) + 0.5) / D)
    worth = np.exp(log_density(one, values))  # a second time the same weight: α = 2
    order = np.argsort(values)
    middle = np.interp(0.5, np.cumsum(worth[order]) / worth.sum(), values[order])
    assert middle == pytest.approx(float(one.ppf(0.5)), rel=1e-3)


def test_priors_are_moved_by_their_own_spread() -> None:
    beta = Distribution(quantity="chance.truce.war", family="beta", parameters={"alpha": 3.0, "beta": 9.0})
    raised = moved(beta, 1.0)
    assert raised is not None
    assert sum(raised.parameters.values()) == pytest.approx(12)
    assert beta.ppf(0.5) < raised.ppf(0.5) < beta.ppf(0.95)
    shares = Distribution(quantity="exits.war", family="dirichlet", parameters={"calm": 2.0, "tense": 3.0})
    assert moved(shares, 0.0) is None
    spell = Distribution(
        quantity="dwell.war", family="beta", parameters={"alpha": 2.0, "beta": 8.0}, scale="hazard"
    )
    assert median(spell) == pytest.approx(1 / float(spell.ppf(0.5)))
