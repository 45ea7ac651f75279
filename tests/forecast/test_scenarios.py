"""Futures resolved by rules: which quarters lie ahead, what is observed in them, and what regimes make of them."""

import tracemalloc
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.months import span
from forecast.rules import UNRESOLVED, ScenarioSet, parse, resolve
from forecast.scenarios import (
    crosswalk,
    fans,
    months_ahead,
    outcomes,
    probabilities,
    quarters_ahead,
)
from forecast.scenarios.nested import Array

STREAMS = ("deaths", "days", "aside")
HISTORY = span("2024-01", "2026-05")
AHEAD = span("2026-06", "2027-06")
QUARTERS = ("2026Q2", "2026Q3", "2026Q4", "2027Q1", "2027Q2")
REGIMES = ("calm", "usual", "war")


def rules() -> ScenarioSet:
    def scenario(name: str, rule: dict[str, Any]) -> dict[str, Any]:
        signed = {"because": "x", "author": "x", "date": date(2020, 1, 1)}
        return {"id": name, "title": name.title(), "resolves": rule, **signed}

    calm = {"all": [{"stream": "deaths", "take": "mean", "at_most": 0.9, "times": "trailing-12"}]}
    war = {"any": [{"stream": "days", "take": "max", "at_least": 8}]}
    scenarios = [scenario("calm", calm), {"id": "usual", "title": "Usual"}, scenario("war", war)]
    return parse(
        {"schema": 1, "reference": "usual", "precedence": ["war", "calm"], "scenario": scenarios},
        file="scenarios.toml",
    )


@pytest.fixture(scope="module")
def panel() -> xr.DataArray:
    rng = np.random.default_rng(1)
    rows = rng.poisson([[20.0], [2.0], [5.0]], (3, len(HISTORY))).astype(float)
    rows[0, -8] = np.nan  # a masked month inside the baseline
    rows[1, -2:] = np.nan  # the days lag by two months
    return xr.DataArray(
        rows, dims=("stream", "month"), coords={"stream": list(STREAMS), "month": list(HISTORY)}
    )


def simulated(panel: xr.DataArray, draws: int, paths: int, seed: int = 2) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(20.0, 1.0, (draws, 1, 1, 1)) * np.array([1.0, 0.12, 0.3])[:, None]
    count = rng.poisson(rate, (draws, paths, 3, len(AHEAD))).astype(np.int32)
    tail = np.broadcast_to(panel.values[:, -2:], (draws, paths, 3, 2)).copy()
    tail[:, :, 1] = rng.poisson(2.0, (draws, paths, 2))
    return xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), count),
            "tail": (("draw", "path", "stream", "tail_month"), tail),
            "regime": (("draw", "path", "month"), rng.integers(0, 3, (draws, paths, len(AHEAD)))),
        },
        coords={"stream": list(STREAMS), "month": list(AHEAD), "tail_month": list(HISTORY[-2:])},
    )


@pytest.mark.parametrize(
    ("origin", "current", "first", "months"),
    [
        ("2026-05", "2026Q2", "2026Q3", 13),
        ("2026-06", None, "2026Q3", 12),
        ("2026-04", "2026Q2", "2026Q3", 14),
    ],
)
def test_the_first_quarter_is_the_first_that_starts_after_the_origin(
    origin: str, current: str | None, first: str, months: int
) -> None:
    running, quarters = quarters_ahead(origin, 4)
    assert running == current
    assert (quarters[0], len(quarters)) == (first, 4)
    assert months_ahead(origin, 4) == months


def test_a_future_is_resolved_as_the_past_is(panel: xr.DataArray, monkeypatch: pytest.MonkeyPatch) -> None:
    """One path at a time, through the public function that resolves history; whatever the size of a chunk."""
    futures = simulated(panel, draws=6, paths=3)
    found = outcomes(rules(), panel, futures, quarters=QUARTERS)
    monkeypatch.setattr("forecast.scenarios.futures.CHUNK", 1)
    assert outcomes(rules(), panel, futures, quarters=QUARTERS).identical(found)
    names: list[str | None] = [*rules().ids]
    for draw in range(6):
        for path in range(3):
            whole = panel.copy()
            whole[:, -2:] = futures["tail"][draw, path].values
            whole = xr.concat([whole, futures["count"][draw, path].astype(float)], dim="month")
            for i, quarter in enumerate(QUARTERS):
                expected = resolve(rules(), whole, window_end=span("2026-06", "2027-06")[3 * i])
                assert names[int(found[draw, path, i])] == expected, quarter
    assert len(np.unique(found)) == 3


def test_observed_months_of_the_running_quarter_are_fixed(panel: xr.DataArray) -> None:
    at_war = panel.copy()
    at_war.loc["days", "2026-04"] = 9.0
    futures = simulated(at_war, draws=4, paths=5)
    futures["tail"].loc[{"stream": "days", "tail_month": "2026-04"}] = 9.0
    found = outcomes(rules(), at_war, futures, quarters=QUARTERS)
    assert (found.sel(quarter="2026Q2") == 2).all()
    assert (found.sel(quarter="2026Q3") != 2).any()


def test_what_stays_missing_stays_unresolved_and_is_reported(panel: xr.DataArray) -> None:
    blind = panel.copy()
    blind.loc["deaths", "2025-01":"2026-05"] = np.nan
    futures = simulated(blind, draws=4, paths=25)
    futures = futures.drop_vars(["tail", "tail_month"])
    blind.loc["days", "2026-04":] = 0.0
    found = outcomes(rules(), blind, futures, quarters=QUARTERS)
    calm_unknown = found.sel(quarter="2026Q3")
    assert set(np.unique(calm_unknown)) <= {UNRESOLVED, 2}
    result = probabilities(found, rules(), current="2026Q2", last_resolved=None, chains=2)
    assert result.unresolved["2026Q3"] == pytest.approx(float((calm_unknown == UNRESOLVED).mean()))
    assert result.unresolved["2026Q3"] > 0.5
    war = result.resolved["2026Q3"]["war"]
    assert war is None or war.mean == 1.0
    assert result.unresolved["2027Q2"] == 0.0  # by then nine simulated months stand before the window


def test_the_row_from_the_last_resolved_quarter_is_the_quarter_after_it(panel: xr.DataArray) -> None:
    found = outcomes(rules(), panel, simulated(panel, 8, 10), quarters=QUARTERS)
    result = probabilities(found, rules(), current="2026Q2", last_resolved="usual", chains=2)
    assert result.after("2026Q1") is result.resolved["2026Q2"]
    assert result.after("2025Q4") is None
    assert "usual" not in result.first_passage
    assert list(result.first_passage["war"]) == list(QUARTERS[1:])


def counted(pairs: list[tuple[Array, Array]], i: int, j: int) -> float:
    from_i = sum(int((a == i).sum()) for a, _ in pairs)
    return sum(int(((a == i) & (b == j)).sum()) for a, b in pairs) / from_i


def test_transitions_are_shares_of_successive_simulated_quarters(panel: xr.DataArray) -> None:
    found = outcomes(rules(), panel, simulated(panel, 40, 25), quarters=QUARTERS)
    result = probabilities(found, rules(), current="2026Q2", last_resolved=None, chains=4)
    ahead = [found.sel(quarter=name).values for name in QUARTERS[1:]]
    pairs = list(pairwise(ahead))
    for i, start in enumerate(rules().ids):
        assert result.visits[start] == sum(int((a == i).sum()) for a, _ in pairs)
        for j, end in enumerate(rules().ids):
            entry = result.transitions[start][end]
            assert entry is not None
            assert entry.mean == pytest.approx(counted(pairs, i, j))
            assert entry.q05 <= entry.mean <= entry.q95


def test_a_row_never_visited_is_empty(panel: xr.DataArray) -> None:
    futures = simulated(panel, 8, 5)
    futures["count"].loc[{"stream": "days"}] = 0
    found = outcomes(rules(), panel, futures, quarters=QUARTERS[1:])
    result = probabilities(found, rules(), current=None, last_resolved=None, chains=2)
    assert result.visits["war"] == 0
    assert set(result.transitions["war"].values()) == {None}


def test_the_crosswalk_sets_the_majority_of_three_months_against_the_rule() -> None:
    quarter = ["2026Q3", "2026Q4"]
    months = span("2026-07", "2026-12")
    regime = np.array(
        [[[0, 0, 2, 1, 2, 2], [0, 1, 0, 0, 1, 2]]]
    )  # majorities: calm, war; calm, the last: war
    resolved = np.array([[[0, 2], [1, UNRESOLVED]]], np.int8)
    dims = ("draw", "path", "quarter")
    found = crosswalk(
        xr.DataArray(resolved, dims=dims, coords={"quarter": quarter}),
        xr.DataArray(regime, dims=("draw", "path", "month"), coords={"month": list(months)}),
        rules(),
        regimes=REGIMES,
        current=None,
        chains=1,
    )
    means = {row: {k: e.mean if e else None for k, e in cells.items()} for row, cells in found.table.items()}
    assert means["calm"] == {"calm": 0.5, "usual": 0.5, "war": 0.0}
    assert means["usual"] == {"calm": None, "usual": None, "war": None}
    assert means["war"] == {"calm": 0.0, "usual": 0.0, "war": 1.0}
    assert found.differ is not None
    assert found.differ.mean == pytest.approx(1 / 3)


def test_fewer_regimes_than_scenarios_are_compared_by_name(panel: xr.DataArray) -> None:
    futures = simulated(panel, 8, 20)
    regime = futures["regime"].clip(max=1)
    found = outcomes(rules(), panel, futures, quarters=QUARTERS)
    table = crosswalk(found, regime, rules(), regimes=("usual", "war"), current="2026Q2", chains=2)
    assert list(table.table) == ["usual", "war"]
    assert list(table.table["war"]) == ["calm", "usual", "war"]
    calm = np.mean([(found.sel(quarter=name) == 0).mean() for name in QUARTERS[1:]])
    assert table.differ is not None
    assert table.differ.mean >= calm  # no regime bears its name


def test_fans_are_quantiles_and_keep_what_was_observed(panel: xr.DataArray) -> None:
    futures = simulated(panel, 50, 40)
    bands = fans([futures], [1.0])
    assert bands.dims == ("stream", "month", "quantile")
    assert list(bands["month"].values) == [*HISTORY[-2:], *AHEAD]
    direct = np.quantile(futures["count"].sel(stream="days").values.reshape(-1, len(AHEAD)), 0.95, axis=0)
    assert np.array_equal(bands.sel(stream="days", quantile=0.95)[2:], direct)
    observed = panel.sel(stream="deaths", month="2026-05")
    assert (bands.sel(stream="deaths", month="2026-05") == observed).all()
    assert (bands.sel(stream="days", month="2026-05", quantile=[0.05, 0.95]).diff("quantile") > 0).all()


def test_fans_of_an_ensemble_are_those_of_the_weighted_union(panel: xr.DataArray) -> None:
    low, high = simulated(panel, 50, 40), simulated(panel, 50, 40)
    low["count"][:] = 0
    high["count"][:] = 10
    months = list(AHEAD)
    for weights, median in (([0.8, 0.2], 0), ([0.2, 0.8], 10), ([1.0, 0.0], 0)):
        bands = fans([low, high], weights).sel(month=months)
        assert (bands.sel(quantile=0.5) == median).all()
        assert (bands.sel(quantile=0.95) == (10 if weights[1] else 0)).all()


def test_many_futures_are_resolved_within_bounded_memory(panel: xr.DataArray) -> None:
    futures = simulated(panel, 250, 400)
    tracemalloc.start()
    found = outcomes(rules(), panel, futures, quarters=QUARTERS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (250, 400, 5)
    assert peak < 300e6
