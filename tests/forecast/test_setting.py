"""What a model is told along the months: drivers as their rows say, then as they go on; labels that were known."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.clock import Clock
from forecast.config import Driver, DriverRow, Label
from forecast.months import shift, span
from forecast.question import ask
from forecast.setting import BASIS, course, log_ratios
from forecast.workspace import load

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
SPAN = span("2020-01", "2020-12")
ORIGIN = "2020-08"


def driver(**said: Any) -> Driver:
    return Driver.model_validate({"id": "talks", "title": "Talks", "kind": "state", "future": "last", **said})


def row(month: str, value: float, name: str = "talks") -> DriverRow:
    return DriverRow.model_validate(
        {"month": month, "driver": name, "value": value, "known_from": datetime.date(2020, 1, 1)}
    )


def path(said: Driver, *rows: DriverRow) -> str:
    """The course as one digit a month."""
    return "".join(f"{value:g}" for value in course(said, rows, SPAN, origin=ORIGIN))


@pytest.mark.parametrize(
    ("said", "rows", "expected"),
    [
        ({}, [], "000000000000"),
        ({}, [row("2020-03", 1), row("2020-05", 0)], "001100000000"),
        ({}, [row("2020-03", 1)], "001111111111"),  # the last value goes on
        ({"future": "none"}, [row("2020-03", 1)], "001111110000"),  # back to its reference
        ({"future": {"2020-10": 0, "2020-12": 1}}, [row("2020-03", 1)], "001111111001"),
        ({}, [row("2019-03", 1)], "111111111111"),  # before the window
        ({}, [row("2020-03", 1, "other")], "000000000000"),
        ({"kind": "event", "future": None}, [row("2020-03", 1), row("2019-12", 1)], "001000000000"),
        ({"kind": "event", "future": {"2020-11": 1}}, [row("2020-03", 1)], "001000000010"),
        ({"kind": "amount", "reference": 5}, [row("2020-03", 7)], "557777777777"),
        ({"kind": "amount", "reference": 5, "future": "none"}, [row("2020-03", 7)], "557777775555"),
    ],
)
def test_a_driver_s_course(said: dict[str, Any], rows: list[DriverRow], expected: str) -> None:
    assert path(driver(**said), *rows) == expected


def label(*months: str, scenario: str = "war", ratio: float = 4) -> Label:
    return Label.model_validate(
        {
            "months": months, "scenario": scenario, "ratio": ratio, "because": "b", "author": "a", "source": "s",
            "date": datetime.date(2020, 1, 1),
        }
    )  # fmt: skip


def test_without_a_label_there_is_nothing_to_add() -> None:
    assert log_ratios([], SPAN, ("calm", "war")) is None
    assert log_ratios([label("2020-01", scenario="other"), label("2019-01")], SPAN, ("calm", "war")) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(SPAN), st.sampled_from(("calm", "war")), st.floats(1, 100)), min_size=1
    )
)
def test_labels_multiply(told: list[tuple[str, str, float]]) -> None:
    from math import exp, prod

    found = log_ratios([label(m, scenario=s, ratio=r) for m, s, r in told], SPAN, ("calm", "war"))
    assert found is not None
    for month, cells in zip(SPAN, found, strict=True):
        for name, cell in zip(("calm", "war"), cells, strict=True):
            assert exp(cell) == pytest.approx(prod(r for m, s, r in told if (m, s) == (month, name)))


def test_a_whole_workspace_at_two_dates() -> None:
    """Two labels and a driver; one label was written after the earlier date."""
    workspace = load(SMALL)

    def told(day: datetime.date) -> Any:
        clock = Clock(as_of=day, timing="retrospective", issued_at="2021-02-01T00:00:00+00:00")
        return ask(workspace, clock)

    late, early = told(datetime.date(2021, 1, 31)), told(datetime.date(2020, 5, 31))
    setting = late.setting("switching-level")
    months = (*late.panel.months, *(shift(late.panel.origin, n) for n in range(1, late.months + 1)))
    assert setting.basis == 8
    assert late.setting("regimes").basis == BASIS
    assert setting.scenarios == ("calm", "tense", "war")
    assert [stream.id for stream in setting.streams] == ["incidents", "fire-days", "truce"]
    (talks,) = setting.drivers  # the what-if driver has no history
    assert dict(zip(months, talks.values, strict=True))["2018-08"] == 1.0
    assert sum(talks.values) == 3.0
    assert sum(cell > 0 for row in setting.labels for cell in row) == 3
    assert sum(cell > 0 for row in early.setting("switching-level").labels for cell in row) == 2
