"""Regimes with ages: without memory they are those of switching-level, and every answer is the expanded chain's."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms

from forecast.fitting import from_prior
from models import CATALOGUE, ages, densities, derived, durations, forward
from models.variables import draw
from priors import PriorSet, Refusal

MODEL, PLAIN = CATALOGUE["durations"], CATALOGUE["switching-level"]


@pytest.fixture(scope="module")
def shaped(rich, beliefs):
    """The rich world with beliefs about the shape of spells."""
    panel, priors, setting = rich
    extra = beliefs({f"shape.{k}": (0.4, 2.5) for k in setting.scenarios})
    both = {**dict(priors.items()), **dict(extra.items())}
    return panel, PriorSet(name="both", statements=both, source="both"), setting


def told(shaped, *, draws=4, seed=5, **changes):
    panel, priors, setting = shaped
    found = from_prior(panel, MODEL, priors, replace(setting, **changes), draws=draws, seed=seed)
    return found.draws, panel, priors, found.setting


def without_memory(shaped, draws=4):
    """The same draws as the two models read them, every shape one."""
    panel, priors, setting = shaped
    raw = {
        k: v[None] for k, v in draw(MODEL.beliefs(priors, setting), np.random.default_rng(2), draws).items()
    }
    keys = MODEL.beliefs(priors, setting).families["lognormal"]
    is_shape = np.array([key.startswith("shape.") for key in keys])
    raw["lognormal"][..., is_shape] = 0.0
    plain = raw | {"lognormal": raw["lognormal"][..., ~is_shape]}
    return MODEL.derive(raw, panel, priors, setting), PLAIN.derive(plain, panel, priors, setting)


def states(found):
    """The arguments of models.forward, every age a state."""
    return [found[name].values for name in ("log_emission", "transition", "initial")]


def by_regime(law, K):
    return law.reshape(*law.shape[:-1], K, -1).sum(axis=-1)


def test_a_shape_of_one_is_the_model_without_memory(shaped):
    panel, _priors, setting = shaped
    aged, plain = without_memory(shaped)
    for name in ("hazard", "transition", "initial"):
        assert aged[name].values == pytest.approx(plain[name].values, abs=1e-9)
    chain = PLAIN.regimes(plain, panel, setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    laws = durations.laws(aged, panel, setting, months=3)
    for name in ("predicted", "filtered", "smoothed"):
        wanted = getattr(forward, name)(*given, time_varying=True)
        assert laws[name].values == pytest.approx(wanted, abs=1e-9)
    P, _ = derived.transition(plain, setting, 3, first=5)
    law = laws["filtered"].values[..., -1, :]
    for h in range(3):
        law = np.einsum("cdi,cdij->cdj", law, P[:, :, h])
        assert laws["ahead"].values[..., h, :] == pytest.approx(law, abs=1e-9)


def test_laws_are_those_of_the_chain_with_every_age_a_state(shaped):
    draws, panel, _, setting = told(shaped)
    K = len(setting.scenarios)
    given = states(MODEL.regimes(draws, panel, setting))
    assert np.allclose(given[1].sum(axis=-1), 1.0)
    assert np.allclose(given[2].sum(axis=-1), 1.0)
    laws = durations.laws(draws, panel, setting, months=2)
    for name in ("predicted", "filtered", "smoothed"):
        wanted = by_regime(getattr(forward, name)(*given, time_varying=True), K)
        assert laws[name].values == pytest.approx(wanted, abs=1e-10)
    last = forward.filtered(*given, time_varying=True)[..., -1, :]
    P = ages.expanded(*durations.chain(draws, setting, 1, first=5)).reshape(*last.shape, -1)
    later = np.einsum("cdi,cdij->cdj", last, P)
    assert laws["ahead"].values[..., 0, :] == pytest.approx(by_regime(later, K), abs=1e-10)


def test_the_first_month_is_that_of_a_chain_long_under_way(shaped):
    """Without drivers the law of regime and age goes on as it is, and so does the law of the regimes."""
    draws, panel, _, setting = told(shaped, drivers=(), labels=None)
    _, P, start = states(MODEL.regimes(draws, panel, setting))
    assert np.einsum("cdi,cdij->cdj", start, P) == pytest.approx(start, abs=1e-12)
    K = len(setting.scenarios)
    for k in range(K):  # and the mean month leaves with one over the average spell
        share = start.reshape(*start.shape[:2], K, -1)[:, :, k]
        leaves = (share * draws["ending"].values[:, :, k]).sum(-1) / share.sum(-1)
        assert leaves == pytest.approx(draws["hazard"].values[..., k], rel=1e-9)


def test_the_graph_has_the_likelihood_of_the_draws(shaped):
    import pytensor

    panel, priors, setting = shaped
    alone, cut = replace(setting, streams=setting.streams[:5]), panel[:5]
    raw = draw(MODEL.beliefs(priors, alone), np.random.default_rng(3), 3)
    built = remove_value_transforms(MODEL.build(cut, priors, alone))
    values = [built.rvs_to_values[v] for v in built.free_RVs]
    likelihood = built.replace_rvs_by_values([built.potentials[0]])[0]
    density = pytensor.function(values, likelihood, mode="FAST_COMPILE", on_unused_input="ignore")
    draws = MODEL.derive({key: value[None] for key, value in raw.items()}, cut, priors, alone)
    wanted = forward.log_likelihood(*states(MODEL.regimes(draws, cut, alone)), time_varying=True)[0]
    for d in range(3):
        assert float(density(*[raw[v.name][d] for v in built.free_RVs])) == pytest.approx(wanted[d], abs=1e-9)


def test_one_step_densities_are_exact_where_nothing_walks(shaped):
    panel, priors, setting = shaped
    streams = tuple(replace(s, level="constant" if s.level else None) for s in setting.streams)
    draws, _, _, seen = told(shaped, streams=streams)
    given = states(MODEL.regimes(draws, panel, seen))
    wanted = forward.one_step_log_density(*given, time_varying=True)[0]
    P = draws["persistence"].sel(stream="curfew").values[0]
    own = derived.states(panel.sel(stream="curfew").values)
    wanted = wanted + forward.one_step_log_density(own, P, forward.stationary(P), time_varying=False)
    assert durations.one_step(draws, panel, seen, priors, number=1, seed=1) == pytest.approx(wanted, abs=1e-9)


def test_one_step_densities_without_memory_are_those_of_the_model_without_memory(shaped):
    """Two filters with their own particles agree on every month but for noise."""
    panel, priors, setting = shaped
    aged, plain = without_memory(shaped, draws=3)
    found = durations.one_step(aged, panel, setting, priors, number=10_000, seed=1)
    wanted = densities.one_step(plain, panel, setting, priors, number=10_000, seed=2)
    assert found == pytest.approx(wanted, abs=0.12)
    assert found[:, 5].std() > 0  # draws differ


def test_a_seed_decides_and_a_missing_month_adds_nothing(shaped):
    draws, panel, priors, setting = told(shaped, labels=None, draws=30)
    found = durations.one_step(draws, panel, setting, priors, number=20, seed=1)
    assert np.isfinite(found).all()
    assert np.array_equal(found, durations.one_step(draws, panel, setting, priors, number=20, seed=1))
    gap = panel.copy()
    gap[:, 3] = np.nan
    later = durations.one_step(draws, gap, setting, priors, number=20, seed=1)
    assert later[:, 3] == pytest.approx(0.0, abs=1e-12)
    assert np.array_equal(later[:, :3], found[:, :3])
    with pytest.raises(ValueError, match="got 0; wanted at least one"):
        durations.one_step(draws, panel, setting, priors, number=0, seed=1)


def test_futures_follow_the_laws_and_fill_the_tail(shaped):
    draws, panel, _, setting = told(shaped, draws=2, seed=8)
    R = 30_000
    found = durations.draw(draws, panel, setting, months=3, paths=R, seed=4)
    laws = durations.laws(draws, panel, setting, months=3)
    for d in range(2):
        for h in range(3):
            share = np.bincount(found["regime"].values[d, :, h], minlength=3) / R
            assert np.all(np.abs(share - laws["ahead"].values[0, d, h]) < 4.5 * np.sqrt(0.25 / R))
    assert found["filtered"].values == pytest.approx(laws["filtered"].values[0, :, -1], abs=1e-12)
    assert found["count"].dtype == np.float32  # a price is no count
    assert np.all(found["tail"].sel(stream="fires").values == [3, 1])
    effect = np.exp(draws["level"].sel(stream="deaths")[0, :, -1] + draws["effect"].sel(stream="deaths")[0])
    factor = np.exp(draws["reporting"].sel(stream="deaths")[0, :, 2])
    wanted = (laws["smoothed"].values[0, :, -1] * effect.values).sum(-1) * factor.values
    last = found["tail"].sel(stream="deaths").values[:, :, 1]
    assert np.all(np.abs(last.mean(1) - wanted) < 4.5 * last.std(1) / np.sqrt(R))


def test_counts_and_levels_ahead_have_the_moments_of_those_without_ages(shaped):
    panel, _, setting = shaped
    aged, plain = without_memory(shaped, draws=2)
    R = 20_000
    found = durations.draw(aged, panel, setting, months=2, paths=R, seed=4)["count"]
    wanted = PLAIN.draw(plain, panel, setting, months=2, paths=R, seed=5)["count"]
    for part in (lambda x: x, lambda x: x == 0):
        got, want = (part(x.astype(float)) for x in (found, wanted))
        error = np.sqrt((got.var("path") + want.var("path")) / R)
        assert np.all(np.abs(got.mean("path") - want.mean("path")) <= 4.8 * error + 1e-9)


def test_the_threads_that_share_the_work_do_not_matter(shaped, monkeypatch):
    draws, panel, priors, setting = told(shaped, draws=50)
    futures = durations.draw(draws, panel, setting, months=2, paths=5, seed=6)
    density = durations.one_step(draws, panel, setting, priors, number=5, seed=6)
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    monkeypatch.setattr(durations, "CHUNK", 7)
    assert futures.identical(durations.draw(draws, panel, setting, months=2, paths=5, seed=6))
    assert np.array_equal(density, durations.one_step(draws, panel, setting, priors, number=5, seed=6))


def test_draws_of_the_prior_say_that_the_data_do_not_speak(shaped):
    draws, _, priors, setting = told(shaped, draws=4000)
    for contraction, sentence in durations.contraction(draws, priors, setting).values():
        assert contraction == pytest.approx(0.0, abs=0.05)
        assert sentence == "the data do not speak about the shape"
    sure = draws.assign(stated=xr.where(draws["prior"].str.startswith("shape"), 1.0, draws["stated"]))
    sure["stated"][..., 0] = 1.0
    found = durations.contraction(sure.transpose("chain", "draw", ...), priors, setting)
    assert set(found.values()) == {(1.0, None)}


def test_a_shape_that_nobody_stated_is_refused(rich):
    _panel, priors, setting = rich
    with pytest.raises(Refusal, match=r"shape.calm.*add \[shape.calm\], \[shape.tense\], \[shape.war\]"):
        MODEL.beliefs(priors, setting)
