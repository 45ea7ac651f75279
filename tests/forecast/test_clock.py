"""Everything that depends on time is computed from the clock that was given, to the day."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.clock import Clock, age, check_live, read
from forecast.config import Clock as Stated
from forecast.months import days_in, month_end, shift
from priors import Refusal

DAYS = st.dates(datetime.date(2000, 1, 1), datetime.date(2040, 12, 31))


def stated(as_of: datetime.date | str) -> Stated:
    return Stated.model_validate(
        {"window": {"from": "2010-01"}, "as_of": as_of, "quarters": 4, "max_age_months": 3, "seed": 1}
    )


def at(day: datetime.date, timing: str = "live") -> Clock:
    return Clock(as_of=day, timing=timing, issued_at="2020-01-01T00:00:00+00:00")  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1580500000")  # 31 January 2020, 19:46:40
    stands(monkeypatch, 1_580_500_000)


def stands(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Set the wall clock."""
    now = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    monkeypatch.setattr("forecast.clock.wall", lambda: now)


def test_today_is_live_and_any_date_is_retrospective_even_today_s() -> None:
    live = read(stated("today"))
    assert live == Clock(
        as_of=datetime.date(2020, 1, 31), timing="live", issued_at="2020-01-31T19:46:40+00:00"
    )
    assert read(stated(datetime.date(2020, 1, 31))).timing == "retrospective"


def test_a_date_of_the_command_line_holds_over_the_file_s() -> None:
    found = read(stated("today"), as_of=datetime.date(2019, 6, 30))
    assert (found.as_of, found.timing) == (datetime.date(2019, 6, 30), "retrospective")


def test_without_a_fixed_moment_the_wall_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    found = datetime.datetime.fromisoformat(read(stated("today")).issued_at)
    assert before <= found <= datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize(
    ("apart", "timing"), [(86_400, "live"), (86_401, "retrospective"), (9_999_999, "retrospective")]
)
@pytest.mark.parametrize("side", [1, -1])
def test_a_fixed_moment_that_is_not_of_the_present_makes_no_live_run(
    monkeypatch: pytest.MonkeyPatch, apart: int, timing: str, side: int
) -> None:
    stands(monkeypatch, 1_580_500_000 + side * apart)
    found = read(stated("today"))
    assert (found.as_of, found.timing) == (datetime.date(2020, 1, 31), timing)
    assert found.issued_at == "2020-01-31T19:46:40+00:00"
    assert read(stated("today"), again=True).timing == "live"  # a replay, beside a ledger of its own


@pytest.mark.parametrize("moment", ["", "soon", "-1", "1.5", "1e9", "9" * 20])
def test_a_moment_that_is_none(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
    with pytest.raises(
        Refusal, match=r"SOURCE_DATE_EPOCH: got .*wanted a whole number of seconds since 1970"
    ):
        read(stated("today"))


def test_tomorrow_is_refused() -> None:
    with pytest.raises(Refusal, match=r"time.as_of: got '2020-02-01'; wanted a date up to 2020-01-31"):
        read(stated(datetime.date(2020, 2, 1)))


@given(DAYS, st.integers(0, 40))
def test_age_is_the_most_calendar_months_that_have_passed(day: datetime.date, back: int) -> None:
    origin = shift(f"{day:%Y-%m}", -back - 1)
    end = month_end(origin)

    def after(n: int) -> datetime.date:
        month = shift(origin, n)
        return month_end(month).replace(day=min(end.day, days_in(month)))

    found = age(origin, at(day))
    assert after(found) <= day < after(found + 1)


@pytest.mark.parametrize(
    ("day", "months"),
    [("2020-01-30", 0), ("2020-01-31", 1), ("2020-02-28", 1), ("2020-02-29", 2), ("2020-03-31", 3)],
)
def test_age_turns_on_the_last_day_of_a_month(day: str, months: int) -> None:
    assert age("2019-12", at(datetime.date.fromisoformat(day))) == months


def test_a_live_forecast_may_speak_until_its_first_quarter_has_ended_from_fresh_data() -> None:
    check_live(at(datetime.date(2020, 3, 31)), "2020Q1", "2019-12", max_age=3)
    with pytest.raises(
        Refusal, match="2020Q1, has ended'; wanted data that reach into 2020Q2 or the quarter before"
    ):
        check_live(at(datetime.date(2020, 4, 1)), "2020Q1", "2019-12", max_age=99)
    with pytest.raises(
        Refusal, match="data to 2019-12, 3 months old'; wanted at most 2 months for a live run"
    ):
        check_live(at(datetime.date(2020, 3, 31)), "2020Q1", "2019-12", max_age=2)


def test_a_retrospective_one_may_always() -> None:
    check_live(at(datetime.date(2030, 1, 1), "retrospective"), "2020Q1", "2019-12", max_age=0)
