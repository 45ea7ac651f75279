"""How the frontier's rules resolve its past, from figures as published, and how often rules fire at rest."""

import tomllib
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest
import xarray as xr

from forecast.history import History, Steady, history, noise, warnings
from forecast.months import next_quarter, span
from forecast.rules import Bounds, ScenarioSet, parse
from reports.words import percent

RULES = """
schema     = 1
reference  = "contained"
precedence = ["regional-war", "de-escalation"]

[[scenario]]
id       = "de-escalation"
title    = "Managed de-escalation"
resolves = { all = [
    { stream = "agreement", take = "sum", at_least = 2 },
    { stream = "hostile-days", take = "sum", at_most = 2 },
    { stream = "deaths-pakistan", take = "mean", at_most = 1.0, times = "trailing-12" },
] }
because  = "An agreement that holds."
author   = "frontier desk"
date     = 2026-06-15

[[scenario]]
id    = "contained"
title = "Contained conflict"

[[scenario]]
id       = "regional-war"
title    = "Regional war"
resolves = { any = [
    { all = [
        { stream = "deaths-afghanistan", take = "max", at_least = 115 },
        { stream = "deaths-afghanistan", take = "max", at_least = 3, times = "trailing-12" },
    ] },
    { stream = "hostile-days", take = "max", at_least = 10 },
] }
because  = "Open fighting."
author   = "frontier desk"
date     = 2026-06-15
"""

# Deaths by month, 2021-10 to 2026-05: UCDP GED 22.1, GED 25.1 and Candidate 25-26 (Sundberg and Melander 2013; Hegre
# et al. 2020), CC BY 4.0. May 2025 in Pakistan was a clash with India. Days of hostilities and months under an
# agreement: the theatre's chronology, 2021-10 to 2026-03.
PAKISTAN = [
    48, 18, 37, 54, 82, 134, 81, 19, 38, 54, 29, 48, 27, 60, 93, 157, 73, 57, 70, 71, 51, 112, 97, 148, 120, 136, 85,
    95, 91, 98, 118, 113, 78, 173, 219, 157, 171, 244, 224, 239, 258, 361, 270, nan, 176, 255, 287, 444, 479, 368,
    223, 364, 325, 193, 201, 382,
]  # fmt: skip
AFGHANISTAN = [
    234, 72, 28, 42, 10, 36, 345, 198, 152, 68, 82, 331, 109, 49, 103, 54, 21, 50, 52, 18, 31, 11, 27, 13, 49, 21, 9,
    24, 1, 56, 12, 47, 14, 10, 17, 46, 12, 21, 93, 14, 25, 8, 2, 15, 21, 10, 17, 13, 148, 24, 7, 12, 148, 260, 37, 10,
]  # fmt: skip
DAYS = [
    0, 0, 2, 1, 1, 0, 4, 0, 0, 0, 0, 1, 2, 3, 2, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 6, 0, 0, 1, 5, 0, 0,
    3, 2, 0, 3, 0, 1, 0, 0, 1, 0, 6, 2, 2, 0, 6, 18, nan, nan,
]  # fmt: skip
AGREED = ("2021-11", *span("2022-05", "2022-11"), "2025-10", "2025-11")
BOUNDS = {"hostile-days": Bounds(lower=0.0, upper=None), "agreement": Bounds(lower=0.0, upper=1.0)}
TITLES = {"hostile-days": "Days of hostilities", "deaths-afghanistan": "Deaths in Afghanistan"}


@pytest.fixture(scope="module")
def rules() -> ScenarioSet:
    return parse(tomllib.loads(RULES), file="scenarios.toml")


@pytest.fixture(scope="module")
def panel() -> xr.DataArray:
    months = span("2021-10", "2026-05")
    agreement = [float(month in AGREED) if month <= "2026-03" else nan for month in months]
    streams = ["deaths-pakistan", "deaths-afghanistan", "hostile-days", "agreement"]
    rows = [PAKISTAN, AFGHANISTAN, DAYS, agreement]
    return xr.DataArray(rows, dims=("stream", "month"), coords={"stream": streams, "month": list(months)})


@pytest.fixture(scope="module")
def past(rules: ScenarioSet, panel: xr.DataArray) -> History:
    return history(rules, panel, titles=TITLES, bounds=BOUNDS)


def test_the_frontier_saw_two_quarters_of_war_and_one_of_de_escalation(past: History) -> None:
    found: dict[str | None, list[str]] = {}
    for quarter in past.quarters:
        found.setdefault(quarter.resolved, []).append(quarter.quarter)
    assert found["regional-war"] == ["2025Q4", "2026Q1"]
    assert found["de-escalation"] == ["2022Q3"]
    assert found[None] == ["2021Q4", "2022Q2", "2026Q2"]  # too young a baseline, twice; then months ahead
    assert past.precedents == {"de-escalation": 1, "contained": 13, "regional-war": 2}
    assert past.without_precedent == ()
    assert past.last_resolved is not None
    assert past.last_resolved.quarter == "2026Q1"


def test_a_quarter_tells_what_decided_it(past: History) -> None:
    told = {quarter.quarter: quarter.decided_by for quarter in past.quarters}
    assert told["2026Q1"].endswith("Days of hostilities: at least 10 in any of the three months (it was 18)")
    assert told["2024Q1"] == "no other rule holds"
    assert told["2022Q2"].startswith("cannot tell: Deaths in Afghanistan: at least 3 times the monthly mean")
    assert "fewer than nine known months" in told["2022Q2"]
    assert "(between 0 and 31)" in told["2026Q2"]


def test_a_quarter_keeps_what_each_condition_saw(past: History) -> None:
    [afghanistan, multiple, days] = [s for s in past.quarters[-2].seen if s.scenario == "regional-war"]
    assert (afghanistan.low, afghanistan.high, afghanistan.limit, afghanistan.verdict) == (
        260,
        260,
        115,
        "true",
    )
    assert multiple.limit == pytest.approx(3 * np.mean(AFGHANISTAN[-17:-5]))
    assert (days.low, days.limit) == (18, 10)
    early = past.quarters[0].seen[1]
    assert (early.limit, early.verdict) == (None, "unknown")


def test_the_smallest_revision_that_flips_a_quarter(past: History) -> None:
    flips = {q.quarter: {f.stream: (round(f.factor, 2), f.to) for f in q.flips} for q in past.quarters}
    assert flips["2025Q4"] == {"deaths-afghanistan": (0.78, "contained")}  # 115 / 148
    assert flips["2024Q4"] == {"deaths-afghanistan": (1.24, "regional-war")}  # 115 / 93
    assert flips["2024Q2"] == {"hostile-days": (1.67, "regional-war")}  # 10 / 6
    assert flips["2026Q1"] == {}  # two reasons, each enough
    assert list(flips["2022Q3"]) == ["deaths-afghanistan", "deaths-pakistan"]  # the smaller revision first
    assert flips["2026Q2"] == {}


def test_history_starts_with_the_first_whole_quarter(rules: ScenarioSet, panel: xr.DataArray) -> None:
    later = panel.sel(month=slice("2022-02", None))
    quarters = [q.quarter for q in history(rules, later, titles={}, bounds=BOUNDS).quarters]
    assert quarters[0] == "2022Q2"
    assert quarters[-1] == "2026Q2"
    assert all(next_quarter(a) == b for a, b in pairwise(quarters))


def rule_of_deaths(threshold: float) -> ScenarioSet:
    text = f"""
    schema = 1
    reference = "usual"
    precedence = ["calm"]
    [[scenario]]
    id = "calm"
    title = "Calm"
    resolves = {{ all = [
        {{ stream = "deaths", window = "two-quarters", take = "mean", at_most = {threshold}, times = "trailing-12" }},
    ] }}
    because = "x"
    author = "x"
    date = 2020-01-01
    [[scenario]]
    id = "usual"
    title = "Usual"
    """
    return parse(tomllib.loads(text), file="scenarios.toml")


def test_a_half_year_a_quarter_below_the_baseline_is_rarely_noise_and_often_drift() -> None:
    """Rates of a published trial: .03 and .11 by noise at a dispersion of 11 and 5, .20 where the level walks."""
    rates = {
        dispersion: noise(
            rule_of_deaths(0.75),
            {"deaths": Steady(family="negative-binomial", mean=120.0, dispersion=dispersion, wander=0.12)},
            seed=1,
            quarters=4000,
        )["calm"]
        for dispersion in (11.0, 5.0)
    }
    assert rates[11.0].nothing_changes == pytest.approx(0.03, abs=0.015)
    assert rates[5.0].nothing_changes == pytest.approx(0.11, abs=0.03)
    assert rates[11.0].level_walks == pytest.approx(0.20, abs=0.06)
    said = warnings({"calm": rates[11.0]}, {"calm": "Calm"})
    assert len(said) == 1
    share = percent(rates[11.0].level_walks)  # as the reports print it
    assert said[0] == f"The rule of “Calm” fires in {share} of quarters in which only the level drifts."
    assert not share[-2].isdigit()


def test_noise_never_fires_where_the_rule_is_out_of_reach_and_repeats_with_its_seed() -> None:
    poisson = {"deaths": Steady(family="poisson", mean=1000.0, dispersion=inf, wander=0.0)}
    rate = noise(rule_of_deaths(0.75), poisson, seed=1, quarters=500)["calm"]
    assert (rate.nothing_changes, rate.level_walks, rate.often) == (0.0, 0.0, False)
    real = {"deaths": Steady(family="gaussian", mean=10.0, dispersion=1.0, wander=0.5)}
    one, same, other = (
        noise(rule_of_deaths(1.0), real, seed=seed, quarters=500)["calm"] for seed in (1, 1, 2)
    )
    assert one == same != other
    assert one.nothing_changes == pytest.approx(0.5, abs=0.1)
    yes = {"deaths": Steady(family="bernoulli", mean=1.0, dispersion=0.0, wander=0.0)}
    assert noise(rule_of_deaths(1.0), yes, seed=1, quarters=50)["calm"].nothing_changes == 1.0
