"""A forecast small enough to read, and a ledger with a few of them."""

import copy
import json
import runpy
from pathlib import Path

import pytest

from forecast import ledger as book

RECORD = {
    "schema": "scenariocast/forecast/1",
    "run": "2026-06-30-7f3a9c21",
    "title": "Frontier",
    "issued_at": "2026-06-30T12:00:00Z",
    "as_of": "2026-06-30",
    "timing": "live",
    "data_as_of": "2026-06-20",
    "origin": "2026-05",
    "scenarios": [
        {"id": "calm", "title": "Calm", "rule": "Deaths at most 10."},
        {"id": "contained", "title": "Contained", "rule": "When no other rule holds."},
        {"id": "war", "title": "War", "rule": "Deaths at least 100."},
    ],
    "quarters": [
        {
            "quarter": quarter,
            "resolved": {"calm": {"mean": 0.2}, "contained": {"mean": 0.5}, "war": {"mean": 0.3}},
        }
        for quarter in ("2026Q3", "2026Q4")
    ],
    "verdict": {"ok": True, "forced": False, "checks": []},
    "release": "first",
    "provenance": {"scenarios_sha256": "ab" * 32},
}


def record(**changes):
    """The forecast as text, with some keys changed."""
    return json.dumps({**copy.deepcopy(RECORD), **changes}, indent=1)


@pytest.fixture(name="record")
def record_fixture():
    return record


@pytest.fixture
def ledger(tmp_path):
    """Two live forecasts and a retrospective one; three questions."""
    path = tmp_path / "ledger.sqlite"
    book.append_forecast(path, record(), issued_at="2026-06-30T12:00:00Z")
    later = {"run": "second", "issued_at": "2026-09-30T12:00:00Z", "as_of": "2026-09-30", "origin": "2026-08"}
    ahead = [
        {
            "quarter": "2026Q4",
            "resolved": {"calm": {"mean": 0.0}, "contained": {"mean": 0.1}, "war": {"mean": 0.7}},
        }
    ]
    book.append_forecast(path, record(**later, quarters=ahead), issued_at=later["issued_at"])
    past = {"run": "past", "timing": "retrospective", "issued_at": "2026-10-01T00:00:00Z"}
    past |= {"as_of": "2026-03-31", "origin": "2026-03"}
    quarters = [{"quarter": "2026Q2", "resolved": RECORD["quarters"][0]["resolved"]}, *RECORD["quarters"]]
    book.append_forecast(path, record(**past, quarters=quarters), issued_at=past["issued_at"])
    return path


@pytest.fixture(scope="session")
def once():
    """The functions of the script that publishes one run and may be stopped."""
    return runpy.run_path(str(Path(__file__).with_name("publish_once.py")))
