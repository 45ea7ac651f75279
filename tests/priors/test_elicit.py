"""A distribution says what the statement said: closed forms, SciPy and published numbers are the judges."""

import warnings

import numpy as np
import pytest
from scipy import stats

from priors import Refusal, distribution, loads, outlasts, side_of, spell
from priors.elicit import Distribution

WHY = '\nbecause = "b"\nauthor = "a"\ndate = 2026-06-15\nsource = "s"\n'


def stated(key, body):
    return loads(f'schema = 1\nname = "x"\n[{key}]\n{body}{WHY}', "x")[key]


def interval(key, low, high, mass=0.9, *, unit, more=""):
    return stated(
        key, f'kind = "interval"\nlow = {low}\nhigh = {high}\nmass = {mass}\nunit = "{unit}"\n{more}'
    )


MONTHS = {"unit": "months"}
SCIPY = {
    "normal": (lambda p: stats.norm(p["mu"], p["sigma"]), {"mu": 1.0, "sigma": 2.0}),
    "lognormal": (
        lambda p: stats.lognorm(p["sigma"], scale=np.exp(p["mu"])),
        {"mu": 0.3, "sigma": 0.8},
    ),
    "shifted-lognormal": (
        lambda p: stats.lognorm(p["sigma"], loc=p["shift"], scale=np.exp(p["mu"])),
        {"shift": 1.0, "mu": 0.3, "sigma": 0.8},
    ),
    "beta": (lambda p: stats.beta(p["alpha"], p["beta"]), {"alpha": 2.0, "beta": 5.0}),
    "gamma": (lambda p: stats.gamma(p["alpha"], scale=1 / p["beta"]), {"alpha": 2.0, "beta": 5.0}),
    "halfnormal": (lambda p: stats.halfnorm(scale=p["sigma"]), {"sigma": 3.0}),
    "exponential": (lambda p: stats.expon(scale=1 / p["lam"]), {"lam": 3.0}),
    "studentt": (lambda p: stats.t(p["nu"], p["mu"], p["sigma"]), {"nu": 4.0, "mu": 1.0, "sigma": 2.0}),
}


@pytest.mark.parametrize("family", SCIPY)
def test_every_family_agrees_with_scipy(family):
    frozen, parameters = SCIPY[family]
    ours = Distribution(quantity="x", family=family, parameters=parameters)
    theirs = frozen(parameters)
    q = np.linspace(0.001, 0.999, 41)
    x = theirs.ppf(q)
    np.testing.assert_allclose(ours.ppf(q), x, rtol=1e-10)
    np.testing.assert_allclose(ours.cdf(x), q, rtol=1e-10)
    np.testing.assert_allclose(ours.logpdf(x), theirs.logpdf(x), rtol=1e-10, atol=1e-12)
    below = np.array([-1e3, -1.0, 0.0])
    np.testing.assert_allclose(ours.cdf(below), theirs.cdf(below), atol=1e-300)
    np.testing.assert_allclose(np.exp(ours.logpdf(below)), theirs.pdf(below), atol=1e-300)
    draws = ours.rvs(np.random.default_rng(1), (2000, 2))
    assert stats.kstest(draws.ravel(), theirs.cdf).pvalue > 1e-3


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_signed_effect_is_a_lognormal_of_its_logarithm(sign):
    ours = Distribution(
        quantity="x", family="signed-lognormal", parameters={"sign": sign, "mu": -0.5, "sigma": 0.7}
    )
    log = stats.lognorm(0.7, scale=np.exp(-0.5))
    q = np.linspace(0.01, 0.99, 21)
    x = ours.ppf(q)
    assert (sign * (x - 1) > 0).all()
    np.testing.assert_allclose(sign * np.log(x), log.ppf(q if sign > 0 else 1 - q), rtol=1e-10)
    np.testing.assert_allclose(ours.cdf(x), q, rtol=1e-10)
    np.testing.assert_allclose(ours.logpdf(x), log.logpdf(sign * np.log(x)) - np.log(x), rtol=1e-9)
    assert np.isneginf(ours.logpdf([1.0, 0.5 if sign > 0 else 2.0, -1.0])).all()
    np.testing.assert_array_equal(ours.cdf([-1.0, 0.0, 1.0]), [0, 0, 0 if sign > 0 else 1])
    draws = ours.rvs(np.random.default_rng(2), 2000)
    assert stats.kstest(draws, ours.cdf).pvalue > 1e-3


def test_a_dirichlet_has_beta_marginals():
    said = stated("exits.calm", 'kind = "shares"\nto = { war = 0.6, peace = 0.4 }\nworth = 6')
    exits = distribution(said)
    assert exits.parameters == pytest.approx({"war": 3.6, "peace": 2.4})
    np.testing.assert_allclose(exits.ppf([0.1, 0.5])[:, 0], stats.beta(3.6, 2.4).ppf([0.1, 0.5]))
    assert exits.logpdf([0.3, 0.7]) == pytest.approx(stats.dirichlet([3.6, 2.4]).logpdf([0.3, 0.7]))
    draws = exits.rvs(np.random.default_rng(3), 4000)
    np.testing.assert_allclose(draws.mean(axis=0), [0.6, 0.4], atol=0.02)
    np.testing.assert_allclose(draws.sum(axis=1), 1)


def test_what_the_frontier_says_of_war_is_what_the_formula_gives():
    """1/h ~ 1 + lognormal through (0.2, 5): the median is one month more, 1 + √(0.2·5) = 2."""
    dwell = distribution(interval("dwell.war", 1.2, 6, **MONTHS))
    assert dwell.family == "shifted-lognormal"
    assert float(dwell.ppf(0.5)) == pytest.approx(2)
    np.testing.assert_allclose(dwell.asked, [(0.05, 1.2), (0.95, 6)])
    np.testing.assert_allclose(dwell.achieved, dwell.asked)


def test_one_spell_of_six_months_worth_ten_ends_gives_the_published_hazard():
    """STATISTICS F7: high 6, mass .9, a + b = 10 give E h = .48, and .48 of wars last one month."""
    dwell = distribution(interval("dwell.war", 1.2, 6, **MONTHS, more='about = "one spell"'))
    alpha, beta = dwell.parameters["alpha"], dwell.parameters["beta"]
    assert (dwell.scale, alpha + beta) == ("hazard", pytest.approx(10))
    assert alpha / 10 == pytest.approx(0.48, abs=0.005)
    assert outlasts(dwell, 6) == pytest.approx(0.05, abs=1e-12)
    assert spell(dwell).one_month == pytest.approx(0.48, abs=0.005)
    np.testing.assert_allclose(dwell.asked, [(0.05, 1.2), (0.95, 6)])
    np.testing.assert_allclose(dwell.achieved, [(0.05, 1), (0.95, 6)])  # the low end gives way


def test_the_worth_of_a_spell_narrows_its_hazard():
    worth = [
        distribution(interval("dwell.war", 1.2, 6, **MONTHS, more=f'about = "one spell"\nworth = {n}'))
        for n in (5, 50)
    ]
    wide, narrow = (float(d.ppf(0.95) - d.ppf(0.05)) for d in worth)
    assert narrow < wide / 2


@pytest.mark.parametrize("about", ["the average spell", "one spell"])
def test_both_readings_of_a_dwell_agree_with_simulated_spells(about):
    dwell = distribution(interval("dwell.war", 2, 8, **MONTHS, more=f'about = "{about}"'))
    rng = np.random.default_rng(4)
    drawn = dwell.rvs(rng, 200_000)
    hazard = drawn if dwell.scale == "hazard" else 1 / drawn
    spells = rng.geometric(hazard)
    told = spell(dwell)
    for months in (1, 3, 8):
        assert outlasts(dwell, months) == pytest.approx((spells > months).mean(), abs=0.004)
    for q, months in told.one:
        assert (spells <= months).mean() >= q - 0.004
        assert (spells <= months - 1).mean() <= q + 0.004
    for q, months in told.average:
        assert (1 / hazard <= months).mean() == pytest.approx(q, abs=0.004)
    assert told.one_month == pytest.approx((spells == 1).mean(), abs=0.004)


def test_quartiles_a_lognormal_can_have_are_met():
    said = stated("wander.deaths", 'kind = "quartiles"\nquartiles = [2, 4, 8]\nunit = "percent per month"')
    wander = distribution(said)
    np.testing.assert_allclose(wander.achieved, [(0.25, 2), (0.5, 4), (0.75, 8)])
    assert wander.parameters["mu"] == pytest.approx(np.log(4))


def test_quartiles_no_lognormal_has_are_shown_beside_what_it_gives():
    said = stated("wander.deaths", 'kind = "quartiles"\nquartiles = [2, 4, 5]\nunit = "percent per month"')
    wander = distribution(said)
    assert [value for _, value in wander.asked] == [2, 4, 5]
    errors = [np.log(got / asked) for (_, got), (_, asked) in zip(wander.achieved, wander.asked, strict=True)]
    assert max(np.abs(errors)) > 0.05
    assert sum(errors) == pytest.approx(0, abs=1e-12)  # least squares with a free centre


def test_gamma_quartiles_come_near_what_preliz_finds():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PreliZ warns of every mismatch, however small
        preliz = pytest.importorskip("preliz")
        theirs = preliz.Gamma()
        theirs = preliz.quartile(theirs, 30.0, 40.0, 55.0, plot=False) or theirs
    body = 'kind = "quartiles"\nquartiles = [30, 40, 55]\nunit = "percent"\nfamily = "gamma"'
    ours = distribution(stated("spread.deaths", body))
    np.testing.assert_allclose(ours.ppf([0.25, 0.5, 0.75]), theirs.ppf([0.25, 0.5, 0.75]), rtol=0.03)


def test_chips_put_the_cumulated_shares_at_the_inner_edges():
    body = 'kind = "chips"\nedges = [2, 4, 8, 16]\nchips = [1, 2, 1]\nunit = "percent"'
    spread = distribution(stated("spread.deaths", body))
    assert spread.asked == ((0.25, 4), (0.75, 8))
    np.testing.assert_allclose(spread.achieved, spread.asked)


def test_chips_in_one_bin_are_spread_evenly_in_it():
    body = 'kind = "chips"\nedges = [0, 4, 8, 16]\nchips = [0, 3, 0]\nunit = "percent"'
    spread = distribution(stated("spread.deaths", body))
    assert spread.asked == ((0.25, 5), (0.5, 6), (0.75, 7))


def pool(*experts):
    lines = ", ".join(
        f'{{ name = "{name}", weight = {weight}, kind = "interval", low = {low}, high = {high}, mass = 0.9 }}'
        for name, weight, low, high in experts
    )
    return stated("odds.talks.leave.war", f'kind = "pool"\nunit = "times the odds"\nexperts = [{lines}]')


def test_experts_who_agree_are_one_expert():
    alone = distribution(interval("odds.talks.leave.war", 2, 8, unit="times"))
    assert distribution(pool(("a", 1, 2, 8), ("b", 5, 2, 8))).parameters == pytest.approx(
        dict(alone.parameters)
    )


def test_a_pool_is_asked_for_the_quantiles_of_the_mixture():
    said = pool(("a", 3, 2, 8), ("b", 1, 0.5, 2))
    a, b = (stats.lognorm(np.log(4) / 2 / stats.norm.ppf(0.95), scale=centre) for centre in (4, 1))
    for q, value in distribution(said).asked:
        assert 0.75 * a.cdf(value) + 0.25 * b.cdf(value) == pytest.approx(q, abs=1e-9)


def test_a_distribution_written_out_is_taken_at_its_word():
    body = 'kind = "distribution"\nfamily = "gamma"\nparameters = { alpha = 2, beta = 0.1 }\nunit = "percent"'
    spread = distribution(stated("spread.deaths", body))
    assert (spread.family, dict(spread.parameters)) == ("gamma", {"alpha": 2.0, "beta": 0.1})
    assert spread.asked == ()


def test_a_level_of_a_real_valued_stream_may_be_negative():
    said = interval("level.index", -3, 5, unit="points per month", more='family = "normal"')
    assert distribution(said).parameters["mu"] == pytest.approx(1)


def test_a_family_with_one_number_shows_what_it_cannot_honour():
    for family in ("halfnormal", "exponential"):
        spread = distribution(interval("spread.d", 30, 60, unit="percent", more=f'family = "{family}"'))
        (_, low), (_, high) = spread.achieved
        assert low < 30
        assert high > 60
        assert low * high == pytest.approx(1800)  # the misses balance on the log scale


@pytest.mark.parametrize(
    ("effect", "scenario", "side"),
    [
        ("increasing", "war", "above"),
        ("increasing", "peace", "below"),
        ("decreasing", "war", "below"),
        ("decreasing", "peace", "above"),
        ("free", "war", None),
        ("none", "war", None),
    ],
)
def test_the_side_of_an_effect_follows_direction_and_order(effect, scenario, side):
    assert side_of(effect, scenario, scenarios=("peace", "calm", "war"), reference="calm") == side


@pytest.mark.parametrize(
    ("low", "high", "side", "message"),
    [
        (0.9, 3, "above", "low: got 0.9; wanted a number above 1"),
        (1, 3, "above", "low: got 1; wanted a number above 1"),
        (0.5, 1, "below", "high: got 1; wanted a number below 1, the side the stream's direction declares"),
        (0.5, 1.2, "below", 'declare the stream\'s effect = "free"'),
    ],
)
def test_an_effect_at_or_beyond_one_is_refused_where_a_direction_is_declared(low, high, side, message):
    said = interval("effect.deaths.war", low, high, unit="times calm")
    assert distribution(said).family == "lognormal"  # free, it may lie anywhere
    with pytest.raises(Refusal, match=message):
        distribution(said, side=side)


def test_an_effect_written_out_must_be_signed_where_a_direction_is_declared():
    body = 'kind = "distribution"\nfamily = "{}"\nparameters = {{ {}mu = 0, sigma = 1 }}\nunit = "times"'
    signed = stated("effect.deaths.war", body.format("signed-lognormal", "sign = 1, "))
    assert distribution(signed, side="above").parameters["sign"] == 1
    for said in (signed, stated("effect.deaths.war", body.format("lognormal", ""))):
        with pytest.raises(Refusal, match='wanted family "signed-lognormal" with sign = -1: below 1'):
            distribution(said, side="below")


def test_values_equal_to_within_rounding_are_refused():
    said = interval("chance.truce.war", 0.5, 0.5 + 1e-13, unit="probability")
    with pytest.raises(Refusal, match="a member of the family can take; widen or narrow"):
        distribution(said)
