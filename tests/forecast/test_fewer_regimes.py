"""A model may have fewer regimes than there are scenarios: everything latent then speaks of those, by name."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from forecast.cli import main
from forecast.pipeline import Run, run
from forecast.workspace import load
from priors.refusal import Refusal

type Json = dict[str, Any]

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
REGIMES = ["tense", "war"]
FEWER = 'regimes = ["tense", "war"]\n'


@pytest.fixture(scope="module")
def fewer(
    quickly: Callable[..., AbstractContextManager[None]], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    place = tmp_path_factory.mktemp("fewer") / "small"
    shutil.copytree(SMALL, place)
    text = (place / "forecast.toml").read_text("utf-8")
    text = text.replace("basis = 8\n", f"basis = 8\n{FEWER}")
    (place / "forecast.toml").write_text(text, encoding="utf-8", newline="")
    with quickly():
        return run(place)


def nothing(told: Json) -> bool:
    return set(told.values()) == {None}


def test_the_scenario_without_a_regime_has_no_latent_number(fewer: Run) -> None:
    record = fewer.record
    latent = [record["now"]["regime"], *(quarter["regime"] for quarter in record["quarters"])]
    for row in latent:
        assert nothing(row["calm"])
        assert sum(row[name]["mean"] for name in REGIMES) == pytest.approx(1.0)
    assert list(record["dwell_months"]) == ["calm", *REGIMES]
    assert nothing(record["dwell_months"]["calm"])
    for row in record["history"]:
        assert list(row["regime"]) == REGIMES
        assert sum(row["regime"].values()) == pytest.approx(1.0)
    assert record["scenarios"][0]["support_months"] is None


def test_a_note_and_the_matrix_say_that_there_is_none(fewer: Run) -> None:
    titles = {scenario["id"]: scenario["title"] for scenario in fewer.record["scenarios"]}
    (note,) = [note for note in fewer.record["notes"] if "no latent regime" in note]
    assert f"“{titles['calm']}”" in note
    page = (fewer.path / "report.html").read_text("utf-8")
    assert "A dash: switching-level has no regime for that scenario." in page


def test_latent_transitions_lead_from_regime_to_regime(fewer: Run) -> None:
    for key in ("transitions", "transitions_quarter"):
        for part in ("mean", "q05", "q95"):
            matrix = fewer.record[key][part]
            assert matrix[0] == [None, None, None]
            assert [row[0] for row in matrix] == [None, None, None]
        for row in fewer.record[key]["mean"][1:]:
            assert sum(row[1:]) == pytest.approx(1.0)


def test_every_scenario_still_has_its_probability(fewer: Run) -> None:
    for quarter in fewer.record["quarters"]:
        assert sum(told["mean"] for told in quarter["resolved"].values()) == pytest.approx(1.0)
        assert quarter["resolved"]["calm"]["mean"] > 0
    walk = fewer.record["crosswalk"]
    assert (walk["rows"], walk["columns"]) == (REGIMES, ["calm", *REGIMES])
    for row in walk["mean"]:
        assert sum(row) == pytest.approx(1.0)
    quiet = sum(quarter["resolved"]["calm"]["mean"] for quarter in fewer.record["quarters"])
    assert walk["differ"]["mean"] >= quiet / len(fewer.record["quarters"]) - 1e-9  # no regime bears its name


@pytest.mark.parametrize(
    "command",
    [
        ("explain", "RUN", "calm"),
        ("explain", "RUN", "war"),
        ("whatif", "RUN", "--set", "talks=1"),
        ("report", "RUN", "--formats", "html"),
        ("priors", "check", "DIR"),
        ("priors", "show", "DIR"),
    ],
    ids=" ".join,
)
def test_commands_speak_of_the_regimes_there_are(fewer: Run, capsys: Any, command: tuple[str, ...]) -> None:
    places = {"RUN": str(fewer.path), "DIR": str(fewer.path.parents[1])}
    assert main([places.get(word, word) for word in command]) == 0
    printed = capsys.readouterr().out
    assert "None" not in printed
    assert "nan" not in printed
    if command[0] == "explain":
        held = "holds the latent regime" in printed
        assert held == (command[-1] == "war")


def test_a_label_of_a_scenario_that_is_nowhere_a_regime_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "small"
    shutil.copytree(SMALL, place)
    text = (place / "forecast.toml").read_text("utf-8")
    text = text.replace("basis = 8\n", f"basis = 8\n{FEWER}\n[models.regimes]\n{FEWER}")
    (place / "forecast.toml").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(
        Refusal, match=r"labels.toml: label 2.scenario .*got 'calm'; wanted a regime of some model"
    ):
        load(place)
