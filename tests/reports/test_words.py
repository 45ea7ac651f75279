"""Laws of the words: percents add up, bounds hold, a likelihood word is earned, text cannot command."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import words
from reports.text import plain

probabilities = st.floats(0, 1)


@st.composite
def distributions(draw: st.DrawFn) -> list[float]:
    parts = draw(st.lists(st.floats(0.001, 1), min_size=2, max_size=8))
    return [part / math.fsum(parts) for part in parts]


def digits(text: str) -> float:
    """The number in ``74 %``; nought for ``under 1 %`` and a hundred for ``over 99 %``."""
    if text.startswith("under"):
        return 0.0
    return 100.0 if text.startswith("over") else float(text.removesuffix("\u00a0%"))


@given(distributions(), st.sampled_from([0.001, 0.01, 0.04]))
def test_a_column_of_percents_adds_to_a_hundred_or_says_why_not(column: list[float], mcse: float) -> None:
    shown = words.percents(column, [mcse] * len(column))
    total = sum(digits(span.text) for span in shown.spans)
    assert (total == 100) == (shown.note is None)
    assert [span.value for span in shown.spans] == column


@given(distributions())
def test_each_percent_stays_within_one_of_its_own(column: list[float]) -> None:
    for span, p in zip(words.percents(column).spans, column, strict=True):
        assert abs(digits(span.text) - 100 * p) < 1 + 1e-9


@given(distributions())
def test_a_column_without_tiny_entries_always_adds_up(column: list[float]) -> None:
    if min(column) >= 0.01 and max(column) <= 0.99:
        assert words.percents(column).note is None


def test_three_tiny_shares_are_named_not_forced() -> None:
    shown = words.percents([0.009, 0.009, 0.982])
    assert [span.text for span in shown.spans] == ["under 1\u00a0%", "under 1\u00a0%", "99\u00a0%"]
    assert shown.note == "The rounded percents do not add to 100."


@given(probabilities)
def test_certainty_is_never_printed(p: float) -> None:
    text = words.percent(p)
    assert text not in {"0\u00a0%", "100\u00a0%"}
    assert text.startswith("under") == (p < 0.01)
    assert text.startswith("over") == (p > 0.99)


@pytest.mark.parametrize(("mcse", "shown"), [(0.004, "74 %"), (0.02, "75 %"), (0.2, "70 %")])
def test_the_monte_carlo_error_decides_the_digits(mcse: float, shown: str) -> None:
    assert words.percent(0.7431, mcse) == shown.replace(" ", "\u00a0")


@given(st.lists(probabilities, min_size=1, max_size=300))
def test_a_phrase_holds_four_fifths_of_the_draws_and_no_shorter_one_does(draws: list[float]) -> None:
    phrase = words.phrase(draws)
    edges = (0.0, *words.EDGES, 1.0)
    names = [band.removesuffix(" chance") if i == 3 else band for i, band in enumerate(words.BANDS)]
    ends = (
        phrase.split(" to ")
        if " to " in phrase
        else [phrase.removesuffix(" chance") if "even" in phrase else phrase] * 2
    )
    first, last = names.index(ends[0]), names.index(ends[1])

    def held(start: int, stop: int) -> int:
        low, high = edges[start], edges[stop + 1]
        return sum(low <= p < high or (stop == 6 and p == 1) for p in draws)

    assert held(first, last) >= 0.8 * len(draws)
    shorter = [held(i, i + last - first - 1) for i in range(7 - (last - first) + 1)] if last > first else []
    assert all(count < 0.8 * len(draws) for count in shorter)


@pytest.mark.parametrize(
    ("draws", "phrase", "predicate"),
    [
        ([0.7] * 80 + [0.85] * 20, "likely", "is likely"),
        ([0.7] * 79 + [0.85] * 21, "likely to very likely", "is rated likely to very likely"),
        ([0.5] * 10, "roughly even chance", "has a roughly even chance"),
        ([0.5] * 7 + [0.4] * 3, "unlikely to roughly even", "is rated unlikely to roughly even"),
        ([0.01], "almost no chance", "has almost no chance"),
        ([1.0], "almost certain", "is almost certain"),
        ([0.2], "unlikely", "is unlikely"),
        (
            [0.02, 0.1, 0.3, 0.5],
            "almost no chance to roughly even",
            "is rated almost no chance to roughly even",
        ),
    ],
)
def test_phrases(draws: list[float], phrase: str, predicate: str) -> None:
    assert words.phrase(draws) == phrase
    assert words.rated(phrase) == predicate


@pytest.mark.parametrize("draws", [[1.2], [-0.1], [float("nan")]])
def test_a_phrase_of_no_probability_is_refused(draws: list[float]) -> None:
    with pytest.raises(ValueError, match="lies in"):
        words.phrase(draws)


def test_a_phrase_without_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="no draws"):
        words.phrase([])


@given(st.floats(-1e9, 1e9))
def test_a_number_reads_back_within_half_a_percent(x: float) -> None:
    text = words.number(x)
    if abs(x) >= 0.1:
        assert "e" not in text
        assert float(text.replace(",", "").replace("−", "-")) == pytest.approx(x, rel=0.006)


@pytest.mark.parametrize(
    ("x", "decimals", "shown"),
    [(1.0056, 4, "1.0056"), (546.0, 4, "546"), (0, None, "0"), (-0.25, None, "−0.25"), (1234.5, None, "1,234"), (0.0004, None, "under 0.001")],
)  # fmt: skip
def test_numbers(x: float, decimals: int | None, shown: str) -> None:
    assert words.number(x, decimals=decimals) == shown


def test_names_of_times() -> None:
    assert words.months(["2026-04", "2026-05"]) == "April and May 2026"
    assert words.months(["2025-12", "2026-01", "2026-02"]) == "December 2025 to February 2026"
    assert words.date("2026-06-30T10:00:00Z") == "30 June 2026"
    assert words.quarter("2026Q3") == "2026\u00a0Q3"


@given(st.text())
def test_plain_text_is_printable_and_stays_so(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert all(c.isprintable() or c in "\u200c\u200d" for c in once)
    once.encode("utf-8")
