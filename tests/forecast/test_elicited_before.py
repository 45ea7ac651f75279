"""What priors expect before any data: exact tails, alarms for the wrong unit, and a headline no count can move."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import nbinom

from forecast.elicited import (
    at_medians,
    check_table,
    implied,
    implied_table,
    prior_predictive,
    surprises,
    visibility,
)
from forecast.fitting import from_prior
from forecast.months import span
from forecast.rules import parse
from forecast.rules.truth import NO_BOUNDS
from models import CATALOGUE, Setting, Stream
from priors import PriorSet, load, loads

REGIMES = ("de-escalation", "contained", "regional-war")
WINDOW = span("2022-01", "2026-05")  # longer than any rule looks back
QUARTERS = ("2026Q3", "2026Q4", "2027Q1", "2027Q2")
FRONTIER = Path(__file__).parents[2] / "priors" / "frontier.toml"
STREAMS = (
    Stream(id="deaths-afghanistan", family="negative-binomial", level="walk", effect="free"),
    Stream(id="hostile-days", family="negative-binomial", level="constant", effect="increasing"),
    Stream(id="agreement", family="bernoulli", level="constant", effect="free"),
)
SETTING = Setting(scenarios=REGIMES, reference="contained", streams=STREAMS, horizon=13)
MODEL = CATALOGUE["switching-level"]
SIGNED: dict[str, Any] = {"because": "x", "author": "x", "date": datetime.date(2026, 1, 1)}
RULES = parse(
    {
        "schema": 1,
        "reference": "contained",
        "precedence": ["regional-war", "de-escalation"],
        "scenario": [
            {
                "id": "de-escalation",
                "title": "Calm",
                "resolves": {
                    "all": [
                        {"stream": "agreement", "take": "sum", "at_least": 2},
                        {
                            "stream": "deaths-afghanistan",
                            "take": "mean",
                            "at_most": 1.0,
                            "times": "trailing-12",
                        },
                    ]
                },
                **SIGNED,
            },
            {"id": "contained", "title": "Usual"},
            {
                "id": "regional-war",
                "title": "War",
                "resolves": {"any": [{"stream": "hostile-days", "take": "max", "at_least": 10}]},
                **SIGNED,
            },
        ],
    },
    file="scenarios.toml",
)


def observed(times: float = 1.0) -> xr.DataArray:
    rng = np.random.default_rng(1)
    rows = np.stack(
        [
            np.round(times * rng.negative_binomial(2, 2 / 32, len(WINDOW))),
            rng.poisson(1.0, len(WINDOW)),
            rng.integers(0, 2, len(WINDOW)),
        ]
    ).astype(float)
    rows[1, -2:] = np.nan
    return xr.DataArray(
        rows,
        dims=("stream", "month"),
        coords={"stream": [s.id for s in STREAMS], "month": list(WINDOW)},
    )


def before(panel: xr.DataArray, setting: Setting = SETTING) -> dict[str, Any]:
    return prior_predictive(
        panel,
        MODEL,
        load(FRONTIER),
        setting,
        RULES,
        current="2026Q2",
        quarters=QUARTERS,
        bounds=NO_BOUNDS,
        seed=3,
        draws=60,
        paths=20,
    )


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return before(observed())


def test_every_quarter_is_a_law_and_the_running_one_comes_first(told: dict[str, Any]) -> None:
    assert [row["quarter"] for row in told["quarters"]] == ["2026Q2", *QUARTERS]
    assert [row["running"] for row in told["quarters"]] == [True, False, False, False, False]
    for row in told["quarters"]:
        assert sum(e["mean"] for e in row["resolved"].values()) == pytest.approx(1.0)
        assert row["unresolved"] == 0.0  # nothing is missing from a past that was drawn
        assert all(e["q05"] <= e["mean"] <= e["q95"] for e in row["resolved"].values())


def test_no_count_and_no_label_moves_the_headline(told: dict[str, Any]) -> None:
    labelled = replace(SETTING, labels=tuple((0.0, 0.0, 5.0) for _ in WINDOW))
    other = before(observed(times=9.0), labelled)
    assert other["quarters"] == told["quarters"]
    for stream in told["streams"]:
        assert other["streams"][stream]["month"] == told["streams"][stream]["month"]
    assert (
        other["streams"]["deaths-afghanistan"]["observed"]
        != told["streams"]["deaths-afghanistan"]["observed"]
    )


def test_months_of_the_priors_are_about_what_was_stated(told: dict[str, Any]) -> None:
    """The desk says 10 to 100 deaths a month in ordinary times, and more in war."""
    deaths = told["streams"]["deaths-afghanistan"]
    assert 10 < deaths["month"]["q50"] < 100
    assert deaths["month"]["q05"] < deaths["month"]["q25"] < deaths["month"]["q75"] < deaths["month"]["q95"]
    assert told["streams"]["agreement"]["month"]["q95"] == 1.0
    assert told["streams"]["agreement"]["surprise"] is None
    assert deaths["observed"]["low"] <= deaths["observed"]["median"] <= deaths["observed"]["high"]


def test_another_unit_raises_the_alarm_and_the_right_one_does_not(told: dict[str, Any]) -> None:
    assert not any(one["surprise"] and one["surprise"]["alarm"] for one in told["streams"].values())
    in_thousands = from_prior(observed(), MODEL, load(FRONTIER), SETTING, draws=100, seed=4)
    odd = surprises(in_thousands, observed(times=10_000.0))
    assert odd["deaths-afghanistan"]["alarm"]
    assert odd["deaths-afghanistan"]["tail"] < 1e-6
    assert not odd["hostile-days"]["alarm"]
    assert set(odd) == {"deaths-afghanistan", "hostile-days"}


def sure(mean: float, spread: float) -> PriorSet:
    signed = '[defaults]\nauthor = "x"\ndate = 2026-01-01\nsource = "x"'

    def near(key: str, value: float, unit: str) -> str:
        low, high = value * 0.999999, value * 1.000001
        return f'[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\nbecause = "x"'

    return loads(
        "\n".join(
            [
                f'schema = 1\nname = "sure"\n{signed}',
                near("level.deaths", mean, "deaths per month"),
                near("spread.deaths", spread, "percent of the mean"),
            ]
        ),
        "priors.toml",
    )


@pytest.mark.parametrize(("value", "upper"), [(260.0, True), (2.0, False)])
def test_a_tail_is_that_of_the_count_itself(value: float, upper: bool) -> None:
    """A level and a spread known for sure leave one negative binomial, whose tail is known too."""
    stream = Stream(id="deaths", family="negative-binomial", level="constant", effect="none")
    setting = Setting(scenarios=("only",), reference="only", streams=(stream,), horizon=1)
    months = list(span("2026-01", "2026-03"))
    panel = xr.DataArray(
        np.array([[41.0, value, np.nan]]),
        dims=("stream", "month"),
        coords={"stream": ["deaths"], "month": months},
    )
    prior = from_prior(panel, CATALOGUE["local-level"], sure(40.0, 50.0), setting, draws=5, seed=5)
    (odd,) = surprises(prior, panel).values()
    law = nbinom(4.0, 4.0 / 44.0)
    assert odd["month"] == "2026-02"
    assert odd["value"] == value
    assert odd["tail"] == pytest.approx(law.sf(value - 1) if upper else law.cdf(value), rel=1e-4)


def test_the_tables_say_it_in_a_terminal(told: dict[str, Any]) -> None:
    priors, panel = load(FRONTIER), observed()
    chain = implied(priors, REGIMES, seed=6, draws=200)
    shown = implied_table({"priors": priors.name, "implied": chain, "before": told})
    dwell = chain["dwell"]["regional-war"]["average"]
    assert f"{dwell['q50']:.3g} ({dwell['q05']:.3g}–{dwell['q95']:.3g})" in shown
    assert "2026\N{NO-BREAK SPACE}Q2 (running)" in shown
    assert "at the start (stated)" in shown
    without = implied_table({"priors": priors.name, "implied": None, "before": told})
    assert "average spell" not in without
    odd = surprises(from_prior(panel, MODEL, priors, SETTING, draws=50, seed=7), observed(times=10_000.0))
    record = {
        "priors": priors.name,
        "statements": len(priors),
        "visibility": visibility(at_medians(panel, MODEL, priors, SETTING)),
        "surprises": odd,
    }
    text = check_table(record)
    assert "regional-war: visible in the streams within a month; most of it from deaths-afghanistan" in text
    assert "ALARM deaths-afghanistan" in text
    assert "contained" not in text
    assert "ALARM" not in check_table({**record, "visibility": {}, "surprises": {}})
