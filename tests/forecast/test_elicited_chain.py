"""What statements about dwell and exits imply: both readings, matrices, and laws, against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from forecast.elicited import implied
from priors import PriorSet, Refusal, loads

THREE = ("calm", "usual", "war")


def beliefs(dwell: dict[str, str], exits: dict[str, str], extra: str = "") -> PriorSet:
    text = ['schema = 1\nname = "test"\n[defaults]\nauthor = "x"\ndate = 2026-01-01\nsource = "x"']
    text += [f'[dwell.{k}]\nunit = "months"\nbecause = "x"\n{said}' for k, said in dwell.items()]
    text += [f'[exits.{k}]\nkind = "shares"\nbecause = "x"\n{said}' for k, said in exits.items()]
    return loads("\n".join([*text, extra]), "priors.toml")


def months(low: float, high: float) -> str:
    return f'kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9'


def even(names: tuple[str, ...], worth: float = 6) -> dict[str, str]:
    share = 1 / (len(names) - 1)
    return {
        k: f"worth = {worth}\nto = {{ {', '.join(f'{j} = {share}' for j in names if j != k)} }}"
        for k in names
    }


def test_an_average_of_two_states_is_their_closed_form() -> None:
    """With dwells all but certain, P, its cube and its stationary law are those of two hazards."""
    a, b = 1 / 8, 1 / 3
    priors = beliefs({"calm": months(7.999, 8.001), "war": months(2.9999, 3.0001)}, {})
    told = implied(priors, ("calm", "war"), seed=1, draws=200)
    P = np.array([[1 - a, a], [b, 1 - b]])
    np.testing.assert_allclose(told["transitions"]["mean"], P, atol=1e-4)
    np.testing.assert_allclose(told["transitions_quarter"]["mean"], P @ P @ P, atol=1e-4)
    assert told["stationary"]["war"]["mean"] == pytest.approx(a / (a + b), abs=1e-4)
    assert told["start"] == told["stationary"]
    assert told["start_stated"] is False


def test_the_worked_example_of_one_spell() -> None:
    """One spell of at most six months with 95 %, worth ten ends: 48 % of spells last a single month."""
    said = 'kind = "interval"\nabout = "one spell"\nlow = 2\nhigh = 6\nmass = 0.9\nworth = 10'
    priors = beliefs({"calm": months(4, 12), "usual": months(6, 36), "war": said}, even(THREE))
    told = implied(priors, THREE, seed=2)
    war = told["dwell"]["war"]
    assert war["within_a_month"] == pytest.approx(0.48, abs=0.005)
    assert war["one_spell"]["q95"] == 6
    leave = 1 - told["transitions"]["mean"][2][2]
    assert leave == pytest.approx(0.48, abs=0.01)
    b = 10 * (1 - war["within_a_month"])
    assert np.exp(betaln(10 - b, b + 6) - betaln(10 - b, b)) == pytest.approx(0.05, abs=1e-6)


def test_an_average_spell_reads_wider_as_one_spell() -> None:
    priors = beliefs({"calm": months(4, 12), "usual": months(6, 36), "war": months(1.2, 6)}, even(THREE))
    for both in implied(priors, THREE, seed=3)["dwell"].values():
        assert both["one_spell"]["q05"] <= both["average"]["q05"]
        assert both["one_spell"]["q95"] > both["average"]["q95"]
    assert implied(priors, THREE, seed=3)["dwell"]["calm"]["average"]["q05"] == pytest.approx(4)
    assert implied(priors, THREE, seed=3)["dwell"]["calm"]["average"]["q95"] == pytest.approx(12)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(1.1, 6.0), st.floats(1.2, 5.0)), min_size=3, max_size=3))
def test_rows_are_laws_and_the_long_run_is_left_as_it_is(dwells: list[tuple[float, float]]) -> None:
    said = {k: months(low, low * times) for k, (low, times) in zip(THREE, dwells, strict=True)}
    told = implied(beliefs(said, even(THREE)), THREE, seed=4, draws=100)
    for key in ("transitions", "transitions_quarter"):
        np.testing.assert_allclose(np.sum(told[key]["mean"], axis=1), 1.0)
        assert np.all(np.array(told[key]["q05"]) <= np.array(told[key]["q95"]))
    assert sum(told["stationary"][k]["mean"] for k in THREE) == pytest.approx(1.0)


def test_a_stated_start_is_told_apart_from_the_long_run() -> None:
    start = (
        '[start]\nkind = "shares"\nworth = 8\nbecause = "x"\nto = { calm = 0.2, usual = 0.75, war = 0.05 }'
    )
    dwell = {"calm": months(4, 12), "usual": months(6, 36), "war": months(1.2, 6)}
    told = implied(beliefs(dwell, even(THREE), start), THREE, seed=5)
    assert told["start_stated"] is True
    assert told["start"]["usual"]["mean"] == pytest.approx(0.75, abs=0.01)
    assert told["start"]["usual"] != told["stationary"]["usual"]


def test_an_exit_that_never_happens_has_probability_zero() -> None:
    exits = even(THREE) | {"calm": 'worth = 5\nto = { usual = 1.0 }\nnever = ["war"]'}
    dwell = {"calm": months(4, 12), "usual": months(6, 36), "war": months(1.2, 6)}
    told = implied(beliefs(dwell, exits), THREE, seed=6)
    assert told["transitions"]["q95"][0][2] == 0.0
    assert told["transitions_quarter"]["q05"][0][2] > 0.0


def test_one_seed_gives_one_answer_and_one_regime_none() -> None:
    priors = beliefs({"calm": months(4, 12), "war": months(1.2, 6)}, {})
    assert implied(priors, ("calm", "war"), seed=7) == implied(priors, ("calm", "war"), seed=7)
    with pytest.raises(ValueError, match="wanted two or more"):
        implied(priors, ("calm",), seed=7)
    with pytest.raises(Refusal, match=r"exits\.calm"):
        implied(
            beliefs(
                {k: months(4, 12) for k in THREE}, even(THREE) | {"calm": "worth = 5\nto = { usual = 1.0 }"}
            ),
            THREE,
            seed=7,
        )
