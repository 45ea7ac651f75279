"""A question goes from open to closed to one answer; what was said before stays on record."""

import json
from datetime import date

import numpy as np
import pytest

from forecast import ledger as book
from forecast import score
from priors.refusal import Refusal

Q3, Q4, Q2 = "2026Q3-abababab", "2026Q4-abababab", "2026Q2-abababab"
SAID = {"source": "UCDP Candidate 26.10", "reason": "rule holds", "set_by": "desk"}
AFTER = {**SAID, "as_of": "2027-02-01", "recorded_at": "2027-02-02T00:00:00Z"}


def states(ledger, on=date(2027, 3, 1)):
    return {question.id: (question.state, question.outcome) for question in book.questions(ledger, on=on)}


def test_a_question_is_open_until_its_quarter_ends(ledger):
    assert states(ledger, date(2026, 9, 30))[Q3] == ("open", None)
    assert states(ledger, date(2026, 10, 1))[Q3] == ("closed", None)
    assert states(ledger, date(2026, 10, 1))[Q4] == ("open", None)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("war", ("resolved", "war")),
        ("unresolved", ("unresolved", None)),
        ("ambiguous", ("ambiguous", None)),
        ("annulled", ("annulled", None)),
    ],
)
def test_it_comes_to_one_of_four_ends(ledger, outcome, state):
    head = book.resolve(ledger, Q3, outcome, **AFTER)
    assert (states(ledger)[Q3], states(ledger)[Q4]) == (state, ("closed", None))
    row = book.entries(ledger)[-1]
    assert (row.kind, row.regards) == ("annulment" if outcome == "annulled" else "resolution", 2)
    assert head == book.head(ledger)
    assert book.verify(ledger).ok


def test_every_forecast_of_the_question_is_scored_with_the_resolution(ledger):
    book.resolve(ledger, Q4, "war", **AFTER)
    scores = {line["run"]: line for line in json.loads(book.entries(ledger)[-1].payload)["scores"]}
    assert {run: (line["timing"], line["horizon"]) for run, line in scores.items()} == {
        "2026-06-30-7f3a9c21": ("live", 2),
        "second": ("live", 1),
        "past": ("retrospective", 3),
    }
    resolved = np.array([0.0, 0.125, 0.875])  # a fifth of the futures of "second" stayed unresolved
    assert scores["second"]["ign"] == pytest.approx(score.ign(resolved, 2))
    assert scores["second"]["rps"] == pytest.approx(score.rps(resolved, 2))
    assert scores["second"]["brier"] == pytest.approx(score.brier(resolved, 2))


def test_the_track_record_holds_live_forecasts_of_resolved_questions_only(ledger):
    assert book.track_record(ledger) == ()
    book.resolve(ledger, Q4, "war", **AFTER)
    book.resolve(ledger, Q2, "calm", **AFTER)  # asked by a retrospective run alone
    book.resolve(ledger, Q3, "ambiguous", **AFTER)
    record = book.track_record(ledger)
    assert {(line.run, line.quarter, line.horizon, line.outcome) for line in record} == {
        ("2026-06-30-7f3a9c21", "2026Q4", 2, "war"),
        ("second", "2026Q4", 1, "war"),
    }


def test_revised_data_give_a_new_row_and_both_are_shown(ledger):
    book.resolve(ledger, Q3, "war", **AFTER)
    first = book.head(ledger).count
    with pytest.raises(Refusal, match=f"entry {first} resolves it as war; name it as superseded"):
        book.resolve(ledger, Q3, "calm", **AFTER)
    with pytest.raises(Refusal, match="wanted a resolution, once"):
        book.resolve(ledger, Q3, "calm", **AFTER, supersedes=2)
    book.resolve(ledger, Q3, "calm", **AFTER, supersedes=first)
    assert states(ledger)[Q3] == ("resolved", "calm")
    assert [row.kind for row in book.show(ledger, Q3)] == ["question", "resolution", "correction"]
    assert {line.outcome for line in book.track_record(ledger)} == {"calm"}
    book.resolve(ledger, Q3, "annulled", **AFTER, supersedes=first + 1)
    assert states(ledger)[Q3] == ("annulled", None)
    assert book.track_record(ledger) == ()


def test_it_scores_on_the_declared_release_whatever_another_says(ledger):
    book.resolve(ledger, Q3, "war", **AFTER)
    book.resolve(ledger, Q3, "calm", **AFTER, release="annual")
    assert states(ledger)[Q3] == ("resolved", "war")
    assert {line.outcome for line in book.track_record(ledger)} == {"war"}
    with pytest.raises(Refusal, match="resolves it as calm"):
        book.resolve(ledger, Q3, "war", **AFTER, release="annual")


def test_nothing_is_annulled_beside_an_answer_on_another_release(ledger):
    book.resolve(ledger, Q3, "war", **AFTER)
    answer = book.head(ledger).count
    with pytest.raises(Refusal, match=f"entry {answer} resolves it as war; name it as superseded"):
        book.resolve(ledger, Q3, "annulled", **AFTER, release="annual")
    book.resolve(ledger, Q3, "annulled", **AFTER, release="annual", supersedes=answer)
    assert states(ledger)[Q3] == ("annulled", None)


def test_a_question_without_a_declared_release_is_answered_once(tmp_path, record):
    path = tmp_path / "old.sqlite"
    book.append_forecast(path, record(release=None), issued_at="2026-06-30T12:00:00Z")
    book.resolve(path, Q3, "war", **AFTER)
    with pytest.raises(Refusal, match="resolves it as war"):
        book.resolve(path, Q3, "calm", **AFTER, release="first")
    assert states(path)[Q3] == ("resolved", "war")


def test_an_annulled_question_stays_so_on_every_release(ledger):
    book.resolve(ledger, Q3, "annulled", **{**AFTER, "as_of": "2026-08-01"})  # at any time
    with pytest.raises(Refusal, match="resolves it as annulled"):
        book.resolve(ledger, Q3, "war", **AFTER, release="annual")


@pytest.mark.parametrize(
    ("question", "outcome", "changes", "message"),
    [
        ("2026Q3-ababab", "war", {}, f"did you mean '{Q3}'"),
        (Q3, "wra", {}, "did you mean 'war'"),
        (Q3, "war", {"as_of": "2026-09-30"}, "data of a day after 2026-09-30"),
        (Q3, "war", {"as_of": "soon"}, "YYYY-MM-DD"),
        (Q3, "war", {"supersedes": 2}, "no resolution to supersede"),
        (
            Q3,
            "war",
            {"release": "anual"},
            "wanted a release of the figures: first, annual; did you mean 'annual'",
        ),
    ],
)
def test_what_cannot_resolve_is_refused_and_nothing_is_recorded(ledger, question, outcome, changes, message):
    before = book.head(ledger)
    with pytest.raises(Refusal, match=message):
        book.resolve(ledger, question, outcome, **{**AFTER, **changes})
    assert book.head(ledger) == before


def test_no_live_forecast_is_dated_before_a_resolution_on_record(ledger, record):
    book.resolve(ledger, Q3, "war", **{**SAID, "as_of": "2026-11-01", "recorded_at": "2026-11-02T00:00:00Z"})
    at = "2026-10-15T00:00:00Z"
    with pytest.raises(Refusal, match="set the clock"):
        book.append_forecast(ledger, record(run="late", issued_at=at, as_of="2026-10-15", quarters=[
            {"quarter": "2026Q4", "resolved": {}}
        ]), issued_at=at)  # fmt: skip
