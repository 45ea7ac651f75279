"""Month arithmetic is integer arithmetic on names."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import months
from priors.refusal import Refusal

names = st.integers(1900 * 12 + 600, 2199 * 12 - 600).map(months.month)


@given(names, st.integers(-600, 600))
def test_shifting_there_and_back_returns(name, n):
    assert months.shift(months.shift(name, n), -n) == name
    assert months.ordinal(months.shift(name, n)) - months.ordinal(name) == n


@given(names)
def test_the_day_after_a_month_ends_is_in_the_next_month(name):
    after = months.month_end(name) + timedelta(days=1)
    assert (after.day, months.month_of(after)) == (1, months.shift(name, 1))
    assert months.month_end(name).day == months.days_in(name)


@given(names, st.integers(0, 40))
def test_a_span_counts_both_ends_and_sorts_as_text(name, n):
    span = months.span(name, months.shift(name, n))
    assert len(span) == n + 1
    assert list(span) == sorted(set(span))


@given(names)
def test_a_month_is_in_its_quarter_and_quarters_tile_the_year(name):
    quarter = months.quarter_of(name)
    assert name in months.quarter_months(quarter)
    last = months.quarter_months(quarter)[-1]
    assert months.quarter_months(months.next_quarter(quarter))[0] == months.shift(last, 1)
    assert months.next_quarter(months.next_quarter(quarter, 5), -5) == quarter


def test_the_calendar():
    assert months.month_end("2024-02") == date(2024, 2, 29)
    assert months.quarter_months("2026Q3") == ("2026-07", "2026-08", "2026-09")
    assert months.next_quarter("2025Q4") == "2026Q1"
    assert months.span("2026-02", "2026-01") == ()


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "0202-01", "2026-1", "2026-05-01", "", "٢٠٢٦-٠٥", "2026-05\n"]
)
def test_what_is_no_month_is_refused(text):
    with pytest.raises(Refusal, match='wanted a month "YYYY-MM"'):
        months.ordinal(text)


@pytest.mark.parametrize("text", ["2026Q5", "2026-Q1", "2026q1", "Q1"])
def test_what_is_no_quarter_is_refused(text):
    with pytest.raises(Refusal, match='wanted a quarter "YYYYQn"'):
        months.quarter_months(text)
