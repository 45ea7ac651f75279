"""What a stored run rests on and what to watch, asked of its own draws: the numbers are those that it published."""

from typing import Any

import pytest

from forecast import archive, scenarios
from forecast.moved import side_of
from forecast.rules import bounds_of
from forecast.sensitivity import sensitivity
from forecast.sidebyside import own_seed
from forecast.signposts import signposts
from forecast.simulation import simulate

MODEL = "switching-level"


@pytest.fixture(scope="module")
def side(shelf: Any) -> Any:
    return side_of(shelf.first, {MODEL})


def test_every_statement_that_a_model_uses_is_asked_about(shelf: Any, side: Any) -> None:
    found = sensitivity(side.posteriors, side.counts, quarters=["2021Q1"])
    published = shelf.first.record["quarters"][0]["resolved"]
    groups = {row.group for row in found.groups}
    assert groups == {"all", "dwell", "exits", "level", "wander", "spread", "effect", "chance", "odds"}
    for row in found.tipping:
        assert row.now == pytest.approx(published[row.scenario]["mean"], abs=1e-12)
        assert row.key in archive.posterior(shelf.first, MODEL).priors
        assert row.lowest.median <= row.stated <= row.highest.median
        if row.tips_at is not None:
            assert row.lowest.median <= row.tips_at <= row.highest.median
            assert row.to_word != row.word
    by = {(row.group, row.scenario): row for row in found.groups}
    assert (
        by["dwell", "war"].sensitivity > by["wander", "war"].sensitivity
    )  # days of fire decide, and do not wander


def test_unseen_months_of_every_stream_are_watched(shelf: Any, side: Any) -> None:
    posterior, rules = side.posteriors[MODEL], shelf.workspace.scenarios
    bounds = {stream.id: bounds_of(stream) for stream in shelf.workspace.streams}
    futures = scenarios.held(
        simulate(
            posterior,
            months=posterior.setting.horizon,
            paths=side.paths,
            seed=own_seed(side.seed, MODEL),
            draws=side.draws,
        ),
        bounds,
    )
    outcomes = scenarios.outcomes(rules, posterior.panel, futures, quarters=["2021Q1"], bounds=bounds)
    found = signposts(
        {MODEL: futures},
        {MODEL: outcomes},
        side.weights,
        panel=posterior.panel,
        scenarios=rules.ids,
        quarter="2021Q1",
        chains=4,
    )
    published = shelf.first.record["quarters"][0]["resolved"]
    assert {post.stream for post in found} == {"incidents", "fire-days", "truce"}
    assert {post.month for post in found} == {"2021-01"}
    for post in found:
        assert post.now == pytest.approx(published[post.scenario]["mean"], abs=1e-12)
    best = found[0]
    assert (best.stream, best.scenario) == ("fire-days", "war")  # the rule speaks of eight days of fire
    assert (best.side, best.count) == ("at least", 8)
    assert best.then == pytest.approx(1)
