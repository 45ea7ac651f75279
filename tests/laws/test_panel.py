"""What holds for any incidents: nothing is lost, nothing is invented, a gap is never a zero."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import months
from forecast.formats import Reading, Rows
from forecast.formats.dated import by_month, largest_remainder
from forecast.formats.spells import days_by_month
from forecast.formats.vintages import as_published, compact
from forecast.incidents import measured, within
from forecast.ingest import ingest, text_of
from forecast.streams import Source, StreamDefinition, slug

unhurried = settings(deadline=None, max_examples=60)  # two cores may be shared

day = st.dates(datetime.date(2019, 1, 1), datetime.date(2021, 12, 31))
span = st.tuples(day, st.integers(0, 400)).map(lambda s: (s[0], s[0] + datetime.timedelta(days=s[1])))
month = st.integers(2019 * 12, 2021 * 12 + 11).map(months.month)
count = st.integers(0, 2000)


@unhurried
@given(count, st.lists(st.integers(1, 31), min_size=1, max_size=20))
def test_whole_parts_sum_to_the_whole_and_stay_within_one_of_their_share(total, sizes):
    days = np.array(sizes)
    parts = largest_remainder(np.array([7.0, total]), np.array([4, *sizes]), np.array([0] + [1] * len(sizes)))
    assert parts[0] == 7
    parts = parts[1:]
    assert parts.sum() == total
    assert (parts == np.floor(parts)).all()
    assert (np.abs(parts - total * days / days.sum()) < 1).all()


@unhurried
@given(st.lists(st.tuples(span, count), min_size=1, max_size=15))
def test_spreading_by_day_keeps_every_death_and_event(events):
    frame = pd.DataFrame(
        {
            "start": pd.to_datetime([s[0] for s, _ in events]),
            "end": pd.to_datetime([s[1] for s, _ in events]),
            "front": "somewhere",
            "best": [float(n) for _, n in events],
        },
        index=pd.RangeIndex(2, len(events) + 2),
    )
    parts = by_month(frame)
    assert parts.groupby(level=0)["best"].sum().tolist() == frame["best"].tolist()
    assert parts["events"].sum() == len(events)
    assert (parts["month"] >= parts["start"].dt.strftime("%Y-%m")).all()
    assert (parts["month"] <= parts["end"].dt.strftime("%Y-%m")).all()


@unhurried
@given(st.lists(span, max_size=12))
def test_days_are_counted_once_however_many_spells_cover_them(spells):
    first, last = datetime.date(2019, 6, 1), datetime.date(2022, 3, 31)
    frame = pd.DataFrame(
        {"start": pd.to_datetime([s[0] for s in spells]), "end": pd.to_datetime([s[1] for s in spells])}
    )
    found = days_by_month(frame, first=pd.Timestamp(first), last=pd.Timestamp(last))
    days = {s + datetime.timedelta(days=n) for s, e in spells for n in range((e - s).days + 1)}
    wanted = pd.Series([months.month_of(d) for d in days if first <= d <= last], dtype="str").value_counts()
    assert found.to_dict() == wanted.to_dict()


@unhurried
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["2024-01-26", "2024-02-22", "2024-03-21"]), month, st.sampled_from("ab")),
        st.one_of(count.map(float), st.just(float("nan"))),
        min_size=1,
        max_size=40,
    )
)
def test_every_vintage_comes_back_from_its_changes(cells):
    full = pd.DataFrame(
        [(v, m, f, "deaths", n) for (v, m, f), n in cells.items()],
        columns=["vintage", "month", "front", "stream", "count"],
    )
    changes = compact(full)
    for (vintage, front), rows in full.groupby(["vintage", "front"]):
        seen = as_published(changes, vintage)
        seen = seen[seen["front"] == front].set_index("month")["count"].to_dict()
        assert seen == rows.dropna(subset=["count"]).set_index("month")["count"].to_dict()


def a_stream(measure="count", family="poisson", **where):
    return StreamDefinition(id="s", source="x", where=where, measure=measure, family=family, effect="free")


def a_source(coverage, format="tidy"):
    return Source(id="x", file="x.csv", format=format, coverage=coverage)


def rows_of(frame):
    return Rows(frame=frame, reading=Reading(file="x.csv", format="tidy", sha256="", rows=len(frame)))


@unhurried
@given(
    st.dictionaries(month, st.one_of(count.map(float), st.just(float("nan"))), min_size=1, max_size=30),
    month,
    st.integers(0, 30),
)
def test_inside_the_coverage_absent_is_zero_and_empty_is_missing(figures, start, length):
    stop = months.shift(start, length)
    frame = pd.DataFrame(
        {"month": list(figures), "front": "a", "stream": "s", "count": list(figures.values())}
    )
    read = within(rows_of(frame), a_source({"from": start, "to": stop}))
    series = measured(read, a_stream())
    assert tuple(series.index) == months.span(start, stop)
    for name, value in series.items():
        np.testing.assert_equal(value, figures.get(name, 0.0))
    assert len(read.reading.outside) == sum(not start <= name <= stop for name in figures)


@unhurried
@given(st.dictionaries(month, count.map(float), min_size=1, max_size=30))
def test_covered_by_rows_absent_is_missing(figures):
    frame = pd.DataFrame(
        {"month": list(figures), "front": "a", "stream": "s", "count": list(figures.values())}
    )
    series = measured(within(rows_of(frame), a_source("rows")), a_stream())
    assert series.dropna().to_dict() == figures
    assert (series.index[0], series.index[-1]) == (min(figures), max(figures))


@unhurried
@given(st.lists(st.tuples(span, st.integers(0, 60)), min_size=1, max_size=8), day, st.integers(0, 200))
def test_an_earlier_day_knows_no_more(spells, as_of, later):
    """Days of fire known at a date never exceed those known later, and months do not vanish."""
    frame = pd.DataFrame(
        {
            "start": pd.to_datetime([s[0] for s, _ in spells]),
            "end": pd.to_datetime([s[1] for s, _ in spells]),
            "kind": "clash",
            "known_from": pd.to_datetime([s[0] + datetime.timedelta(days=lag) for s, lag in spells]),
        }
    )
    read = within(rows_of(frame), a_source({"from": "2019-01", "to": "2022-12"}, "chronology"))
    stream = a_stream("days", kind="clash")
    early = measured(read, stream, as_of=as_of)
    late = measured(read, stream, as_of=as_of + datetime.timedelta(days=later))
    assert set(early.index) <= set(late.index)
    assert (early <= late[early.index]).all()
    assert all(months.month_end(name) <= as_of for name in early.index)


tidy = st.dictionaries(
    st.tuples(month, st.sampled_from(["north", "south"]), st.sampled_from(["deaths", "attacks"])),
    st.one_of(st.none(), count),
    min_size=1,
    max_size=30,
)


@settings(deadline=None, max_examples=25)
@given(cells=tidy)
def test_ingest_of_its_own_output_changes_nothing(tmp_path_factory, cells):
    folder: Path = tmp_path_factory.mktemp("tidy")
    lines = [f"{m},{f},{s},{'' if n is None else n}" for (m, f, s), n in cells.items()]
    (folder / "a.csv").write_text(
        "\n".join(["month,front,stream,count", *lines]), encoding="utf-8", newline=""
    )
    once = text_of(ingest([folder / "a.csv"]))
    (folder / "b.csv").write_text(once, encoding="utf-8", newline="")
    assert text_of(ingest([folder / "b.csv"])) == once
    assert sorted(once.splitlines()[1:]) == sorted(lines)


@unhurried
@given(st.text(max_size=40))
def test_a_slug_is_a_slug(text):
    assert slug(slug(text)) == slug(text)
    assert slug(text).isascii()


@pytest.mark.parametrize(
    ("name", "id"),
    [("Pakistan", "pakistan"), ("Côte d'Ivoire", "cote-d-ivoire"), ("NA", "na"), (" A  b ", "a-b")],
)
def test_names_become_ids(name, id):
    assert slug(name) == id
