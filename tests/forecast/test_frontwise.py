"""A run with one chain per front: the fronts' own panels, their regimes in the record, and what is refused."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from forecast import frontwise
from forecast.clock import read
from forecast.pipeline import run
from forecast.question import ask
from forecast.workspace import load
from priors import Refusal

FRONTS = '\n[fronts.north]\ntitle = "The north"\nat = [34.0, 71.0]\n\n[fronts.south]\ntitle = "The south"\n'
POOLING, LEVELS = (
    f'\n[pooling.{what}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "percent"\n'
    'because = "Neighbours differ."\n'
    for what, low, high in (("fronts", 10, 60), ("levels", 40, 500))
)


@pytest.fixture
def parted(tmp_path: Path, second: Callable[[Path], Path]) -> Path:
    """The second theatre with its counts told by two fronts: the north quiet to the end, the south in turmoil."""
    place = second(tmp_path / "theatre")
    counts = place / "data" / "counts.csv"
    head, *rows = counts.read_text("utf-8").split()
    told = [head]
    for n, row in enumerate(rows):
        month, _, stream, count = row.split(",")
        north = min(2 + n % 3, int(count))
        late = 30 if n >= len(rows) - 2 else 0
        told += [f"{month},north,{stream},{north}", f"{month},south,{stream},{int(count) - north + late}"]
    counts.write_text("\n".join([*told, ""]), encoding="utf-8", newline="")
    config = place / "forecast.toml"
    text = config.read_text("utf-8").replace('use = ["regimes"]', 'use = ["regimes"]\nchain = "front"')
    config.write_text(text + FRONTS, encoding="utf-8", newline="")
    said = place / "priors.toml"
    said.write_text(said.read_text("utf-8") + POOLING + LEVELS, encoding="utf-8", newline="")
    return place


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def test_the_fronts_add_up_to_the_theatre_and_show_only_what_they_have(parted: Path) -> None:
    workspace = load(parted)
    question = ask(workspace, read(workspace.config.time))
    found = frontwise.by_front(question)
    assert found.dims == ("front", "stream", "month")
    assert np.array_equal(found.sum("front").values, question.panel.counts.values)
    edit(parted / "forecast.toml", 'where   = { stream = "incidents" }', 'where   = { front = "south" }')
    edit(parted / "forecast.toml", '[fronts.north]\ntitle = "The north"\nat = [34.0, 71.0]\n', "")
    workspace = load(parted)
    question = ask(workspace, read(workspace.config.time))
    assert frontwise.by_front(question)["front"].values.tolist() == ["south"]


def test_the_record_tells_where_each_front_stands(
    parted: Path, quickly: Callable[..., AbstractContextManager[None]]
) -> None:
    with quickly():
        left = run(parted)
    record = json.loads((left.path / "forecast.json").read_text("utf-8"))
    north, south = record["fronts"]["north"], record["fronts"]["south"]
    assert north["title"] == "The north"
    for front in (north, south):
        assert [q["quarter"] for q in front["quarters"]] == [q["quarter"] for q in record["quarters"]]
        for told in (front["regime"], *(q["regime"] for q in front["quarters"])):
            assert sum(one["mean"] for one in told.values()) == pytest.approx(1.0)
            assert all(one["q05"] <= one["mean"] + 1e-9 and one["mean"] <= 1.0 for one in told.values())
    assert south["regime"]["violent"]["mean"] > 0.9 > 0.5 > north["regime"]["violent"]["mean"]
    ahead = [q["regime"]["violent"]["mean"] for q in south["quarters"]]
    assert ahead == sorted(ahead, reverse=True)  # what is known of now wears off
    names = {check["name"] for check in record["verdict"]["checks"]}
    assert {"fronts: R-hat", "fronts: divergences"} <= names


@pytest.mark.parametrize(
    ("file", "old", "new", "wanted"),
    [
        ("priors.toml", POOLING, "", r"pooling\.fronts"),
        ("priors.toml", LEVELS, "", r"pooling\.levels"),
        ("forecast.toml", FRONTS, "", r"models\.chain.*a table \[fronts"),
        ("forecast.toml", 'use = ["regimes"]', 'use = ["durations"]', r"models\.chain.*durations has no chain per front"),
    ],
)  # fmt: skip
def test_refusals(parted: Path, file: str, old: str, new: str, wanted: str) -> None:
    edit(parted / file, old, new)
    if "durations" in new:
        edit(parted / "forecast.toml", "effect  =", 'level   = "constant"\neffect  =')
    with pytest.raises(Refusal, match=wanted):
        load(parted)


def test_a_front_without_a_row_is_refused(parted: Path) -> None:
    edit(parted / "forecast.toml", "[fronts.south]", '[fronts.west]\ntitle = "The west"\n\n[fronts.south]')
    workspace = load(parted)
    with pytest.raises(Refusal, match=r"fronts\.west"):
        frontwise.by_front(ask(workspace, read(workspace.config.time)))
