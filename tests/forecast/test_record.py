"""The record tells what analysts added and what the data made of it, and calls nothing observed that is not."""

import datetime
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from forecast.pipeline import run
from forecast.record.beliefs import watched
from forecast.rules import parse

type Json = Mapping[str, Any]

SMALL = Path(__file__).parents[1] / "workspaces" / "small"


@pytest.fixture(scope="module")
def record(quickly: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A run whose one source ends a month before the other, which knows of the running quarter."""
    place = tmp_path_factory.mktemp("record") / "small"
    shutil.copytree(SMALL, place)
    text = (place / "forecast.toml").read_text("utf-8")
    desk = text.index("[sources.desk]")
    ends = 'to = "2020-12"'
    text = text[:desk].replace(ends, 'to = "2020-11"') + text[desk:].replace(ends, 'to = "2020-10"', 1)
    (place / "forecast.toml").write_text(text, encoding="utf-8", newline="")
    rules = (place / "scenarios.toml").read_text("utf-8")
    rules = rules.replace('stream = "fire-days", take = "max"', 'stream = "incidents", take = "max"')
    (place / "scenarios.toml").write_text(rules, encoding="utf-8", newline="")
    with quickly():
        return run(place).record


def test_each_stream_tells_what_it_knows_of_the_running_quarter(record: Json) -> None:
    running = record["current_quarter"]
    known = {entry["stream"]: (entry["observed"], entry["simulated"]) for entry in running["streams"]}
    assert known["incidents"] == (["2020-10", "2020-11"], ["2020-12"])
    assert known["fire-days"] == (["2020-10"], ["2020-11", "2020-12"])
    assert running["observed_months"] == ["2020-10"]
    assert running["simulated_months"] == ["2020-11", "2020-12"]


def test_labels_drivers_and_masks_tell_since_when_they_are_known(record: Json) -> None:
    for label in record["labels"]:
        assert label["known_from"] <= record["as_of"]
        assert all(label[key] for key in ("months", "scenario", "ratio", "because", "author", "source"))
    drivers = {driver["id"]: driver for driver in record["drivers"]}
    assert drivers["talks"]["last"]["known_from"] <= record["as_of"]
    assert drivers["trigger"]["last"] is None
    assert {odds["key"] for odds in drivers["trigger"]["odds"]} == {"odds.trigger.leave.tense"}
    assert record["masks"][0]["known_from"] == "2019-04-01"


def test_a_belief_is_contradicted_where_its_median_leaves_the_interval_it_states(record: Json) -> None:
    for prior in record["priors"]:
        if prior["posterior"] is None:
            assert prior["contradicted"] is None
        elif "90" in prior["says"]:
            low, high = prior["prior"]["q05"], prior["prior"]["q95"]
            assert prior["contradicted"] == (not low <= prior["posterior"]["q50"] <= high)
    assert any(prior["contradicted"] is False for prior in record["priors"])


def test_a_row_that_few_futures_visit_is_noisy(record: Json) -> None:
    table = record["scenario_transitions"]
    for seen, noisy, row in zip(table["paths"], table["noisy"], table["inflation"], strict=True):
        assert noisy or seen >= 1000
        assert noisy or all(x is None or x < 1.5 or seen for x in row)


def test_the_gate_answers_for_the_importance_weights(record: Json) -> None:
    (check,) = [check for check in record["verdict"]["checks"] if "Pareto" in check["name"]]
    assert check["limit"] == "< 0.7"
    for model in record["models"]:
        assert model["first_origin"] <= model["last_origin"]
        assert model["pareto_k"] < 0.7
    assert all(weight["mcse"] >= 0 for weight in record["weights"].values())


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"stream": "a", "take": "max", "at_least": 10}, "A: at least 10 in any of the three months"),
        (
            {
                "any": [
                    {
                        "all": [
                            {"stream": "a", "take": "max", "at_least": 9},
                            {"stream": "b", "take": "max", "at_least": 1},
                        ]
                    },
                    {"stream": "b", "take": "sum", "at_least": 3},
                ]
            },
            "B: at least 3 in the three months together",
        ),
    ],
)
def test_the_shortest_way_to_a_scenario_is_what_to_watch(rule: Json, told: str) -> None:
    scenarios = parse(
        {
            "schema": 1,
            "reference": "rest",
            "precedence": ["war"],
            "scenario": [
                {"id": "rest", "title": "Rest"},
                {
                    "id": "war", "title": "War", "resolves": {"any": [rule]} if "stream" in rule else rule,
                    "because": "so", "author": "desk", "date": datetime.date(2020, 1, 1),
                },
            ],
        },
        file="scenarios.toml",
    )  # fmt: skip
    titles = {"a": "A", "b": "B"}
    assert watched(scenarios["war"].resolves, titles) == told
    assert watched(scenarios["rest"].resolves, titles) is None


def test_a_signpost_parts_its_headline_in_two(record: Json) -> None:
    """Chance × after + (1 − chance) × otherwise is the published probability, but for rounding at nought and one."""
    published = {entry["quarter"]: entry["resolved"] for entry in record["quarters"]}
    assert record["signposts"]
    for sign in record["signposts"]:
        assert sign["before"] == published[sign["quarter"]][sign["scenario"]]["mean"]
        parted = sign["chance"] * sign["after"] + (1 - sign["chance"]) * sign["otherwise"]
        assert parted == pytest.approx(sign["before"], abs=2e-3)
        assert sign["month"] > "2020-10"
    told = [sign["information"] for sign in record["signposts"]]
    assert told == sorted(told, reverse=True)


def test_what_the_headline_rests_on_is_told_of_every_group_and_scenario(record: Json) -> None:
    found = record["sensitivity"]
    names = [scenario["id"] for scenario in record["scenarios"]]
    first = record["quarters"][0]
    assert found["quarter"] == first["quarter"]
    groups = list(dict.fromkeys(one["group"] for one in found["groups"]))
    assert [(one["group"], one["scenario"]) for one in found["groups"]] == [
        (group, name) for group in groups for name in names
    ]
    assert all(one["sensitive"] == (one["sensitivity"] >= found["limit"]) for one in found["groups"])
    known = {prior["key"] for prior in record["priors"]}
    for one in found["tipping"]:
        assert one["key"] in known
        assert one["now"] == first["resolved"][one["scenario"]]["mean"]
        assert (one["tips_at"] is None) == (one["to_word"] is None)
