"""Provisional figures are held against final ones by what was published when, and by nothing later."""

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.incidents import Archive, gather, published
from forecast.months import shift, span
from forecast.panel import Panel, panel
from forecast.reporting import gaps, reporting
from forecast.streams import Release, Source
from forecast.workspace import load
from models.contract import Reporting

FRONTIER = load("frontier")
PAKISTAN, AFGHANISTAN = FRONTIER.streams[:2]
NOW = datetime.date(2026, 6, 30)

# STATISTICS A6: age in months -> mean and sd of log(published + ½) - log(GED 25.1 + ½), months 2023-06 to 2024-12
PAKISTAN_BY_AGE = {
    1: (0.20, 0.08),
    3: (0.19, 0.08),
    6: (0.15, 0.10),
    9: (0.09, 0.12),
    12: (0.06, 0.13),
    15: (-0.01, 0.05),
    24: (0.0, 0.0),
}
AFGHANISTAN_BY_AGE = {
    1: (0.05, 0.17),
    3: (0.02, 0.20),
    6: (0.0, 0.19),
    9: (0.02, 0.27),
    12: (-0.08, 0.23),
    15: (-0.07, 0.23),
    24: (-0.03, 0.08),
}


@pytest.fixture(scope="module")
def archive() -> Archive:
    return gather(FRONTIER.sources, FRONTIER.streams, root=FRONTIER.root)


def seen(archive: Archive, day: datetime.date) -> Panel:
    return panel(
        archive,
        FRONTIER.streams,
        FRONTIER.sources,
        window_from="2021-10",
        as_of=day,
        deciding=FRONTIER.scenarios.streams,
    )


def factors(archive: Archive, day: datetime.date, release: str = "first") -> dict[str, Reporting]:
    return dict(reporting(seen(archive, day), archive, as_of=day, horizon=12, release=release))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stream", "table"), [(PAKISTAN, PAKISTAN_BY_AGE), (AFGHANISTAN, AFGHANISTAN_BY_AGE)]
)
def test_the_table_of_revisions_by_age_comes_back(archive, stream, table) -> None:
    figures = published(archive, stream, as_of=None)
    final = figures["2026-06-24"]
    for age, (mean, sd) in table.items():
        ratios = []
        for month in span("2023-06", "2024-12"):
            vintages = [day for day in figures if day[:7] == shift(month, age)]
            if vintages and not np.isnan(figures.loc[month, vintages[-1]]):
                ratios.append(np.log(figures.loc[month, vintages[-1]] + 0.5) - np.log(final[month] + 0.5))
        assert np.mean(ratios) == pytest.approx(mean, abs=0.025), age
        assert np.std(ratios, ddof=1) == pytest.approx(sd, abs=0.025), age


def test_two_candidate_years_tell_the_factor(archive) -> None:
    """Candidate figures of Pakistan stood a tenth above the final ones in 2023 and a fifth in 2024."""
    found = factors(archive, NOW)
    assert set(found) == {"deaths-pakistan", "deaths-afghanistan"}
    assert found["deaths-pakistan"].mean == pytest.approx([0.146], abs=0.001)
    assert found["deaths-pakistan"].sd == pytest.approx([0.098], abs=0.001)
    assert found["deaths-afghanistan"].mean == pytest.approx([0.008], abs=0.001)
    assert found["deaths-afghanistan"].sd == pytest.approx([0.163], abs=0.001)
    (gap,) = gaps(archive, PAKISTAN, as_of=NOW)
    assert tuple(gap.index) == span("2023-01", "2024-12")
    assert gap[:"2023-12"].mean() == pytest.approx(0.10, abs=0.005)
    assert gap["2024-01":].mean() == pytest.approx(0.19, abs=0.005)
    assert (gap > -0.02).all()


@pytest.mark.parametrize(
    ("day", "splice", "months"),
    [
        ("2024-05-31", "2023-01", 0),  # the year 2023 is candidate still, and no year was replaced in sight
        ("2024-06-30", "2024-01", 12),
        ("2025-07-20", "2024-01", 12),
        ("2025-07-21", "2025-01", 24),
    ],
)
def test_a_month_is_final_from_the_vintage_that_brought_it(archive, day, splice, months) -> None:
    at = datetime.date.fromisoformat(day)
    known = seen(archive, at)
    assert known.splices["deaths-pakistan"] == splice
    candidate = known.releases.sel(stream="deaths-pakistan") == "candidate"
    assert [str(m) for m in known.counts["month"].values[candidate.values]] == list(
        span(splice, known.origin)
    )
    assert [len(gap) for gap in gaps(archive, PAKISTAN, as_of=at)] == [months]
    if not months:
        assert (factors(archive, at)["deaths-pakistan"].mean, factors(archive, at)["deaths-pakistan"].sd) == (
            (0.0,),
            (0.15,),
        )


def test_futures_are_of_the_release_that_resolves(archive) -> None:
    first, annual = (
        factors(archive, NOW, release)["deaths-pakistan"].release for release in ("first", "annual")
    )
    assert first[:-12] == annual[:-12] == (0,) * 39 + (1,) * 17  # final to 2024-12, candidate to 2026-05
    assert first[-12:] == (1,) * 12
    assert annual[-12:] == (0,) * 12


@settings(deadline=None, max_examples=10)
@given(
    day=st.dates(datetime.date(2024, 1, 26), NOW),
    figures=st.lists(
        st.tuples(st.sampled_from(span("2021-10", "2026-05")), st.integers(0, 9999)), min_size=1, max_size=30
    ),
)
def test_nothing_published_later_enters(archive, day, figures) -> None:
    (file,) = archive.vintages
    later = pd.DataFrame(
        [
            {
                "vintage": (day + datetime.timedelta(days=1)).isoformat(),
                "month": month,
                "front": "pakistan",
                "stream": "deaths",
                "count": float(count),
            }
            for month, count in dict(figures).items()
        ]
    )
    told = {file: pd.concat([archive.vintages[file], later], ignore_index=True)}
    (before,), (after,) = (
        gaps(one, PAKISTAN, as_of=day) for one in (archive, replace(archive, vintages=told))
    )
    pd.testing.assert_series_equal(before, after)


def source(releases: dict[str, object]) -> Source:
    return Source.model_validate(
        {"id": "s", "file": "s.csv", "format": "tidy", "coverage": {"from": "2020-01"}, "releases": releases}
    )


def told(dates: dict[str, datetime.date] | None) -> Source:
    final = {"to": "2024-12"} | ({"published": dates} if dates else {})
    return source({"candidate": {"from": "2025-01"}, "final": final})


def test_releases_stand_in_the_order_of_their_months() -> None:
    undated, dated = (
        told(None),
        told({"2023-12": datetime.date(2024, 6, 24), "2024-12": datetime.date(2025, 7, 21)}),
    )
    assert undated.classes == ("final", "candidate")
    early = datetime.date(2024, 1, 1)
    assert [undated.release(month, early) for month in ("2024-12", "2025-01")] == [0, 1]
    assert [dated.release("2019-01", early), dated.splice(early)] == [1, None]
    assert [dated.release("2024-01", datetime.date(2025, 1, 1)), dated.release("2024-01", None)] == [1, 0]


def test_without_dates_the_months_that_came_with_a_vintage_tell(archive) -> None:
    """Those of 2024 alone: which months were candidate in the oldest vintage nobody says."""
    incidents = archive.incidents["ucdp-countries"]
    undated = replace(
        archive,
        incidents={
            "ucdp-countries": replace(
                incidents, source=incidents.source.model_copy(update=told(None).__dict__)
            )
        },
    )
    (gap,) = gaps(undated, PAKISTAN, as_of=NOW)
    assert tuple(gap.index) == span("2024-01", "2024-12")
    assert gap.mean() == pytest.approx(0.193, abs=0.001)


def test_a_source_with_one_release_and_a_yes_or_no_have_no_factor(archive) -> None:
    found = factors(archive, NOW)
    assert "hostile-days" not in found
    assert "agreement" not in found


@pytest.mark.parametrize(
    ("published", "match"),
    [
        ({"2023-12": "2024-06-24"}, "published ends with 2023-12; it must end with to = 2024-12"),
        ({"2023-12": "2025-07-21", "2024-12": "2025-07-21"}, "a release that reaches further came out later"),
    ],
)
def test_dates_that_cannot_be_are_refused(published, match) -> None:
    with pytest.raises(ValueError, match=match):
        Release.model_validate({"to": "2024-12", "published": published})
