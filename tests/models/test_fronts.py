"""Fronts pooled: the density written by hand is the PyMC model's; alone or alike, fronts are plain models."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytensor
import pytest
import xarray as xr

from models import (
    CATALOGUE,
    Setting,
    Stream,
    fronts,
    fronts_density,
    fronts_plan,
    fronts_sampler,
    fused,
    plan,
    sampler,
)
from models.variables import Stated, unconstrain
from priors import PriorSet, Refusal, loads

Beliefs = Callable[..., PriorSet]
PLAIN = {
    "dwell.calm": (3, 18),
    "dwell.tense": (3, 18),
    "dwell.war": (1.5, 6),
    "exits.calm": {"tense": 0.6, "war": 0.4},
    "exits.tense": {"calm": 0.6, "war": 0.4},
    "exits.war": {"calm": 0.2, "tense": 0.8},
    "level.deaths": (5, 20),
    "wander.deaths": (2, 20),
    "spread.deaths": (20, 70),
    "effect.deaths.calm": (0.2, 0.8),
    "effect.deaths.war": (1.5, 6),
    "level.fires": (5, 20),
    "effect.fires.calm": (0.5, 4),
    "effect.fires.war": (0.5, 6),
    "chance.truce.calm": (0.5, 0.9),
    "chance.truce.tense": (0.3, 0.6),
    "chance.truce.war": (0.05, 0.2),
}
POOLING = 'schema = 1\nname = "more"\n' + "".join(
    f'[pooling.{what}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "percent"\n'
    'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
    for what, low, high in (("fronts", 10, 60), ("levels", 40, 500))
)


def the_other_way(setting: Setting) -> dict[str, bool]:
    return {role: not centred for role, centred in fronts.best(setting).items()}


def with_pooling(priors: PriorSet) -> PriorSet:
    more = loads(POOLING, "priors.toml")
    return PriorSet(name="test", source="priors.toml", statements={**dict(priors), **dict(more)})


@pytest.fixture(scope="module")
def setting() -> Setting:
    """Three regimes; a stream that walks, one that does not, and a yes or no."""
    streams = (
        Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),
        Stream(id="fires", family="poisson", level="constant", effect="free"),
        Stream(id="truce", family="bernoulli", level=None, effect="free"),
    )
    return Setting(scenarios=("calm", "tense", "war"), reference="tense", streams=streams, horizon=2, basis=3)


@pytest.fixture(scope="module")
def panel(setting: Setting) -> xr.DataArray:
    """Three fronts: one that shows everything, one with gaps, one that shows neither fires nor a truce."""
    rng = np.random.default_rng(5)
    y = rng.poisson(6.0, (3, 3, 7)).astype(np.float64)
    y[:, 2] = rng.integers(0, 2, (3, 7))
    y[1, 0, 2:4] = y[1, 2, 6] = np.nan
    y[2, 1:] = np.nan
    names = {
        "front": ["north", "east", "south"],
        "stream": [s.id for s in setting.streams],
        "month": range(7),
    }
    return xr.DataArray(y, dims=tuple(names), coords=names)


def by_hand(
    panel: xr.DataArray, priors: PriorSet, setting: Setting, **given: Any
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The compiled density of a panel as a function of a point: value and slope."""
    model = CATALOGUE["switching-level"]
    held = fronts.pooled(panel, model, priors, setting, **given)
    arguments = tuple(fronts_plan.arguments(held, panel, model, priors, setting).values())

    def at(point: np.ndarray) -> tuple[float, np.ndarray]:
        slope = np.full(point.size, np.nan)
        return float(fronts_density.density(point, slope, *arguments)), slope

    return at


def coordinates(free: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [unconstrain(name, value[0]) for name, value in free.items()]


def flat(point: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([value.ravel() for value in point])


def points(held: fronts.Pooled, seeds: int) -> list[list[np.ndarray]]:
    """Coordinates of every variable at draws from the prior."""
    return [coordinates(fronts.draw(held, np.random.default_rng(seed), 1)) for seed in range(seeds)]


def test_the_density_by_hand_is_the_definition(
    panel: xr.DataArray, beliefs: Beliefs, setting: Setting
) -> None:
    model, priors = CATALOGUE["switching-level"], with_pooling(written(beliefs))
    short = panel[1:].isel(month=slice(3))
    built = fronts.build(short, model, priors, setting)
    values = [built.rvs_to_values[variable] for variable in built.free_RVs]
    graph = [built.logp(), *pytensor.grad(built.logp(), values)]
    wanted = pytensor.function(values, graph, mode="FAST_COMPILE")
    found = by_hand(short, priors, setting)
    for point in points(fronts.pooled(short, model, priors, setting), 3):
        value, slope = found(flat(point))
        expected, *slopes = wanted(*point)
        assert value == pytest.approx(float(expected), rel=1e-10, abs=1e-10)
        assert np.allclose(slope, flat(slopes), rtol=1e-10, atol=1e-10 * (1.0 + np.abs(flat(slopes)).max()))


def test_the_sampler_calls_this_density(panel: xr.DataArray, beliefs: Beliefs, setting: Setting) -> None:
    """Machine code of an earlier density, which a cache may hold, would speak of another posterior."""
    model, priors = CATALOGUE["switching-level"], with_pooling(written(beliefs))
    held = fronts.pooled(panel, model, priors, setting)
    given = fronts_sampler.density(held, panel, model, priors, setting)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(
        given.compiled_logp_func.address
    )
    x = flat(points(held, 1)[0])
    slope, value = np.empty_like(x), np.empty(1)
    user = given.user_data
    assert call(x.size, x.ctypes.data, slope.ctypes.data, value.ctypes.data, user.ctypes.data) == 0
    wanted, slopes = by_hand(panel, priors, setting)(x)
    assert value[0] == wanted
    assert np.array_equal(slope, slopes)


def test_sampled_the_other_way_the_density_is_the_same_but_for_the_scales(
    panel: xr.DataArray, beliefs: Beliefs, setting: Setting
) -> None:
    model, priors = CATALOGUE["switching-level"], with_pooling(written(beliefs))
    held = fronts.pooled(panel, model, priors, setting)
    switched = the_other_way(setting)
    one, other = by_hand(panel, priors, setting), by_hand(panel, priors, setting, centred=switched)
    for seed in range(3):
        free = fronts.draw(held, np.random.default_rng(seed), 1)
        again, stretched = dict(free), 0.0
        for role, entries in held.roles.items():
            centre, scale = fronts.about(Stated(np, held.beliefs, free), entries)
            again[role] = centre + scale * free[role] if switched[role] else (free[role] - centre) / scale
            stretched += float(np.log(scale).sum()) * (-1.0 if switched[role] else 1.0)
        value, _ = one(flat(coordinates(free)))
        assert other(flat(coordinates(again)))[0] == pytest.approx(value + stretched, rel=1e-10)


@pytest.mark.parametrize("way", [fronts.best, the_other_way], ids=["as measured", "the other way"])
def test_the_slope_is_that_of_the_value(
    panel: xr.DataArray,
    beliefs: Beliefs,
    setting: Setting,
    way: Callable[[Setting], Mapping[str, bool]],
) -> None:
    model, priors, centred = CATALOGUE["switching-level"], with_pooling(written(beliefs)), way(setting)
    (point,) = points(fronts.pooled(panel, model, priors, setting, centred=centred), 1)
    x, at, step = flat(point), by_hand(panel, priors, setting, centred=centred), 1e-5
    _, slope = at(x)
    for n, along in enumerate(step * np.eye(x.size)):
        away = (at(x + along)[0] - at(x - along)[0]) / (2.0 * step)
        assert slope[n] == pytest.approx(away, rel=1e-5, abs=1e-6)


def test_a_single_front_is_the_plain_model(panel: xr.DataArray, beliefs: Beliefs, setting: Setting) -> None:
    model, priors = CATALOGUE["switching-level"], written(beliefs)
    alone = panel[:1]
    held, plain = fronts.pooled(alone, model, priors, setting), model.beliefs(priors, setting)
    assert not held.sizes
    given = sampler.data(model.data(panel[0], priors, setting), plain, panel[0], setting)
    tables = plan.plan(plain, setting)
    order = [tables[name] for name in (*sampler.VECTORS[1:], *sampler.TABLES)]
    for point in points(held, 3):
        x = flat(point)
        slope = np.empty(x.size)
        wanted = fused.density(x, slope, given["said"], given["months"], *order)
        value, found = by_hand(alone, priors, setting)(x)
        assert value == pytest.approx(wanted, rel=1e-13)
        assert np.allclose(found, slope, rtol=1e-12, atol=1e-12)


def test_fronts_that_do_not_differ_share_one_set_of_numbers(
    panel: xr.DataArray, beliefs: Beliefs, setting: Setting
) -> None:
    model = CATALOGUE["switching-level"]
    said = with_pooling(written(beliefs))
    free_fronts = dict.fromkeys(fronts.ROLES, False)
    held = fronts.pooled(panel[:2], model, said, setting, centred=free_fronts)
    rng = np.random.default_rng(2)
    free = {name: value[None] for name, value in fronts.draw(held, rng, 4).items()}
    for key in (fronts.POOLING, fronts.LEVELS):
        free["lognormal"][..., held.beliefs.families["lognormal"].index(key)] = np.log(1e-10)
    one, two = (fronts.derive(held, free, f, panel[:2], model, said, setting) for f in (0, 1))
    for name in ("hazard", "transition", "initial", "effect"):
        assert np.allclose(one[name], two[name], rtol=1e-9, equal_nan=True)
    stated = dict(zip(one["prior"].values.tolist(), np.moveaxis(one["stated"].values, -1, 0), strict=True))
    theatre = dict(
        zip(held.beliefs.families["lognormal"], np.moveaxis(free["lognormal"], -1, 0), strict=True)
    )
    assert np.allclose(stated["level.deaths"], np.exp(theatre["level.deaths"]) / 2.0)  # two fronts share it
    assert np.allclose(stated["spread.deaths"], np.exp(theatre["spread.deaths"]))


def test_the_fronts_together_have_the_level_that_was_stated(beliefs: Beliefs, setting: Setting) -> None:
    model, said = CATALOGUE["switching-level"], with_pooling(written(beliefs))
    names = {"front": range(4), "stream": [s.id for s in setting.streams], "month": range(3)}
    panel = xr.DataArray(np.ones((4, 3, 3)), dims=tuple(names), coords=names)
    held = fronts.pooled(panel, model, said, setting)
    free = {name: value[None] for name, value in fronts.draw(held, np.random.default_rng(0), 20_000).items()}
    apart = held.beliefs.families["lognormal"].index(fronts.LEVELS)
    free["lognormal"][..., apart] = np.log(100.0 * np.expm1(0.5))  # how far the fronts stand apart
    centre, scale = fronts.about(Stated(np, held.beliefs, free), held.roles["level"])
    z = np.random.default_rng(1).standard_normal(centre.shape)
    deaths = [v.key == "level.deaths" for v in held.roles["level"]]
    together = np.exp(centre + scale * z)[0][:, deaths].sum(axis=-1)
    stated = np.exp(free["lognormal"][0, :, held.beliefs.families["lognormal"].index("level.deaths")])
    assert (together / stated).mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("way", [fronts.best, the_other_way], ids=["as measured", "the other way"])
def test_every_effect_stays_on_its_side_and_every_dwell_above_a_month(
    panel: xr.DataArray,
    beliefs: Beliefs,
    setting: Setting,
    way: Callable[[Setting], Mapping[str, bool]],
) -> None:
    model, said, centred = CATALOGUE["switching-level"], with_pooling(written(beliefs)), way(setting)
    held = fronts.pooled(panel, model, said, setting, centred=centred)
    free = {name: value[None] for name, value in fronts.draw(held, np.random.default_rng(3), 200).items()}
    for f in range(3):
        found = fronts.derive(held, free, f, panel, model, said, setting)
        deaths = found["effect"].sel(stream="deaths")
        assert (deaths.diff("regime") > 0.0).all()
        assert ((found["hazard"] > 0.0) & (found["hazard"] < 1.0)).all()
        assert np.allclose(found["transition"].sum("regime_to"), 1.0)


def test_refusals(panel: xr.DataArray, beliefs: Beliefs, setting: Setting) -> None:
    model, said = CATALOGUE["switching-level"], written(beliefs)
    with pytest.raises(Refusal, match=r"pooling\.fronts"):
        fronts.pooled(panel, model, said, setting)
    half = {key: value for key, value in with_pooling(said).items() if key != fronts.LEVELS}
    with pytest.raises(Refusal, match=r"pooling\.levels"):
        fronts.pooled(panel, model, PriorSet(name="half", source="priors.toml", statements=half), setting)
    labelled = replace(setting, labels=((0.0, 0.0, 0.0),) * 9)
    with pytest.raises(Refusal, match="labels"):
        fronts.pooled(panel, model, with_pooling(said), labelled)
    with pytest.raises(Refusal, match="durations"):
        fronts.pooled(panel, replace(CATALOGUE["switching-level"], name="durations"), said, setting)
    with pytest.raises(ValueError, match="front"):
        fronts.pooled(panel[0], model, said, setting)


def written(beliefs: Beliefs) -> PriorSet:
    return beliefs(PLAIN)
