"""Nothing that came after an origin moves anything at it: figures, vintages, rows, labels, drivers, masks.

A replay is a function of its task, and a task is named by the hash of all that it holds, so two tasks of one key give
one result. The months that came next are in a task for their densities alone; they are left out here.
"""

import csv
import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.backtest.known import Plan
from forecast.backtest.past import read
from forecast.backtest.replaying import task_at
from forecast.months import month_end
from forecast.theatres import init
from forecast.workspace import load

PLAN = Plan(first="2024Q3", last="2024Q3", every="quarter", window=None)
ORIGIN, DAY = "2024-09", datetime.date(2024, 10, 21)
LATER = "2026-06-29"  # a vintage, a row, a label that is known only then


def keys(place: Path) -> dict[str, str]:
    """What each prior set's task at the origin rests on."""
    past = read(load(place), PLAN)
    assert past.origins[0].as_of == DAY
    return {
        name: replace(task_at(past, past.origins[0], name, seed=1), exam=None).key
        for name in ("hindsight", "blank")
    }


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("frontier")
    init(place / "as it is")
    return keys(place / "as it is")


def rewrite(path: Path, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header, rows = list(reader.fieldnames or ()), list(reader)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def later_figures(place: Path) -> None:
    """Every month after the origin has other deaths and other attacks."""

    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [
            {**row, "count": str(3 * int(row["count"]) + 7)} if row["month"] > ORIGIN else row for row in rows
        ]

    rewrite(place / "data/country_months.csv", change)
    rewrite(place / "data/picss_months.csv", change)


def later_vintages(place: Path) -> None:
    """A vintage that appears later revises every month that vintages speak of, and the figures follow it."""
    rewrite(
        place / "data/vintages.csv",
        lambda rows: [
            *({**row, "count": str(2 * int(row["count"]) + 5)} if row["count"] and row["vintage"] > DAY.isoformat() else row for row in rows),
            *(
                {"vintage": LATER, "month": f"{year}-{month:02d}", "front": front, "stream": "deaths", "count": str(900 + month)}
                for year in range(2021, 2025)
                for month in range(1, 13)
                for front in ("pakistan", "afghanistan")
            ),
        ],
    )  # fmt: skip
    rewrite(
        place / "data/country_months.csv",
        lambda rows: [
            {**row, "count": str(900 + int(row["month"][5:]))}
            if "2021-01" <= row["month"] <= "2024-12"
            else row
            for row in rows
        ],
    )


def later_chronology(place: Path) -> None:
    """A war and a truce of the past that nobody wrote down until later, and later rows that say otherwise."""
    blank = dict.fromkeys(("place", "mediator", "detail"), "")
    found = {"date_quality": "exact", "source_url": "https://example.org/", "known_from": LATER, **blank}

    def change(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        kept = [row for row in rows if row["known_from"] <= DAY.isoformat()]
        return [
            *kept,
            {"start": "2024-08-01", "end": "2024-08-31", "kind": "clash", **found},
            {"start": "2023-02-01", "end": "2023-06-30", "kind": "ceasefire-states", **found},
        ]

    rewrite(place / "data/chronology.csv", change)


def later_beliefs(place: Path) -> None:
    """Labels of seen months, drivers and masks that were stated later."""
    edit(place / "labels.toml", '["2025-10"]', '["2024-08"]')
    rewrite(
        place / "drivers.csv",
        lambda rows: [
            *(row for row in rows if row["known_from"] <= DAY.isoformat()),
            {"month": "2024-07", "driver": "mediation", "value": "1", "known_from": LATER},
        ],
    )
    edit(
        place / "forecast.toml",
        'masks   = [{ months = ["2025-05"]',
        f'masks   = [{{ months = ["2024-05"], because = "Told later.", known_from = {LATER} }}, {{ months = ["2025-05"]',
    )


def later_release(place: Path) -> None:
    """The next annual release comes on another day."""
    edit(place / "forecast.toml", '"2024-12" = 2025-07-21', '"2024-12" = 2025-03-02')


@pytest.mark.parametrize(
    "change", [later_figures, later_vintages, later_chronology, later_beliefs, later_release]
)
def test_what_came_later_moves_nothing_at_an_origin(
    change: Callable[[Path], None], untouched: dict[str, str], tmp_path: Path
) -> None:
    init(tmp_path / "edited")
    change(tmp_path / "edited")
    assert keys(tmp_path / "edited") == untouched


def earlier_figure(place: Path) -> None:
    rewrite(
        place / "data/country_months.csv",
        lambda rows: [{**row, "count": "77"} if row["month"] == "2021-12" else row for row in rows],
    )


def earlier_row(place: Path) -> None:
    rewrite(place / "data/chronology.csv", lambda rows: rows[1:])


def earlier_label(place: Path) -> None:
    edit(place / "labels.toml", '["2025-10"]', '["2024-08"]')
    edit(place / "labels.toml", "ratio    = 5\n", "ratio    = 5\nknown_from = 2024-09-02\n")


@pytest.mark.parametrize("change", [earlier_figure, earlier_row, earlier_label])
def test_what_was_known_moves_it(
    change: Callable[[Path], None], untouched: dict[str, str], tmp_path: Path
) -> None:
    init(tmp_path / "edited")
    change(tmp_path / "edited")
    assert keys(tmp_path / "edited")["blank"] != untouched["blank"]


def test_a_window_is_cut_before_the_origin(tmp_path: Path) -> None:
    """Models see the months of a rolling window, references all of them, neither one after the origin."""
    init(tmp_path / "there")
    past = read(load(tmp_path / "there"), replace(PLAN, window=24))
    one = past.origins[0]
    assert list(one.question.panel.months)[::23] == ["2022-10", ORIGIN]
    assert str(one.expanding["month"].values[0]) == "2021-10"
    assert max(one.question.panel.months) == max(map(str, one.expanding["month"].values)) == ORIGIN
    assert month_end(ORIGIN) < one.as_of
