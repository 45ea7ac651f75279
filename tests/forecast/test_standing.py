"""What the ledger held before a run is in its record: scores of what has resolved, and the last forecast's numbers."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from forecast.ledger import append_forecast, resolve
from forecast.record.standing import change, track
from forecast.skill import honesty_of
from reports.brief import Brief
from reports.trust import Track

type Json = dict[str, Any]

CHANCES = {"calm": 0.25, "contained": 0.5, "war": 0.25}
PAST = ("calm", "contained", "contained", "war", "contained", "contained")


def forecast(quarter: str, issued: str, chances: Json = CHANCES, **changes: Any) -> Json:
    """A forecast.json as far as these parts read it, with one quarter ahead."""
    row = {name: {"mean": p, "mcse": 0.001} for name, p in chances.items()}
    history = [{"quarter": f"{2024 + i // 4}Q{i % 4 + 1}", "resolved": came} for i, came in enumerate(PAST)]
    return {
        "run": f"run-{issued}",
        "title": "Frontier",
        "issued_at": f"{issued}T12:00:00Z",
        "as_of": issued,
        "timing": "live",
        "origin": "2025-06",
        "release": "first",
        "scenarios": [{"id": name, "title": name, "rule": ""} for name in CHANCES],
        "scenario_transitions": {"mean": [[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.5, 0.4]]},
        "resolved_history": history,
        "current_quarter": None,
        "quarters": [{"quarter": quarter, "resolved": row}],
        "verdict": {"ok": True, "forced": False, "checks": []},
        "provenance": {"scenarios_sha256": "ab" * 32, "seed": 3},
        **changes,
    }


def issue(ledger: Path, record: Json) -> Json:
    append_forecast(ledger, json.dumps(record), issued_at=record["issued_at"])
    return record


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two live forecasts, the first of a quarter that has resolved, and a retrospective one."""
    file = tmp_path / "ledger.sqlite"
    issue(file, forecast("2025Q3", "2025-06-30"))
    told = {"source": "counts", "as_of": "2025-10-20", "reason": "by the rule", "set_by": "desk"}
    resolve(file, f"2025Q3-{'ab' * 4}", "contained", recorded_at="2025-10-20T00:00:00Z", **told)
    issue(file, forecast("2025Q4", "2025-10-21", {"calm": 0.1, "contained": 0.7, "war": 0.2}))
    issue(file, forecast("2025Q4", "2025-10-22", timing="retrospective", run="hindsight"))
    return file


def test_an_empty_record_is_told_as_empty() -> None:
    found = track(None, forecast("2025Q3", "2025-06-30"))
    assert (found["resolved"], found["gains"], found["past"], found["skill_process"]) == (0, [], [], None)
    assert found["sentence"].startswith(
        "Nothing has resolved yet: nothing can be said of this record's skill."
    )
    assert 0 < found["perfect"] < 1
    assert change(None, forecast("2025Q3", "2025-06-30")) is None


def test_the_record_has_what_the_ledger_shows(ledger: Path) -> None:
    latest = forecast("2025Q4", "2025-10-30")
    found, honest = track(ledger, latest), honesty_of(ledger, latest)
    assert (found["resolved"], found["first"], found["last"]) == (1, "2025Q3", "2025Q3")
    assert found["sentence"] == honest.sentence
    assert [(one["score"], one["reference"]) for one in found["gains"]] == [
        (one.score, one.reference) for one in honest.against
    ]
    (process,) = found["processes"]
    assert (process["horizon"], process["n"], process["value"]) == (1, 1, found["skill_process"])
    chain = next(one for one in found["gains"] if one["reference"] == "markov-chain")
    assert (chain["low"], chain["high"], chain["sentence"]) == (None, None, "too few")
    assert chain["scores"]["reference"] - chain["scores"]["model"] == pytest.approx(chain["gain"])
    (past,) = found["past"]
    assert (past["quarter"], past["resolved"], past["probabilities"]) == (
        "2025Q3",
        "contained",
        [0.25, 0.5, 0.25],
    )
    contained = next(one for one in found["calibration"] if one["scenario"] == "contained")
    assert (contained["said"], contained["came"], contained["n"]) == (0.5, 1.0, 1)
    json.dumps(found, allow_nan=False)
    known = {key: value for key, value in found.items() if key in Track.model_fields}
    assert {"means", "perfect", "perfect_after"} == found.keys() - known.keys()


def test_both_numbers_of_a_quarter_stand_side_by_side(ledger: Path) -> None:
    found = change(ledger, forecast("2025Q4", "2025-10-30", {"calm": 0.1, "contained": 0.6, "war": 0.3}))
    assert found is not None
    assert found["since"]["run"] == "run-2025-10-21"  # not the retrospective one
    assert found["same_rules"]
    (entry,) = found["quarters"]
    assert entry["resolved"]["war"] == pytest.approx(
        {"before": 0.2, "after": 0.3, "shift": 0.1, "mcse": 0.001 * 2**0.5}
    )
    assert sum(cell["shift"] for cell in entry["resolved"].values()) == pytest.approx(0.0, abs=1e-12)


def test_rules_that_were_edited_are_named(ledger: Path) -> None:
    latest = forecast("2025Q4", "2025-10-30", provenance={"scenarios_sha256": "cd" * 32, "seed": 3})
    found = change(ledger, latest)
    assert found is not None
    assert not found["same_rules"]


@pytest.mark.parametrize(
    "changes",
    [
        {"as_of": "2025-06-01"},  # spoke from an earlier day than any before it
        {"scenarios": [{"id": name, "title": name, "rule": ""} for name in ("calm", "war")]},
        {
            "quarters": [
                {"quarter": "2027Q1", "resolved": {n: {"mean": p, "mcse": 0.0} for n, p in CHANCES.items()}}
            ]
        },
    ],
    ids=["earlier", "other scenarios", "no common quarter"],
)
def test_what_cannot_be_compared_is_not(ledger: Path, changes: Json) -> None:
    assert change(ledger, {**forecast("2025Q4", "2025-10-30"), **changes}) is None


def test_a_quarter_that_was_running_then_may_be_compared_now(tmp_path: Path) -> None:
    earlier = forecast("2025Q4", "2025-07-31")
    earlier["current_quarter"] = {**copy.deepcopy(earlier["quarters"][0]), "quarter": "2025Q3"}
    issue(tmp_path / "ledger.sqlite", earlier)
    found = change(tmp_path / "ledger.sqlite", forecast("2025Q3", "2025-08-31"))
    assert found is not None
    assert [entry["quarter"] for entry in found["quarters"]] == ["2025Q3"]


def test_a_brief_needs_neither() -> None:
    assert Brief.model_fields["track"].default is None
    assert Brief.model_fields["change"].default is None
