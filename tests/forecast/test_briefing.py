"""The record becomes a brief without a computation, without heavy imports, and a broken record is refused."""

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from forecast.briefing import brief
from priors.refusal import Refusal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def record() -> Mapping[str, Any]:
    return json.loads((ROOT / "tests" / "reports" / "frontier.json").read_text("utf-8"))


def without(record: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def test_every_probability_arrives_in_scenario_order(record: Mapping[str, Any]) -> None:
    told = brief(record)
    ids = [scenario["id"] for scenario in record["scenarios"]]
    assert [scenario.id for scenario in told.scenarios] == ids
    for entry, quarter in zip(record["quarters"], told.quarters, strict=True):
        for name, estimate in zip(ids, quarter.resolved, strict=True):
            assert estimate is not None
            assert estimate.model_dump() == entry["resolved"][name]
    matrix = told.scenario_transitions
    assert matrix is not None
    assert [[cell.mean for cell in row if cell] for row in matrix.cells] == record["scenario_transitions"][
        "mean"
    ]
    assert told.last_resolved == ("2026Q1", "regional-war")


def test_scenario_order_does_not_depend_on_the_order_of_keys(record: Mapping[str, Any]) -> None:
    turned = copy.deepcopy(dict(record))
    for quarter in turned["quarters"]:
        quarter["resolved"] = dict(reversed(quarter["resolved"].items()))
    assert brief(turned) == brief(record)


def test_the_scenario_that_holds_has_no_first_passage(record: Mapping[str, Any]) -> None:
    passage = brief(record).first_passage[2]
    assert passage.scenario == "regional-war"
    assert passage.estimates == (None,) * 4


def test_additions_may_be_absent_and_later_ones_are_ignored(record: Mapping[str, Any]) -> None:
    spare = without(
        record,
        "question",
        "organisation",
        "levers",
        "notes",
        "weights",
        "streams_meta",
        "masks",
        "rule_noise",
        "ledger",
    )
    spare |= {"an addition": 1, "priors": [{**entry, "an addition": 1} for entry in record["priors"]]}
    told = brief(spare)
    assert told.levers == ()
    assert told.streams[0].title == "deaths-pakistan"
    assert told.models[0].weight.mean == 0.62
    assert len(told.priors) == len(record["priors"])


def test_a_question_that_never_arose_is_none_and_months_outside_coverage_are_marked(
    record: Mapping[str, Any],
) -> None:
    edited = copy.deepcopy(dict(record))
    nothing = dict.fromkeys(("mean", "q05", "q95", "mcse"))
    edited["now"]["regime"]["de-escalation"] = nothing
    edited["scenario_transitions"]["mean"][0] = [None] * 3
    edited["coverage_strip"]["rows"][0]["states"] = " " * 3 + "#" * 53
    edited["streams"]["agreement"][0]["state"] = "outside"
    told = brief(edited)
    assert told.now is not None
    assert told.now[0] is None
    assert told.scenario_transitions is not None
    assert told.scenario_transitions.cells[0] == (None,) * 3
    assert told.coverage is not None
    assert told.coverage.rows[0][1] == "---" + "#" * 53


def test_a_run_without_regimes_has_none(record: Mapping[str, Any]) -> None:
    quarters = [{**quarter, "regime": None} for quarter in record["quarters"]]
    nothing = dict.fromkeys(
        (
            "now",
            "transitions",
            "transitions_quarter",
            "dwell_months",
            "crosswalk",
            "latent_from",
            "current_quarter",
        )
    )
    told = brief({**record, **nothing, "history": [], "quarters": quarters})
    assert told.now is None
    assert told.history == ()
    assert len(told.matrices) == 1


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        (
            {"schema": "scenariocast/forecast/2"},
            r"forecast\.json: schema: got 'scenariocast/forecast/2'; wanted",
        ),
        ({"quarters": []}, r"forecast\.json: quarters: got \[\]"),
        ({"timing": "late"}, r"forecast\.json: timing: got 'late'"),
        ({"streams": 3}, "layout"),
        ({"origin": "May"}, r"forecast\.json: origin: got 'May'"),
    ],
)
def test_a_record_that_cannot_be_is_refused(
    record: Mapping[str, Any], broken: dict[str, Any], match: str
) -> None:
    with pytest.raises(Refusal, match=match):
        brief({**record, **broken})


@pytest.mark.parametrize(
    "key", ["run", "quarters", "verdict", "provenance", "streams", "models", "priors", "now"]
)
def test_a_record_without_a_key_of_the_contract_is_refused(record: Mapping[str, Any], key: str) -> None:
    with pytest.raises(Refusal, match=f"wanted the key '{key}'"):
        brief(without(record, key))


def test_rendering_again_needs_no_sampler_and_no_frames() -> None:
    code = (
        "import json, sys; from pathlib import Path; from forecast.briefing import brief; import reports;"
        "from reports.compose import compose;"
        f"compose(brief(json.loads(Path({str(ROOT / 'tests' / 'reports' / 'frontier.json')!r}).read_text('utf-8'))));"
        "heavy = {'pymc', 'pytensor', 'pandas', 'xarray', 'arviz', 'preliz', 'scipy', 'numpy', 'altair'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
