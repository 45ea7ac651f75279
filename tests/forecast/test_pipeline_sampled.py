"""One whole run with nothing in the place of the sampler: another theatre than the frontier, written from nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forecast import ledger
from forecast.fitting import load
from forecast.pipeline import Run, run


@pytest.fixture(scope="module")
def sampled(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(second(tmp_path_factory.mktemp("sampled") / "second"))


def test_it_is_published(sampled: Run) -> None:
    failed = [check for check in sampled.record["verdict"]["checks"] if not check["ok"]]
    assert failed == []
    assert [row.run for row in ledger.forecasts(sampled.path.parents[1] / "ledger.sqlite")] == [sampled.id]


def test_the_posterior_is_stored_and_moved_by_the_data(sampled: Run) -> None:
    posterior = load(sampled.path / "posterior" / "regimes.nc")
    assert posterior.draws.sizes["chain"] == 4
    assert posterior.statistics["diverging"].sum() == 0
    for prior in sampled.record["priors"]:
        told = posterior.draws["stated"].sel(prior=prior["key"])
        assert prior["posterior"]["q50"] == pytest.approx(float(told.median()))
    contractions = {prior["key"]: prior["contraction"] for prior in sampled.record["priors"]}
    assert contractions["spread.incidents"] < 1


def test_the_months_that_the_counts_shout_about_are_of_the_violent_regime(sampled: Run) -> None:
    """Twenty-four, forty-one, sixteen and twenty-four incidents from December 2015; then two, three, one."""
    chance = {entry["month"]: entry["regime"]["violent"] for entry in sampled.record["history"]}
    assert min(chance[month] for month in ("2015-12", "2016-01", "2016-02", "2016-03")) > 0.95
    assert max(chance[month] for month in ("2017-05", "2017-06", "2017-07", "2017-08")) < 0.05
    assert (
        sampled.record["quarters"][0]["resolved"]["violent"]["mean"]
        > sampled.record["quarters"][3]["resolved"]["violent"]["mean"]
    )
