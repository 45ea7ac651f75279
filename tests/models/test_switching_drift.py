"""Regimes that say where a level goes: without drift it is switching-level, and steps are emissions like any other."""

from dataclasses import replace

import numpy as np
import pytensor
import pytest
import scipy.stats as st
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms

from forecast.fitting import from_prior
from models import (
    CATALOGUE,
    Setting,
    Stream,
    densities,
    derived,
    forward,
    switching_drift,
    transitions,
)
from models.variables import Stated, draw
from priors import PriorSet, Refusal, distribution

MODEL, PLAIN = CATALOGUE["switching-drift"], CATALOGUE["switching-level"]
WALKS = ("deaths", "price")


@pytest.fixture(scope="module")
def moving(rich, beliefs):
    """The rich world with beliefs about drifts and swings, and a wave for each step."""
    panel, priors, setting = rich
    said = {f"drift.{s}.{k}": (-9 + 4 * n, 1 + 4 * n) for s in WALKS for n, k in enumerate(setting.scenarios)}
    extra = beliefs(said | {"swing.calm": (0.5, 1.2), "swing.war": (1.2, 4)})
    both = {**dict(priors.items()), **dict(extra.items())}
    priors = PriorSet(name="both", statements=both, source="both")
    return panel, priors, replace(setting, basis=panel.sizes["month"] - 1)


def told(moving, *, draws=4, seed=5, **changes):
    panel, priors, setting = moving
    found = from_prior(panel, MODEL, priors, replace(setting, **changes), draws=draws, seed=seed)
    return found.draws, panel, priors, found.setting


def still(draws):
    """The same draws with no drift and no swing."""
    return draws.assign(drift=draws["drift"] * 0.0, swing=draws["swing"] * 0.0 + 1.0)


def parts(chain):
    return [chain[name].values for name in ("log_emission", "transition", "initial")]


def test_without_drift_and_swing_it_is_switching_level(moving):
    draws, panel, priors, setting = told(moving)
    chain, plain = MODEL.regimes(still(draws), panel, setting), derived.regimes(draws, panel, setting)
    for got, want in zip(parts(chain)[1:], parts(plain)[1:], strict=True):
        assert got == pytest.approx(want, abs=1e-9)
    more = parts(chain)[0] - parts(plain)[0]  # steps are as likely in every regime
    assert more == pytest.approx(np.broadcast_to(more[..., :1], more.shape), abs=1e-9)
    tame = panel.copy()
    tame.loc[list(WALKS), 4] = np.nan  # a month that few particles reach would be noise
    found = switching_drift.one_step(still(draws), tame, setting, priors, number=20_000, seed=1)
    wanted = densities.one_step(draws, tame, replace(setting, horizon=0), priors, number=20_000, seed=2)
    assert found == pytest.approx(wanted, abs=0.12)
    R = 20_000
    ahead = switching_drift.draw(still(draws), panel, setting, months=3, paths=R, seed=3)["count"].astype(
        float
    )
    other = PLAIN.draw(draws, panel, setting, months=3, paths=R, seed=4)["count"].astype(float)
    logs = np.log1p(ahead), np.log1p(other)
    error = np.sqrt((logs[0].var("path") + logs[1].var("path")) / R)
    assert np.all(np.abs(logs[0].mean("path") - logs[1].mean("path")) <= 4.8 * error + 1e-9)


def test_the_density_is_that_of_steps_drawn_by_the_regimes(moving):
    """Likelihood times the sampler's standard normals is the law on paper, summed over regimes by the recursion."""
    panel, priors, setting = moving
    alone, cut = replace(setting, streams=setting.streams[:5]), panel[:5]
    raw = draw(MODEL.beliefs(priors, alone), np.random.default_rng(3), 3)
    built = remove_value_transforms(MODEL.build(cut, priors, alone))
    values = [built.rvs_to_values[v] for v in built.free_RVs]
    likelihood = built.replace_rvs_by_values([built.potentials[0]])[0] + built.logp(built["shape"])
    density = pytensor.function(values, likelihood, mode="FAST_COMPILE", on_unused_input="ignore")
    draws = MODEL.derive({key: value[None] for key, value in raw.items()}, cut, priors, alone)
    for d in range(3):
        own = draws.isel(chain=0, draw=d)
        emitted = derived.log_emission(draws, cut, alone)[0, d]
        for s in WALKS:
            sd = float(own["wander"].sel(stream=s)) * own["swing"].values
            taken = np.diff(own["level"].sel(stream=s).values)
            emitted[1:] += st.norm.logpdf(taken[:, None], own["drift"].sel(stream=s).values, sd)
            emitted[1:] += np.log(float(own["wander"].sel(stream=s)))  # from log points to units of σ
        P, _ = derived.transition(draws, alone, 5)
        on_paper = forward.log_likelihood(emitted, P[0, d], own["initial"].values, time_varying=True)
        found = float(density(*[raw[v.name][d] for v in built.free_RVs]))
        assert found == pytest.approx(float(on_paper), abs=1e-9)


def test_the_sampler_moves_standard_normals_where_the_guess_is_right(moving):
    """Its coordinates are the steps but for a shift, a scale and a rotation, and whatever is guessed the density stays."""
    panel, priors, setting = moving
    alone, cut = replace(setting, streams=setting.streams[:5]), panel[:5]
    built = MODEL.build(cut, priors, alone)
    shape = built["shape"]
    u = built.rvs_to_values[shape]
    steps, volume = built.rvs_to_transforms[shape], None
    x = steps.backward(u, *shape.owner.inputs)
    back, volume = steps.forward(x, *shape.owner.inputs), steps.log_jac_det(u, *shape.owner.inputs).sum()
    got = built.replace_rvs_by_values([x, back, volume, built.logp(shape)])
    given = built.initial_point() | {u.name: np.random.default_rng(1).normal(size=(2, 5))}
    run = pytensor.function(list(built.value_vars), got, mode="FAST_COMPILE", on_unused_input="ignore")
    x, back, volume, density = run(*[given[v.name] for v in built.value_vars])
    assert back == pytest.approx(given[u.name], abs=1e-12)
    assert density == pytest.approx(st.norm.logpdf(given[u.name]).sum(), abs=1e-9)
    guess = switching_drift.guessed(cut, MODEL.beliefs(priors, alone), alone)
    assert guess.sum(axis=1) == pytest.approx(1.0)


def test_steps_heap_up_to_a_level_of_mean_zero():
    taken = np.random.default_rng(2).normal(size=6)
    level = switching_drift.heaped(7) @ taken
    assert np.diff(level) == pytest.approx(taken)
    assert level.mean() == pytest.approx(0.0, abs=1e-12)


def test_paths_drawn_from_the_prior_have_the_steps_of_their_regimes(moving):
    """With dwell of years each path keeps its regime, and its steps show that regime's drift and swing."""
    _panel, priors, setting = moving
    held = MODEL.beliefs(priors, replace(setting, drivers=()))
    size = 20_000
    drawn = {
        name: np.repeat(value, size, axis=0)
        for name, value in draw(held, np.random.default_rng(1), 1).items()
    }
    where = held.families["shifted-lognormal"]
    drawn["shifted-lognormal"][:, [where.index(f"dwell.{k}") for k in setting.scenarios]] = 25.0
    taken = switching_drift.path(held, replace(setting, drivers=()), drawn, np.random.default_rng(2))
    stated = Stated(np, held, {name: value[:1] for name, value in drawn.items()})
    drift, swing = (x[0] for x in switching_drift.moves(stated, setting))
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    law = transitions.start(stated, setting, transitions.matrix(leave, go, 3))[0]
    mean = (law * drift).sum(-1)
    square = (law * (swing**2 + drift**2)).sum(-1)
    for w in range(2):
        error = np.sqrt(square[w] / size)
        assert np.all(np.abs(taken[:, w].mean(0) - mean[w]) < 4.5 * error)
        assert (taken[:, w] ** 2).mean(0) == pytest.approx(np.full(5, square[w]), rel=0.06)
    pull = (law * drift[0] * drift[1]).sum() - mean[0] * mean[1]  # streams share their regime
    assert np.cov(taken[:, 0, 2], taken[:, 1, 2])[0, 1] == pytest.approx(
        pull, abs=4.5 * square.max() / np.sqrt(size)
    )


def test_levels_ahead_go_where_their_regime_sends_them(moving):
    draws, panel, _, setting = told(moving, draws=2, seed=8)
    draws["dispersion"] = draws["dispersion"] * 0 + 1e12
    draws["effect"] = draws["effect"] * 0
    R = 40_000
    found = switching_drift.draw(draws, panel, setting, months=2, paths=R, seed=1)
    logs = np.log(found["count"].sel(stream="price").values.astype(float))
    regime = found["regime"].values
    for d in range(2):
        last = float(draws["level"].sel(stream="price")[0, d, -1])
        first = logs[d, :, 0] - last
        for k in range(3):
            seen = first[regime[d, :, 0] == k]
            sd = float(draws["wander"].sel(stream="price")[0, d] * draws["swing"][0, d, k])
            drift = float(draws["drift"].sel(stream="price")[0, d, k])
            assert abs(seen.mean() - drift) < 4.5 * sd / np.sqrt(seen.size) + 1e-4
            assert seen.std() == pytest.approx(sd, rel=0.1)


def test_particles_agree_with_a_grid_over_levels(beliefs):
    """Two months of one stream: the density of the second by brute force over level, step and regimes."""
    setting = Setting(
        scenarios=("fall", "rise"),
        reference="fall",
        streams=(Stream(id="s", family="poisson", level="walk", effect="increasing"),),
        horizon=2,
        basis=2,
    )
    priors = beliefs(
        {
            "dwell.fall": (2, 9), "dwell.rise": (2, 9), "level.s": (5, 20), "wander.s": (10, 30),
            "effect.s.rise": (1.2, 1.9), "drift.s.fall": (-40, -20), "drift.s.rise": (20, 60), "swing.rise": (1.5, 3),
        }
    )  # fmt: skip
    panel = xr.DataArray(
        [[9.0, 21.0, np.nan]], dims=("stream", "month"), coords={"stream": ["s"], "month": range(3)}
    )
    draws = from_prior(panel, MODEL, priors, setting, draws=1, seed=2).draws
    own = draws.isel(chain=0, draw=0)
    found = switching_drift.one_step(draws, panel, setting, priors, number=200_000, seed=1)[0]
    law = distribution(priors["level.s"]).parameters
    step, N = float(own["wander"].sel(stream="s")), 3
    spread = law["sigma"]
    sd = np.sqrt(spread**2 + step**2 * (N - 1) * (2 * N - 1) / (6 * N))
    pull = 2 * step**2 / (step**2 * 2 * 3 * 5 / 6 + (N * spread) ** 2)
    x = np.linspace(law["mu"] - 6 * sd, law["mu"] + 6 * sd, 801)
    z = np.linspace(-6, 6, 401)
    start, P = own["initial"].values, own["transition"].values
    effect = own["effect"].sel(stream="s").values
    first = start * st.poisson.pmf(9, np.exp(x[:, None] + effect))  # [x, k]
    weight = st.norm.pdf(x, law["mu"], sd) * (x[1] - x[0])
    second = 0.0
    for j in range(2):
        along = pull * (N * law["mu"] - x - 2 * x) + float(own["drift"].sel(stream="s")[j])
        scale = step * np.sqrt(1 - 2 * pull) * float(own["swing"][j])
        to = x[:, None] + along[:, None] + scale * z
        mass = st.norm.pdf(z) * (z[1] - z[0])
        seen = (st.poisson.pmf(21, np.exp(to + effect[j])) * mass).sum(-1)
        second += (weight * (first @ P[:, j]) * seen).sum()
    one = (weight * first.sum(-1)).sum()
    assert found[0] == pytest.approx(np.log(one), abs=0.02)
    assert found[1] == pytest.approx(np.log(second / one), abs=0.02)
    assert found[2] == pytest.approx(0.0, abs=1e-9)


def test_what_does_not_fit_is_refused(moving, rich):
    panel, priors, setting = moving
    with pytest.raises(ValueError, match="basis: got 16 for 6 months; wanted 5"):
        MODEL.data(panel, priors, replace(setting, basis=16))
    with pytest.raises(Refusal, match=r"drift.deaths.calm.*add \[drift.deaths.calm\]"):
        MODEL.beliefs(rich[1], setting)
    with pytest.raises(Refusal, match="a level that stands still has no drift"):
        MODEL.needs(replace(setting, streams=setting.streams[1:2]))
