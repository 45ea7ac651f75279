"""Tables that other programs read: a text that a spreadsheet would run is quoted, a number is left a number."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from forecast.scenarios import fans
from forecast.tables import FORMULA, QUANTILES, cell, write_csv, write_hub


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", '=HYPERLINK("x")'])
def test_a_formula_is_quoted(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1, -0.5, 0, True, "a=b", "1-2", ""])
def test_what_is_no_formula_stays_as_it_is(value: object) -> None:
    assert cell(value) == value


def test_what_is_missing_is_empty() -> None:
    assert cell(None) == ""


TEXT = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)))


@given(st.lists(st.tuples(TEXT, st.floats(allow_nan=False), st.none()), max_size=5))
def test_a_table_reads_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, None]]
) -> None:
    path = write_csv(tmp_path_factory.mktemp("tables") / "new" / "table.csv", ("a", "b", "c"), rows)
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file)
    assert header == ["a", "b", "c"]
    for (text, number, _), (told, value, nothing) in zip(rows, found, strict=True):
        assert told == (f"'{text}" if text.startswith(FORMULA) else text)
        assert not told.startswith(FORMULA)
        assert float(value) == number
        assert nothing == ""


def test_a_hub_s_law_adds_to_one_over_the_futures_that_a_rule_decides(tmp_path: Path) -> None:
    """A record may tell shares of all futures; a quarter that none decides has no rows."""
    record = {
        "origin": "2026-05",
        "scenarios": [{"id": "calm"}, {"id": "war"}],
        "quarters": [
            {
                "quarter": "2026Q3",
                "unresolved": 0.2,
                "resolved": {"calm": {"mean": 0.6}, "war": {"mean": 0.2}},
            },
            {
                "quarter": "2026Q4",
                "unresolved": 1.0,
                "resolved": {"calm": {"mean": None}, "war": {"mean": None}},
            },
        ],
    }
    dims = ("draw", "path", "stream", "month")
    futures = xr.Dataset(
        {"count": (dims, np.zeros((2, 1, 1, 1)))}, {"stream": ["deaths"], "month": ["2026-06"]}
    )
    hub = pd.read_parquet(
        write_hub(
            record,
            futures,
            fans([futures], [1.0], at=QUANTILES),
            tmp_path,
            model="team-model",
            location="frontier",
        )
    )
    law = hub[hub["output_type"] == "pmf"]
    assert list(law["horizon"]) == [1, 1]
    assert list(law["value"]) == pytest.approx([0.75, 0.25])
