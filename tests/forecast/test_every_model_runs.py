"""Models with ages and with drifts go through a whole run, and the engine asks them rather than a plain chain."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast import predictive
from forecast.ensemble import foresight
from forecast.fitting import Posterior, from_prior
from forecast.pipeline import run
from forecast.simulation import latent, simulate
from models import CATALOGUE, Setting, Stream, durations, forward
from priors import loads

SAID = {
    "wander.incidents": (2, 10, "percent per month"),
    "shape.quiet": (0.44, 2.28, "shape"),
    "shape.violent": (0.44, 2.28, "shape"),
    "drift.incidents.quiet": (-3, 3, "percent per month"),
    "drift.incidents.violent": (-2, 8, "percent per month"),
    "swing.violent": (0.8, 2.5, "times quiet"),
}


def written(entries: dict[str, tuple[float, float, str]]) -> str:
    return "".join(
        f'\n[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\nbecause = "A test."\n'
        for key, (low, high, unit) in entries.items()
    )


@pytest.mark.parametrize(
    ("use", "compare"), [("durations", "switching-drift"), ("switching-drift", "durations")]
)
def test_a_run_weighs_one_and_compares_the_other(
    second: Callable[[Path], Path], quickly: Callable[..., Any], tmp_path: Path, use: str, compare: str
) -> None:
    place = second(tmp_path / "theatre")
    toml, beliefs = place / "forecast.toml", place / "priors.toml"
    text = toml.read_text("utf-8").replace('use = ["regimes"]', f'use = ["{use}"]\ncompare = ["{compare}"]')
    text = text.replace("effect  =", 'level   = "walk"\neffect  =')
    toml.write_text(text, encoding="utf-8", newline="")
    beliefs.write_text(beliefs.read_text("utf-8") + written(SAID), encoding="utf-8", newline="")
    with quickly():
        found = run(place)
    record = found.record
    assert [(model["name"], model["weight"]) for model in record["models"]] == [(use, 1.0), (compare, 0.0)]
    assert record["latent_from"] == use
    for quarter in record["quarters"]:
        for kind in ("resolved", "regime"):
            assert sum(told["mean"] for told in quarter[kind].values()) == pytest.approx(1.0, abs=1e-6)
    keys = {entry["key"] for entry in record["priors"]}
    assert keys >= set(SAID)


@pytest.fixture(scope="module")
def aged() -> Posterior:
    """Draws of the prior of a model with ages, in the shape of a posterior of two chains."""
    head = 'schema = 1\nname = "t"\n[defaults]\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
    said = {
        "dwell.calm": (3, 12, "months"),
        "dwell.war": (1.5, 5, "months"),
        "shape.calm": (2, 6, "shape"),
        "shape.war": (2, 6, "shape"),
        "level.deaths": (3, 9, "deaths per month"),
        "wander.deaths": (2, 8, "percent per month"),
        "spread.deaths": (30, 60, "percent"),
        "effect.deaths.war": (3, 8, "times"),
    }
    labels = np.zeros((9, 2))
    labels[4, 1] = 2.0
    setting = Setting(
        scenarios=("calm", "war"),
        reference="calm",
        streams=(Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),),
        horizon=3,
        basis=6,
        labels=tuple(map(tuple, labels)),
    )
    panel = xr.DataArray(
        [[6.0, 4, 9, 5, 22, 30, 6, 3, 5]],
        dims=("stream", "month"),
        coords={"stream": ["deaths"], "month": [f"2025-{m:02d}" for m in range(1, 10)]},
    )
    drawn = from_prior(panel, durations.MODEL, loads(head + written(said), "p"), setting, draws=40, seed=2)
    parts = [drawn.draws.isel(draw=slice(n, n + 20)).assign_coords(draw=range(20)) for n in (0, 20)]
    return replace(drawn, draws=xr.concat(parts, "chain"))


def test_latent_quantities_are_the_model_s_own(aged: Posterior) -> None:
    found = latent(aged, months=3)
    laws = durations.laws(aged.draws, aged.panel, aged.setting, months=3)
    assert found["filtered"].values == pytest.approx(laws["filtered"].values[..., -1, :])
    assert found["ahead"].values == pytest.approx(laws["ahead"].values)
    assert found["smoothed"].values == pytest.approx(laws["smoothed"].values.mean(axis=(0, 1)))
    futures = simulate(aged, months=3, paths=4000, seed=1)
    share = (futures["regime"] == 1).mean(("draw", "path")).values
    assert share == pytest.approx(laws["ahead"].values[..., 1].mean(axis=(0, 1)), abs=0.01)


def test_checks_hold_months_against_laws_with_ages(aged: Posterior) -> None:
    chain = CATALOGUE["durations"].regimes(aged.draws, aged.panel, aged.setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    wanted = forward.predicted(*given, time_varying=False)
    K = len(aged.setting.scenarios)
    wanted = wanted.reshape(*wanted.shape[:-1], K, -1).sum(axis=-1)
    assert predictive.law(aged) == pytest.approx(wanted, abs=1e-9)
    blind = predictive.law(aged, blind=True)  # stationary from the first month on
    assert blind == pytest.approx(np.broadcast_to(blind[:, :, :1], blind.shape), abs=1e-9)


def test_foresight_asks_the_model_for_its_densities(aged: Posterior) -> None:
    found = foresight._density(aged, aged.draws, particles=20, seed=5)
    unlabelled = replace(aged.setting, labels=None)
    wanted = durations.one_step(aged.draws, aged.panel, unlabelled, aged.priors, number=20, seed=5)
    assert np.array_equal(found, wanted)
