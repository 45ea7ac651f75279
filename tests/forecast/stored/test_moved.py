"""What moved between two runs: every cause alone gives what it must, and the bars add up to what was published."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from forecast import archive
from forecast.archive import Stored
from forecast.cli import main
from forecast.comparison import compare
from forecast.fitting import Posterior, from_prior
from forecast.moved import side_of, valuing
from forecast.moved.mixing import BELIEFS, CAUSES, HISTORY, MONTHS, Given, given, mixed, same
from forecast.pipeline import run
from forecast.workspace import Workspace, load
from models import CATALOGUE
from priors.refusal import Refusal

MODEL = "switching-level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A run, and one a month later: a figure of the past revised, a belief edited, a label added."""

    root: Path
    before: Stored
    after: Stored

    @property
    def workspace(self) -> Workspace:
        """As the later run read it."""
        return load(self.root)


@pytest.fixture(scope="module")
def pair(shelf: Any, quickly: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    mine = shelf.copied(tmp_path_factory.mktemp("moved") / "small")
    for name, old, new in (
        ("forecast.toml", "as_of    = 2021-01-31", "as_of    = 2021-02-28"),
        ("forecast.toml", 'to = "2020-12"', 'to = "2021-01"'),
        ("data/counts.csv", "2020-12,north,incidents,17", "2020-12,north,incidents,25\n2021-01,north,incidents,31"),
        ("data/chronology.csv", "2018-06-03,2018-06-14", "2021-01-03,2021-01-14,clash,North,,Fire,exact,https://example.org/5,2021-01-15\n2018-06-03,2018-06-14"),
        ("priors.toml", "low = 4\nhigh = 24", "low = 2\nhigh = 9"),
        ("labels.toml", "ratio    = 4", "ratio    = 8"),
        ("forecast.toml", "[models]", "[simulate]\ndraws = 400\npaths = 100\n\n[models]"),
    ):  # fmt: skip
        file = mine.root / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8", newline="")
    with quickly(moment=1_614_556_800), pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.fitted.MOST_PATHS", 100)
        after = run(mine.root, seed=11).path
    return Pair(root=mine.root, before=mine.first, after=archive.read(after))


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Given, int]]:
    """Draws of the priors in the place of fits; what was asked for, in order."""
    asked: list[tuple[Given, int]] = []

    def drawn(model: str, this: Given, ready: object, *, seed: int) -> Posterior:
        asked.append((this, seed))
        parts = [
            from_prior(this.panel, CATALOGUE[model], this.priors, this.setting, draws=250, seed=seed + chain)
            for chain in range(4)
        ]
        return replace(parts[0], draws=xr.concat([part.draws for part in parts], "chain"))

    monkeypatch.setattr(valuing, "_fit", drawn)
    return asked


def sides(pair: Pair) -> tuple[Given, Given]:
    before, after = (given(archive.posterior(one, MODEL)) for one in (pair.before, pair.after))
    return before, after


def test_all_causes_make_the_later_run_and_none_the_earlier(pair: Pair) -> None:
    before, after = sides(pair)
    assert not same(MODEL, before, after)
    for old, new in ((before, after), (after, before)):  # also where the second run knows less
        assert same(MODEL, mixed(MODEL, old, new, frozenset()), old)
        assert same(MODEL, mixed(MODEL, old, new, frozenset(CAUSES)), new)
        assert mixed(MODEL, old, new, frozenset(CAUSES)).setting == new.setting


def test_each_cause_moves_its_own_part(pair: Pair) -> None:
    before, after = sides(pair)
    revised, grown, believed = (
        mixed(MODEL, before, after, frozenset({one})) for one in (HISTORY, MONTHS, BELIEFS)
    )
    at = {"stream": "incidents", "month": "2020-12"}
    assert [float(one.panel.sel(at)) for one in (before, revised, grown, believed)] == [17, 25, 17, 17]
    assert [str(one.panel["month"].values[-1]) for one in (revised, grown, believed)] == [
        "2020-12",
        "2021-01",
        "2020-12",
    ]
    assert float(grown.panel.sel(stream="incidents", month="2021-01")) == 31
    assert grown.span[-1] == after.span[-1] == "2021-09"
    assert revised.setting == before.setting
    assert believed.priors is after.priors
    assert believed.setting.labels is not None
    assert believed.setting.labels != before.setting.labels
    assert len(grown.setting.labels or ()) == grown.panel.sizes["month"]
    assert grown.setting.labels == (*(before.setting.labels or ()), (0.0, 0.0, 0.0))
    for one in (revised, grown, believed):
        assert all(len(driver.values) == len(one.span) for driver in one.setting.drivers)


def test_a_model_that_the_earlier_run_did_not_fit_is_given_its_data(pair: Pair) -> None:
    before, after = (side_of(one, {MODEL}) for one in (pair.before, pair.after))
    new = given(after.posteriors[MODEL])
    unknown = valuing._earlier("regimes", before, new)
    assert unknown.panel.equals(before.posteriors[MODEL].panel)
    assert unknown.priors is before.posteriors[MODEL].priors
    assert unknown.span == given(before.posteriors[MODEL]).span
    assert all(len(driver.values) == len(unknown.span) for driver in unknown.setting.drivers)
    waves = mixed("switching-drift", given(before.posteriors[MODEL]), new, frozenset({MONTHS})).setting.basis
    assert waves == new.panel.sizes["month"] - 1  # a wave for each step, however long the panel


def test_a_reason_and_a_belief_of_another_model_change_nothing(pair: Pair) -> None:
    before, _ = sides(pair)
    statements = dict(before.priors)
    reworded = statements["dwell.war"].model_copy(update={"because": "Said otherwise."})
    priors = type(before.priors)(
        name="small", source="priors.toml", statements={**statements, "dwell.war": reworded}
    )
    assert same(MODEL, before, replace(before, priors=priors))


def test_bars_add_up_to_what_was_published(pair: Pair, fitted: list[Any]) -> None:
    found = compare(pair.before, pair.after, workspace=pair.workspace)
    moved = found["moved"]
    assert found["differs"] == ["the data", "the priors", "the date they speak from"]
    assert [bar["name"] for bar in moved["bars"]] == ["rerun", "history", "months", "beliefs"]
    assert len(fitted) == 7  # eight coalitions, of which the last is the later run itself
    assert len({seed for _, seed in fitted}) == 7
    assert [entry["quarter"] for entry in moved["quarters"]] == ["2021Q1", "2021Q2"]
    for quarter, both in zip(moved["quarters"], found["quarters"], strict=True):
        for key, cell in quarter["resolved"].items():
            assert cell["before"] == pytest.approx(both["resolved"][key]["before"]["mean"], abs=1e-12)
            assert cell["after"] == pytest.approx(both["resolved"][key]["after"]["mean"], abs=1e-12)
            assert sum(bar["shift"] for bar in cell["bars"].values()) == pytest.approx(
                cell["shift"], abs=1e-12
            )
            assert all(
                bar["low"] <= bar["shift"] + 1e-12 <= bar["high"] + 2e-12 for bar in cell["bars"].values()
            )
        for name in ("rerun", "history", "months", "beliefs"):
            total = sum(cell["bars"][name]["shift"] for cell in quarter["resolved"].values())
            assert total == pytest.approx(0, abs=1e-12)
    war = moved["quarters"][0]["resolved"]["war"]["bars"]
    assert war["months"]["told"]  # twelve days of fire in January decide the quarter
    assert war["months"]["shift"] > 0.3
    assert abs(war["rerun"]["shift"]) < 4 * war["rerun"]["mcse"]


def test_the_command_shows_the_bars(pair: Pair, fitted: list[Any], capsys: Any) -> None:
    assert main(["compare", str(pair.before.path), str(pair.after.path)]) == 0
    printed = capsys.readouterr().out.replace("\u00a0", " ")
    assert "2021 Q1, points" in printed
    assert "new months" in printed
    assert main(["compare", str(pair.before.path), str(pair.after.path), "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["moved"] is None
    assert len(fitted) == 7


def test_where_only_the_seed_differs_nothing_is_fitted(shelf: Any, fitted: list[Any]) -> None:
    found = compare(shelf.first, shelf.second, workspace=shelf.workspace)["moved"]
    assert fitted == []
    for entry in found["quarters"]:
        for cell in entry["resolved"].values():
            assert cell["bars"]["rerun"]["shift"] == pytest.approx(cell["shift"], abs=1e-12)
            assert cell["bars"]["rerun"]["mcse"] == pytest.approx(cell["mcse"], rel=1e-6)
            assert not any(cell["bars"][name]["told"] for name in CAUSES)


def test_edited_rules_are_a_bar_of_their_own(
    shelf: Any, tmp_path: Path, quickly: Callable[..., Any], edited: Callable[..., None], fitted: list[Any]
) -> None:
    mine = shelf.copied(tmp_path / "rules")
    edited(mine.root / "scenarios.toml", "at_least = 8", "at_least = 4")
    with quickly():
        after = archive.read(run(mine.root, seed=11).path)
    found = compare(mine.first, after, workspace=mine.workspace)["moved"]
    assert fitted == []
    for entry in found["quarters"]:
        war = entry["resolved"]["war"]
        assert war["bars"]["rules"]["shift"] > 0.02
        assert war["bars"]["rules"]["shift"] == pytest.approx(
            war["shift"], abs=1e-12
        )  # the same draws and seeds
        assert war["bars"]["rerun"]["shift"] == pytest.approx(0, abs=1e-12)
        assert war["bars"]["rules"]["told"]


def test_what_was_altered_or_edited_since_is_refused(
    shelf: Any, tmp_path: Path, edited: Callable[..., None], fitted: list[Any]
) -> None:
    mine = shelf.copied(tmp_path / "altered")
    record = json.loads((mine.first.path / "forecast.json").read_text("utf-8"))
    record["quarters"][0]["resolved"]["war"]["mean"] += 0.01
    (mine.first.path / "forecast.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(Refusal, match=r"2021Q1, war.*by the counts that the run kept"):
        compare(archive.read(mine.first.path), mine.second, workspace=mine.workspace)
    edited(mine.root / "scenarios.toml", "at_least = 8", "at_least = 4")
    with pytest.raises(Refusal, match=r"scenarios.toml: got '?changed since run"):
        compare(shelf.first, mine.second, workspace=mine.workspace)
    shutil.rmtree(mine.second.path / "posterior")
    assert main(["compare", str(shelf.first.path), str(mine.second.path)]) == 2
