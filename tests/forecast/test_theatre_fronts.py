"""The theatre of fronts is a workspace that runs, and its rules resolve its past as their reasons say."""

from pathlib import Path

import numpy as np
import pytest

from forecast import fronts as joint
from forecast import frontwise
from forecast.clock import read
from forecast.history import Steady, history, noise
from forecast.incidents import gather
from forecast.months import month_end, quarter_months
from forecast.panel import Panel, panel
from forecast.question import Question, ask
from forecast.rules import bounds_of, resolve
from forecast.theatres import init
from forecast.workspace import Workspace, load
from models import CATALOGUE

EAST = ("events-kunar", "events-nangarhar", "events-khost", "events-paktika")
ACTORS = "ged-pakistan-actors"
BY_COUNTRY = ("events-pakistan", "events-afghanistan")  # what regimes move


@pytest.fixture(scope="module")
def fronts() -> Workspace:
    return load("frontier-fronts")


@pytest.fixture(scope="module")
def seen(fronts: Workspace) -> Panel:
    time = fronts.config.time
    assert time.as_of != "today"
    archive = gather(fronts.sources, fronts.streams, root=fronts.root)
    return panel(
        archive,
        fronts.streams,
        fronts.sources,
        window_from=time.window.from_,
        as_of=time.as_of,
        deciding=fronts.scenarios.streams,
    )


def test_nine_years_of_seven_fronts_and_the_ttp_are_known_without_a_gap(
    fronts: Workspace, seen: Panel
) -> None:
    assert seen.counts.shape == (12, 108)
    assert (seen.months[0], seen.origin) == ("2012-01", "2020-12")
    assert not seen.counts.isnull().any()
    assert not any(reading.quiet for reading in seen.readings)
    by_front = [
        stream for stream in fronts.streams if stream.source != ACTORS and stream.id not in BY_COUNTRY
    ]
    assert {stream.where["front"][0] for stream in by_front} == set(fronts.config.fronts)
    assert fronts.config.time.as_of > month_end(seen.origin)  # type: ignore[operator]


def test_the_dyads_of_the_ttp_are_streams_that_no_rule_counts_a_second_time(
    fronts: Workspace, seen: Panel
) -> None:
    """Sums of the first and the last year, as the event file has them."""
    by_actor = [stream.id for stream in fronts.streams if stream.source == ACTORS]
    assert by_actor == ["events-ttp", "deaths-ttp", "events-ttp-civilians"]
    assert not set(by_actor) & set(fronts.scenarios.streams)
    assert seen.counts.sel(stream=by_actor)[:, :12].sum("month").values.tolist() == [358, 2339, 32]
    assert seen.counts.sel(stream=by_actor)[:, -12:].sum("month").values.tolist() == [64, 186, 7]


@pytest.fixture(scope="module")
def question(fronts: Workspace) -> Question:
    return ask(fronts, read(fronts.config.time))


def test_each_front_shows_the_events_of_its_country_and_nothing_that_no_regime_moves(
    question: Question, seen: Panel
) -> None:
    assert question.workspace.config.models.chain == "front"
    cut = frontwise.by_front(question)
    assert cut["stream"].values.tolist() == list(BY_COUNTRY)
    assert not set(BY_COUNTRY) & set(question.workspace.scenarios.streams)
    alone = {
        "khyber-pakhtunkhwa": "events-khyber",
        "balochistan": "events-balochistan",
        "line-of-control": "events-line-of-control",
        **{stream.removeprefix("events-"): stream for stream in EAST},
    }
    for front, stream in alone.items():
        shown, absent = BY_COUNTRY[:: -1 if stream in EAST else 1]
        assert np.array_equal(cut.sel(front=front, stream=shown), seen.counts.sel(stream=stream))
        assert cut.sel(front=front, stream=absent).isnull().all()
    assert np.array_equal(
        cut.sum(("front", "stream")), seen.counts.sel(stream=list(BY_COUNTRY)).sum("stream")
    )


def test_short_chains_tell_where_each_front_stands(question: Question) -> None:
    cut, name = frontwise.by_front(question), question.workspace.latent_from
    assert name is not None
    told = joint.fit_fronts(
        cut,
        CATALOGUE[name],
        question.workspace.priors,
        frontwise.told_to(question, cut),
        seed=1,
        chains=2,
        tune=60,
        draws=40,
    )
    found = frontwise.told_of(told, months=question.months)
    assert list(found.fronts) == list(question.workspace.config.fronts)
    for one in found.fronts.values():
        assert one.filtered.shape == (108, 3)
        assert np.allclose(one.filtered.sum(axis=-1), 1.0)
        assert np.allclose(sum(one.latent.quarter_end("2021Q4").values()), 1.0)
    assert set(found.apart) == {"pooling.fronts", "pooling.levels"}


def test_the_rules_resolve_the_past_as_their_reasons_say(fronts: Workspace, seen: Panel) -> None:
    past = history(
        fronts.scenarios, seen.counts, titles={}, bounds={s.id: bounds_of(s) for s in fronts.streams}
    )
    found: dict[str | None, list[str]] = {}
    for quarter in past.quarters:
        found.setdefault(quarter.resolved, []).append(quarter.quarter)
    assert found["offensive"] == ["2014Q2", "2014Q4"]
    assert found["recession"] == ["2014Q1", "2015Q4", "2016Q1", "2016Q3"]
    assert found[None] == ["2012Q1", "2012Q2", "2012Q3", "2012Q4"]  # no nine months of a year before
    assert past.precedents["attrition"] == 26


def test_a_fall_that_moves_across_the_line_is_no_recession(fronts: Workspace, seen: Panel) -> None:
    """Late in 2013 and in the spring of 2016 Khyber fell as far, while the provinces across the line rose."""
    still = seen.counts.copy()
    for quarter in ("2013Q4", "2016Q2"):
        end = quarter_months(quarter)[2]
        assert resolve(fronts.scenarios, seen.counts, window_end=end) == "attrition"
        place = seen.months.index(end) + 1
        still.loc[{"stream": list(EAST)}] = seen.counts.sel(stream=list(EAST))[
            :, place - 18 : place - 6
        ].mean("month")
        assert resolve(fronts.scenarios, still, window_end=end) == "recession"


def test_a_rule_seldom_fires_when_nothing_changes(fronts: Workspace, seen: Panel) -> None:
    """At the spread of counts around the average of a year; level drift is an offensive's own way to begin."""
    steady = {}
    for stream in fronts.scenarios.streams:
        values = seen.counts.sel(stream=stream).values
        around = np.convolve(values, np.full(13, 1 / 13), mode="valid")
        kept = values[6:-6]
        beyond = max(float(((kept - around) ** 2 - around).sum() / (around**2).sum()), 1e-3)
        steady[stream] = Steady(
            family="negative-binomial", mean=values[-12:].mean(), dispersion=1 / beyond, wander=0.15
        )
    rates = noise(
        fronts.scenarios, steady, seed=1, quarters=4000, bounds={s.id: bounds_of(s) for s in fronts.streams}
    )
    assert rates["offensive"].nothing_changes < 0.03
    assert rates["recession"].nothing_changes < 0.03
    assert all(rate.level_walks < 0.2 for rate in rates.values())


def test_the_theatre_is_written_with_its_maps(tmp_path: Path) -> None:
    written = {
        path.relative_to(tmp_path / "w").as_posix()
        for path in init(tmp_path / "w", theatre="frontier-fronts")
    }
    assert {
        "priors.toml",
        "data/pakistan_fronts.csv",
        "data/pakistan_map.csv",
        "data/pakistan_actors.csv",
        "data/pakistan_actors_map.csv",
        "data/datapackage.json",
    } <= written
    assert load(tmp_path / "w").scenarios == load("frontier-fronts").scenarios
