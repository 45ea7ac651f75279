"""Text for a terminal: columns that line up, nothing that a terminal obeys, every check by its name."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.terminal import clean, headline, place, table, verdict


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    found = clean(text)
    assert all(unicodedata.category(c)[0] != "C" or c in "\n\u200c\u200d" for c in found)
    assert clean(found) == found
    if all(unicodedata.category(c)[0] != "C" for c in text):
        assert found == text


def test_an_escape_is_shown_and_a_joiner_is_kept() -> None:
    assert clean("\x1b[31mred\x07\u202e") == "\\x1b[31mred\\x07\\x202e"
    assert clean("می\u200cخواهد\n") == "می\u200cخواهد\n"


WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[WORDS] * n), min_size=1, max_size=6)))
def test_columns_line_up(rows: list[tuple[str, ...]]) -> None:
    lines = table(rows[0], rows[1:]).split("\n")
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    assert lines[1] == "-" * (sum(widths) + 2 * (len(widths) - 1))
    for line, row in zip([lines[0], *lines[2:]], rows, strict=True):
        assert line.split("  ")[0].rstrip() == row[0]
        ends = [sum(widths[: i + 1]) + 2 * i for i in range(len(row))]
        for end, cell in list(zip(ends, row, strict=True))[1:]:
            assert line[:end].endswith(cell)


def estimate(mean: float, mcse: float = 0.001) -> dict[str, float]:
    return {"mean": mean, "q05": mean - 0.05, "q95": mean + 0.05, "mcse": mcse}


def test_the_headline_adds_to_a_hundred() -> None:
    told = headline(
        {
            "scenarios": [{"id": "a", "title": "Calm"}, {"id": "b", "title": "Tense"}, {"id": "c", "title": "War"}],
            "quarters": [{"quarter": "2026Q3", "resolved": {"c": estimate(1 / 3), "b": estimate(1 / 3), "a": estimate(1 / 3)}}],
        }
    )  # fmt: skip
    header, _, line = told.split("\n")
    assert header.split() == ["quarter", "Calm", "Tense", "War"]
    assert line.replace("\u00a0", " ") == "2026 Q3  34 % (28–38 %)  33 % (28–38 %)  33 % (28–38 %)"


def check(name: str, ok: bool) -> dict[str, object]:
    return {"name": name, "value": 1.5, "limit": "< 1", "ok": ok, "advice": "look at it"}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"ok": True, "forced": False, "checks": [check("a", True)] * 2}, "checks: all 2 hold"),
        (
            {"ok": False, "forced": False, "checks": [check("a", True), check("b", False)]},
            "checks: REFUSED, 1 of 2 failed\n  b: 1.5 (wanted < 1); look at it",
        ),
        (
            {"ok": False, "forced": True, "checks": [check("b", False)]},
            "checks: ISSUED ALL THE SAME (--force), 1 of 1 failed\n  b: 1.5 (wanted < 1); look at it",
        ),
    ],
)
def test_the_verdict_names_what_failed(outcome: dict[str, object], expected: str) -> None:
    assert verdict({"verdict": outcome}) == expected


def test_a_path_is_told_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert place(tmp_path / "here" / "runs" / "a") == str(Path("runs", "a"))
    assert place(Path("runs")) == "runs"
    assert place(tmp_path / "there") == str(tmp_path / "there")
