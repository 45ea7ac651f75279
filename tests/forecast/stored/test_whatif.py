"""A conditional forecast moves only what the beliefs say, by as much as they say, and says how well that is known."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.archive import workspace_of
from forecast.cli import main
from forecast.fitting import load as load_posterior
from forecast.whatif import Frame, Move, armed, of_levers, whatif
from models.derived import transition
from models.transitions import with_values
from priors.refusal import Refusal

type Json = dict[str, Any]


def cells(record: Json, key: str, part: str = "mean") -> list[float]:
    return [cell[key][part] for entry in record["quarters"] for cell in entry["resolved"].values()]


@pytest.fixture(scope="module")
def trigger(shelf: Any) -> Json:
    moves = (Move(driver="trigger", value=1.0, first="2021-01", lasting=True),)
    return whatif(shelf.first, shelf.workspace, moves=moves)


def test_the_unconditional_forecast_is_the_published_one(shelf: Any, trigger: Json) -> None:
    for entry, published in zip(trigger["quarters"], shelf.first.record["quarters"], strict=True):
        assert entry["quarter"] == published["quarter"]
        for key, cell in entry["resolved"].items():
            for part, value in cell["unconditional"].items():
                assert value == pytest.approx(published["resolved"][key][part], abs=1e-12)


def test_what_changes_nothing_moves_nothing(shelf: Any) -> None:
    moves = (Move(driver="trigger", value=0.0), Move(driver="talks", value=0.0))
    record = whatif(shelf.first, shelf.workspace, moves=moves)
    assert set(cells(record, "difference")) == {0.0}
    assert set(cells(record, "difference", "mcse")) == {0.0}
    assert cells(record, "conditional") == cells(record, "unconditional")


def test_a_trigger_empties_the_regime_it_ends(trigger: Json) -> None:
    assert all(entry["resolved"]["tense"]["difference"]["q95"] < 0 for entry in trigger["quarters"])
    assert all(entry["resolved"]["war"]["difference"]["mean"] > 0 for entry in trigger["quarters"])


def test_differences_add_to_nothing_and_are_those_of_the_means(trigger: Json) -> None:
    for entry in trigger["quarters"]:
        row = entry["resolved"].values()
        assert sum(cell["difference"]["mean"] for cell in row) == pytest.approx(0.0, abs=1e-12)
        for cell in row:
            gap = cell["conditional"]["mean"] - cell["unconditional"]["mean"]
            assert cell["difference"]["mean"] == pytest.approx(gap, abs=1e-12)
            assert cell["difference"]["q05"] <= cell["difference"]["mean"] <= cell["difference"]["q95"]


def test_a_difference_is_better_known_than_what_it_is_between(trigger: Json) -> None:
    apart = np.hypot(cells(trigger, "unconditional", "mcse"), cells(trigger, "conditional", "mcse"))
    assert np.all(np.array(cells(trigger, "difference", "mcse")) < apart / 2)


def test_the_odds_of_a_what_if_driver_are_those_believed(shelf: Any) -> None:
    workspace = shelf.workspace
    posterior = load_posterior(shelf.first.path / "posterior" / "switching-level.nc")
    ready = armed(posterior, [workspace.config.drivers["trigger"]], workspace.priors, seed=5)
    odds = np.exp(ready.draws["leave"].sel(driver="trigger", regime="tense").values)
    assert np.mean((odds > 2) & (odds < 10)) == pytest.approx(0.9, abs=0.04)
    assert np.median(odds) == pytest.approx(20**0.5, rel=0.08)
    others = ready.draws["leave"].sel(driver="trigger", regime=["calm", "war"])
    assert float(abs(others).max()) == 0.0
    fitted = ready.draws["leave"].sel(driver="talks")
    assert (fitted.values == posterior.draws["leave"].sel(driver="talks").values).all()


def test_a_driver_multiplies_the_odds_of_leaving_and_nothing_else(shelf: Any) -> None:
    workspace = shelf.workspace
    posterior = load_posterior(shelf.first.path / "posterior" / "switching-level.nc")
    ready = armed(posterior, [workspace.config.drivers["trigger"]], workspace.priors, seed=5)
    last, horizon = ready.panel.sizes["month"] - 1, ready.setting.horizon
    moved = with_values(ready.setting.drivers, {"trigger": [0.0, 1.0, *[0.0] * (horizon - 2)]}, last + 1)
    at_rest, _ = transition(ready.draws, ready.setting, horizon, first=last)
    struck, _ = transition(ready.draws, replace(ready.setting, drivers=moved), horizon, first=last)
    np.testing.assert_allclose(struck[..., [0, 2, 3], :, :], at_rest[..., [0, 2, 3], :, :], atol=1e-15)
    stay = np.stack([at_rest[..., 1, 1, 1], struck[..., 1, 1, 1]])  # lag 0: the step into the second month
    leave = (1 - stay) / stay
    gamma = ready.draws["leave"].sel(driver="trigger", regime="tense").values
    np.testing.assert_allclose(leave[1] / leave[0], np.exp(gamma), rtol=1e-9)
    np.testing.assert_allclose(struck[..., 1, [0, 2], :], at_rest[..., 1, [0, 2], :], atol=1e-15)
    exits = struck[..., 1, 1, [0, 2]] / (1 - stay[1])[..., None]
    np.testing.assert_allclose(exits, at_rest[..., 1, 1, [0, 2]] / (1 - stay[0])[..., None], rtol=1e-9)


def test_a_statement_keeps_its_draws_whatever_stands_beside_it(
    shelf: Any, tmp_path: Path, edited: Callable[..., None]
) -> None:
    mine = shelf.copied(tmp_path / "more")
    edited(
        mine.root / "forecast.toml",
        "[levers.dialogue]",
        '[drivers.aid]\ntitle = "Aid"\nkind = "state"\nuse = "what-if"\n\n[levers.dialogue]',
    )
    beliefs = (mine.root / "priors.toml").read_text("utf-8")
    extra = beliefs[beliefs.index("[odds.talks.leave.war]") :].split("\n\n")[0].replace("talks", "aid")
    edited(mine.root / "priors.toml", "[odds.talks.leave.war]", f"{extra}\n\n[odds.talks.leave.war]")
    workspace = mine.workspace
    posterior = load_posterior(mine.first.path / "posterior" / "switching-level.nc")
    drivers = workspace.config.drivers
    alone = armed(posterior, [drivers["trigger"]], workspace.priors, seed=5)
    beside = armed(posterior, [drivers["aid"], drivers["trigger"]], workspace.priors, seed=5)
    for name in ("leave", "toward"):
        assert (alone.draws[name].sel(driver="trigger") == beside.draws[name].sel(driver="trigger")).all()
    record = whatif(mine.first, workspace, moves=(Move(driver="aid", value=1.0),))
    assert [belief["key"] for belief in record["beliefs"]] == ["odds.aid.leave.war"]
    assert any("priors.toml was edited after the run" in note for note in record["notes"])


def test_a_lever_sets_its_drivers_from_the_first_quarter_on(shelf: Any) -> None:
    record = whatif(shelf.first, shelf.workspace, levers=("dialogue",))
    (move,) = record["moves"]
    assert move["driver"] == "talks"
    assert set(move["months"].values()) == {1.0}
    assert next(iter(move["months"])) == "2021-01"
    belief = record["beliefs"][0]
    assert belief["because"] == "Field experience."
    assert belief["fitted"] is not None, "talks have a history: the fit speaks of their odds"
    assert "belief" in record["notes"][0]


def test_all_levers_at_once_are_each_lever_alone(shelf: Any) -> None:
    workspace, record = shelf.workspace, shelf.first.record
    frame = Frame(
        workspace=workspace,
        posteriors={"switching-level": load_posterior(shelf.first.path / "posterior" / "switching-level.nc")},
        weights=(1.0,),
        quarters=tuple(entry["quarter"] for entry in record["quarters"]),
        seed=11,
        draws=1000,
        paths=workspace.config.simulate.paths,
        chains=4,
    )
    alone = whatif(shelf.first, workspace, levers=("dialogue",))
    assert of_levers(frame) == {"dialogue": alone["quarters"]}


def test_a_model_without_regimes_is_not_moved_and_says_so(
    second: Callable[[Path], Path], quickly: Callable[..., Any], tmp_path: Path, edited: Callable[..., None]
) -> None:
    from forecast import archive
    from forecast.pipeline import run

    root = second(tmp_path / "flat")
    edited(root / "forecast.toml", '["regimes"]', '["local-level"]')
    edited(root / "forecast.toml", "effect  =", 'level   = "walk"\neffect  =')
    edited(
        root / "forecast.toml",
        "[sources.counts]",
        '[drivers.aid]\ntitle = "Aid"\nkind = "state"\nuse = "what-if"\n\n[sources.counts]',
    )
    beliefs = (root / "priors.toml").read_text("utf-8")
    level = beliefs[beliefs.index("[level") : beliefs.index("[spread")]
    wander = level.replace("level", "wander").replace("incidents per month", "percent per month")
    odds = level.replace("level.incidents", "odds.aid.leave.violent").replace(
        "incidents per month", "times the odds"
    )
    edited(root / "priors.toml", "[level", f"{wander}{odds}[level")
    with quickly():
        stored = archive.read(run(root).path)
    record = whatif(stored, workspace_of(stored), moves=(Move(driver="aid", value=1.0),))
    assert set(cells(record, "difference")) == {0.0}
    assert any("local-level" in note and "no regimes" in note for note in record["notes"])


def test_the_command_prints_the_table_the_belief_and_its_reason(shelf: Any, capsys: Any) -> None:
    assert main(["whatif", str(shelf.first.path), "--set", "trigger=1@2021-02"]) == 0
    printed = capsys.readouterr().out
    assert "set trigger = 0 in January 2021, 1 in February 2021, 0 in March to June 2021" in printed
    assert "no evidence that a measure works" in printed
    assert (
        "odds.trigger.leave.tense: 90 % between 2 and 10, times the odds. Field experience."
        in printed.replace("\u00a0", " ")
    )
    assert main(["whatif", str(shelf.first.path), "--lever", "dialogue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levers"][0]["id"] == "dialogue"


REFUSED: dict[str, tuple[list[str], str]] = {
    "nothing to set": ([], r"--set driver=value or --lever id; levers: dialogue; drivers: talks, trigger"),
    "no driver of that name": (["--set", "talk=1"], r"got 'talk'; wanted a driver .*did you mean 'talks'"),
    "no lever of that name": (["--lever", "dialog"], r"got 'dialog'; wanted a lever .*did you mean 'dialogue'"),
    "no value": (["--set", "talks"], r"got 'talks'; wanted driver=value"),
    "no month": (["--set", "talks=1@March"], r"got 'talks=1@March'; wanted driver=value"),
    "a month that is past": (["--set", "talks=1@2020-12"], r"got '2020-12'; wanted a month from 2021-01 to 2021-06"),
    "a month too far": (["--set", "talks=1@2021-01..2022-01"], r"got '2022-01'; wanted a month from"),
    "months out of order": (["--set", "talks=1@2021-03..2021-02"], r"wanted months in order"),
    "half a state": (["--set", "talks=0.5"], r"talks: 0.5 where kind = .state. allows 0 or 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_in_one_line(case: str, shelf: Any, capsys: Any) -> None:
    arguments, match = REFUSED[case]
    assert main(["whatif", str(shelf.first.path), *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    last = told.err.strip().splitlines()[-1]
    assert re.search(match, last), last


def test_rules_that_were_edited_are_refused(shelf: Any, tmp_path: Path, edited: Callable[..., None]) -> None:
    mine = shelf.copied(tmp_path / "rules")
    edited(mine.root / "scenarios.toml", "at_least = 8", "at_least = 9")
    with pytest.raises(Refusal, match=r"scenarios.toml: got 'changed since run"):
        whatif(mine.first, mine.workspace, levers=("dialogue",))


def test_a_run_without_its_counts_is_refused(shelf: Any, tmp_path: Path) -> None:
    mine = shelf.copied(tmp_path / "bare")
    (mine.first.path / "posterior" / "headline.nc").unlink()
    with pytest.raises(Refusal, match=r"headline.nc: wanted the file that the run left"):
        whatif(mine.first, mine.workspace, levers=("dialogue",))
