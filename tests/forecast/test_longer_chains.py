"""Chains that agree but say too little are run longer, judged whole and kept thinned; chains apart are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import checks, clock, predictive, sidebyside
from forecast.fitting import Posterior, from_prior
from forecast.question import ask
from forecast.watching import silent
from forecast.workspace import load
from models import CATALOGUE


def agreed(*, rhat: float, ess: float, divergences: float = 0) -> tuple[checks.Check, ...]:
    return (
        checks.below("R-hat", rhat, checks.R_HAT, ""),
        checks.above("bulk ESS", ess, checks.ESS, ""),
        checks.above("tail ESS", ess, checks.ESS, ""),
        checks.below("divergences", divergences, 0, "", strictly=False),
    )


@pytest.mark.parametrize(
    ("found", "short"),
    [
        (agreed(rhat=1.004, ess=900), False),
        (agreed(rhat=1.012, ess=900), True),
        (agreed(rhat=1.004, ess=390), True),
        (agreed(rhat=1.004, ess=500), True),  # it passes, and probabilities made of it may not
        (agreed(rhat=1.2, ess=20), False),  # two answers: a longer chain would stay in its own
        (agreed(rhat=float("nan"), ess=20), False),
        (agreed(rhat=1.012, ess=390, divergences=2), False),
    ],
)
def test_short_chains_are_told_from_chains_apart(found: tuple[checks.Check, ...], short: bool) -> None:
    assert sidebyside.short(found) is short


@pytest.mark.parametrize("last", [900.0, 390.0])
def test_a_short_chain_runs_longer_once_and_is_judged_whole(
    last: float, second: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = load(second(tmp_path / "w"))
    question = ask(ws, clock.read(ws.config.time))
    setting, panel = question.setting("regimes"), question.panel.counts
    lengths, judged, predicted = [], [], []

    def fit(*_: Any, tune: int, draws: int, **__: Any) -> Posterior:
        lengths.append((tune, draws))
        drawn = from_prior(panel, CATALOGUE["regimes"], ws.priors, setting, draws=draws // 100, seed=1)
        marks = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((1, draws // 100), bool))})
        return replace(drawn, statistics=marks)

    def judge(posterior: Posterior) -> tuple[checks.Check, ...]:
        judged.append(posterior.draws.sizes["draw"])
        return agreed(rhat=1.002, ess=390.0 if len(judged) == 1 else last)

    def predict(posterior: Posterior, *, seed: int) -> tuple[checks.Check, ...]:
        predicted.append(posterior.draws.sizes["draw"])
        return ()

    monkeypatch.setattr(sidebyside, "compile_model", lambda *_: None)
    monkeypatch.setattr(sidebyside, "fit", fit)
    monkeypatch.setattr(sidebyside, "agreement", judge)
    monkeypatch.setattr(predictive, "checks", predict)
    (done,) = sidebyside.fits(panel, {"regimes": setting}, ws.priors, seed=1, workers=1, progress=silent)
    assert lengths == [(1000, 1000), (4000, 4000)]
    assert judged == [10, 40]
    assert predicted == [40]
    assert done.posterior.draws.sizes["draw"] == done.posterior.statistics.sizes["draw"] == 10
    assert done.verdict.ok is (last > 400)
