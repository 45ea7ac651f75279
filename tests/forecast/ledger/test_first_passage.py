"""A first passage is settled when every quarter up to its horizon is answered, whether or not it came by then."""

import itertools

import numpy as np
import pytest

from forecast import ledger as book
from forecast.skill import passages
from models.baselines import empirical_chain

QUARTERS = ("2026Q3", "2026Q4", "2027Q1", "2027Q2")
PAST = [("2025Q3", "calm"), ("2025Q4", "war"), ("2026Q1", "calm"), ("2026Q2", None)]
Q = {"war": (0.1, 0.2, 0.3, 0.4), "contained": (0.5, 0.6, 0.7, 0.8), "calm": None}


@pytest.fixture
def told(tmp_path, record):
    """A ledger with one live forecast of four quarters."""
    path = tmp_path / "told.sqlite"
    resolved = {"calm": {"mean": 0.2}, "contained": {"mean": 0.5}, "war": {"mean": 0.3}}
    first = {
        name: q and [{"quarter": quarter, "mean": mean} for quarter, mean in zip(QUARTERS, q, strict=True)]
        for name, q in Q.items()
    }
    text = record(
        quarters=[{"quarter": quarter, "resolved": resolved} for quarter in QUARTERS],
        first_passage=first,
        resolved_history=[{"quarter": quarter, "resolved": outcome} for quarter, outcome in PAST],
    )
    book.append_forecast(path, text, issued_at="2026-06-30T12:00:00Z")
    return path


def answer(path, quarter, outcome):
    book.resolve(
        path, f"{quarter}-abababab", outcome, source="s", reason="r", set_by="d",
        as_of="2027-08-01", recorded_at="2027-08-02T00:00:00Z",
    )  # fmt: skip


def settled(path):
    return {(one.scenario, one.horizon): (one.came, one.brier) for one in passages(path)}


def test_a_passage_waits_for_all_its_quarters_whether_or_not_it_came(told):
    assert settled(told) == {}
    answer(told, "2026Q3", "contained")
    assert settled(told) == {
        ("war", 1): (False, pytest.approx(0.01)),
        ("contained", 1): (True, pytest.approx(0.25)),
    }
    for quarter, outcome in (("2026Q4", "unresolved"), ("2027Q1", "calm")):
        answer(told, quarter, outcome)
        assert {horizon for _, horizon in settled(told)} == {
            1
        }  # contained came; to count it now would favour it
    answer(told, "2027Q2", "war")
    assert settled(told)["contained", 4] == (True, pytest.approx(0.04))
    assert settled(told)["war", 4] == (True, pytest.approx(0.36))
    assert {name for name, _ in settled(told)} == {"war", "contained"}  # calm held already: not asked


@pytest.mark.parametrize("open_", ["unresolved", "ambiguous"])
def test_a_quarter_that_resolves_to_nothing_is_answered_and_an_absence_is_settled(told, open_):
    for quarter, outcome in zip(QUARTERS, ("contained", open_, "calm", "calm"), strict=True):
        answer(told, quarter, outcome)
    assert settled(told)["war", 4] == (False, pytest.approx(0.16))


def test_an_annulled_quarter_takes_its_passages_with_it_whatever_came(told):
    for quarter, outcome in zip(QUARTERS, ("contained", "war", "annulled", "calm"), strict=True):
        answer(told, quarter, outcome)
    assert {horizon for _, horizon in settled(told)} == {1}


def test_the_chain_beside_it_is_that_of_every_path(told):
    """All paths of five quarters from the last resolved one, of which the first stayed unresolved."""
    answer(told, "2026Q3", "war")
    chain = empirical_chain([0, 2, 0, -1], 3)
    for one in passages(told):
        reached = 0.0
        for path in itertools.product(range(3), repeat=5):
            weight = np.prod([chain[i, j] for i, j in itertools.pairwise((0, *path))])
            place = ("calm", "contained", "war").index(one.scenario)
            reached += weight * (place in path[1 : 1 + one.horizon])
        assert one.reference == pytest.approx((reached - one.came) ** 2)
