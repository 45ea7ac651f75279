"""Shifts between runs are told from the noise of the simulation, and edits of beliefs from what they bring about."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import priors
from forecast import archive
from forecast.cli import main
from forecast.comparison import compare, prior_diff, prior_impact
from priors.refusal import Refusal


def shifts(quarters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for entry in quarters for cell in entry["resolved"].values()]


def test_a_run_does_not_differ_from_itself(shelf: Any) -> None:
    found = compare(shelf.first, shelf.first)
    assert found["differs"] == []
    assert [entry["quarter"] for entry in found["quarters"]] == ["2021Q1", "2021Q2"]
    assert all(cell["shift"] == 0 and not cell["beyond_noise"] for cell in shifts(found["quarters"]))


def test_another_seed_moves_numbers_by_the_noise_it_states(shelf: Any) -> None:
    found = compare(shelf.first, shelf.second)
    assert found["differs"] == ["the seed"]
    assert any(cell["shift"] != 0 for cell in shifts(found["quarters"]))
    assert all(abs(cell["shift"]) < 4 * cell["mcse"] for cell in shifts(found["quarters"]))
    for entry in found["quarters"]:
        assert sum(cell["shift"] for cell in entry["resolved"].values()) == pytest.approx(0, abs=1e-12)


def rewritten(shelf: Any, to: Path, change: Callable[[dict[str, Any]], None]) -> archive.Stored:
    """A copy of the second run whose record says something else."""
    path = to / shelf.second.id
    shutil.copytree(shelf.second.path, path)
    record = json.loads((path / "forecast.json").read_text("utf-8"))
    change(record)
    (path / "forecast.json").write_text(json.dumps(record), encoding="utf-8")
    return archive.read(path)


def test_a_shift_beyond_the_noise_is_marked(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    def change(record: dict[str, Any]) -> None:
        row = record["quarters"][0]["resolved"]
        row["war"]["mean"] += 0.1
        row["tense"]["mean"] -= 0.1
        record["provenance"]["scenarios_sha256"] = "0" * 64

    other = rewritten(shelf, tmp_path, change)
    cells = compare(shelf.first, other)["quarters"][0]["resolved"]
    assert cells["war"]["beyond_noise"]
    assert cells["tense"]["beyond_noise"]
    assert not cells["calm"]["beyond_noise"]
    assert main(["compare", str(shelf.first.path), str(other.path), "--quick"]) == 0
    printed = capsys.readouterr().out.replace("\u00a0", " ")
    assert "THE RULES DIFFER" in printed
    assert [line.endswith("*") for line in printed.splitlines() if line.startswith("2021 Q1")] == [
        False,
        True,
        True,
    ]


def test_runs_that_cannot_be_compared_are_refused(shelf: Any, tmp_path: Path) -> None:
    def rename(record: dict[str, Any]) -> None:
        record.update(json.loads(json.dumps(record).replace('"war"', '"open-war"')))

    def later(record: dict[str, Any]) -> None:
        record.update(json.loads(json.dumps(record).replace('"2021Q', '"2023Q')))

    with pytest.raises(Refusal, match=r"got 'open-war'; wanted the scenarios of"):
        compare(shelf.first, rewritten(shelf, tmp_path / "a", rename))
    with pytest.raises(Refusal, match=r"got '2023Q1, 2023Q2'; wanted a quarter that .* 2021Q1, 2021Q2"):
        compare(shelf.first, rewritten(shelf, tmp_path / "b", later))


@pytest.fixture
def shorter(shelf: Any, tmp_path: Path, edited: Callable[..., None]) -> Path:
    """The small theatre's beliefs, with an uneasy peace that lasts half as long, and one reason rewritten."""
    file = tmp_path / "shorter.toml"
    shutil.copyfile(shelf.root / "priors.toml", file)
    edited(file, "low = 4\nhigh = 24", "low = 2\nhigh = 9")
    text = file.read_text("utf-8")
    at = text.index("[odds.trigger")
    file.write_text(
        text[:at] + text[at:].replace("Field experience.", "Four strikes of six."), encoding="utf-8"
    )
    return file


def test_the_difference_of_two_sets_is_told_in_words(shelf: Any, shorter: Path, capsys: Any) -> None:
    assert main(["priors", "diff", str(shelf.root), str(shorter)]) == 0
    printed = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert printed == [
        "~ dwell.tense: 90 % between 4 and 24 → 90 % between 2 and 9. Field experience.",
        "~ odds.trigger.leave.tense: the same numbers; because rewritten",
    ]
    assert main(["priors", "diff", str(shorter), str(shorter)]) == 0
    assert capsys.readouterr().out == "the two sets say the same\n"


def test_a_set_is_a_file_a_workspace_or_a_theatre() -> None:
    frontier = Path(priors.__file__).with_name("frontier.toml")
    assert prior_diff("frontier", frontier)["changes"] == []
    with pytest.raises(
        Refusal, match=r"frontir: wanted a prior file, a workspace or a theatre; did you mean 'frontier'"
    ):
        prior_diff("frontir", frontier)


def test_an_edit_moves_the_headline_the_way_it_must(shelf: Any, shorter: Path, capsys: Any) -> None:
    found = prior_impact(shelf.root, shorter)
    assert [change["key"] for change in found["changes"]] == ["dwell.tense", "odds.trigger.leave.tense"]
    assert "posterior" not in found
    for entry in found["prior"]:  # from the shorter peace before the edit to the longer one after it
        assert entry["resolved"]["tense"]["shift"] > 0.05
        assert entry["resolved"]["tense"]["beyond_noise"]
    assert main(["priors", "impact", str(shelf.root), "--against", str(shelf.root / "priors.toml")]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("the two sets say the same\n")
    assert "  *" not in printed


def test_a_fit_shows_what_the_data_leave_of_an_edit(
    shelf: Any, shorter: Path, quickly: Callable[..., Any]
) -> None:
    with quickly():
        found = prior_impact(shelf.root, shorter, fit=True)
    assert [entry["quarter"] for entry in found["posterior"]] == ["2021Q1", "2021Q2"]
    assert all(entry["resolved"]["tense"]["shift"] > 0.03 for entry in found["posterior"])
    assert sorted(path.name for path in (shelf.root / "runs").iterdir() if path.is_dir()) == sorted(
        (shelf.first.id, shelf.second.id)
    )


def test_a_set_that_does_not_fit_the_workspace_is_refused(shelf: Any) -> None:
    with pytest.raises(Refusal, match=r"frontier.toml: wanted what 'talks' does to the odds"):
        prior_impact(shelf.root, "frontier")
