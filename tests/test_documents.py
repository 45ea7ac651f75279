"""What a page of docs says of a table that lies beside it is what the table says."""

import csv
import re
from pathlib import Path

import pytest

BACKTEST = Path(__file__).parents[1] / "docs" / "backtest"
QUARTERS, MONTHS = (3, 6, 12), (1, 3, 12)
NAMES = {
    "climatology": "climatology",
    "the empirical Markov chain": "markov-chain",
    "persistence": "persistence",
    "conflictology": "conflictology",
    "last value, negative binomial": "last-value-negative-binomial",
    "random walk": "random-walk",
}


def shown(about: str, months: int, reference: str) -> str:
    """A gain and its interval as the page writes them, bold where nought is outside."""
    with (BACKTEST / "countries" / "pooled.csv").open(encoding="utf-8", newline="") as file:
        key = (about, str(months), reference)
        (row,) = (r for r in csv.DictReader(file) if (r["about"], r["months"], r["reference"]) == key)
    gain, low, high = (float(row[name]) for name in ("gain", "low", "high"))
    if about == "counts":
        whole = [f"{100 * x:.0f}".replace("-", "−") for x in (gain, low, high)]
        text, rest = f"{whole[0]} %", f" ({whole[1]} to {whole[2]})"
    else:
        text, *ends = (f"{x:+.3f}".replace("-", "−") for x in (gain, low, high))
        rest = f" ({ends[0]} to {ends[1]})"
    return f"**{text}**{rest}" if low > 0 else text + rest


@pytest.mark.parametrize(
    ("about", "head", "columns"),
    [
        ("scenario", "bits gained a quarter over", QUARTERS),
        ("counts", "CRPS of log counts, less than", MONTHS),
    ],
)
def test_the_table_over_nine_series_is_that_of_its_figures(
    about: str, head: str, columns: tuple[int, ...]
) -> None:
    page = (BACKTEST / "README.md").read_text("utf-8")
    table = page[page.index(f"| {head} | one ") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) >= 3
    for line in table:
        name, *cells = re.split(r" *\| *", line.strip("| "))
        assert cells == [shown(about, months, NAMES[name]) for months in columns], name
