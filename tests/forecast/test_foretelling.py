"""Chains run longer where a probability came out too coarse to print, and where nothing else is wrong."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import pytest

from forecast import checks, clock
from forecast.fitted import errors
from forecast.foretelling import Foretold, foretold
from forecast.question import ask
from forecast.sidebyside import LONGER
from forecast.workspace import load


@pytest.fixture
def told(
    second: Callable[[Path], Path], quickly: Callable[..., AbstractContextManager[None]], tmp_path: Path
) -> Callable[..., tuple[Foretold, list[str]]]:
    """The second theatre foretold, with the stages that were announced."""
    number = count()

    def of(*, diverging: int = 0, draws: int = 1000) -> tuple[Foretold, list[str]]:
        place, stages = second(tmp_path / f"w{next(number)}"), list[str]()
        settings = (place / "forecast.toml").read_text("utf-8")
        (place / "forecast.toml").write_text(
            settings.replace("[simulate]", f"[simulate]\ndraws = {draws}"), "utf-8"
        )
        workspace = load(place)
        question = ask(workspace, clock.read(workspace.config.time))

        def note(stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
            stages.append(stage)

        with quickly(diverging=diverging):
            found = foretold(question, question.past(), seed=1, workers=1, progress=note)
        return found, stages

    return of


def test_exact_enough_is_left_alone(
    told: Callable[..., tuple[Foretold, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MCSE", 0.5)
    found, stages = told()
    assert found.ahead[0].futures.sizes["draw"] == 1000
    assert [stage for stage in stages if stage.startswith("sampling")] == ["sampling regimes"]


def test_a_coarse_probability_asks_for_longer_chains_once(
    told: Callable[..., tuple[Foretold, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MCSE", 1e-6)  # never reached: it is not tried a third time
    found, stages = told()
    sampled = [stage for stage in stages if stage.startswith("sampling")]
    assert sampled == ["sampling regimes", f"sampling regimes {LONGER} times as long"]
    assert max(errors(found.ensemble)) > 1e-6


def test_every_kept_draw_is_simulated_from_before_chains_are_run_longer(
    told: Callable[..., tuple[Foretold, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MCSE", 0.5)
    few, every = (max(errors(told(draws=draws)[0].ensemble)) for draws in (200, 1000))
    monkeypatch.setattr(checks, "MCSE", (few * every) ** 0.5)
    found, stages = told(draws=200)
    assert found.ahead[0].futures.sizes["draw"] == 1000
    assert [stage for stage in stages if stage.startswith("sampling")] == ["sampling regimes"]


def test_chains_that_failed_are_not_run_longer(
    told: Callable[..., tuple[Foretold, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MCSE", 1e-6)
    _, stages = told(diverging=3)
    assert [stage for stage in stages if stage.startswith("sampling")] == ["sampling regimes"]
