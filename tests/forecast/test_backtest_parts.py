"""The parts of a backtest, each against something simpler: dates, blank beliefs, windows, weights, outcomes."""

import datetime
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import scenarios
from forecast.backtest import pooling, windows
from forecast.backtest.blank import blank, scale
from forecast.backtest.came import Came, came
from forecast.backtest.exhibits import between, signed
from forecast.backtest.known import Calendar, Plan, bounds, calendar, known, seen
from forecast.backtest.origin import HORIZONS, Fitness, Replayed, Said
from forecast.backtest.past import read
from forecast.backtest.references import references
from forecast.backtest.replaying import task_at
from forecast.backtest.store import find, save
from forecast.fitting import from_prior
from forecast.history import history
from forecast.incidents import Archive, gather
from forecast.months import month_end, shift, span
from forecast.simulation import simulate
from forecast.theatres import init
from forecast.workspace import Workspace, load
from models import CATALOGUE
from models.baselines import COUNTS, SCENARIOS

LIMIT = datetime.date(2026, 6, 30)


@pytest.fixture(scope="module")
def frontier() -> Workspace:
    return load("frontier")


@pytest.fixture(scope="module")
def archive(frontier: Workspace) -> Archive:
    return gather(frontier.sources, frontier.streams, root=frontier.root)


@pytest.fixture(scope="module")
def dates(frontier: Workspace, archive: Archive) -> Calendar:
    return calendar(archive, frontier.streams)


def test_a_plan_names_its_origins() -> None:
    quarterly = Plan(first="2023Q4", last="2024Q2", every="quarter", window=None)
    assert quarterly.origins == ("2023-12", "2024-03", "2024-06")
    monthly = replace(quarterly, last="2023Q4", every="month")
    assert monthly.origins == ("2023-10", "2023-11", "2023-12")


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2022-06", "2022-07-30"),  # in the oldest vintage: when it appeared is not known
        ("2023-12", "2024-01-26"),  # the oldest vintage itself, before thirty days had passed
        ("2024-03", "2024-04-22"),
        ("2025-09", "2026-03-24"),  # the archive of vintages has a hole
        ("2026-05", "2026-06-24"),
        ("2026-06", "2026-07-30"),  # no vintage yet
    ],
)
def test_an_origin_speaks_from_the_first_vintage_that_carries_its_month(
    month: str, day: str, dates: Calendar
) -> None:
    assert dates.day(month).isoformat() == day


def test_an_origin_sees_the_figures_of_its_day(
    frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    """Pakistan in September 2024: 181 in the vintage of October, fewer since the annual release of 2025."""
    there = known(frontier, archive, "2024-09", day=dates.day("2024-09"), window=None)
    now = seen(frontier, archive, "2024-09", day=LIMIT, first="2021-10").counts
    place = {"stream": "deaths-pakistan", "month": "2024-09"}
    assert float(there.expanding.sel(place)) == 181.0
    assert float(now.sel(place)) < 181.0
    assert (
        there.question.reporting["deaths-pakistan"].release[-1] == 1
    )  # questions resolve on the first release


def test_the_blank_set_is_what_the_blank_theatre_states(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [
        f"{year}-{month:02d},somewhere,attacks,{rng.negative_binomial(3, 0.2)}"
        for year in range(2015, 2020)
        for month in range(1, 13)
    ]
    data = tmp_path / "counts.csv"
    data.write_text("\n".join(["month,front,stream,count", *rows, ""]), "utf-8", newline="")
    init(tmp_path / "there", theatre="blank", data=data)
    ws = load(tmp_path / "there")
    archive = gather(ws.sources, ws.streams, root=ws.root)
    one = known(ws, archive, "2018-06", day=datetime.date(2018, 7, 30), window=None)
    models = ["local-level", "switching-level"]  # the theatre uses the first and has beliefs for both
    settings = {model: one.question.setting(model) for model in models}
    made = blank(models, settings, one.expanding, day=one.as_of)
    assert set(made) == set(ws.priors)
    for key, statement in ws.priors.items():
        mine = made[key]
        assert (mine.low, mine.high, mine.mass) == (statement.low, statement.high, statement.mass)  # type: ignore[union-attr]
        assert mine.known_from == one.as_of


@pytest.mark.parametrize("model", CATALOGUE)
def test_the_blank_set_serves_every_model_of_the_frontier(
    model: str, frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    one = known(frontier, archive, "2023-09", day=dates.day("2023-09"), window=None)
    settings = {model: one.question.setting(model)}
    priors = blank([model], settings, one.expanding, day=one.as_of)
    drawn = from_prior(one.question.panel.counts, CATALOGUE[model], priors, settings[model], draws=20, seed=1)
    assert drawn.draws.sizes["draw"] == 20


def test_the_blank_scale_looks_at_the_first_two_years() -> None:
    months = [f"{2015 + i // 12}-{i % 12 + 1:02d}" for i in range(48)]
    series = xr.DataArray(np.r_[np.full(24, 3.0), np.full(24, 99.0)], dims="month", coords={"month": months})
    assert scale(series) == 3.0
    assert scale(series.where(series > 50)) == 99.0  # none of them known: all there is
    assert scale(series * 0) == 0.25


def test_past_windows_are_the_quarters_of_the_history(
    frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    one = known(frontier, archive, "2025-12", day=dates.day("2025-12"), window=None)
    places = windows.past(frontier.scenarios, one.expanding, bounds(frontier))
    told = history(frontier.scenarios, one.expanding, titles={}, bounds=bounds(frontier)).quarters
    ids = frontier.scenarios.ids
    assert places == tuple(-1 if q.resolved is None else ids.index(q.resolved) for q in told)
    assert windows.last_resolved(places) == ids.index("regional-war")
    assert windows.last_resolved((0, 2, -1)) == 2
    assert windows.last_resolved((-1,)) == -1


def test_windows_ahead_are_what_scenarios_make_of_them(
    frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    """At the end of a quarter, with cells of the last month missing: the same outcomes, future by future."""
    one = known(frontier, archive, "2024-12", day=dates.day("2024-12"), window=None)
    panel = one.question.panel.counts
    prior = from_prior(
        panel,
        CATALOGUE["regimes"],
        frontier.priors,
        one.question.setting("regimes"),
        draws=30,
        seed=2,
    )
    futures = scenarios.held(simulate(prior, months=12, paths=20, seed=2), bounds(frontier))
    found = windows.ahead(frontier.scenarios, panel, futures, bounds(frontier))
    quarters = ["2025Q1", "2025Q2", "2025Q3", "2025Q4"]
    wanted = scenarios.outcomes(
        frontier.scenarios, panel, futures, quarters=quarters, bounds=bounds(frontier)
    )
    flat = wanted.transpose("draw", "path", "quarter").values.reshape(-1, 4)
    assert found.shape == (600, 4)
    assert np.array_equal(found, flat)


def test_shares_and_passages_by_hand() -> None:
    outcomes = np.array([[0, 1, 1, -1], [1, 1, 1, 1], [0, 0, 0, 1], [-1, 0, 0, 0]], np.int8)
    p, unresolved = windows.shares(outcomes, 2)
    assert p[0] == pytest.approx([2 / 3, 1 / 3])
    assert unresolved.tolist() == [0.25, 0, 0, 0.25]
    passages = windows.passages(outcomes, 2, last=0)
    assert np.isnan(passages[0]).all()
    assert passages[1].tolist() == [0.25, 0.75]
    nothing, left = windows.shares(np.full((3, 1), -1, np.int8), 2)
    assert np.isnan(nothing).all()
    assert left.tolist() == [1.0]


def test_outcomes_are_of_the_first_release_and_the_standing_one_is_kept(
    frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    months = ["2024-09", "2025-12", "2026-03", "2026-06"]
    found = came(frontier, archive, dates, months, limit=LIMIT)
    assert set(found.first) == {"2024-09", "2025-12", "2026-03"}  # June is not known on the last of June
    ids = frontier.scenarios.ids
    assert ids[found.outcome["2025-12"]] == ids[found.outcome["2026-03"]] == "regional-war"
    deaths = {"stream": "deaths-pakistan", "month": "2024-09"}
    assert float(found.observed.sel(deaths)) == 181.0 > float(found.standing.sel(deaths))
    assert not found.annual


def test_with_the_annual_release_only_final_figures_settle(
    frontier: Workspace, archive: Archive, dates: Calendar
) -> None:
    rules = frontier.scenarios.model_copy(update={"release": "annual"})
    found: Came = came(
        replace(frontier, scenarios=rules), archive, dates, ["2024-09", "2025-12"], limit=LIMIT
    )
    assert found.annual
    deaths = found.observed.sel(stream="deaths-pakistan")
    assert float(deaths.sel(month="2024-09")) < 181.0
    assert np.isnan(float(deaths.sel(month="2025-12")))  # a candidate figure still


def test_with_the_annual_release_models_are_weighed_by_the_figures_of_the_day(frontier: Workspace) -> None:
    """181 in October 2024 and fewer since July 2025: an ensemble of January 2025 knew the first alone."""
    rules = frontier.scenarios.model_copy(update={"release": "annual"})
    plan = Plan(first="2024Q2", last="2024Q2", every="quarter", window=None)
    past = read(replace(frontier, scenarios=rules), plan)
    exam = task_at(past, past.origins[0], "blank", seed=1).exam
    assert exam is not None
    assert float(exam.sel(stream="deaths-pakistan", month="2024-09")) == 181.0
    assert float(past.came.observed.sel(stream="deaths-pakistan", month="2024-09")) < 181.0  # what scores


def said(p: float, *, sample: float) -> Said:
    return Said(
        probabilities=np.tile([p, 1 - p], (4, 1)),
        unresolved=np.zeros(4),
        passages=np.full((2, 2), p),
        sample=np.full((1000, 1, len(HORIZONS)), sample),
    )


def replayed(origin: str, a: float, b: float) -> Replayed:
    def fitness(density: float) -> Fitness:
        return Fitness(seconds=0.0, divergences=0, rhat=1.0, ess=1000.0, log_density=density)

    both = {"a": said(0.2, sample=1.0), "b": said(0.6, sample=5.0)}
    alone = {f"prior-only {name}": one for name, one in both.items()}
    return Replayed(
        origin=origin, key=origin, said={**both, **alone}, fitness={"a": fitness(a), "b": fitness(b)}
    )


ORIGINS = ("2020-03", "2020-06", "2020-09", "2020-12")
USUAL = Calendar(appeared=(), oldest=())


def test_weights_rest_on_what_was_known_by_then() -> None:
    """Three months after the first origin, and thirty days, its densities are known: at the second origin."""
    found = pooling.weights(
        [replayed(name, -5.0, -8.0) for name in ORIGINS], ("a", "b"), USUAL, overlapping=False, seed=1
    )
    assert found["2020-03"] == {"a": 0.5, "b": 0.5}
    ours = [found[name]["a"] for name in ORIGINS]
    assert ours == sorted(ours)
    assert ours[1] > 0.5
    for w in found.values():
        assert sum(w.values()) == pytest.approx(1.0)


def test_later_densities_move_no_earlier_weight() -> None:
    steady = [replayed(name, -5.0, -8.0) for name in ORIGINS]
    turned = [*steady[:2], replayed("2020-09", -90.0, -5.0), replayed("2020-12", -90.0, -5.0)]
    before, after = (
        pooling.weights(each, ("a", "b"), USUAL, overlapping=False, seed=1) for each in (steady, turned)
    )
    assert [before[name] == after[name] for name in ORIGINS] == [True, True, True, False]


def known_at_once(first: str, day: datetime.date) -> Calendar:
    """The months from one on came in one late vintage, after one that carried those before it."""
    late = span(first, "2020-12")
    early = dict.fromkeys(span("2020-01", shift(first, -1)), datetime.date(2020, 1, 20))
    return Calendar(appeared=({**early, **dict.fromkeys(late, day)},), oldest=(datetime.date(2020, 1, 20),))


@settings(max_examples=12)
@given(place=st.integers(0, 5), first=st.sampled_from(span("2020-04", "2020-09")), after=st.integers(0, 400))
def test_an_origin_that_speaks_late_weighs_by_no_month_after_it(place: int, first: str, after: int) -> None:
    dates = known_at_once(first, datetime.date(2021, 1, 5) + datetime.timedelta(days=after))
    monthly = [replayed(origin, -5.0, -8.0) for origin in span("2020-01", "2020-06")]
    origin = monthly[place].origin
    seen = [shift(one.origin, 3) <= origin for one in monthly]
    turned = [
        one if own else replayed(one.origin, -90.0, -5.0) for one, own in zip(monthly, seen, strict=True)
    ]
    known, blind = (
        pooling.weights(each, ("a", "b"), dates, overlapping=False, seed=1)[origin]
        for each in (monthly, turned)
    )
    assert known == blind
    assert (known["a"] > 0.5) == any(seen)


def test_a_month_that_came_after_its_successors_is_not_known_before_it_came() -> None:
    usual = {month: month_end(month) + datetime.timedelta(days=20) for month in span("2020-01", "2020-12")}
    hole = {**usual, "2020-05": datetime.date(2020, 11, 20)}
    dates = Calendar(appeared=(hole,), oldest=(datetime.date(2020, 1, 1),))
    each = [replayed(origin, -5.0, -8.0) for origin in ORIGINS]
    found = pooling.weights(each[1:], ("a", "b"), dates, overlapping=False, seed=1)
    assert found["2020-12"]["a"] > 0.5
    found = pooling.weights(each[:1] + each[2:3], ("a", "b"), dates, overlapping=False, seed=1)
    assert found["2020-09"] == {"a": 0.5, "b": 0.5}  # April to June, and May came in November


def test_a_density_that_is_missing_or_nought_for_all_weighs_nothing() -> None:
    each = [
        replayed("2020-03", np.nan, np.nan),
        replayed("2020-06", -np.inf, -np.inf),
        replayed("2020-09", 0, 0),
    ]
    found = pooling.weights(each, ("a", "b"), USUAL, overlapping=False, seed=1)
    assert all(w == {"a": 0.5, "b": 0.5} for w in found.values())


def test_a_mixture_holds_each_forecaster_by_its_share() -> None:
    found = pooling.mixed({"a": said(0.2, sample=1.0), "b": said(0.6, sample=5.0)}, {"a": 0.75, "b": 0.25})
    assert found.probabilities[0] == pytest.approx([0.3, 0.7])
    assert found.passages[0, 0] == pytest.approx(0.3)
    assert found.sample.shape == (1000, 1, len(HORIZONS))
    assert (found.sample == 5.0).mean() == 0.25


def test_references_speak_from_the_past_alone(frontier: Workspace, archive: Archive, dates: Calendar) -> None:
    one = known(frontier, archive, "2024-12", day=dates.day("2024-12"), window=None)
    streams = [stream.id for stream in frontier.streams]
    told = references((1, 1, 0, -1), 3, one.expanding, bounds(frontier), ordered=streams, seed=1)
    assert set(told) == {*SCENARIOS, *COUNTS}
    assert told["markov-chain"].probabilities[0] == pytest.approx(
        SCENARIOS["markov-chain"]((1, 1, 0, -1), 3, 2)
    )
    assert np.isnan(told["climatology"].passages[0]).all()  # the last resolved one
    assert told["climatology"].passages[1, 1] == pytest.approx(
        1 - np.prod(1 - told["climatology"].probabilities[:, 1])
    )
    agreement, days = streams.index("agreement"), streams.index("hostile-days")
    assert told["last-value-poisson"].sample[:, agreement].max() <= 1
    assert told["random-walk"].sample[:, days].max() <= 31


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = replayed("2020-03", -5.0, float("nan"))
    save(one, tmp_path)
    again = find(tmp_path, "2020-03", one.key)
    assert again is not None
    assert list(again.said) == list(one.said)
    assert np.array_equal(again.said["b"].sample, one.said["b"].sample)
    assert asdict(again.fitness["a"]) == asdict(one.fitness["a"])
    assert np.isnan(again.fitness["b"].log_density)
    assert find(tmp_path, "2020-06", one.key) is None


def test_signs_are_true_minus_signs() -> None:
    assert signed(-0.126).text == "−0.13"
    assert signed(None).text == "–"
    assert [signed(x).text for x in (0.0995, 0.01234, -0.0001, 0.0)] == ["+0.10", "+0.012", "0", "0"]
    assert between(-0.5, 0.25) == " (−0.50\u00a0to\u00a0+0.25)"
    assert between(None, 1.0) == ""
