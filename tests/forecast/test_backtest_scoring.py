"""Bad months are scored apart, above a threshold that was known at the origin, as scoringrules scores them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scoringrules
import xarray as xr

from forecast.backtest import scoring
from forecast.backtest.came import Came
from forecast.backtest.origin import HORIZONS, Said
from forecast.workspace import load

STREAMS = ["incidents", "silent"]


def table(values: object, months: list[str]) -> xr.DataArray:
    return xr.DataArray(values, dims=("stream", "month"), coords={"stream": STREAMS, "month": months})


def test_the_threshold_is_what_nine_known_months_of_ten_do_not_exceed() -> None:
    months = [f"2019-{m:02d}" for m in range(1, 13)]
    counts = np.array([5.0, 9, 1, 8, np.nan, 7, 2, 3, 4, 6, 11, 10])
    found = scoring.thresholds(table([counts, np.full(12, np.nan)], months))
    assert found["incidents"] == 10.0  # of 1 … 11
    assert np.isnan(found["silent"])


def test_scores_above_the_threshold_are_those_of_scoringrules(
    second: Callable[[Path], Path], tmp_path: Path
) -> None:
    y = np.array([[4.0, 30.0, 22.0, 90.0], [1.0, 2.0, 3.0, 4.0]])
    sample = np.random.default_rng(3).poisson(25.0, (400, 2, len(HORIZONS))).astype(float)
    nothing = np.full((4, 2), np.nan)
    observed = table(y, ["2021-01", "2021-03", "2021-06", "2021-12"])
    found = [
        row
        for row in scoring.rows(
            {"a": Said(probabilities=nothing, unresolved=np.ones(4), passages=nothing[:2], sample=sample)},
            "2020-12",
            Came(first={}, latest={}, counts=observed, standing=observed, annual=False),
            load(second(tmp_path / "second")).scenarios,
            STREAMS,
            thresholds={"incidents": 28.0, "silent": np.nan},
            head={},
            kinds={"a": "model"},
            rng=np.random.default_rng(1),
        )
        if "crps" in row
    ]
    assert [row["target"] for row in found] == ["incidents"] * 4 + ["silent"] * 4
    for h, row in enumerate(found[:4]):
        fair = {"a": 28.0, "estimator": "fair"}
        assert row["twcrps"] == pytest.approx(scoringrules.twcrps_ensemble(y[0, h], sample[:, 0, h], **fair))
        logs = {"a": np.log1p(28.0), "estimator": "fair"}
        assert row["twcrps_log"] == pytest.approx(
            scoringrules.twcrps_ensemble(np.log1p(y[0, h]), np.log1p(sample[:, 0, h]), **logs)
        )
    assert found[0]["twcrps"] < found[0]["crps"]  # below the threshold neither where nor how far is looked at
    assert all(np.isnan([row["twcrps"], row["twcrps_log"]]).all() for row in found[4:])


@pytest.mark.parametrize("known", range(5))
@pytest.mark.parametrize("violent", [(), (1,), (2,), (1, 3), (4,)])
def test_a_passage_is_scored_once_all_its_windows_are_known(
    known: int, violent: tuple[int, ...], second: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Whether it came decides nothing about whether it is scored: near the end of a record, yes would be favoured."""
    rules = load(second(tmp_path / "second")).scenarios
    came = {f"2021-{3 * n:02d}": int(n in violent) for n in range(1, known + 1)}
    told = Said(
        probabilities=np.full((4, 2), np.nan),
        unresolved=np.ones(4),
        passages=np.array([[np.nan, np.nan], [0.2, 0.5]]),
        sample=np.full((10, 2, len(HORIZONS)), np.nan),
    )
    nothing = table(np.empty((2, 0)), [])
    found = {
        row["horizon"]: row["outcome"]
        for row in scoring.rows(
            {"a": told},
            "2020-12",
            Came(first=came, latest=came, counts=nothing, standing=nothing, annual=False),
            rules,
            STREAMS,
            thresholds={"incidents": np.nan, "silent": np.nan},
            head={},
            kinds={"a": "model"},
            rng=np.random.default_rng(1),
        )
        if str(row["target"]).startswith(scoring.PASSAGE)
    }
    wanted = {3: 1 in violent} if known else {}
    wanted |= {12: bool(violent)} if known == 4 else {}
    assert found == {horizon: "yes" if yes else "no" for horizon, yes in wanted.items()}
