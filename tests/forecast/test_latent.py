"""Latent quantities follow from the filter and the matrices of each draw, without simulation."""

import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecast.clock import Clock
from forecast.fitting import from_prior
from forecast.latent import Latent, view
from forecast.question import ask
from forecast.workspace import load
from models import CATALOGUE


@pytest.fixture(scope="module")
def latent(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Latent:
    workspace = load(second(tmp_path_factory.mktemp("latent") / "second"))
    clock = Clock(
        as_of=datetime.date(2020, 1, 31), timing="retrospective", issued_at="2020-02-01T00:00:00+00:00"
    )
    question = ask(workspace, clock)
    setting, priors = question.setting("regimes"), workspace.priors
    drawn = from_prior(question.panel.counts, CATALOGUE["regimes"], priors, setting, draws=50, seed=1)
    return view(drawn, months=question.months)


def test_every_law_adds_to_one(latent: Latent) -> None:
    for law in (latent.smoothed, latent.filtered, latent.ahead, latent.step):
        np.testing.assert_allclose(law.sum(-1), 1.0, atol=1e-12)


def test_the_regime_ahead_is_the_filter_moved_by_the_matrix(latent: Latent) -> None:
    moved = latent.filtered
    for quarter in ("2020Q1", "2020Q2", "2020Q3", "2020Q4"):
        moved = np.einsum("cdi,cdij->cdj", moved, latent.transition(3))
        for place, name in enumerate(latent.regimes):
            np.testing.assert_allclose(latent.quarter_end(quarter)[name], moved[..., place], atol=1e-12)


def test_a_spell_is_the_inverse_of_the_chance_to_leave(latent: Latent) -> None:
    for place, name in enumerate(latent.regimes):
        np.testing.assert_allclose(latent.dwell()[name], 1 / (1 - latent.step[..., place, place]), rtol=1e-9)


def test_support_counts_the_months_of_the_window(latent: Latent) -> None:
    assert sum(latent.support().values()) == pytest.approx(len(latent.months))
    assert [entry["month"] for entry in latent.history()] == list(latent.months)
    violent = sum(entry["regime"]["violent"] for entry in latent.history())
    assert violent == pytest.approx(latent.support()["violent"])


def test_now_is_the_end_of_the_smoothed_past(latent: Latent) -> None:
    """With the last month both know the same data."""
    means = {name: law.mean() for name, law in latent.now().items()}
    assert means == pytest.approx(latent.history()[-1]["regime"])
