"""A level that wanders gives back what it was made of: the Nile's published variances, and simulated options one by one."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.fitting import fit
from models import CATALOGUE, Setting, Stream, levels
from priors import loads

pytestmark = pytest.mark.recovery

MODEL = CATALOGUE["local-level"]
UNITS = {
    "level": "a sum per month",
    "wander": "percent per month",
    "trend": "percent per month",
    "damping": "share",
    "outlier": "share",
}


def said(entries):
    text = 'schema = 1\nname = "r"\n[defaults]\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n'
    for key, (low, high) in entries.items():
        unit = UNITS.get(key.partition(".")[0], "percent")
        text += f'[{key}]\nbecause = "A test."\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
    return loads(text, "priors.toml")


def alone(*streams, basis):
    return Setting(scenarios=("all",), reference="all", streams=streams, horizon=6, basis=basis)


def test_the_nile_s_variances_are_those_of_durbin_and_koopman():
    """The model moves and scatters in percent, so its sds are compared at the mean flow, where one percent is 9.19.

    Published by maximum likelihood: noise 15099, a year's step 1469.1 (J. Durbin and S. J. Koopman, *Time Series
    Analysis by State Space Methods*, 2nd ed. (2012), section 2.2); the smoothed level 1111.67 in 1871 and 798.37 in
    1970, of sd 63.5 both. The posterior under vague priors holds the variances inside its 90 % intervals, and its level
    follows the smoothed one.
    """
    figures = Path(__file__).parents[1] / "oracles" / "figures" / "nile.csv"
    year, flow = np.loadtxt(figures, delimiter=",").T
    panel = xr.DataArray(flow[None], dims=("stream", "month"), coords={"stream": ["flow"], "month": year})
    setting = alone(Stream(id="flow", family="gaussian", level="walk", effect="none"), basis=40)
    priors = said({"level.flow": (500, 1700), "wander.flow": (0.5, 16), "spread.flow": (4, 40)})
    found = fit(panel, MODEL, priors, setting, seed=1, tune=500, draws=500)
    assert int(found.statistics["diverging"].sum()) == 0
    stated = found.draws["stated"]
    noise = (flow.mean() * stated.sel(prior="spread.flow") / 100) ** 2
    step = (flow.mean() * np.log1p(stated.sel(prior="wander.flow") / 100)) ** 2
    for variance, published in ((noise, 15099.0), (step, 1469.1)):
        low, high = variance.quantile([0.05, 0.95]).values
        assert low < published < high
    level = np.exp(found.draws["level"].sel(stream="flow")).mean(("chain", "draw")).values
    assert level[[0, -1]] == pytest.approx([1111.67, 798.37], abs=32)  # half an sd


def world(seed, T=240):
    """A level that walks; and one with a season, a fading trend and six months of fifteen times too much."""
    rng = np.random.default_rng(seed)

    def counted(logs, spread):
        phi = (100 / spread) ** 2
        return rng.poisson(rng.gamma(phi, np.exp(logs) / phi)).astype(float)

    deaths = np.log(40) + np.cumsum(rng.normal(0, np.log1p(0.08), T))
    rho, tau = 0.9, np.log1p(0.02)
    slope = np.zeros(T)
    slope[0] = tau * rng.normal()
    for t in range(1, T):
        slope[t] = rho * slope[t - 1] + tau * np.sqrt(1 - rho**2) * rng.normal()
    raids = np.cumsum(rng.normal(0, np.log1p(0.03), T)) + np.cumsum(slope) - slope
    raids += np.log(80) - raids.mean()
    year = levels.harmonics() @ rng.normal(0, np.log1p(0.25), 11)
    months = np.array([f"{2000 + t // 12}-{t % 12 + 1:02d}" for t in range(T)])
    y = np.array([counted(deaths, 30), counted(raids + year[np.arange(T) % 12], 25)])
    y[1, rng.choice(T, 6, replace=False)] *= 15
    panel = xr.DataArray(y, dims=("stream", "month"), coords={"stream": ["deaths", "raids"], "month": months})
    return panel, {"deaths": deaths, "raids": raids, "season": year, "slope": slope}


def covered(draws, truth, mass=0.9):
    """The share of a course that lies inside its intervals."""
    low, high = draws.quantile([(1 - mass) / 2, (1 + mass) / 2], ("chain", "draw")).values
    return float(((low <= truth) & (truth <= high)).mean())


def test_levels_trends_seasons_and_outlying_months_come_back():
    panel, truth = world(1)
    setting = alone(
        Stream(id="deaths", family="negative-binomial", level="walk", effect="none"),
        Stream(
            id="raids",
            family="negative-binomial",
            level="walk",
            effect="none",
            season=True,
            trend=True,
            outliers=True,
        ),
        basis=32,
    )
    priors = said(
        {
            "level.deaths": (10, 200),
            "wander.deaths": (2, 20),
            "spread.deaths": (10, 80),
            "level.raids": (10, 400),
            "wander.raids": (1, 10),
            "spread.raids": (10, 80),
            "season.raids": (5, 60),
            "trend.raids": (0.5, 6),
            "damping.raids": (0.5, 0.98),
            "outlier.raids": (0.005, 0.1),
        }
    )
    found = fit(panel, MODEL, priors, setting, seed=1, chains=2, tune=400, draws=400)
    assert int(found.statistics["diverging"].sum()) == 0
    known = {
        "wander.deaths": 8.0,
        "spread.deaths": 30.0,
        "wander.raids": 3.0,
        "spread.raids": 25.0,
        "season.raids": 25.0,
        "trend.raids": 2.0,
        "damping.raids": 0.9,
        "outlier.raids": 6 / 240,
    }
    # Eight intervals that hold all eight truths in 95 worlds of a hundred (Bonferroni).
    tail = 0.05 / (2 * len(known))
    low, high = found.draws["stated"].quantile([tail, 1 - tail], ("chain", "draw"))
    for key, value in known.items():
        assert float(low.sel(prior=key)) < value < float(high.sel(prior=key)), key
    draws = found.draws.sel(stream="raids")
    assert covered(found.draws["level"].sel(stream="deaths"), truth["deaths"]) > 0.75
    assert covered(draws["level"], truth["raids"]) > 0.75
    assert covered(draws["season"], truth["season"]) > 0.65
    slope = draws["slope"].mean(("chain", "draw")).values
    assert np.corrcoef(slope, truth["slope"])[0, 1] > 0.4
    monstrous = panel.sel(stream="raids").values > 6 * np.exp(truth["raids"])
    assert monstrous.sum() >= 4
    assert covered(draws["level"][..., monstrous], truth["raids"][monstrous]) > 0.7
