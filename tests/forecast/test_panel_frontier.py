"""The bundled frontier data give the panel that the design states, cell for cell, at any day they are seen from."""

import datetime
import tomllib
from pathlib import Path

import pytest
import xarray as xr

from forecast import months
from forecast.incidents import gather
from forecast.panel import coverage_strip, panel
from forecast.streams import Source, StreamDefinition

ROOT = Path(__file__).parents[2]
THEATRE = ROOT / "forecast" / "theatres" / "frontier"
CONTRACT = ROOT.parent / "shared" / "design" / "contract"

HOSTILE = ("clash", "shelling", "airstrike", "offensive")
AGREED = ("ceasefire-states", "ceasefire-ttp")

SOURCES = (
    Source(
        id="ucdp",
        file="data/country_months.csv",
        format="tidy",
        coverage={"from": "1989-01", "to": "2026-05"},
        releases={"final": {"to": "2024-12"}, "candidate": {"from": "2025-01"}},
    ),
    Source(id="picss", file="data/picss_months.csv", format="tidy", coverage="rows"),
    Source(
        id="chronology",
        file="data/chronology.csv",
        format="chronology",
        coverage={"from": "2021-10", "to": "2026-03"},
    ),
)


def stream(id, source, measure, *, family="negative-binomial", effect="free", **more):
    return StreamDefinition(id=id, source=source, measure=measure, family=family, effect=effect, **more)


MASK = {"months": ["2025-05"], "because": "Another war.", "known_from": datetime.date(2025, 6, 1)}
VINTAGES = {"vintages": "data/vintages.csv"}
STREAMS = (
    stream("deaths-pakistan", "ucdp", "count", where={"front": "pakistan"}, masks=[MASK], reporting=VINTAGES),
    stream("deaths-afghanistan", "ucdp", "count", where={"front": "Afghanistan"}, reporting=VINTAGES),
    stream("attacks-pakistan", "picss", "count", where={"stream": "attacks"}),
    stream("hostile-days", "chronology", "days", where={"kind": HOSTILE}),
    stream("agreement", "chronology", "in-force", where={"kind": AGREED}, family="bernoulli"),
)
RULED = ("deaths-pakistan", "deaths-afghanistan", "hostile-days", "agreement")


@pytest.fixture(scope="module")
def archive():
    return gather(SOURCES, STREAMS, root=THEATRE)


@pytest.fixture(scope="module")
def at(archive):
    def seen(as_of, **more):
        return panel(archive, STREAMS, SOURCES, window_from="2021-10", as_of=as_of, deciding=RULED, **more)

    return seen


@pytest.fixture(scope="module")
def now(at):
    return at(datetime.date(2026, 6, 30))


def quarterly(measure, kinds):
    chosen = stream("x", "chronology", measure, where={"kind": kinds})
    read = gather(SOURCES, [chosen], root=THEATRE)
    seen = panel(read, [chosen], SOURCES, window_from="2021-10")
    series = seen.counts.sel(stream="x").to_series()
    return series.groupby(months.quarter_of).sum().astype(int).to_dict()


def test_days_of_fire_by_quarter():
    stated = {"2021Q4": 2}
    for year, figures in {
        2022: (2, 4, 1, 7),
        2023: (1, 0, 1, 0),
        2024: (1, 6, 6, 3),
        2025: (5, 1, 1, 10),
    }.items():
        stated |= {f"{year}Q{n}": days for n, days in enumerate(figures, 1)}
    assert quarterly("days", HOSTILE) == stated | {"2026Q1": 24}


def test_days_under_an_agreement_by_quarter():
    found = quarterly("days", AGREED)
    assert {quarter: days for quarter, days in found.items() if days} == {
        "2021Q4": 31,
        "2022Q2": 59,
        "2022Q3": 92,
        "2022Q4": 59,
        "2025Q4": 43,
        "2026Q1": 5,
    }


def test_an_agreement_is_in_force_from_fifteen_days_a_month(now):
    agreement = now.counts.sel(stream="agreement").to_series()
    held = ["2021-11", *months.span("2022-05", "2022-11"), "2025-10", "2025-11"]
    assert agreement.index[agreement == 1].tolist() == held


def test_a_contested_ceasefire_is_not_in_force(now):
    """After 27 November 2025 one side called it not holding; the kind is another, and no stream counts it."""
    agreement = now.counts.sel(stream="agreement").to_series()
    assert agreement["2025-12":"2026-02"].tolist() == [0, 0, 0]
    assert quarterly("in-force", (*AGREED, "ceasefire-states-contested"))["2026Q1"] == 2


def test_the_origin_is_the_last_month_of_any_stream_a_rule_uses(now):
    assert (now.months[0], now.months[-1], now.origin) == ("2021-10", "2026-05", "2026-05")
    assert now.tails == {
        "deaths-pakistan": (),
        "deaths-afghanistan": (),
        "attacks-pakistan": ("2026-02", "2026-03", "2026-04", "2026-05"),
        "hostile-days": ("2026-04", "2026-05"),
        "agreement": ("2026-04", "2026-05"),
    }


def test_every_cell_says_what_it_is(now):
    states = now.states.sel(stream="deaths-pakistan").to_series()
    assert states["2025-05"] == "masked"
    assert set(states[:"2024-12"]) == {"covered"}
    assert set(states["2025-01":].drop("2025-05")) == {"provisional"}
    attacks = now.states.sel(stream="attacks-pakistan").to_series()
    assert (attacks["2022-12"], attacks["2023-05"], attacks["2026-02"]) == ("outside", "missing", "outside")
    assert now.splices["deaths-pakistan"] == "2025-01"
    assert now.releases.sel(stream="deaths-pakistan", month="2025-01").item() == "candidate"


def test_missing_is_never_zero(now):
    known = now.states.isin(["covered", "provisional"])
    assert (now.counts.notnull() == known).all()


def test_the_figures_the_rules_rest_on(now):
    afghanistan = now.counts.sel(stream="deaths-afghanistan").to_series()
    assert afghanistan[["2024-12", "2025-10", "2026-02", "2026-03"]].tolist() == [93, 148, 148, 260]


def test_rows_outside_the_coverage_are_listed(now):
    chronology = next(reading for reading in now.readings if reading.format == "chronology")
    assert [line.split(": ")[1] for line in chronology.outside] == [
        "2026-04 talks",
        "2026-04 shelling",
        "2026-05 statement",
    ]
    assert any("3 rows outside the coverage ignored" in line for line in chronology.account())


def test_an_earlier_day_sees_the_vintage_of_that_day(at):
    """Late January 2025: deaths to December 2024, at the Candidate figures of the time."""
    then = at(datetime.date(2025, 1, 31))
    pakistan = then.counts.sel(stream="deaths-pakistan").to_series()
    assert then.origin == "2025-01"
    assert then.tails["deaths-pakistan"] == ("2025-01",)
    assert pakistan["2024-12"] == 255
    assert then.counts.sel(stream="deaths-afghanistan", month="2024-12") == 88


def test_a_mask_is_not_known_before_its_day(at):
    seen = {
        day: at(day).counts.sel(stream="deaths-pakistan") for day in map(datetime.date.fromisoformat, _DAYS)
    }
    assert seen[datetime.date(2025, 5, 31)].month.values[-1] == "2025-05"
    masked = seen[datetime.date(2025, 6, 24)].sel(month="2025-05")
    assert masked.isnull()
    assert at(datetime.date(2025, 6, 24)).masks["deaths-pakistan"]
    assert not at(datetime.date(2025, 5, 31)).masks["deaths-pakistan"]


_DAYS = ("2025-05-31", "2025-06-24")


def test_a_row_is_not_known_before_its_day(at):
    """The shelling of January 2022 was first reported in April."""
    early, late = at(datetime.date(2022, 2, 28)), at(datetime.date(2022, 4, 30))
    assert early.counts.sel(stream="hostile-days", month="2022-01") == 0
    assert late.counts.sel(stream="hostile-days", month="2022-01") == 1


def test_no_vintage_in_the_gap_means_no_figure(at):
    then = at(datetime.date(2025, 12, 31))
    assert then.origin == "2025-12"
    assert then.tails["deaths-pakistan"] == ("2025-09", "2025-10", "2025-11", "2025-12")


def test_a_stated_end_cuts_the_window(at):
    cut = at(datetime.date(2026, 6, 30), window_to="2024-12")
    assert cut.origin == cut.months[-1] == "2024-12"


def test_a_window_may_forget_what_was_long_ago(at):
    whole, short = at(datetime.date(2026, 6, 30)), at(datetime.date(2026, 6, 30), longest=24)
    assert (short.origin, len(short.months)) == (whole.origin, 24)
    xr.testing.assert_equal(short.counts, whole.counts[:, -24:])
    assert len(at(datetime.date(2026, 6, 30), longest=2400).months) == len(whole.months)


def test_the_strip_has_one_character_a_month(now):
    strip = coverage_strip(now, ascii=False).splitlines()
    assert strip[0].split() == ["2022", "2023", "2024", "2025", "2026"]
    assert strip[0].index("2023") - strip[0].index("2022") == 12
    body = {line.split()[0]: line[20:] for line in strip[1:6]}
    assert body["deaths-pakistan"] == "█" * 39 + "▒▒▒▒×" + "▒" * 12
    assert body["agreement"].startswith("0█00000███████0")
    assert coverage_strip(now, ascii=True).isascii()


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the contract is not part of the project")
@pytest.mark.parametrize(("theatre", "shape"), [("frontier", (5, 56)), ("second", (1, 120))])
def test_the_written_contract_gives_a_panel(theatre, shape):
    text = (CONTRACT / theatre / "forecast.toml").read_text(encoding="utf-8")
    said = tomllib.loads(text)
    sources = [Source(id=id, **source) for id, source in said["sources"].items()]
    streams = [StreamDefinition(id=id, **one) for id, one in said["streams"].items()]
    read = gather(sources, streams, root=THEATRE if theatre == "frontier" else CONTRACT / theatre)
    seen = panel(
        read, streams, sources, window_from=said["time"]["window"]["from"], as_of=said["time"]["as_of"]
    )
    assert seen.counts.shape == shape
    assert not seen.empty
