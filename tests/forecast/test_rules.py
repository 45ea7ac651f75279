"""Windows, baselines and words of written rules, on figures small enough to check by hand."""

import tomllib
from datetime import date
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forecast.months import span
from forecast.rules import Bounds, ScenarioSet, bounds_of, check_streams, in_words, parse, resolve
from forecast.streams import StreamDefinition

DESIGN = Path(__file__).parents[2] / ".." / "shared" / "design" / "contract"


def war_if(rule: dict[str, Any]) -> ScenarioSet:
    resolves = rule if "all" in rule or "any" in rule else {"any": [rule]}
    war = {
        "id": "war",
        "title": "War",
        "resolves": resolves,
        "because": "x",
        "author": "x",
        "date": date(2020, 1, 1),
    }
    scenarios = [{"id": "peace", "title": "Peace"}, war]
    data = {"schema": 1, "reference": "peace", "precedence": ["war"], "scenario": scenarios}
    return parse(data, file="scenarios.toml")


def panel(last: str = "2021-06", **streams: list[float]) -> xr.DataArray:
    """Streams of any length that end in `last`."""
    n = max(len(row) for row in streams.values())
    rows = [[nan] * (n - len(row)) + row for row in streams.values()]
    months = span("2015-01", last)[-n:]
    return xr.DataArray(
        rows, dims=("stream", "month"), coords={"stream": list(streams), "month": list(months)}
    )


DEATHS = {"stream": "deaths", "take": "max", "at_least": 10}


@pytest.mark.parametrize(
    ("take", "value", "expected"),
    [("max", 9, "war"), ("sum", 15, "war"), ("sum", 16, "peace"), ("mean", 5, "war"), ("last", 2, "war"), ("last", 3, "peace")],
)  # fmt: skip
def test_each_take_reads_the_three_months_of_the_window(take: str, value: float, expected: str) -> None:
    rules = war_if({"stream": "deaths", "take": take, "at_least": value})
    assert resolve(rules, panel(deaths=[100.0, 4.0, 9.0, 2.0]), window_end="2021-06") == expected


def test_a_window_may_end_in_any_month_and_is_unresolved_where_nothing_is_known() -> None:
    rules = war_if(DEATHS)
    table = panel(deaths=[0.0, 0.0, 12.0, 0.0, 0.0, 0.0])
    found = {month: resolve(rules, table, window_end=month) for month in span("2021-01", "2021-08")}
    assert found == {
        "2021-01": None,  # two months of the window lie before the panel
        "2021-02": None,
        "2021-03": "war",
        "2021-04": "war",
        "2021-05": "war",
        "2021-06": "peace",
        "2021-07": None,  # one month lies ahead of it
        "2021-08": None,
    }


def test_what_is_known_may_decide_a_window_with_a_missing_month() -> None:
    table = panel(deaths=[12.0, nan, 1.0])
    assert resolve(war_if(DEATHS), table, window_end="2021-06") == "war"
    at_most = war_if({"stream": "deaths", "take": "sum", "at_most": 12})
    assert resolve(at_most, table, window_end="2021-06") == "peace"
    assert resolve(war_if({**DEATHS, "at_least": 13}), table, window_end="2021-06") is None


def test_bounds_settle_what_a_missing_month_could_not_change() -> None:
    rules = war_if({"stream": "days", "take": "sum", "at_least": 60})
    table = panel("2021-03", days=[20.0, nan, 11.0])
    assert resolve(rules, table, window_end="2021-03") is None
    february = {"days": Bounds(lower=0.0, upper=None)}
    assert resolve(rules, table, window_end="2021-03", bounds=february) == "peace"  # 20 + 28 + 11 = 59
    assert (
        resolve(rules, panel("2021-03", days=[21.0, nan, 11.0]), window_end="2021-03", bounds=february)
        is None
    )


@pytest.mark.parametrize(
    ("family", "measure", "expected"),
    [
        ("negative-binomial", "count", Bounds(lower=0.0, upper=np.inf)),
        ("negative-binomial", "days", Bounds(lower=0.0, upper=None)),
        ("bernoulli", "in-force", Bounds(lower=0.0, upper=1.0)),
        ("gaussian", "value", Bounds(lower=-np.inf, upper=np.inf)),
    ],
)
def test_bounds_follow_from_the_stream(family: Any, measure: Any, expected: Bounds) -> None:
    stream = StreamDefinition(id="a", source="s", measure=measure, family=family, effect="free")
    assert bounds_of(stream) == expected


def test_a_baseline_is_the_twelve_months_before_the_window_and_needs_nine() -> None:
    rules = war_if({"stream": "deaths", "take": "mean", "at_least": 2, "times": "trailing-12"})
    window = [20.0, 20.0, 20.0]
    assert resolve(rules, panel(deaths=[*[10.0] * 12, *window]), window_end="2021-06") == "war"
    assert resolve(rules, panel(deaths=[*[10.0] * 11, 11.0, *window]), window_end="2021-06") == "peace"
    assert resolve(rules, panel(deaths=[*[10.0] * 9, *window]), window_end="2021-06") == "war"
    assert resolve(rules, panel(deaths=[*[10.0] * 8, *window]), window_end="2021-06") is None
    holes = [10.0, nan, 10.0, nan, *[10.0] * 4, nan, *[10.0] * 3]
    assert resolve(rules, panel(deaths=[*holes, *window]), window_end="2021-06") == "war"
    # what lies before the twelve months does not count
    assert resolve(rules, panel(deaths=[999.0, *[10.0] * 12, *window]), window_end="2021-06") == "war"


@pytest.mark.parametrize("factor", [1.1, 0.7, 1.3])
def test_a_mean_of_exactly_the_multiple_is_at_least_and_at_most_the_multiple(factor: float) -> None:
    table = panel(deaths=[*[10.0] * 12, *[10 * factor] * 3])
    for bound in ("at_least", "at_most"):
        rules = war_if({"stream": "deaths", "take": "mean", bound: factor, "times": "trailing-12"})
        assert resolve(rules, table, window_end="2021-06") == "war"


def test_two_quarters_are_six_months_and_their_baseline_ends_before_them() -> None:
    half = {"stream": "deaths", "take": "sum", "at_least": 6, "window": "two-quarters"}
    assert resolve(war_if(half), panel(deaths=[1.0] * 6), window_end="2021-06") == "war"
    assert resolve(war_if(half), panel(deaths=[9.0, 0.0, *[1.0] * 5]), window_end="2021-06") == "peace"
    times = {**half, "take": "mean", "at_least": 2, "times": "trailing-12"}
    assert resolve(war_if(times), panel(deaths=[*[1.0] * 12, *[2.0] * 6]), window_end="2021-06") == "war"
    assert resolve(war_if(times), panel(deaths=[*[1.0] * 8, *[2.0] * 6]), window_end="2021-06") is None


def test_same_month_asks_for_all_conditions_at_once() -> None:
    parts = [DEATHS, {"stream": "clashes", "take": "max", "at_least": 2}]
    apart = panel(deaths=[12.0, 0.0, 0.0], clashes=[0.0, 3.0, 0.0])
    together = panel(deaths=[0.0, 12.0, 0.0], clashes=[0.0, 3.0, 0.0])
    assert resolve(war_if({"all": parts}), apart, window_end="2021-06") == "war"
    assert resolve(war_if({"all": parts, "same_month": True}), apart, window_end="2021-06") == "peace"
    assert resolve(war_if({"all": parts, "same_month": True}), together, window_end="2021-06") == "war"


def test_the_months_of_several_streams_are_added() -> None:
    rules = war_if({"sum": ["deaths", "clashes"], "take": "max", "at_least": 15})
    table = panel(deaths=[12.0, 0.0, 0.0], clashes=[2.0, 14.0, 0.0])
    assert resolve(rules, table, window_end="2021-06") == "peace"
    assert resolve(rules, table + 1.0, window_end="2021-06") == "war"


def test_months_may_be_text_dates_periods_or_whole_numbers() -> None:
    rules = war_if(DEATHS)
    table = panel(deaths=[0.0, 12.0, 0.0]).transpose("month", "stream")
    periods = pd.period_range("2021-04", "2021-06", freq="M")
    for months, end in (
        (periods, periods[-1]),
        (periods.to_timestamp(), np.datetime64("2021-06-01")),
        (periods.to_timestamp(), date(2021, 6, 30)),
        (periods.to_timestamp(), "2021-06"),
        ([7, 8, 9], 9),
    ):
        assert resolve(rules, table.assign_coords(month=months), window_end=end) == "war"


def test_a_rule_is_read_out_as_a_sentence() -> None:
    rule = {
        "any": [
            {"all": [DEATHS, {**DEATHS, "at_least": 3, "times": "trailing-12"}]},
            {"stream": "days", "take": "sum", "at_most": 1200.5, "window": "two-quarters"},
            {"all": [DEATHS, {"sum": ["days", "deaths"], "take": "last", "at_least": 2}], "same_month": True},
        ]
    }
    assert in_words(war_if(rule)["war"].resolves, {"deaths": "Deaths"}) == (
        "(Deaths: at least 10 in any of the three months; and Deaths: at least 3 times the monthly mean of the "
        "twelve months before, in any of the three months); or days: at most 1,200.5 in the six months together; "
        "or (in one and the same month, Deaths: at least 10; and days plus Deaths: at least 2)."
    )
    assert in_words(None, {}) == "When no other rule holds."


@pytest.mark.skipif(not DESIGN.exists(), reason="the design's contract files are not beside this checkout")
@pytest.mark.parametrize("name", ["frontier", "second"])
def test_the_contract_files_parse(name: str) -> None:
    scenarios = parse(
        tomllib.loads((DESIGN / name / "scenarios.toml").read_text("utf-8")), file="scenarios.toml"
    )
    streams = tomllib.loads((DESIGN / name / "forecast.toml").read_text("utf-8"))["streams"]
    check_streams(
        scenarios,
        [StreamDefinition.model_validate({"id": key, **value}) for key, value in streams.items()],
        file="scenarios.toml",
    )
    assert scenarios.remainder == scenarios.reference
