"""Shapley's shares add up to the last digit, give nothing for nothing, like for like, and know their errors."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.moved import Bar, sentence
from forecast.moved.shapley import Coalition, coalitions, shares
from forecast.tallies import Chance

CAUSES = ("history", "months", "beliefs")
D = 400
numbers = st.lists(st.floats(-1, 1), min_size=8, max_size=8)


def valued(worths: dict[Coalition, float], *, noise: float = 0.0) -> dict[Coalition, Chance]:
    """Values whose fits are independent, each with an error of ``noise``."""
    rng = np.random.default_rng(5)
    return {
        causes: Chance(
            mean=np.array(worth),
            influence={causes: noise * np.sqrt(D) * rng.standard_normal(D)},
            chains=4,
        )
        for causes, worth in worths.items()
    }


def game(values: list[float]) -> dict[Coalition, float]:
    return dict(zip(coalitions(CAUSES), values, strict=True))


@given(numbers)
def test_shares_add_up_and_are_means_over_the_orders(values: list[float]) -> None:
    worth = game(values)
    found = shares(CAUSES, valued(worth))
    total = sum(float(one.shift.mean) for one in found.values())
    assert total == pytest.approx(worth[frozenset(CAUSES)] - worth[frozenset()], abs=1e-12)
    for cause, one in found.items():
        added = [
            worth[frozenset(order[: order.index(cause) + 1])] - worth[frozenset(order[: order.index(cause)])]
            for order in permutations(CAUSES)
        ]
        assert one.shift.mean == pytest.approx(np.mean(added), abs=1e-12)
        assert (one.low, one.high) == (min(added), max(added))


@given(numbers)
def test_a_cause_that_changes_nothing_has_no_share_and_no_error(values: list[float]) -> None:
    rng = np.random.default_rng(1)
    fits = [(worth, 0.05 * rng.standard_normal(D)) for worth in values[:4]]
    without = list(coalitions(CAUSES[:2]))
    held = {
        causes: Chance(
            mean=np.array(fits[at][0]), influence={at: fits[at][1]}, chains=4
        )  # the same fit with beliefs and without
        for causes in coalitions(CAUSES)
        for at in [without.index(causes - {"beliefs"})]
    }
    found = shares(CAUSES, held)["beliefs"]
    assert found.shift.mean == pytest.approx(0, abs=1e-15)
    assert found.shift.error == pytest.approx(0, abs=1e-15)
    assert found.low == found.high == 0


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_causes_that_do_the_same_have_the_same_share(by_size: list[float]) -> None:
    found = shares(CAUSES, valued({causes: by_size[len(causes)] for causes in coalitions(CAUSES)}))
    each = [float(one.shift.mean) for one in found.values()]
    assert each == pytest.approx([(by_size[3] - by_size[0]) / 3] * 3, abs=1e-12)


def test_errors_are_those_of_the_signed_coefficients() -> None:
    sd = 0.01
    found = shares(CAUSES, valued(dict.fromkeys(coalitions(CAUSES), 0.2), noise=sd))["months"]
    signed = [1 / 3] * 4 + [1 / 6] * 4  # |S|! (2 − |S|)! / 3!, with the cause and without
    assert found.shift.error == pytest.approx(sd * np.sqrt(np.square(signed).sum()), rel=0.1)


def test_only_bars_beyond_their_noise_are_described() -> None:
    bar = Bar(
        name="months",
        shift=np.array([0.031, 0.01, 0.0]),
        error=np.array([0.006, 0.006, 0.0]),
        low=np.array([0.02, -0.02, 0.0]),
        high=np.array([0.04, 0.03, 0.0]),
    )
    assert bar.told.tolist() == [True, False, False]
    assert bar.depends_on_order.tolist() == [False, True, False]
    told = {"shift": 0.031, "told": True, "depends_on_order": False}
    other = {"shift": -0.05, "told": True, "depends_on_order": True}
    quiet = {"shift": 0.3, "told": False, "depends_on_order": False}
    assert (
        sentence({"months": told, "history": other, "rerun": quiet})
        == "In points: revised history −5.0 (depends on the order) and new months +3.1; "
        "the rest is within the noise of the simulation."
    )
    assert sentence({"rerun": quiet}) == "No cause stands out from the noise of the simulation."
