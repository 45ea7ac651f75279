"""The density a sampler climbs is the one written on paper: against enumeration in scipy, term by term."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytensor
import pytest
import scipy.stats as st
from pymc.model.transform.conditioning import remove_value_transforms

from models import CATALOGUE, forward, levels
from models.variables import draw, unconstrain

DRAWS = 3


def constrained(model, panel, priors, setting):
    """The PyMC model as functions of its variables themselves: likelihood, and log prior."""
    built = remove_value_transforms(model.build(panel, priors, setting))
    values = [built.rvs_to_values[v] for v in built.free_RVs]
    likelihood = built.replace_rvs_by_values([built.potentials[0]])[0]
    prior = built.logp(vars=built.free_RVs, jacobian=False)
    given = {"mode": "FAST_COMPILE", "on_unused_input": "ignore"}
    density = pytensor.function(values, [likelihood, prior], **given)
    return lambda raw, d: [float(x) for x in density(*[raw[v.name][d] for v in built.free_RVs])]


def on_paper(raw, d, panel, priors, setting):
    """Sum over every path of regimes and of the curfew's states, cell by cell, in scipy."""
    law = CATALOGUE["switching-level"].beliefs(priors, setting)
    said = {}
    for family, keys in law.families.items():
        for key, value in zip(keys, raw[family][d], strict=True):
            match family:
                case "lognormal":
                    said[key] = np.exp(value)
                case "shifted-lognormal":
                    said[key] = 1 + np.exp(value)
                case "signed-lognormal":
                    said[key] = np.exp(law.laws[key].parameters["sign"] * np.exp(value))
                case _:
                    said[key] = value
    calm_of_tense, war_of_tense = raw["shares_2"][d][0]
    calm_of_war, tense_of_war = raw["shares_2"][d][1]
    names, T = setting.scenarios, 6
    h = [1 / said[f"dwell.{k}"] for k in names]
    w = np.array([[0, 1, 0], [calm_of_tense, 0, war_of_tense], [calm_of_war, tense_of_war, 0]])

    def matrix(talks, strike):
        odds = np.array(h) / (1 - np.array(h))
        odds[2] *= said["odds.talks.leave.war"] ** talks
        odds[1] *= said["odds.strike.leave.tense"] ** (strike - 0.5)
        go = w.copy()
        go[2, 0] *= said["odds.talks.toward.war.calm"] ** talks
        go /= go.sum(axis=1, keepdims=True)
        leave = odds / (1 + odds)
        return np.diag(1 - leave) + leave[:, None] * go

    talks, strike = (driver.values for driver in setting.drivers)
    P = [matrix(talks[t], strike[t + 1]) for t in range(T - 1)]
    first = forward.stationary(matrix(0, 0.5))
    waves = levels.basis(T + 3, 4)[:T]
    r = {1: said["reporting.deaths.1"], 2: said["reporting.deaths.2"], 0: 0.0}
    release = setting.reporting["deaths"].release

    def cell(s, t, k):
        y = panel.values[s, t]
        if np.isnan(y) or s == 5:
            return 0.0
        up = names.index("tense")
        name = setting.streams[s].id
        if name == "truce":
            return st.bernoulli.logpmf(y, said[f"chance.truce.{names[k]}"])
        times = 1.0 if k == up or name == "raids" else said[f"effect.{name}.{names[k]}"]
        mean = said[f"level.{name}"] * times
        if name in ("deaths", "price"):
            step = np.log1p(said[f"wander.{name}"] / 100)
            mean *= np.exp(step * (waves @ raw["shape"][d][0 if name == "deaths" else 1])[t])
        if name == "deaths":
            mean *= np.exp(r[release[t]])
        if name == "fires":
            return st.poisson.logpmf(y, mean)
        if name == "price":
            return st.norm.logpdf(y, mean, mean * said["spread.price"] / 100)
        phi = (100 / said[f"spread.{name}"]) ** 2
        count = st.nbinom.logpmf(y, phi, phi / (phi + mean))
        if name == "deaths":
            return count
        zero = said["zero.raids"]
        return np.log(zero * (y == 0) + (1 - zero) * np.exp(count))

    total = 0.0
    for path in product(range(3), repeat=T):
        weight = first[path[0]]
        for t in range(T - 1):
            weight *= P[t][path[t], path[t + 1]]
        logs = sum(cell(s, t, k) for s in range(6) for t, k in enumerate(path))
        total += weight * np.exp(logs) * (5.0 if path[4] == 2 else 1.0)
    on, off = said["persist.curfew.on"], said["persist.curfew.off"]
    Q, curfew = np.array([[off, 1 - off], [1 - on, on]]), 0.0
    for path in product(range(2), repeat=T):
        if all(np.isnan(y) or y == k for y, k in zip(panel.values[5], path, strict=True)):
            weight = forward.stationary(Q)[path[0]]
            curfew += weight * np.prod([Q[a, b] for a, b in pairwise(path)])
    return np.log(total) + np.log(curfew)


@pytest.fixture(scope="module")
def raw(rich):
    _, priors, setting = rich
    return draw(CATALOGUE["switching-level"].beliefs(priors, setting), np.random.default_rng(7), DRAWS)


def test_the_likelihood_is_the_sum_over_every_path(rich, raw):
    panel, priors, setting = rich
    density = constrained(CATALOGUE["switching-level"], panel, priors, setting)
    for d in range(DRAWS):
        assert density(raw, d)[0] == pytest.approx(on_paper(raw, d, panel, priors, setting), abs=1e-9)


def test_the_prior_is_what_the_statements_say(rich, raw):
    panel, priors, setting = rich
    density = constrained(CATALOGUE["switching-level"], panel, priors, setting)
    law = CATALOGUE["switching-level"].beliefs(priors, setting)
    for d in range(DRAWS):
        wanted = st.norm.logpdf(raw["shape"][d]).sum()
        for family, keys in law.families.items():
            for key, value in zip(keys, raw[family][d], strict=True):
                p = law.laws[key].parameters
                if family == "beta":
                    wanted += st.beta.logpdf(value, p["alpha"], p["beta"])
                else:
                    wanted += st.norm.logpdf(value, p["mu"], p["sigma"])
        for name, keys in law.shares.items():
            for row, key in enumerate(keys):
                wanted += st.dirichlet.logpdf(raw[name][d, row], list(law.laws[key].parameters.values()))
        assert density(raw, d)[1] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", ["regimes", "switching-level"])
def test_draws_are_read_as_the_density_reads_them(rich, name):
    """What follows from draws in numpy has the likelihood of the graph."""
    panel, priors, setting = rich
    model = CATALOGUE[name]
    raw = draw(model.beliefs(priors, setting), np.random.default_rng(3), DRAWS)
    draws = model.derive({key: value[None] for key, value in raw.items()}, panel, priors, setting)
    chain = model.regimes(draws, panel, model.view(setting))
    given = (chain[part].values for part in ("log_emission", "transition", "initial"))
    switching = forward.log_likelihood(*given, time_varying=True)[0]
    alone = replace(setting, streams=setting.streams[:5])
    density = constrained(model, panel[:5], priors, alone)
    kept = [
        n for n, key in enumerate(model.beliefs(priors, setting).families["beta"]) if "persist" not in key
    ]
    own = {**raw, "beta": raw["beta"][:, kept]}
    for d in range(DRAWS):
        assert density(own, d)[0] == pytest.approx(switching[d], abs=1e-9)


def test_the_sampler_s_coordinates_are_pymc_s(rich, raw):
    panel, priors, setting = rich
    built = CATALOGUE["switching-level"].build(panel, priors, setting)
    for variable in built.free_RVs:
        transform = built.rvs_to_transforms[variable]
        value = raw[variable.name][0]
        wanted = (
            value
            if transform is None
            else transform.forward(value, *variable.owner.inputs).eval(mode="FAST_COMPILE")
        )
        assert np.allclose(unconstrain(variable.name, value), wanted, atol=1e-9)


def test_a_model_without_regimes_is_one_with_a_single_regime(rich):
    _panel, _priors, setting = rich
    model = CATALOGUE["local-level"]
    assert model.regimes is None
    assert model.view(setting).scenarios == ("tense",)
    assert {"persist.truce.on", "persist.truce.off"} <= set(model.needs(setting))
    assert not [key for key in model.needs(setting) if key.startswith(("dwell", "exits", "effect", "chance"))]
