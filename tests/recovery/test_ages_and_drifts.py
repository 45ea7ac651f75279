"""Known values come back where regimes have ages or move levels: one world each."""

from collections.abc import Mapping
from typing import Any

import arviz_stats
import numpy as np
import pytest
import xarray as xr

from forecast.fitting import Posterior, compile_model, fit
from forecast.simulation import latent
from models import CATALOGUE, Setting, Stream, durations
from priors import PriorSet, loads

pytestmark = pytest.mark.recovery

UNITS = {
    "dwell": "months",
    "shape": "shape",
    "swing": "times",
    "drift": "percent per month",
    "effect": "times",
    "level": "events per month",
    "wander": "percent per month",
    "spread": "percent",
}
BRIEF = {"chains": 4, "tune": 400, "draws": 400}


def said(entries: Mapping[str, tuple[float, float]]) -> PriorSet:
    text = 'schema = 1\nname = "r"\n[defaults]\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n'
    for key, (low, high) in entries.items():
        text += f'[{key}]\nbecause = "A test."\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\n'
        text += f'unit = "{UNITS[key.partition(".")[0]]}"\n'
    return loads(text, "priors.toml")


def counted(mean: Any, phi: float, rng: np.random.Generator) -> Any:
    return rng.poisson(rng.gamma(phi, mean / phi)).astype(float)


def panel(**rows: Any) -> xr.DataArray:
    y = np.array(list(rows.values()))
    coords = {"stream": list(rows), "month": np.arange(y.shape[1])}
    return xr.DataArray(y, dims=("stream", "month"), coords=coords)


def inside(
    posterior: Posterior, truth: Mapping[str, float], *, r_hat: float = 1.03, diverging: int = 0
) -> list[bool]:
    """Few divergences or none, mixed chains, and which truths lie inside their 90 % intervals."""
    assert int(posterior.statistics["diverging"].sum()) <= diverging
    stated = posterior.draws[["stated"]]
    assert float(arviz_stats.rhat(stated)["stated"].max()) < r_hat
    low, high = posterior.draws["stated"].quantile([0.05, 0.95], ("chain", "draw"))
    return [bool(low.sel(prior=k) <= value <= high.sel(prior=k)) for k, value in truth.items()]


def test_spells_of_much_the_same_length_are_told_from_spells_without_one() -> None:
    """Of forty spells the data speak about the shape; of the months of the first third they do not."""
    T = 240
    setting = Setting(
        scenarios=("quiet", "violent"),
        reference="quiet",
        streams=(Stream(id="raids", family="poisson", level="constant", effect="increasing"),),
        horizon=6,
    )
    truth = {"dwell.quiet": 7.0, "dwell.violent": 5.0, "effect.raids.violent": 5.0, "level.raids": 4.0}
    priors = said(
        {
            "dwell.quiet": (3, 20),
            "dwell.violent": (2, 20),
            "shape.quiet": (0.2, 10),
            "shape.violent": (0.2, 10),
            "effect.raids.violent": (2, 10),
            "level.raids": (2, 8),
        }
    )
    model, held, compiled = CATALOGUE["durations"], [], None
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        lengths = [1 + rng.poisson(rng.gamma(30.0, mean / 30.0)) for mean in (6.0, 4.0) * 25]
        z = np.repeat(np.arange(50) % 2, lengths)[8 : 8 + T]
        y = panel(raids=rng.poisson(4.0 * np.array([1.0, 5.0])[z]).astype(float))
        compiled = compiled or compile_model(y, model, priors, setting)
        found = fit(y, model, priors, setting, seed=seed, compiled=compiled, **BRIEF)
        held += inside(found, truth)
        told = durations.contraction(found.draws, priors, setting)
        assert all(contraction > 0.2 and sentence is None for contraction, sentence in told.values())
        shape = found.draws["stated"].sel(prior=["shape.quiet", "shape.violent"])
        assert np.all((shape > 1.5).mean(("chain", "draw")) > 0.9)
        named = latent(found, months=1)["smoothed"].values.argmax(axis=-1) == z
        assert named.mean() > 0.97
    first = y.where(y["month"] < 20)
    short = fit(first, model, priors, setting, seed=3, compiled=compiled, **BRIEF)
    told = durations.contraction(short.draws, priors, setting)
    assert {sentence for _, sentence in told.values()} == {durations.SENTENCE}
    assert np.mean(held) >= 0.6


def test_regimes_that_grow_and_regimes_that_shrink_are_told_apart() -> None:
    T = 120
    setting = Setting(
        scenarios=("ebb", "flood"),
        reference="ebb",
        streams=(
            Stream(id="deaths", family="negative-binomial", level="walk", effect="none"),
            Stream(id="raids", family="poisson", level="constant", effect="increasing"),
        ),
        horizon=6,
        basis=T - 1,
    )
    truth = {
        "dwell.ebb": 12.0,
        "dwell.flood": 10.0,
        "drift.deaths.ebb": -6.0,
        "drift.deaths.flood": 8.0,
        "swing.flood": 1.5,
        "effect.raids.flood": 3.0,
        "level.raids": 3.0,
        "spread.deaths": 20.0,
    }
    priors = said(
        {
            "dwell.ebb": (4, 40),
            "dwell.flood": (4, 40),
            "level.deaths": (20, 300),
            "wander.deaths": (2, 20),
            "spread.deaths": (10, 60),
            "drift.deaths.ebb": (-20, 10),
            "drift.deaths.flood": (-10, 20),
            "swing.flood": (0.7, 3),
            "level.raids": (1, 8),
            "effect.raids.flood": (1.3, 8),
        }
    )
    rng = np.random.default_rng(5)
    z = np.repeat(np.arange(40) % 2, 1 + rng.geometric([1 / 11, 1 / 9] * 20))[:T]
    step = np.where(z, np.log(1.08), np.log(0.94)) + 0.05 * np.where(z, 1.5, 1.0) * rng.normal(size=T)
    level = np.log(80.0) + np.cumsum(step) - np.cumsum(step).mean()
    y = panel(
        deaths=counted(np.exp(level), 25.0, rng),
        raids=rng.poisson(3.0 * np.array([1.0, 3.0])[z]).astype(float),
    )
    y[0, 50:53] = np.nan
    found = fit(y, CATALOGUE["switching-drift"], priors, setting, seed=0, chains=4, tune=500, draws=800)
    held = inside(found, truth, r_hat=1.06, diverging=10)  # of 3,200: it is a comparator
    assert sum(held) >= 5  # of 8 intervals of 90 %: fewer inside has a chance of 1 in 200
    walked = found.draws["level"].sel(stream="deaths")
    low, high = walked.quantile([0.05, 0.95], ("chain", "draw")).values
    assert ((low <= level) & (level <= high)).mean() > 0.75
    drift = found.draws["drift"].sel(stream="deaths")
    assert float((drift.sel(regime="flood") > drift.sel(regime="ebb")).mean()) > 0.95
