"""Laws of written rules, against an oracle that tries every completion of the missing months."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from math import isnan, nan
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forecast.rules import UNRESOLVED, AllOf, AnyOf, Bounds, Condition, ScenarioSet, parse, resolve_many
from forecast.rules.truth import TRUE, UNKNOWN, Array, truth, windows

GRID = (0.0, 1.0, 2.0)
MONTHS = ("2020-10", "2020-11", "2020-12")
STREAMS = ("a", "b")
BOUNDS = {name: Bounds(lower=0.0, upper=2.0) for name in STREAMS}

cells = st.sampled_from([*GRID, nan])
tables = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=2, max_size=2).filter(
    lambda rows: sum(isnan(v) for row in rows for v in row) <= 4
)
thresholds = st.sampled_from([0.0, 0.5, 1.0, 4 / 3, 2.0, 3.0, 5.0])
looks: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"stream": "a"}, {"stream": "b"}, {"sum": ["a", "b"]}]
)


@st.composite
def condition_tables(draw: st.DrawFn) -> dict[str, Any]:
    bound = draw(st.sampled_from(["at_least", "at_most"]))
    take = draw(st.sampled_from(["max", "mean", "sum", "last"]))
    return {**draw(looks), "take": take, bound: draw(thresholds)}


rule_tables = st.recursive(
    condition_tables(),
    lambda parts: st.one_of(
        st.fixed_dictionaries({"all": st.lists(parts, min_size=1, max_size=3), "same_month": st.booleans()}),
        st.fixed_dictionaries({"any": st.lists(parts, min_size=1, max_size=3)}),
    ),
    max_leaves=4,
)


def record(table: dict[str, Any]) -> AllOf | AnyOf | Condition:
    kind = AllOf if "all" in table else AnyOf if "any" in table else Condition
    return kind.model_validate(table)


def judged(rule: AllOf | AnyOf | Condition, values: Any) -> Array:
    view = windows(np.asarray(values), streams=STREAMS, months=MONTHS, window_ends=MONTHS[-1:], bounds=BOUNDS)
    answer: Array = truth(rule, view)[0]
    return answer


def completions(table: list[list[float]]) -> Iterator[list[list[float]]]:
    holes = [(r, c) for r in range(2) for c in range(3) if isnan(table[r][c])]
    for filling in product(GRID, repeat=len(holes)):
        whole = [list(row) for row in table]
        for (r, c), value in zip(holes, filling, strict=True):
            whole[r][c] = value
        yield whole


def plainly(rule: dict[str, Any], table: list[list[float]], month: int | None = None) -> bool:
    """The rule on a complete table, in plain Python; `month` asks one month by itself."""
    if "all" in rule:
        if rule["same_month"] and month is None:
            return any(all(plainly(part, table, m) for part in rule["all"]) for m in range(3))
        return all(plainly(part, table, month) for part in rule["all"])
    if "any" in rule:
        return any(plainly(part, table, month) for part in rule["any"])
    rows = [table[STREAMS.index(name)] for name in rule.get("sum", [rule.get("stream")])]
    series = [sum(column) for column in zip(*rows, strict=True)]
    if month is not None:
        series = [series[month]]
    number = {"max": max(series), "mean": sum(series) / len(series), "sum": sum(series), "last": series[-1]}
    seen = number[rule["take"]]
    return bool(seen >= rule["at_least"]) if "at_least" in rule else bool(seen <= rule["at_most"])


@given(condition_tables(), tables)
def test_a_condition_is_unknown_exactly_where_completions_disagree(
    table: dict[str, Any], values: list[list[float]]
) -> None:
    answers = {plainly(table, whole) for whole in completions(values)}
    expected = UNKNOWN if len(answers) == 2 else TRUE * answers.pop()
    assert judged(record(table), values) == expected


@given(rule_tables, tables)
def test_a_rule_that_knows_is_right_under_every_completion(
    table: dict[str, Any], values: list[list[float]]
) -> None:
    answer = judged(record(table), values)
    if answer != UNKNOWN:
        assert {plainly(table, whole) for whole in completions(values)} == {answer == TRUE}


@given(rule_tables, st.lists(tables, min_size=1, max_size=4))
def test_many_tables_at_once_are_answeras_one_by_one(
    table: dict[str, Any], many: list[list[list[float]]]
) -> None:
    rule = record(table)
    assert judged(rule, many).tolist() == [judged(rule, values) for values in many]


@given(condition_tables(), st.lists(tables, min_size=1, max_size=4), thresholds)
def test_a_harder_threshold_is_never_truer(
    table: dict[str, Any], many: list[list[list[float]]], other: float
) -> None:
    bound = "at_least" if "at_least" in table else "at_most"
    easy, hard = sorted((table[bound], other), reverse=bound == "at_most")
    easier = judged(record({**table, bound: easy}), many)
    assert (judged(record({**table, bound: hard}), many) <= easier).all()


def scenario_set(first: dict[str, Any], second: dict[str, Any]) -> ScenarioSet:
    signed = {"because": "x", "author": "x", "date": date(2020, 1, 1)}
    rules = [rule if {"all", "any"} & set(rule) else {"any": [rule]} for rule in (first, second)]
    scenarios = [
        {"id": "low", "title": "Low", "resolves": rules[1], **signed},
        {"id": "rest", "title": "Rest"},
        {"id": "high", "title": "High", "resolves": rules[0], **signed},
    ]
    data = {"schema": 1, "reference": "rest", "precedence": ["high", "low"], "scenario": scenarios}
    return parse(data, file="scenarios.toml")


@given(rule_tables, rule_tables, tables)
def test_the_first_rule_that_holds_wins_and_only_if_those_before_it_fail(
    first: dict[str, Any], second: dict[str, Any], values: list[list[float]]
) -> None:
    """Resolved means: every completion gives that scenario. The remainder is never a refuge for the unknown."""
    rules = scenario_set(first, second)
    [position] = resolve_many(
        rules, np.array(values), streams=STREAMS, months=MONTHS, window_ends=MONTHS[-1:], bounds=BOUNDS
    )
    if position == UNRESOLVED:
        assert any(isnan(v) for row in values for v in row)
        return
    for whole in completions(values):
        one = "high" if plainly(first, whole) else "low" if plainly(second, whole) else "rest"
        assert one == rules.ids[position]
