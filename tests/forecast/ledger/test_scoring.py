"""Scores are those of the definitions, references saw what the forecast saw, and an answer without its scores cannot exist."""

import json
from math import log2

import pytest

from forecast import ledger as book
from forecast.ledger import scoring
from forecast.ledger.store import append, open_ledger, transaction
from forecast.skill import honesty

Q3, Q4 = "2026Q3-abababab", "2026Q4-abababab"
AFTER = {
    "source": "UCDP Candidate",
    "reason": "rule holds",
    "set_by": "desk",
    "as_of": "2027-02-01",
    "recorded_at": "2027-02-02T00:00:00Z",
}
PAST = [("2025Q3", "calm"), ("2025Q4", "war"), ("2026Q1", "war"), ("2026Q2", None)]


@pytest.fixture
def told(tmp_path, record):
    """Two live forecasts of 2026Q4 that know how the past resolved, the second issued when the quarter had begun."""
    path = tmp_path / "told.sqlite"
    history = [{"quarter": quarter, "resolved": resolved} for quarter, resolved in PAST]
    means = {"calm": (0.1, 0.2), "contained": (0.3, 0.4), "war": (0.6, 0.4)}
    ahead = [
        {"quarter": q, "resolved": {k: {"mean": m, "before": b} for k, (m, b) in means.items()}}
        for q in ("2026Q3", "2026Q4")
    ]
    book.append_forecast(
        path, record(resolved_history=history, quarters=ahead), issued_at="2026-06-30T12:00:00Z"
    )
    at = "2026-11-03T12:00:00Z"
    later = {"run": "second", "issued_at": at, "as_of": "2026-11-03", "origin": "2026-09"}
    book.append_forecast(path, record(**later, quarters=[{**ahead[1], "resolved": {
        "calm": {"mean": 0.0}, "contained": {"mean": 0.2}, "war": {"mean": 0.8}}}]), issued_at=at)  # fmt: skip
    return path


def lines(path, question, outcome):
    book.resolve(path, question, outcome, **AFTER)
    return json.loads(book.entries(path)[-1].payload)["scores"]


def by_hand(p, outcome):
    """The three scores by their formulas."""
    steps = [sum(p[: k + 1]) - (outcome <= k) for k in range(2)]
    return {
        "ign": -log2((1 - 3 * 0.001) * p[outcome] + 0.001),
        "rps": sum(step**2 for step in steps) / 2,
        "brier": sum((value - (k == outcome)) ** 2 for k, value in enumerate(p)),
    }


def test_scores_are_those_of_the_formulas(told):
    first, second = lines(told, Q4, "war")
    for line, p in ((first, [0.1, 0.3, 0.6]), (second, [0.0, 0.2, 0.8])):
        assert line["p"] == pytest.approx(p)
        for name, value in by_hand(p, 2).items():
            assert line[name] == pytest.approx(value)


def test_references_know_what_the_forecast_knew(told):
    (line,) = lines(told, Q3, "contained")
    row = [1 / 4, 1 / 4, 2 / 4]  # from war once to war, of rows (1 + n)/(3 + n)
    chain = [[1 / 4, 1 / 4, 2 / 4], [1 / 3, 1 / 3, 1 / 3], row]
    two_on = [sum(row[i] * chain[i][j] for i in range(3)) for j in range(3)]  # 2026Q1 is the last resolved
    climate = [1.5 / 4.5, 0.5 / 4.5, 2.5 / 4.5]
    expected = {
        "markov-chain": two_on,
        "climatology": climate,
        "uniform": [1 / 3] * 3,
        "priors-alone": [0.2, 0.4, 0.4],
    }
    for name, p in expected.items():
        assert line["references"][name] == pytest.approx(by_hand(p, 1))
    assert "previous-forecast" not in line["references"]


def test_the_previous_forecast_is_a_reference_of_the_next(told):
    first, second = lines(told, Q4, "war")
    assert "previous-forecast" not in first["references"]
    assert second["references"] == {"previous-forecast": pytest.approx(by_hand([0.1, 0.3, 0.6], 2))}


def test_a_forecast_of_a_quarter_that_has_begun_is_marked(told):
    assert [line["begun"] for line in lines(told, Q4, "war")] == [False, True]
    assert [line.begun for line in book.track_record(told)] == [False, True]


def test_an_answer_whose_scores_fail_is_not_recorded(told, monkeypatch):
    before = book.head(told)
    monkeypatch.setattr(scoring, "SCENARIOS", {"broken": lambda *_: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        book.resolve(told, Q3, "war", **AFTER)
    assert book.head(told) == before
    assert book.answers(told) == ()


def test_scores_kept_are_not_made_again(told, monkeypatch):
    """A ledger reads the same under a version whose references differ."""
    book.resolve(told, Q3, "war", **AFTER)
    kept = book.track_record(told)
    monkeypatch.setattr(scoring, "SCENARIOS", {})
    assert book.track_record(told) == kept
    assert kept[0].references["uniform"]["ign"] == pytest.approx(-log2(0.997 / 3 + 0.001))


def test_every_answer_stays_to_be_read(told):
    book.resolve(told, Q3, "war", **AFTER)
    book.resolve(told, Q3, "contained", **AFTER, release="annual")
    standing = book.answers(told)[0].seq
    book.resolve(told, Q3, "calm", **AFTER, supersedes=standing)
    found = [(answer.kind, answer.outcome, answer.release, answer.stands) for answer in book.answers(told)]
    assert found == [
        ("resolution", "war", "first", False),
        ("resolution", "contained", "annual", True),
        ("correction", "calm", "first", True),
    ]
    assert {line.outcome for line in book.track_record(told)} == {"calm"}


def test_retrospective_forecasts_never_enter_the_standing(ledger):
    def resolved():
        names = ("calm", "contained", "war")
        return honesty(book.track_record(ledger), scenarios=names, chain=None, known=9, seed=1)

    book.resolve(ledger, "2026Q2-abababab", "calm", **AFTER)
    assert resolved().scored == 0
    book.resolve(ledger, Q4, "war", **AFTER)
    assert (resolved().resolved, resolved().scored) == (1, 2)


def test_scores_kept_by_the_first_version_still_count(told):
    """Its rows had neither probabilities nor references."""
    kept = {"run": "r", "timing": "live", "horizon": 1, "forced": False, "ign": 0.7, "rps": 0.1, "brier": 0.4}
    said = {
        "outcome": "war",
        "release": "first",
        "source": "s",
        "as_of": "2026-11-01",
        "reason": "r",
        "set_by": "d",
    }
    with open_ledger(told, write=True) as connection, transaction(connection):
        append(
            connection,
            kind="resolution",
            subject=Q3,
            created_at="2026-11-02T00:00:00Z",
            regards=2,
            payload=json.dumps({**said, "scores": [kept]}),
        )
    (line,) = book.track_record(told)
    assert (line.ign, line.references, line.p) == (0.7, {}, ())
    found = honesty([line], scenarios=("calm", "contained", "war"), chain=None, known=9, seed=1)
    assert (found.resolved, found.against, found.skill_process, found.calibration) == (1, (), None, {})
    assert found.means[1]["ign"] == 0.7
