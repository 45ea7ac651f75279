"""Dwell, exits and odds become matrices that mean what the analyst said."""

from dataclasses import replace

import numpy as np
import pytest

from models import CATALOGUE, Driver, transitions
from models.derived import transition
from models.variables import Stated, draw
from priors import Refusal

MODEL = CATALOGUE["switching-level"]


@pytest.fixture(scope="module")
def drawn(rich):
    panel, priors, setting = rich
    raw = draw(MODEL.beliefs(priors, setting), np.random.default_rng(1), 200)
    return MODEL.derive({name: value[None] for name, value in raw.items()}, panel, priors, setting)


def test_rows_are_laws_and_a_dwell_is_the_average_spell(drawn):
    P = drawn["transition"].values
    assert np.allclose(P.sum(axis=-1), 1.0, atol=1e-14)
    assert np.all(P >= 0)
    stays = np.diagonal(P, axis1=-2, axis2=-1)
    dwell = drawn["stated"].sel(prior=["dwell.calm", "dwell.tense", "dwell.war"]).values
    assert np.allclose(1 / (1 - stays), dwell, rtol=1e-9)
    assert dwell.min() > 1


def test_an_exit_that_is_never_taken_has_no_probability_and_no_parameter(drawn):
    P = drawn["transition"]
    assert np.all(P.sel(regime_from="calm", regime_to="war") == 0.0)
    assert not [name for name in drawn["prior"].values if str(name).startswith("exits.calm")]


def test_exits_are_the_shares_stated(drawn):
    P, h = drawn["transition"], drawn["hazard"]
    share = P.sel(regime_from="war", regime_to="calm") / h.sel(regime="war")
    assert np.allclose(share, drawn["stated"].sel(prior="exits.war.calm"))
    assert float(share.mean()) == pytest.approx(0.2, abs=0.05)


def test_the_first_month_is_stationary_unless_a_start_is_stated(drawn):
    moved = np.einsum("...i,...ij->...j", drawn["initial"].values, drawn["transition"].values)
    assert np.allclose(moved, drawn["initial"].values, atol=1e-12)


def test_drivers_at_their_reference_change_nothing(rich, drawn):
    _, _, setting = rich
    at_rest = tuple(replace(d, values=(d.reference,) * 9) for d in setting.drivers)
    P, _ = transition(drawn, replace(setting, drivers=at_rest), 5)
    assert np.allclose(P, drawn["transition"].values[:, :, None], atol=1e-14)


def test_odds_multiply_the_odds_of_leaving_and_of_each_exit(rich, drawn):
    _, _, setting = rich
    P, by_step = transition(drawn, setting, 5)
    assert by_step == ("step",)
    quiet, moved = drawn["transition"].values[0], P[0, :, 2]  # talks have value 1 in the month left
    odds = drawn["stated"].sel(prior="odds.talks.leave.war").values[0]
    leave, leaves = 1 - quiet[:, 2, 2], 1 - moved[:, 2, 2]
    assert np.allclose(leaves / (1 - leaves), odds * leave / (1 - leave), rtol=1e-9)
    toward = drawn["stated"].sel(prior="odds.talks.toward.war.calm").values[0]
    assert np.allclose(moved[:, 2, 0] / moved[:, 2, 1], toward * quiet[:, 2, 0] / quiet[:, 2, 1], rtol=1e-9)


def test_lag_says_whether_the_month_left_or_the_month_reached_counts():
    values = (0.0, 1.0, 2.0, 3.0)
    x = transitions.deviations(
        [Driver(id=name, lag=lag, reference=0.5, values=values) for name, lag in (("a", 0), ("b", 1))], 3
    )
    assert x[:, 0].tolist() == [0.5, 1.5, 2.5]
    assert x[:, 1].tolist() == [-0.5, 0.5, 1.5]


def test_a_driver_too_short_for_the_steps_is_refused():
    with pytest.raises(ValueError, match="driver 'a': got 2 months; wanted 4"):
        transitions.deviations([Driver(id="a", lag=0, reference=0.0, values=(0.0, 1.0))], 3)


def test_a_path_for_an_unknown_driver_is_refused(rich):
    with pytest.raises(Refusal, match="did you mean 'talks'"):
        transitions.with_values(rich[2].drivers, {"talk": [1.0]}, 6)


def test_shares_must_cover_the_other_scenarios(rich, beliefs):
    _, _priors, setting = rich
    said = {"exits.calm": {"tense": 1.0, "war": 0}, "exits.tense": {"calm": 1.0}}
    with pytest.raises(Refusal, match=r"exits\.tense.*got 'calm'.*calm, war.*never"):
        transitions.check_shares(beliefs(said | {"exits.war": {"calm": 0.5, "tense": 0.5}}), setting)


def test_a_hazard_stated_about_one_spell_is_used_as_it_is(rich):
    from priors import distribution, loads

    text = (
        'schema = 1\nname = "x"\n[dwell.war]\nkind = "interval"\nlow = 1.2\nhigh = 6\nmass = 0.9\n'
        'about = "one spell"\nunit = "months"\nbecause = "b"\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n'
    )
    _, priors, setting = rich
    spoken = distribution(loads(text, "f")["dwell.war"])
    held = MODEL.beliefs(priors, setting)
    mixed = replace(held, laws={**held.laws, "dwell.war": spoken})
    raw = draw(mixed, np.random.default_rng(0), 4000)
    h = transitions.hazard(Stated(np, mixed, raw), setting)
    a, b = spoken.parameters["alpha"], spoken.parameters["beta"]
    assert h[:, 2].mean() == pytest.approx(a / (a + b), abs=0.01)
    assert np.allclose(h[:, 0], 1 / Stated(np, mixed, raw).of(["dwell.calm"])[:, 0])
