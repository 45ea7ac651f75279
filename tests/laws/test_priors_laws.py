"""What holds for every statement: exact tails, rising quantiles, mass one, and a fingerprint of the content."""

from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from priors import Interval, PriorSet, Shares, diff, distribution, dumps, loads, quantity_of
from priors.elicit import Distribution

POSITIVE = st.floats(1e-3, 1e4)
RATIO = st.floats(1.05, 500)
MASS = st.floats(0.2, 0.995)
WHY = {"because": "b", "author": "a", "date": date(2026, 6, 15), "source": "s"}


def said(key, low, high, mass, **more):
    return Interval(quantity=key, low=low, high=high, mass=mass, unit="u", **WHY, **more)


def tails_are_exact(law, low, high, mass, tolerance=1e-9):
    tail = (1 - mass) / 2
    np.testing.assert_allclose([law.cdf(low), 1 - law.cdf(high)], tail, atol=tolerance)
    return True


@given(low=POSITIVE, ratio=RATIO, mass=MASS)
def test_a_lognormal_interval_has_exact_equal_tails(low, ratio, mass):
    law = distribution(said("level.s", low, low * ratio, mass))
    assert tails_are_exact(law, low, low * ratio, mass)


@given(low=POSITIVE, ratio=st.floats(1.2, 500), mass=MASS)
def test_a_gamma_interval_has_exact_equal_tails(low, ratio, mass):
    law = distribution(said("level.s", low, low * ratio, mass, family="gamma"))
    assert tails_are_exact(law, low, low * ratio, mass)


@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-2, 1e3), mass=MASS)
def test_a_normal_interval_has_exact_equal_tails(low, width, mass):
    law = distribution(said("drift.s.k", low, low + width, mass))
    assert tails_are_exact(law, low, low + width, mass)


@given(low=st.floats(0.001, 0.98), part=st.floats(0.02, 0.98), mass=MASS)
def test_a_beta_interval_has_exact_equal_tails(low, part, mass):
    high = low + part * (0.999 - low)
    law = distribution(said("chance.s.k", low, high, mass))
    assert tails_are_exact(law, low, high, mass)


@given(excess=st.floats(1e-2, 100), ratio=RATIO, mass=MASS)
def test_a_dwell_interval_has_exact_equal_tails_and_no_spell_below_a_month(excess, ratio, mass):
    low, high = 1 + excess, 1 + excess * ratio
    law = distribution(said("dwell.k", low, high, mass))
    assert tails_are_exact(law, low, high, mass)
    assert law.cdf(1.0) == 0


@given(low=st.floats(0.01, 0.9), part=st.floats(0.05, 0.9), mass=MASS, above=st.booleans())
def test_a_declared_direction_keeps_all_mass_on_its_side(low, part, mass, above):
    high = low + part * (0.99 - low)
    if above:
        low, high = 1 / high, 1 / low
    law = distribution(said("effect.s.k", low, high, mass), side="above" if above else "below")
    assert tails_are_exact(law, low, high, mass)
    assert law.cdf(1.0) == (0 if above else 1)


FAMILIES = st.one_of(
    st.builds(
        lambda f, mu, sigma: (f, {"mu": mu, "sigma": sigma}),
        st.sampled_from(["normal", "lognormal"]),
        st.floats(-2, 2),
        st.floats(0.1, 1.0),
    ),
    st.builds(
        lambda mu, sigma: ("shifted-lognormal", {"shift": 1.0, "mu": mu, "sigma": sigma}),
        st.floats(-2, 2),
        st.floats(0.1, 1.0),
    ),
    st.builds(
        lambda sign, mu, sigma: ("signed-lognormal", {"sign": sign, "mu": mu, "sigma": sigma}),
        st.sampled_from([-1.0, 1.0]),
        st.floats(-2, 0),
        st.floats(0.1, 0.6),
    ),
    st.builds(
        lambda f, a, b: (f, {"alpha": a, "beta": b}),
        st.sampled_from(["beta", "gamma"]),
        st.floats(1, 20),
        st.floats(1, 20),
    ),
    st.builds(lambda s: ("halfnormal", {"sigma": s}), st.floats(0.1, 50)),
    st.builds(lambda lam: ("exponential", {"lam": lam}), st.floats(0.1, 50)),
    st.builds(
        lambda nu, mu, s: ("studentt", {"nu": nu, "mu": mu, "sigma": s}),
        st.floats(2, 30),
        st.floats(-5, 5),
        st.floats(0.1, 5),
    ),
)


@settings(max_examples=60)
@given(family=FAMILIES)
def test_a_density_holds_the_mass_between_its_quantiles(family):
    law = Distribution(quantity="x", family=family[0], parameters=family[1])
    cuts = law.ppf([0.001, 0.1, 0.5, 0.9, 0.999])
    mass = sum(quad(lambda x: float(np.exp(law.logpdf(x))), a, b)[0] for a, b in pairwise(cuts))
    np.testing.assert_allclose(mass, 0.998, atol=1e-6)


@given(family=FAMILIES, q=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=6))
def test_quantiles_rise_and_invert_the_cdf(family, q):
    law = Distribution(quantity="x", family=family[0], parameters=family[1])
    q = np.sort(q)
    x = law.ppf(q)
    assert (np.diff(x) >= 0).all()
    np.testing.assert_allclose(law.cdf(x), q, atol=1e-9)


@given(share=st.floats(0.01, 0.99), worth=st.floats(0.1, 100))
def test_shares_are_the_mean_and_worth_the_weight_of_the_dirichlet(share, worth):
    to = {"a": share, "b": 1 - share}
    law = distribution(Shares(quantity="exits.k", to=to, worth=worth, **WHY))
    np.testing.assert_allclose(sum(law.parameters.values()), worth)
    np.testing.assert_allclose(law.parameters["a"] / worth, share)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t"), min_size=1
).filter(str.strip)


@st.composite
def priorsets(draw):
    keys = draw(st.lists(st.sampled_from(["dwell.a", "dwell.b", "level.s", "odds.d.leave.a"]), unique=True))
    statements = {}
    for key in ["wander.s", *keys]:
        low = draw(st.floats(1.1, 100))
        why = {**WHY, "because": draw(TEXTS), "source": draw(TEXTS)}
        unit = {"months": "months", "times": "times", "… per month": "n per month"}.get(
            quantity_of(key).unit, "percent per month"
        )
        statements[key] = Interval(
            quantity=key,
            low=low,
            high=min(low * draw(RATIO), quantity_of(key).most),
            mass=draw(MASS),
            unit=unit,
            **why,
        )
    return PriorSet(name="x", statements=statements, source="x")


@settings(max_examples=50)
@given(priors=priorsets())
def test_a_set_written_out_and_read_again_says_the_same(priors):
    again = loads(dumps(priors.name, priors.values()), "again")
    assert again == priors
    assert hash(again) == hash(priors)
    assert diff(priors, again) == ()


@settings(max_examples=50)
@given(priors=priorsets(), data=st.data())
def test_order_and_comments_do_not_touch_the_fingerprint_and_every_value_does(priors, data):
    order = data.draw(st.permutations(list(priors)))
    text = dumps(priors.name, [priors[key] for key in order])
    assert loads("# a comment\n" + text, "x").fingerprint == priors.fingerprint
    key = data.draw(st.sampled_from(order))
    field = data.draw(st.sampled_from(["low", "high", "mass", "because", "unit", "known_from"]))
    before = getattr(priors[key], field)
    after = {
        str: lambda: before + "!",
        float: lambda: float(np.nextafter(before, 0)),
        date: lambda: date(2026, 6, 16),
    }[type(before)]()
    assume(after != before)
    edited = priors[key].model_copy(update={field: after})
    other = PriorSet(name="x", statements={**priors, key: edited}, source="x")
    assert other.fingerprint != priors.fingerprint
    (change,) = diff(priors, other)
    assert (change.key, change.change) == (key, "changed")
    assert [(f.field, f.before, f.after) for f in change.fields] == [(field, before, after)]
