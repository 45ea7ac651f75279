"""A reader is told what was written with hindsight, beliefs and rules alike, and where the data are silent."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.clock import read
from forecast.fitting import Posterior, from_prior
from forecast.notes import notes
from forecast.question import ask
from forecast.workspace import load
from models import CATALOGUE


@pytest.mark.parametrize(
    ("priors", "rules", "told"),
    [
        (1, 1, "5 of 5 priors and 1 of 1 rules were"),
        (-1, 1, "1 of 1 rules was"),
        (1, -1, "5 of 5 priors were"),
        (-1, -1, None),
    ],
)
def test_beliefs_and_rules_of_a_later_date_are_counted(
    second: Callable[[Path], Path], tmp_path: Path, priors: int, rules: int, told: str | None
) -> None:
    workspace = load(second(tmp_path / "second"))
    clock = read(workspace.config.time)

    def day(off: int) -> datetime.date:
        return clock.as_of + datetime.timedelta(days=off)

    beliefs = {
        key: said.model_copy(update={"date": day(priors)})
        for key, said in workspace.priors.statements.items()
    }
    scenarios = tuple(
        rule if rule.is_remainder else rule.model_copy(update={"date": day(rules)})
        for rule in workspace.scenarios.scenarios
    )
    question = ask(workspace, clock)
    seen = replace(
        workspace,
        priors=replace(workspace.priors, statements=beliefs),
        scenarios=workspace.scenarios.model_copy(update={"scenarios": scenarios}),
    )
    said = [
        note for note in notes(replace(question, workspace=seen), question.past(), ()) if "hindsight" in note
    ]
    assert said == (
        [] if told is None else [f"With hindsight: {told} written after {clock.as_of.isoformat()}."]
    )


def test_a_model_of_spells_says_whether_the_data_spoke_of_their_shape() -> None:
    workspace = load("frontier")
    question = ask(workspace, read(workspace.config.time))
    model, setting = CATALOGUE["durations"], question.setting("durations")
    untold = from_prior(question.panel.counts, model, workspace.priors, setting, draws=300, seed=1)
    narrow = untold.draws.assign(stated=1.0 + (untold.draws["stated"] - 1.0) / 1000.0)
    told = replace(untold, draws=narrow)
    titles = [scenario.title for scenario in workspace.scenarios.scenarios]

    def spells(posterior: Posterior) -> list[str]:
        return [note for note in notes(question, question.past(), (posterior,)) if note.startswith("Spells")]

    assert spells(untold) == [
        f"Spells of “{title}” under durations: the data do not speak about the shape." for title in titles
    ]
    assert len(spells(told)) == len(titles)
    assert all("the data made the shape" in note and "surer" in note for note in spells(told))
