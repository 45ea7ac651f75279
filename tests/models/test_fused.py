"""The density written by hand is the PyMC model's, in value and slope, whatever the structure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytest
import xarray as xr
from scipy.special import digamma, gammaln

from models import CATALOGUE, Setting, Stream, cells, fused, plan, sampler
from models.variables import draw, unconstrain
from priors import PriorSet, loads

World = tuple[str, xr.DataArray, PriorSet, Setting]
EXACT = 1e-10
ORDER = (*sampler.VECTORS[1:], *sampler.TABLES)


def arguments(model: str, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> list[Any]:
    """Everything that the compiled density takes after the point and the gradient."""
    of = CATALOGUE[model]
    beliefs, seen = of.beliefs(priors, setting), of.view(setting)
    data = sampler.data(of.data(panel, priors, setting), beliefs, panel, seen)
    tables = plan.plan(beliefs, seen)
    return [data["said"], data["months"], *(tables[name] for name in ORDER)]


def both(world: World, seeds: int) -> list[tuple[float, float, np.ndarray, np.ndarray]]:
    """Value by hand and by PyMC, slope by hand and by PyMC, at points drawn from the prior."""
    model, panel, priors, setting = world
    of = CATALOGUE[model]
    built = of.build(panel, priors, setting)
    values = [built.rvs_to_values[variable] for variable in built.free_RVs]
    graph = [built.logp(), *pytensor.grad(built.logp(), values)]
    wanted = pytensor.function(values, graph, mode="FAST_COMPILE")
    given = arguments(*world)
    found = []
    for seed in range(seeds):
        drawn = draw(of.beliefs(priors, setting), np.random.default_rng(seed), 1)
        point = [unconstrain(name, value[0]) for name, value in drawn.items()]
        x = np.concatenate([value.ravel() for value in point])
        slope = np.full(x.size, np.nan)
        value = fused.density(x, slope, *given)
        expected, *slopes = wanted(*point)
        found.append((value, float(expected), slope, np.concatenate([s.ravel() for s in slopes])))
    return found


def apart(world: World, seeds: int = 3) -> float:
    """The largest difference between the two, relative in value and to the size of the slope; NaN if one is not finite."""
    found = []
    for value, expected, slope, slopes in both(world, seeds):
        found.append(abs(value - expected) / max(1.0, abs(expected)))
        found.append(np.max(np.abs(slope - slopes) / (np.abs(slopes) + 1.0 + np.abs(slopes).max())))
    return float(np.max(found))


def small(family: str, *, prior: str = "", level: str = "walk") -> tuple[xr.DataArray, PriorSet, Setting]:
    """Two regimes and one stream of a family; ``prior`` replaces the statement of its spread."""
    why = 'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
    intervals: Mapping[str, tuple[float, float, str]] = {
        "dwell.calm": (3, 18, "months"),
        "dwell.war": (1.2, 6, "months"),
        "level.deaths": (5, 20, "events per month"),
        "wander.deaths": (2, 20, "percent per month"),
        "spread.deaths": (20, 70, "percent"),
        "zero.deaths": (0.1, 0.4, "share"),
        "effect.deaths.war": (1.5, 6, "times"),
    }
    text = 'schema = 1\nname = "test"\n'
    for key, (low, high, unit) in intervals.items():
        role = key.split(".")[0]
        if role == "zero" and not family.startswith(("zero", "hurdle")):
            continue
        if role == "spread" and family.endswith("poisson"):
            continue
        if role == "wander" and level != "walk":
            continue
        said = f'kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        text += f"[{key}]\n{why}{prior if prior and role == 'spread' else said}"
    stream = Stream(id="deaths", family=family, level=level, effect="increasing")
    y = [[4.0, 0.0, np.nan, 2.0, 0.0, 130.0, 7.0, 610.0]]
    if family == "gaussian":
        y = [[4.25, 6.5, np.nan, 2.0, 1.5, 13.0, 7.0, 6.1]]
    panel = xr.DataArray(y, dims=("stream", "month"), coords={"stream": ["deaths"], "month": range(8)})
    setting = Setting(scenarios=("calm", "war"), reference="calm", streams=(stream,), horizon=2, basis=3)
    return panel, loads(text, "priors.toml"), setting


@pytest.mark.parametrize("model", plan.MODELS)
def test_every_feature_at_once(rich: Any, model: str) -> None:
    panel, priors, setting = rich
    if model == "local-level":
        extra = 'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
        held = "".join(
            f'[persist.truce.{state}]\n{extra}kind = "interval"\nlow = 0.6\nhigh = 0.9\nmass = 0.9\n'
            'unit = "probability"\n'
            for state in ("off", "on")
        )
        more = loads('schema = 1\nname = "more"\n' + held, "more.toml")
        priors = PriorSet(name="test", source="priors.toml", statements={**dict(priors), **dict(more)})
    assert apart((model, panel, priors, setting)) <= EXACT


def test_a_start_that_is_stated_and_one_that_is_certain(rich: Any, beliefs: Callable[..., PriorSet]) -> None:
    panel, priors, setting = rich
    for start in ({"calm": 0.2, "tense": 0.5, "war": 0.3}, {"calm": 0, "tense": 1.0, "war": 0}):
        said = beliefs({"start": start})
        held = PriorSet(name="test", source="priors.toml", statements={**dict(priors), **dict(said)})
        assert (
            apart(("switching-level", panel, held, replace(setting, drivers=(), labels=None)), seeds=2)
            <= EXACT
        )


@pytest.mark.parametrize(
    "family",
    [
        "poisson",
        "negative-binomial",
        "gaussian",
        "zero-inflated-poisson",
        "zero-inflated-negative-binomial",
        "hurdle-poisson",
        "hurdle-negative-binomial",
    ],
)
def test_every_family(family: str) -> None:
    assert apart(("switching-level", *small(family))) <= EXACT


@pytest.mark.parametrize(
    "distribution",
    [
        'family = "gamma"\nparameters = { alpha = 4, beta = 0.1 }',
        'family = "halfnormal"\nparameters = { sigma = 60 }',
        'family = "exponential"\nparameters = { lam = 0.02 }',
    ],
)
def test_every_kind_of_belief(distribution: str) -> None:
    prior = f'kind = "distribution"\n{distribution}\nunit = "percent"\n'
    assert apart(("switching-level", *small("negative-binomial", prior=prior, level="constant"))) <= EXACT


def test_a_dwell_about_one_spell_is_a_hazard() -> None:
    panel, priors, setting = small("poisson", level="constant")
    text = (
        'schema = 1\nname = "spell"\n["dwell.war"]\nkind = "interval"\nlow = 1.2\nhigh = 6\nmass = 0.9\n'
        'about = "one spell"\nunit = "months"\nbecause = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
    )
    said = loads(text.replace('["dwell.war"]', "[dwell.war]"), "spell.toml")
    held = PriorSet(name="test", source="priors.toml", statements={**dict(priors), **dict(said)})
    assert apart(("switching-level", panel, held, setting)) <= EXACT


@pytest.mark.parametrize("x", [1e-8, 0.3, 1.0, 7.5, 9.999, 10.0, 64.0, 1e5])
def test_the_log_gamma_and_its_slope_are_scipy_s(x: float) -> None:
    value, slope = cells.log_gamma(x)
    assert value == pytest.approx(gammaln(x), rel=1e-13, abs=1e-13)
    assert slope == pytest.approx(digamma(x), rel=1e-12, abs=1e-13)


def test_what_is_not_written_by_hand_is_left_to_pymc(rich: Any) -> None:
    _, priors, setting = rich
    held = CATALOGUE["switching-level"].beliefs(priors, setting)
    assert plan.covers("switching-level", held)
    assert not plan.covers("another", held)
