"""Each format gives the months its rows speak of, and says what it did to them."""

import datetime
import sys
from dataclasses import replace

import pytest

from forecast.formats import Reading
from forecast.incidents import gather
from forecast.ingest import coverage_of, ingest, text_of
from forecast.panel import panel
from forecast.streams import Coverage, Source, StreamDefinition
from priors.refusal import Refusal

GED = (
    "id,country,dyad_name,type_of_violence,date_start,date_end,best,low,high,source_headline\n"
    '1,Mali,"Army - ""The Front""",1,2020-01-05 00:00:00.000,2020-01-05 00:00:00.000,3,1,4,"two\nlines"\n'
    "2,Mali,Army - Civilians,3,2020-01-31,2020-02-02,10,12,9,x\n"
    "3,Niger,Army - The Front,1,2020-03-01,2020-03-01,0,0,2,y\n"
)
ACLED = (
    "event_id_cnty,event_date,country,event_type,fatalities,notes\n"
    "MLI1,15 January 2020,Mali,Battles,4,a\nMLI2,2020-02-29,Mali,Riots,0,b\n"
)
EVENTS = "date,front,stream,count\n2020-01-05,North,deaths,3\n2020-01-09,North,deaths,2\n2020-03-01,South,deaths,1\n"
CHRONOLOGY = (
    "start,end,kind,date_quality,source_url,known_from\n"
    "2020-01-20,2020-02-10,truce,exact,https://example.org/a,2020-01-20\n"
    "2020-02-05,2020-02-12,truce,exact,https://example.org/b,2020-02-06\n"
    "2020-04-10,,truce,approx,https://example.org/c,2020-04-11\n"
)


@pytest.fixture
def seen(tmp_path):
    """The panel of one stream over a text, January to June 2020."""

    def look(text, format, measure, *, where=None, as_of=None, family="poisson", coverage=None, **source):
        (tmp_path / "x.csv").write_text(text, encoding="utf-8", newline="")
        span = coverage or {"from": "2020-01", "to": "2020-06"}
        sources = [Source(id="x", file="x.csv", format=format, coverage=span, **source)]
        streams = [
            StreamDefinition(
                id="s", source="x", where=where or {}, measure=measure, family=family, effect="free"
            )
        ]
        read = gather(sources, streams, root=tmp_path)
        return panel(read, streams, sources, window_from="2020-01", as_of=as_of)

    return look


def values(panel):
    return panel.counts.sel(stream="s").values.tolist()


@pytest.mark.parametrize(
    ("where", "measure", "wanted"),
    [
        ({}, "best", [6, 7, 0, 0, 0, 0]),  # ten deaths over three days: 3.33 and 6.67
        ({}, "events", [2, 0, 1, 0, 0, 0]),  # an occurrence belongs to the month it starts in
        ({}, "high", [7, 7, 2, 0, 0, 0]),
        ({}, "low", [4, 7, 0, 0, 0, 0]),
        ({"front": "mali", "type_of_violence": 1}, "best", [3, 0, 0, 0, 0, 0]),
        ({"country": ["Mali", "Niger"], "dyad_name": ["army-the-front"]}, "events", [1, 0, 1, 0, 0, 0]),
    ],
)
def test_ucdp_events(seen, where, measure, wanted):
    panel = seen(GED, "ucdp-ged", measure, where=where)
    assert values(panel) == wanted
    assert panel.readings[0].clipped == (4,)
    assert panel.readings[0].spread == (4,)


def test_one_row_is_spoken_of_as_one():
    one = Reading(file="x.csv", format="tidy", sha256="", rows=1, clipped=(4,), spread=(4,), elsewhere=1)
    assert one.account() == (
        "x.csv: 1 row read as tidy",
        "1 row had low > best or high < best, and was clipped: line 4",
        "1 row reached over more than one month, and was spread by day: line 4",
        "1 event on no front of the map, left out",
    )
    assert replace(one, rows=1200, clipped=(4, 9)).account()[:2] == (
        "x.csv: 1,200 rows read as tidy",
        "2 rows had low > best or high < best, and were clipped: lines 4, 9",
    )


def test_acled_events(seen):
    assert values(seen(ACLED, "acled", "best")) == [4, 0, 0, 0, 0, 0]
    assert values(seen(ACLED, "acled", "events", where={"event_type": "riots"})) == [0, 1, 0, 0, 0, 0]


def test_a_list_of_events(seen):
    assert values(seen(EVENTS, "events", "count")) == [5, 0, 1, 0, 0, 0]
    assert values(seen(EVENTS, "events", "events", where={"front": "north"})) == [2, 0, 0, 0, 0, 0]


def test_a_table_by_its_column_map(seen):
    text = "m,n,who\n2020-01-01,4,a\n2020-03-01,,b\n2020-07-01,9,c\n"
    panel = seen(text, "table", "count", columns={"month": "m", "count": "n"}, stream="deaths")
    assert str(values(panel)) == "[4.0, 0.0, nan, 0.0, 0.0, 0.0]"
    assert panel.readings[0].outside == ("line 4: 2020-07 all",)
    assert panel.readings[0].columns_unread == ("who",)


def test_spells_over_months_and_over_each_other(seen):
    """The last has no end: it goes on to the end of the coverage."""
    assert values(seen(CHRONOLOGY, "chronology", "days")) == [12, 12, 0, 21, 31, 30]
    held = seen(CHRONOLOGY, "chronology", "in-force", family="bernoulli", where={"kind": "truce"})
    assert values(held) == [0, 0, 0, 1, 1, 1]
    assert values(seen(CHRONOLOGY, "chronology", "events")) == [1, 1, 0, 1, 0, 0]


def test_a_spell_is_counted_from_the_day_it_was_known(seen):
    early = seen(CHRONOLOGY, "chronology", "days", as_of=datetime.date(2020, 4, 30))
    assert values(early) == [12, 12, 0, 21]
    before = seen(
        CHRONOLOGY.replace("2020-04-11", "2020-05-02"), "chronology", "days", as_of=datetime.date(2020, 4, 30)
    )
    assert values(before) == [12, 12, 0, 0]


def test_coverage_without_an_end_ends_with_the_last_row(seen):
    assert values(seen(EVENTS, "events", "count", coverage={"from": "2020-01"})) == [5, 0, 1]


def test_ingest_gives_a_stream_for_each_measure_or_the_named_one(tmp_path):
    path = tmp_path / "ged.csv"
    path.write_text(GED, encoding="utf-8", newline="")
    four = ingest([path])
    assert set(four.frame["stream"]) == {"events", "best", "low", "high"}
    one = ingest([path], stream="deaths", coverage=Coverage(**{"from": "2020-01", "to": "2020-03"}))
    assert one.frame.to_numpy().tolist() == [
        ["2020-01", "mali", "deaths", 6],
        ["2020-01", "niger", "deaths", 0],
        ["2020-02", "mali", "deaths", 7],
        ["2020-02", "niger", "deaths", 0],
        ["2020-03", "mali", "deaths", 0],
        ["2020-03", "niger", "deaths", 0],
    ]
    assert coverage_of(one, ascii=True).splitlines()[1:3] == ["deaths mali   ##0", "deaths niger  000"]


def test_two_exports_join(tmp_path):
    for name, text in {
        "a.csv": GED,
        "b.csv": GED.replace("\n1,", "\n4,").replace("\n2,", "\n5,").replace("\n3,", "\n6,"),
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    both = ingest([tmp_path / "a.csv", tmp_path / "b.csv"], stream="deaths")
    assert both.frame["count"].sum() == 26
    assert [reading.rows for reading in both.readings] == [3, 3]


def test_a_chronology_is_written_sorted_and_safe_for_a_spreadsheet(tmp_path):
    header, first, *rest = CHRONOLOGY.splitlines()
    rows = [row.replace("truce", "truce,=cmd()") for row in (*rest, first)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join([header.replace("kind", "kind,detail"), *rows]), encoding="utf-8", newline="")
    made = ingest([path])
    assert made.frame["start"].is_monotonic_increasing
    assert text_of(made).count(",'=cmd(),") == 3


def test_months_after_the_last_row_are_zero_and_said_to_be(seen):
    """A coverage that runs ahead of its file would be a quiet zero otherwise."""
    panel = seen(EVENTS, "events", "count")
    assert panel.readings[0].quiet == ("2020-04", "2020-05", "2020-06")
    assert panel.readings[0].account()[-1].endswith("counted as zero: 2020-04, 2020-05, 2020-06")


def test_a_table_too_long_or_a_line_too_wide_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text(EVENTS, encoding="utf-8", newline="")
    for limit, message in (
        ("MOST_ROWS", "at most 2 rows"),
        ("LONGEST_LINE", "line 1: wanted a line"),
        ("LARGEST", "1 GiB"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(sys.modules["forecast.formats.sheet"], limit, 2)
            with pytest.raises(Refusal, match=message):
                ingest([path])
