"""A run can be made again to the byte, and whatever stands in the way of that is named."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forecast import archive
from forecast.accounts import replayed
from forecast.cli import main
from forecast.replay import Replay, replay
from priors.refusal import Refusal


@pytest.fixture
def fast(quickly: Callable[..., Any]) -> Iterator[None]:
    """Fits are draws of the priors, and the clock stands elsewhere than at the run's moment."""
    with quickly(moment=1_700_000_000):
        yield


@pytest.mark.usefixtures("fast")
def test_the_second_run_is_made_again_beside_the_ledger_it_found(shelf: Any) -> None:
    assert shelf.second.record["ledger"]["count"] > 0
    found = replay(shelf.second, shelf.workspace)
    assert found.ok
    assert (found.differing, found.altered, found.causes, found.largest) == ((), (), (), 0.0)
    assert {"forecast.json", "report.html", "report.pdf", "report.ipynb", "brief.json"} <= set(
        found.identical
    )
    assert "manifest.json" not in found.identical


@pytest.mark.usefixtures("fast")
def test_a_replay_leaves_the_workspace_and_the_clock_as_they_were(shelf: Any, monkeypatch: Any) -> None:
    before = {path: path.stat().st_mtime_ns for path in shelf.root.rglob("*")}
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000001")
    assert replay(shelf.first, shelf.workspace).ok
    assert os.environ["SOURCE_DATE_EPOCH"] == "1700000001"
    assert {path: path.stat().st_mtime_ns for path in shelf.root.rglob("*")} == before


@pytest.mark.usefixtures("fast")
def test_what_was_altered_differs_and_is_named(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    mine = shelf.copied(tmp_path / "altered")
    with (mine.second.path / "report.html").open("a", encoding="utf-8") as file:
        file.write("<!-- a word more -->")
    (mine.second.path / "tables" / "streams.csv").unlink()
    (mine.root / "ledger.sqlite").unlink()
    assert main(["replay", str(mine.second.path)]) == 3
    printed = capsys.readouterr().out
    assert "altered since the run wrote it: report.html" in printed
    assert "NOT REPRODUCED" in printed
    for name in ("report.html", "tables/streams.csv", "forecast.json"):
        assert f"\n  {name}\n" in printed
    assert "largest difference of a headline probability: 0 points" in printed
    assert "no ledger.sqlite beside the runs" in printed


@pytest.mark.usefixtures("fast")
def test_another_ledger_and_another_machine_are_causes(shelf: Any, tmp_path: Path) -> None:
    mine = shelf.copied(tmp_path / "mine")
    record = {**mine.second.record, "ledger": {**mine.second.record["ledger"], "head": "0" * 64}}
    manifest = {**mine.second.manifest, "machine": {"cpu": "abacus", "cores": 999}}
    found = replay(replace(mine.second, record=record, manifest=manifest), mine.workspace)
    assert found.elsewhere
    cpu, ledger = found.causes
    assert cpu.startswith("the cpu was abacus and is ")
    assert ledger == "the ledger.sqlite beside the runs is not the one that the run found"


def test_elsewhere_a_run_is_made_again_if_no_probability_is_further_off_than_simulation_explains() -> None:
    facts = {"run": "a", "identical": (), "altered": (), "causes": ("numpy was 1 and is 2",), "largest": 0.01}
    near = Replay(**facts, differing=("forecast.json",), elsewhere=True, errors=2.9)
    assert near.ok
    assert "a: reproduced elsewhere, not to the byte, one file of 1 differ" in replayed(near)
    assert "1 points, 2.9 Monte Carlo errors" in replayed(near)
    assert not replace(near, errors=3.1).ok
    assert not replace(near, errors=None).ok
    assert not replace(near, elsewhere=False).ok
    assert not replace(near, altered=("forecast.json",)).ok
    assert replace(near, differing=(), errors=0.0, elsewhere=False).ok


@pytest.mark.parametrize("name", ["data/counts.csv", "scenarios.toml", "priors.toml", "labels.toml"])
def test_an_input_that_changed_is_named_before_anything_runs(shelf: Any, tmp_path: Path, name: str) -> None:
    mine = shelf.copied(tmp_path / "edited")
    with (mine.root / name).open("a", encoding="utf-8", newline="") as file:
        file.write("\n")
    with pytest.raises(Refusal, match=rf"^{name}: got 'changed since run {mine.first.id}'"):
        replay(mine.first, mine.workspace)


def test_an_input_that_is_gone_is_named(shelf: Any, tmp_path: Path) -> None:
    mine = shelf.copied(tmp_path / "gone")
    (mine.root / "labels.toml").unlink()
    with pytest.raises(Refusal, match=r"^labels.toml: got 'gone since run"):
        replay(mine.first, mine.workspace)


def test_runs_that_lie_elsewhere_ask_for_their_workspace(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    mine = shelf.copied(tmp_path / "here")
    moved = tmp_path / "elsewhere" / "runs" / mine.first.id
    moved.parent.mkdir(parents=True)
    mine.first.path.rename(moved)
    assert main(["replay", str(moved)]) == 2
    assert "name it with --workspace" in capsys.readouterr().err
    assert archive.workspace_of(archive.read(moved), mine.root).root == mine.root


def test_a_run_of_a_bundled_theatre_knows_its_theatre(shelf: Any) -> None:
    manifest = {**shelf.first.manifest, "inputs": {"priors/frontier.toml": "0"}}
    assert archive.workspace_of(replace(shelf.first, manifest=manifest)).name == "frontier"
