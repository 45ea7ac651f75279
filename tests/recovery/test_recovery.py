"""Known values come back: worlds simulated from them, fitted, and the truth where it should be."""

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from forecast.fitting import compile_model, fit
from forecast.simulation import latent
from models import CATALOGUE, Setting, Stream
from priors import loads

pytestmark = pytest.mark.recovery

T = 120
UNITS = {"dwell": "months", "effect": "times", "level": "events per month", "wander": "percent per month"}


def said(entries):
    text = 'schema = 1\nname = "r"\n[defaults]\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n'
    for key, value in entries.items():
        text += f'[{key}]\nbecause = "A test."\n'
        if isinstance(value, dict):
            to = ", ".join(f"{name} = {share}" for name, share in value.items())
            text += f'kind = "shares"\nto = {{ {to} }}\nworth = 4\n'
        else:
            unit = UNITS.get(key.partition(".")[0], "percent")
            text += f'kind = "interval"\nlow = {value[0]}\nhigh = {value[1]}\nmass = 0.9\nunit = "{unit}"\n'
    return loads(text, "priors.toml")


def path(P, rng):
    z = [0]
    for _ in range(T - 1):
        z.append(int(rng.choice(len(P), p=P[z[-1]])))
    return np.array(z)


def counted(mean, phi, rng):
    return rng.poisson(rng.gamma(phi, mean / phi)).astype(float)


def panel(rows, names):
    return xr.DataArray(
        np.array(rows), dims=("stream", "month"), coords={"stream": names, "month": np.arange(T)}
    )


def check(posterior, truth):
    """No divergence, mixed chains, and the share of truths inside their 90 % interval."""
    assert int(posterior.statistics["diverging"].sum()) == 0
    stated = posterior.draws[["stated"]]
    assert float(arviz_stats.rhat(stated)["stated"].max()) < 1.02
    low, high = posterior.draws["stated"].quantile([0.05, 0.95], ("chain", "draw"))
    return [bool(low.sel(prior=k) <= value <= high.sel(prior=k)) for k, value in truth.items()]


def test_two_regimes_around_a_level_that_walks():
    names = ["deaths", "fires"]
    setting = Setting(
        scenarios=("quiet", "violent"),
        reference="quiet",
        streams=(
            Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),
            Stream(id="fires", family="negative-binomial", level="constant", effect="increasing"),
        ),
        horizon=6,
    )
    truth = {
        "dwell.quiet": 12.0,
        "dwell.violent": 5.0,
        "effect.deaths.violent": 3.0,
        "effect.fires.violent": 5.0,
        "level.fires": 2.0,
        "spread.deaths": 30.0,
        "spread.fires": 60.0,
    }
    priors = said(
        {
            "dwell.quiet": (3, 40),
            "dwell.violent": (2, 20),
            "effect.deaths.violent": (1.3, 8),
            "effect.fires.violent": (1.3, 15),
            "level.deaths": (10, 80),
            "level.fires": (0.5, 8),
            "wander.deaths": (2, 20),
            "spread.deaths": (10, 80),
            "spread.fires": (20, 150),
        }
    )
    model, inside, right = CATALOGUE["switching-level"], [], []
    P = np.array([[1 - 1 / 12, 1 / 12], [1 / 5, 1 - 1 / 5]])
    compiled = None
    for seed in range(4):
        rng = np.random.default_rng(seed)
        z = path(P, rng)
        level = np.log(30) + np.cumsum(rng.normal(0, 0.06, T))
        y = panel(
            [
                counted(np.exp(level) * np.array([1, 3])[z], (100 / 30) ** 2, rng),
                counted(2 * np.array([1, 5])[z], (100 / 60) ** 2, rng),
            ],
            names,
        )
        y[1, 40:43] = np.nan
        compiled = compiled or compile_model(y, model, priors, setting)
        found = fit(y, model, priors, setting, seed=seed, tune=500, draws=500, compiled=compiled)
        inside += check(found, truth)
        centre = found.draws["level"].sel(stream="deaths")
        low, high = centre.quantile([0.05, 0.95], ("chain", "draw")).values
        right.append(float(((low <= level) & (level <= high)).mean()))
    assert (
        np.mean(inside) >= 0.75
    )  # of 28 intervals of 90 %: fewer than 21 inside has a chance below 1 in 5,000
    assert np.mean(right) > 0.7


def test_three_regimes_in_their_order_around_constant_levels():
    setting = Setting(
        scenarios=("calm", "tense", "war"),
        reference="tense",
        streams=(
            Stream(id="deaths", family="negative-binomial", level=None, effect="increasing"),
            Stream(id="talks", family="poisson", level=None, effect="decreasing"),
        ),
        horizon=3,
    )
    truth = {
        "dwell.calm": 8.0,
        "dwell.tense": 10.0,
        "dwell.war": 4.0,
        "effect.deaths.calm": 0.3,
        "effect.deaths.war": 4.0,
        "effect.talks.calm": 3.0,
        "effect.talks.war": 0.4,
        "level.deaths": 20.0,
        "level.talks": 4.0,
        "spread.deaths": 25.0,
        "exits.tense.war": 0.6,
    }
    priors = said(
        {
            **{f"dwell.{k}": (2, 30) for k in ("calm", "tense", "war")},
            "exits.calm": {"tense": 0.8, "war": 0.2},
            "exits.tense": {"calm": 0.5, "war": 0.5},
            "exits.war": {"calm": 0.3, "tense": 0.7},
            "effect.deaths.calm": (0.15, 0.8),
            "effect.deaths.war": (1.3, 10),
            "effect.talks.calm": (1.2, 6),
            "effect.talks.war": (0.2, 0.9),
            "level.deaths": (8, 60),
            "level.talks": (1, 10),
            "spread.deaths": (10, 70),
        }
    )
    P = np.array([[7 / 8, 0.1, 0.025], [0.04, 0.9, 0.06], [0.075, 0.175, 0.75]])
    model, inside, named = CATALOGUE["regimes"], [], []
    compiled = None
    for seed in range(3):
        rng = np.random.default_rng(seed + 20)
        z = path(P, rng)
        y = panel(
            [
                counted(20 * np.array([0.3, 1, 4])[z], 16, rng),
                rng.poisson(4 * np.array([3, 1, 0.4])[z]).astype(float),
            ],
            ["deaths", "talks"],
        )
        compiled = compiled or compile_model(y, model, priors, setting)
        found = fit(y, model, priors, setting, seed=seed, tune=500, draws=500, compiled=compiled)
        inside += check(found, truth)
        named.append(float((latent(found, months=1)["smoothed"].values.argmax(axis=-1) == z).mean()))
        steps = np.diff(found.draws["effect"].sel(stream="deaths").values, axis=-1)
        assert np.all(steps > 0)
    assert np.mean(inside) >= 0.75
    assert np.mean(named) > 0.9


def test_a_longer_gap_never_makes_a_parameter_surer_than_the_prior():
    """With nothing observed the posterior is the prior."""
    setting = Setting(
        scenarios=("quiet", "violent"),
        reference="quiet",
        streams=(Stream(id="raids", family="poisson", level=None, effect="increasing"),),
        horizon=3,
    )
    priors = said(
        {
            "dwell.quiet": (3, 40),
            "dwell.violent": (2, 20),
            "effect.raids.violent": (1.3, 8),
            "level.raids": (1, 8),
        }
    )
    y = panel([np.full(T, np.nan)], ["raids"])
    found = fit(y, CATALOGUE["regimes"], priors, setting, seed=1, tune=500, draws=1000)
    for key, (low, high) in (
        ("dwell.quiet", (3, 40)),
        ("effect.raids.violent", (1.3, 8)),
        ("level.raids", (1, 8)),
    ):
        value = found.draws["stated"].sel(prior=key).values
        assert (value < low).mean() == pytest.approx(0.05, abs=0.02)
        assert (value > high).mean() == pytest.approx(0.05, abs=0.02)
