"""The headline derived again from what the run kept is the headline, and a record that was altered is caught."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from forecast import archive
from forecast.cli import main
from forecast.explain import explain
from priors.refusal import Refusal


@pytest.mark.parametrize("scenario", ["calm", "tense", "war"])
@pytest.mark.parametrize("quarter", ["2021Q1", "2021Q2"])
def test_every_published_number_is_derived_again(shelf: Any, scenario: str, quarter: str) -> None:
    found = explain(shelf.first, scenario, quarter=quarter)
    assert found["agrees"]
    assert found["derived"] == pytest.approx(found["published"], abs=1e-9)
    (model,) = found["models"]
    assert model["mean"] == pytest.approx(model["hits"] / model["resolved"])
    assert 0 <= model["noise"] < model["spread"]


def test_ten_lines_say_where_it_comes_from(shelf: Any, capsys: Any) -> None:
    assert main(["explain", str(shelf.first.path), "war"]) == 0
    lines = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert len(lines) <= 10
    published = shelf.first.record["quarters"][0]["resolved"]["war"]
    assert lines[0].startswith(f"P(2021 Q1 resolves to War) = {published['mean']:.4f}, 90 % interval")
    assert lines[0].endswith("forecast.json says the same.")
    assert "The rule: Days of fire: at least 8 in any of the three months." in lines
    assert any("the latent regime War at" in line for line in lines)
    assert any(re.search(r"[\d,]+ of 400,000 futures from 1,000 parameter draws", line) for line in lines)


def test_a_number_that_was_altered_does_not_agree(shelf: Any, tmp_path: Path) -> None:
    mine = shelf.copied(tmp_path / "altered")
    record = dict(mine.first.record)
    record["quarters"][0]["resolved"]["war"]["mean"] += 1e-6
    (mine.first.path / "forecast.json").write_text(json.dumps(record), encoding="utf-8")
    found = explain(archive.read(mine.first.path), "war")
    assert not found["agrees"]
    assert "IT DOES NOT AGREE" in found["lines"][0]


def test_what_the_run_does_not_speak_of_is_refused(shelf: Any, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"got 'wars'; wanted a scenario of the run; did you mean 'war'"):
        explain(shelf.first, "wars")
    with pytest.raises(Refusal, match=r"got '2021Q4'; wanted a quarter of the run"):
        explain(shelf.first, "war", quarter="2021Q4")
    with pytest.raises(Refusal, match=r"wanted the directory of a run; name one under runs/"):
        archive.read(tmp_path)
