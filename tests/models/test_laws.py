"""Laws of the density: order does not matter, missing is nothing, and one model is the limit of another."""

from dataclasses import replace

import numpy as np
import pytest

from models import CATALOGUE, forward
from models.variables import draw

MODEL = CATALOGUE["switching-level"]


def log_likelihood(draws, panel, setting):
    """Of the streams that follow the regimes, for each draw."""
    chain = MODEL.regimes(draws, panel, setting)
    given = (chain[name].values for name in ("log_emission", "transition", "initial"))
    return forward.log_likelihood(*given, time_varying="step" in chain["transition"].dims)[0]


@pytest.fixture(scope="module")
def drawn(rich):
    panel, priors, setting = rich
    raw = draw(MODEL.beliefs(priors, setting), np.random.default_rng(4), 5)
    return MODEL.derive({name: value[None] for name, value in raw.items()}, panel, priors, setting)


def test_the_order_of_streams_does_not_matter(rich, drawn):
    panel, _, setting = rich
    order = [3, 0, 5, 4, 2, 1]
    turned = replace(setting, streams=tuple(setting.streams[s] for s in order))
    got = log_likelihood(drawn.isel(stream=order), panel.isel(stream=order), turned)
    assert np.allclose(got, log_likelihood(drawn, panel, setting), atol=1e-12)


def test_a_stream_that_is_missing_throughout_adds_exactly_nothing(rich, drawn):
    panel, _, setting = rich
    gone = panel.copy()
    gone.loc["deaths"] = np.nan
    without = replace(setting, streams=setting.streams[1:])
    got = log_likelihood(drawn, gone, setting)
    assert np.array_equal(got, log_likelihood(drawn.isel(stream=slice(1, None)), panel[1:], without))


def test_a_missing_cell_forgets_its_value(rich, drawn):
    """Beliefs about the regime of a month with nothing in it come from its neighbours alone."""
    panel, _, setting = rich
    gone = panel.copy()
    gone[:, 4] = np.nan
    quiet = replace(setting, labels=None)
    chain = MODEL.regimes(drawn, gone, quiet)
    assert np.all(chain["log_emission"].values[:, :, 4] == 0.0)


def test_a_label_multiplies_the_odds_of_its_regime(rich, drawn):
    panel, _, setting = rich
    gone = panel.copy()
    gone[:, 4:] = np.nan
    law = {}
    for name, given in (("with", setting), ("without", replace(setting, labels=None))):
        chain = MODEL.regimes(drawn, gone, given)
        parts = (chain[part].values for part in ("log_emission", "transition", "initial"))
        law[name] = forward.filtered(*parts, time_varying=True)[0, :, 4, 2]
    odds = {name: p / (1 - p) for name, p in law.items()}
    assert np.allclose(odds["with"], 5 * odds["without"], rtol=1e-9)


def test_levels_that_stand_still_make_the_model_with_constant_levels(rich):
    """As wander goes to zero, switching-level becomes regimes."""
    panel, priors, setting = rich
    still = CATALOGUE["regimes"]
    raw = draw(MODEL.beliefs(priors, setting), np.random.default_rng(4), 5)
    walks = MODEL.derive({k: v[None] for k, v in raw.items()}, panel, priors, setting)
    names = MODEL.beliefs(priors, setting).families["lognormal"]
    kept = [n for n, key in enumerate(names) if not key.startswith("wander")]
    flat = {k: v[None] for k, v in raw.items() if k != "shape"} | {
        "lognormal": raw["lognormal"][None][..., kept]
    }
    constant = still.derive(flat, panel, priors, setting)
    wanted = log_likelihood(constant, panel, still.view(setting))
    gaps = []
    for shrink in (1.0, 1e-3, 1e-9):
        mean = constant["level"]
        near = walks.assign(level=mean + shrink * (walks["level"] - mean))
        gaps.append(np.abs(log_likelihood(near, panel, setting) - wanted).max())
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 1e-6


def test_effects_are_stated_step_by_step_away_from_the_reference(rich, drawn):
    """Each on the side of one that its stream declares, and none where it declares none."""
    effect = drawn["effect"].sel(stream="deaths")
    stated = drawn["stated"]
    assert np.allclose(effect.sel(regime="tense"), 0)
    assert np.allclose(effect.sel(regime="war"), np.log(stated.sel(prior="effect.deaths.war")))
    assert np.all(effect.sel(regime="calm") < 0)
    assert np.all(drawn["effect"].sel(stream="price", regime="calm") > 0)
    assert np.all(drawn["effect"].sel(stream="raids") == 0)


def test_two_steps_from_the_reference_multiply(rich):
    panel, priors, setting = rich
    turned = replace(
        setting,
        reference="calm",
        drivers=(),
        streams=(replace(setting.streams[1], effect="free"),),
        labels=None,
        reporting={},
    )
    renamed = {
        **priors.statements,
        "effect.fires.tense": priors["effect.fires.calm"].model_copy(
            update={"quantity": "effect.fires.tense"}
        ),
    }
    said = replace(priors, statements=renamed)
    raw = draw(MODEL.beliefs(said, turned), np.random.default_rng(0), 3)
    draws = MODEL.derive({k: v[None] for k, v in raw.items()}, panel[1:2], said, turned)
    steps = draws["stated"].sel(prior=["effect.fires.tense", "effect.fires.war"]).prod("prior")
    assert np.allclose(draws["effect"].sel(stream="fires", regime="war"), np.log(steps))
