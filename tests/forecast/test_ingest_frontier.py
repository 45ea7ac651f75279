"""The bundled frontier tables are what `ingest` makes of the raw exports, defects and all, byte for byte."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from forecast.formats import read
from forecast.formats.datapackage import PACKAGE, Provenance
from forecast.formats.dated import by_month
from forecast.formats.sheet import sheet
from forecast.formats.vintages import as_published, vintages
from forecast.ingest import Ingested, ingest, write
from forecast.streams import Coverage

ROOT = Path(__file__).parents[2]
RAW = ROOT.parent / "shared" / "data" / "frontier"
BUNDLED = ROOT / "forecast" / "theatres" / "frontier" / "data"

needs_raw = pytest.mark.skipif(not RAW.is_dir(), reason="the raw exports are not part of the project")

# file: arguments of ingest, and what the data package says of it
RECIPES = {
    "country_months.csv": (
        {
            "columns": {"month": "month", "front": "country", "count": "fatalities_best"},
            "stream": "deaths",
            "coverage": Coverage(**{"from": "1989-01", "to": "2026-05"}),
        },
        Provenance(
            title="Deaths by country and month, best estimate",
            citation="UCDP Georeferenced Event Dataset (Sundberg & Melander 2013) and UCDP Candidate Events "
            "(Hegre et al. 2020), monthly sums; Afghanistan, and Pakistan from 2022, by PaCE",
            licence="CC-BY-4.0",
            version="GED 22.1 (Pakistan to 2021-12), GED 25.1 to 2024-12, Candidate 25-26 to 2026-05",
        ),
    ),
    "picss_months.csv": (
        {
            "columns": {"month": "month", "count": "militant_attacks", "source": "source_url"},
            "stream": "attacks",
            "front": "pakistan",
            "coverage": "rows",
        },
        Provenance(
            title="Militant attacks in Pakistan by month, as published",
            citation="PICSS monthly security assessments, a public report for each figure",
            licence="facts",
        ),
    ),
    "chronology.csv": (
        {"format": "chronology"},
        Provenance(
            title="Dated hostilities, truces, talks and closures between Afghanistan and Pakistan",
            citation="Dated public reports, one for each row",
            licence="facts",
            version="searched throughout to 2026-03-23",
        ),
    ),
    "vintages.csv": (
        {
            "columns": {
                "vintage": "vintage_date",
                "month": "month",
                "front": "country",
                "count": "fatalities_best",
            },
            "stream": "deaths",
        },
        Provenance(
            title="Deaths by country and month as published at 28 dates, what changed",
            citation="UCDP GED and Candidate Events, monthly sums by PaCE",
            licence="CC-BY-4.0",
            version="2024-01-26 to 2026-06-24",
        ),
    ),
}


def make(file: str, folder: Path) -> Ingested:
    """Write one bundled table, from the raw export of the same name."""
    arguments, provenance = RECIPES[file]
    made = ingest([RAW / file], **arguments)
    write(made, folder / file, provenance=provenance)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frontier") / "frontier" / "data"
    folder.mkdir(parents=True)
    return folder, {file: make(file, folder) for file in RECIPES}


@needs_raw
@pytest.mark.parametrize("file", [*RECIPES, PACKAGE])
def test_the_bundled_file_is_what_ingest_writes(made, file):
    folder, _ = made
    assert (folder / file).read_bytes() == (BUNDLED / file).read_bytes()


def test_every_vintage_is_stored_as_its_changes():
    """Twenty-eight vintages of two countries fit in a tenth of their full listing."""
    changes = vintages(sheet(BUNDLED / "vintages.csv"))
    dates = sorted(set(changes["vintage"]))
    assert (len(dates), dates[0], dates[-1]) == (28, "2024-01-26", "2026-06-24")
    assert (BUNDLED / "vintages.csv").stat().st_size < 25_000


@needs_raw
def test_every_vintage_comes_back_exactly():
    raw = pd.read_csv(RAW / "vintages.csv")
    changes = vintages(sheet(BUNDLED / "vintages.csv"))
    for vintage, rows in raw.groupby("vintage_date"):
        wanted = {(m[:7], c.lower()): float(n) for m, c, n in rows.iloc[:, [2, 1, 3]].itertuples(index=False)}
        found = as_published(changes, vintage)
        got = {(m, f): n for m, f, n in found[["month", "front", "count"]].itertuples(index=False)}
        assert got == wanted, vintage


def test_the_figures_of_2024_fell_when_they_became_final():
    changes = vintages(sheet(BUNDLED / "vintages.csv"))
    sums = {}
    for vintage in ("2025-06-24", "2025-07-21"):
        seen = as_published(changes, vintage)
        sums[vintage] = seen[(seen["front"] == "pakistan") & seen["month"].str.startswith("2024")][
            "count"
        ].sum()
    assert sums == {"2025-06-24": 2072, "2025-07-21": 1781}


def test_no_vintage_lies_in_the_gap():
    dates = set(vintages(sheet(BUNDLED / "vintages.csv"))["vintage"])
    assert not [date for date in dates if "2025-09-25" < date < "2026-03-24"]


@pytest.fixture(scope="module")
def pakistan():
    return read(RAW / "ucdp_ged_22_1_pakistan_hdx.csv", "ucdp-ged")


@pytest.fixture(scope="module")
def pakistan_by_month():
    made = ingest([RAW / "ucdp_ged_22_1_pakistan_hdx.csv"], format="ucdp-ged")
    return made.frame.pivot(index="month", columns="stream", values="count")


@needs_raw
def test_the_tag_row_is_no_event_and_quoted_lines_are_one_row(pakistan):
    assert len(pakistan.frame) == 6416
    assert pakistan.frame.index[0] == 3  # under the header and the tags
    assert pakistan.frame.index[-1] > len(pakistan.frame) + 2  # fields of several lines


@needs_raw
def test_rows_of_the_source_that_cross_their_bounds_are_clipped_and_counted(pakistan):
    """61 rows have low > best and 139 have high < best: three in a hundred."""
    assert len(pakistan.reading.clipped) == 200
    frame = pakistan.frame
    assert ((frame["low"] <= frame["best"]) & (frame["best"] <= frame["high"])).all()
    assert any("200 rows had low > best" in line for line in pakistan.reading.account())


@needs_raw
def test_year_long_aggregates_are_spread_by_day(pakistan, pakistan_by_month):
    """1,428 deaths of 2009 and 728 of 2010 would make one month a war; by day they do not."""
    assert len(pakistan.reading.spread) == 39
    aggregates = pakistan.frame[pakistan.frame["best"].isin([1428, 728])]
    parts = by_month(aggregates)
    sums = parts.groupby(parts["month"].str[:4])["best"]
    assert sums.sum().to_dict() == {"2009": 1428, "2010": 728}
    assert (sums.min().to_dict(), sums.max().to_dict()) == (
        {"2009": 110, "2010": 56},
        {"2009": 121, "2010": 62},
    )
    assert pakistan_by_month["best"]["2009-01":"2010-12"].max() < 1428


@needs_raw
def test_no_death_is_lost_by_spreading(pakistan, pakistan_by_month):
    """The monthly sums that drop events across two months have 6,084 deaths for 2009; the events have 7,460."""
    assert pakistan_by_month["best"]["2009-01":"2009-12"].sum() == 7460
    for measure in ("best", "low", "high"):
        assert pakistan_by_month[measure].sum() == pakistan.frame[measure].sum()
    assert pakistan_by_month["events"].sum() == 6416


@needs_raw
def test_the_bundled_months_are_the_events_rounded_once(pakistan_by_month):
    """Raw monthly sums round each month; whole parts of each event differ by a death or two in a few months."""
    bundled = sheet(BUNDLED / "country_months.csv").cells
    bundled = bundled[(bundled["front"] == "pakistan") & (bundled["month"] <= "2021-12")]
    difference = bundled.set_index("month")["count"].astype(int) - pakistan_by_month["best"]
    assert difference.abs().max() <= 2
    assert (difference.dropna() != 0).sum() == 18


@needs_raw
def test_candidate_rows_read_like_the_others():
    made = ingest([RAW / "ucdp_ged_candidate_23_0_10_pak_afg.csv"], format="ucdp-candidate", stream="deaths")
    assert made.frame.to_numpy().tolist() == [
        ["2023-10", "afghanistan", "deaths", 34.0],
        ["2023-10", "pakistan", "deaths", 131.0],
    ]


def test_the_data_package_has_the_hash_of_every_file():
    package = json.loads((BUNDLED / PACKAGE).read_text(encoding="utf-8"))
    assert {resource["path"] for resource in package["resources"]} == set(RECIPES)
    for resource in package["resources"]:
        content = (BUNDLED / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["bytes"] == len(content)
        assert [field["name"] for field in resource["schema"]["fields"]] == content.decode().split("\n")[
            0
        ].split(",")
        assert resource["licenses"]
        assert resource["sources"][0]["hash"].startswith("sha256:")
