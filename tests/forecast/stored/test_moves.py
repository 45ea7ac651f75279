"""What is said of a driver becomes its path: later words over earlier ones, and nothing outside the months named."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.config import Driver
from forecast.months import span
from forecast.whatif import Move, parse, path_of
from priors.refusal import Refusal

AHEAD = span("2021-01", "2021-06")
STATE = Driver(id="talks", title="Talks", kind="state", future="last")
EVENT = Driver(id="strike", title="A strike", kind="event", use="what-if")
AMOUNT = Driver(id="price", title="A price", kind="amount", reference=100.0, use="what-if")


def path(driver: Driver, *texts: str, at: float = 0.0, start: str = "2021-02") -> list[float]:
    return path_of([parse(text) for text in texts], driver, dict.fromkeys(AHEAD, at), start=start)


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("talks=1", Move(driver="talks", value=1.0)),
        ("talks=0@2021-03", Move(driver="talks", value=0.0, first="2021-03")),
        ("talks=1@2021-03..", Move(driver="talks", value=1.0, first="2021-03", lasting=True)),
        ("talks=1@2021-03…", Move(driver="talks", value=1.0, first="2021-03", lasting=True)),
        ("a-b=-2.5@2021-03..2021-05", Move(driver="a-b", value=-2.5, first="2021-03", last="2021-05")),
        ("a-b=-2.5@2021-03…2021-05", Move(driver="a-b", value=-2.5, first="2021-03", last="2021-05")),
    ],
)
def test_the_words_of_the_command_line(text: str, move: Move) -> None:
    assert parse(text) == move


@pytest.mark.parametrize(
    "text", ["", "talks", "=1", "talks=", "talks=yes", "talks=1@", "talks=1@2021", "talks=1@2021-13", "Talks=1", "talks=nan", "talks=1@2021-03,2021-04"]
)  # fmt: skip
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match=re.escape(f"--set: got {text!r}; wanted driver=value")):
        parse(text)


@pytest.mark.parametrize(
    ("driver", "texts", "expected"),
    [
        (STATE, ["talks=1"], [0, 1, 1, 1, 1, 1]),
        (STATE, ["talks=1@2021-04"], [0, 0, 0, 1, 1, 1]),
        (STATE, ["talks=1@2021-01..2021-02"], [1, 1, 0, 0, 0, 0]),
        (STATE, ["talks=1@2021-01", "talks=0@2021-05"], [1, 1, 1, 1, 0, 0]),
        (EVENT, ["strike=1"], [0, 1, 0, 0, 0, 0]),
        (EVENT, ["strike=1@2021-04"], [0, 0, 0, 1, 0, 0]),
        (EVENT, ["strike=1@2021-04.."], [0, 0, 0, 1, 1, 1]),
        (EVENT, ["strike=1@2021-01", "strike=1@2021-06"], [1, 0, 0, 0, 0, 1]),
        (AMOUNT, ["price=120@2021-05"], [0, 0, 0, 0, 120, 120]),
    ],
)
def test_a_state_lasts_and_an_event_does_not(driver: Driver, texts: list[str], expected: list[float]) -> None:
    assert path(driver, *texts) == expected


@given(data=st.data())
def test_months_outside_the_move_keep_their_value(data: Any) -> None:
    at = dict(zip(AHEAD, data.draw(st.lists(st.floats(-5, 5), min_size=6, max_size=6)), strict=True))
    first, last = sorted(data.draw(st.tuples(st.sampled_from(AHEAD), st.sampled_from(AHEAD))))
    value = data.draw(st.floats(-5, 5))
    found = path_of([Move(driver="price", value=value, first=first, last=last)], AMOUNT, at, start=AHEAD[0])
    assert found == [value if first <= month <= last else at[month] for month in AHEAD]


def test_a_value_that_a_driver_cannot_take_is_told_once() -> None:
    with pytest.raises(Refusal) as told:
        path(STATE, "talks=7")
    assert str(told.value) == '--set talks: 7 where kind = "state" allows 0 or 1'
