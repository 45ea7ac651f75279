"""A fit is the same for the same seed, serves every window of its structure, and survives being stored."""

import ctypes
from dataclasses import replace

import numpy as np
import nutpie
import pytensor
import pytest
import xarray as xr

from forecast import fitting
from forecast.fitting import compile_model, fit, from_prior, load, save
from models import CATALOGUE, Reporting, Setting, Stream
from models.variables import draw, unconstrain
from priors import Refusal, loads

MODEL = CATALOGUE["switching-level"]
TEXT = 'schema = 1\nname = "small"\n[defaults]\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n' + "".join(
    f'[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\nbecause = "A test."\n'
    for key, low, high, unit in (
        ("dwell.quiet", 3, 24, "months"),
        ("dwell.violent", 2, 12, "months"),
        ("level.incidents", 2, 20, "incidents per month"),
        ("wander.incidents", 1, 10, "percent per month"),
        ("spread.incidents", 20, 80, "percent"),
        ("effect.incidents.violent", 1.5, 6, "times"),
        ("level.raids", 1, 5, "raids per month"),
        ("effect.raids.violent", 1.5, 6, "times"),
    )
)
PRIORS = loads(TEXT, "priors.toml")
SETTING = Setting(
    scenarios=("quiet", "violent"),
    reference="quiet",
    streams=(
        Stream(id="incidents", family="negative-binomial", level="walk", effect="increasing"),
        Stream(id="raids", family="poisson", level="constant", effect="increasing"),
    ),
    horizon=6,
    basis=4,
)
SMALL = {"chains": 2, "tune": 150, "draws": 50}


def counts(months, seed=1):
    rng = np.random.default_rng(seed)
    y = rng.poisson([[6.0], [2.0]], (2, months)).astype(float)
    y[:, 8:14] = rng.poisson([[20.0], [7.0]], (2, 6))
    y[0, 3] = y[1, -1] = np.nan
    coords = {"stream": ["incidents", "raids"], "month": np.arange(months) * 2.5}
    return xr.DataArray(y, dims=("stream", "month"), coords=coords)


@pytest.fixture(scope="module")
def compiled():
    return compile_model(counts(30), MODEL, PRIORS, SETTING)


@pytest.fixture(scope="module")
def from_pymc():
    return compile_model(counts(30), MODEL, PRIORS, SETTING, fused=False)


@pytest.fixture(scope="module")
def posterior(compiled):
    return fit(counts(30), MODEL, PRIORS, SETTING, seed=5, compiled=compiled, **SMALL)


def test_one_seed_is_one_posterior_on_any_number_of_cores(compiled, posterior, monkeypatch):
    monkeypatch.setattr("os.process_cpu_count", lambda: 1, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    again = fit(counts(30), MODEL, PRIORS, SETTING, seed=5, compiled=compiled, **SMALL)
    assert again.draws.identical(posterior.draws)
    other = fit(counts(30), MODEL, PRIORS, SETTING, seed=6, compiled=compiled, **SMALL)
    assert not np.array_equal(other.draws["level"], posterior.draws["level"])


def test_a_posterior_knows_its_draws_and_how_they_came_about(posterior):
    assert (posterior.draws.sizes["chain"], posterior.draws.sizes["draw"]) == (2, 50)
    assert set(posterior.draws["prior"].values) == set(PRIORS)
    assert set(posterior.statistics) >= {"diverging", "energy", "n_steps"}
    assert np.all(posterior.draws["stated"].sel(prior="effect.raids.violent") > 1)
    assert np.all(np.isnan(posterior.draws["dispersion"].sel(stream="raids")))
    assert np.all(posterior.draws["wander"].sel(stream="raids") == 0)


def test_a_compiled_density_serves_other_lengths_masks_and_beliefs(compiled):
    """The same draws come from a density compiled for another panel and prior set of the structure."""
    shorter = counts(21, seed=3)
    edited = loads(TEXT.replace("high = 24", "high = 36"), "priors.toml")
    borrowed = fit(shorter, MODEL, edited, SETTING, seed=2, compiled=compiled, **SMALL)
    own = compile_model(shorter, MODEL, edited, SETTING)
    assert fit(shorter, MODEL, edited, SETTING, seed=2, compiled=own, **SMALL).draws.identical(borrowed.draws)


def test_a_density_of_another_structure_is_refused(compiled):
    other = replace(SETTING, basis=5)
    with pytest.raises(ValueError, match="another structure"):
        fit(counts(30), MODEL, PRIORS, other, seed=1, compiled=compiled, **SMALL)


def test_the_density_in_machine_code_is_pymc_s_in_value_and_slope(from_pymc):
    """Against PyMC's own graph, evaluated node by node, at draws from the prior."""
    y = counts(30)
    built = MODEL.build(y, PRIORS, SETTING)
    values = [built.rvs_to_values[variable] for variable in built.free_RVs]
    graph = [built.logp(), *pytensor.grad(built.logp(), values)]
    wanted = pytensor.function(values, graph, mode="FAST_COMPILE")
    double = ctypes.POINTER(ctypes.c_double)
    density = from_pymc.density.with_data(**MODEL.data(y, PRIORS, SETTING))
    for seed in range(5):
        drawn = draw(MODEL.beliefs(PRIORS, SETTING), np.random.default_rng(seed), 1)
        point = [unconstrain(name, value[0]) for name, value in drawn.items()]
        x = np.concatenate([value.ravel() for value in point])
        slope, value = np.zeros(x.size), np.zeros(1)
        where = (array.ctypes.data_as(double) for array in (x, slope, value))
        code = density.compiled_logp_func.ctypes(x.size, *where, density.user_data.ctypes.data)
        expected = wanted(*point)
        assert code == 0
        assert value[0] == pytest.approx(float(expected[0]), abs=1e-9)
        assert np.allclose(slope, np.concatenate([part.ravel() for part in expected[1:]]), atol=1e-8)


def test_both_densities_give_one_posterior(compiled, from_pymc):
    """The same points under the same seed, until rounding tells the two apart."""
    brief = {"chains": 1, "tune": 4, "draws": 2}
    fused = fit(counts(30), MODEL, PRIORS, SETTING, seed=3, compiled=compiled, **brief)
    pymc = fit(counts(30), MODEL, PRIORS, SETTING, seed=3, compiled=from_pymc, **brief)
    assert compiled.fused
    assert not from_pymc.fused
    for name in fused.draws.data_vars:
        assert np.allclose(fused.draws[name], pymc.draws[name], rtol=1e-6, equal_nan=True)


def test_a_structure_compiled_before_is_read_from_disk(from_pymc):
    again = compile_model(counts(24, seed=2), MODEL, PRIORS, SETTING, fused=False)
    assert again.density.compiled_logp_func._cache_hits == 1


@pytest.mark.parametrize("months", [60, 240, 1000])
def test_a_hundred_seeds_start(compiled, months):
    brief = {"chains": 1, "tune": 2, "draws": 1}
    y = counts(months)
    for seed in range(100):
        found = fit(y, MODEL, PRIORS, SETTING, seed=seed, compiled=compiled, **brief)
        assert bool(np.isfinite(found.draws["level"]).all())


def test_progress_is_told_of_every_chain(compiled):
    told = []
    fit(counts(30), MODEL, PRIORS, SETTING, seed=1, compiled=compiled, progress=told.append, **SMALL)
    assert told
    assert {len(chains) for chains in told} == {2}
    assert told[-1][0].total_draws == 200


def test_an_interrupt_stops_the_chains_and_leaves_no_posterior(compiled, monkeypatch):
    class Interrupted:
        cancelled = False

        def wait(self):
            raise KeyboardInterrupt

        def cancel(self):
            self.cancelled = True

    sampler = Interrupted()
    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: sampler)
    with pytest.raises(KeyboardInterrupt):
        fit(counts(30), MODEL, PRIORS, SETTING, seed=1, compiled=compiled)
    assert sampler.cancelled


def test_a_posterior_survives_storage_bit_for_bit_and_has_one_file(posterior, tmp_path):
    rich = replace(
        posterior,
        setting=replace(
            posterior.setting,
            reporting={"raids": Reporting(release=(0,) * 36, mean=(0.1,), sd=(0.1,))},
            labels=((0.0, 1.0),) * 30,
        ),
    )
    save(rich, tmp_path / "a.nc")
    save(rich, tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    read = load(tmp_path / "a.nc")
    assert read.draws.equals(rich.draws)
    assert read.statistics.equals(rich.statistics)
    assert read.panel.equals(rich.panel)
    assert (read.model, read.setting, read.priors) == (rich.model, rich.setting, rich.priors)
    save(read, tmp_path / "c.nc")
    assert (tmp_path / "c.nc").read_bytes() == (tmp_path / "a.nc").read_bytes()


def test_the_prior_comes_in_the_shape_of_a_posterior():
    prior = from_prior(counts(30), MODEL, PRIORS, SETTING, draws=4000, seed=1)
    assert prior.draws["level"].dims == ("chain", "draw", "stream", "month")
    dwell = prior.draws["stated"].sel(prior="dwell.quiet").values.ravel()
    assert (dwell < 3).mean() == pytest.approx(0.05, abs=0.015)
    assert (dwell > 24).mean() == pytest.approx(0.05, abs=0.015)
    mean = np.exp(prior.draws["level"].sel(stream="raids").values)
    assert (mean[..., 0] > 5).mean() == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y.where(y != 6, 2.5), "stream 'incidents': got 2.5; wanted whole counts"),
        (lambda y: y.where(y != 6, -1), "stream 'incidents': got -1; wanted whole counts"),
        (lambda y: y.where(y != 6, np.inf), "got an infinite value; wanted NaN"),
        (lambda y: y.rename(stream="front"), r"got dimensions \('front', 'month'\)"),
        (lambda y: y.isel(stream=[1, 0]), r"got streams \['raids', 'incidents'\]; wanted"),
    ],
)
def test_counts_that_cannot_be_are_refused_before_anything_is_compiled(change, message):
    with pytest.raises(ValueError, match=message):
        fit(change(counts(30)), MODEL, PRIORS, SETTING, seed=1)


def test_a_compiled_density_is_no_way_around_the_check(compiled):
    with pytest.raises(ValueError, match="wanted whole counts"):
        fit(counts(30) + 0.5, MODEL, PRIORS, SETTING, seed=1, compiled=compiled)


def test_a_missing_belief_is_named_with_its_remedy():
    kept = {key: said for key, said in PRIORS.items() if key != "wander.incidents"}
    poorer = replace(PRIORS, statements=kept)
    with pytest.raises(Refusal, match=r"priors\.toml: wander\.incidents.*add \[wander\.incidents\]"):
        fit(counts(30), MODEL, poorer, SETTING, seed=1)


def test_an_effect_on_the_wrong_side_is_refused():
    wrong = loads(TEXT.replace("low = 1.5\nhigh = 6", "low = 0.5\nhigh = 6"), "priors.toml")
    with pytest.raises(Refusal, match="above 1"):
        fit(counts(30), MODEL, wrong, SETTING, seed=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": None}, r"streams\.incidents\.level.*walk"),
        ({"family": "binomial"}, r"streams\.incidents\.family: got 'binomial'"),
        ({"family": "bernoulli"}, r"streams\.incidents\.effect: got 'increasing'"),
    ],
)
def test_a_stream_no_model_can_hold_is_refused(change, message):
    streams = (replace(SETTING.streams[0], **change), SETTING.streams[1])
    with pytest.raises(Refusal, match=message):
        MODEL.needs(replace(SETTING, streams=streams))


def test_small_steps_are_the_sampler_s_rule():
    assert fitting.TARGET_ACCEPT == 0.95
