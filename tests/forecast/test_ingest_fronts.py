"""The tables by front and by actor are what `ingest` makes of the raw exports with the bundled maps, byte for byte."""

from pathlib import Path

import pandas as pd
import pytest

from forecast.formats.datapackage import PACKAGE, Provenance
from forecast.ingest import Ingested, ingest, text_of, write
from forecast.streams import Coverage
from priors.refusal import Refusal

ROOT = Path(__file__).parents[2]
RAW = ROOT.parent / "shared" / "data" / "frontier"
BUNDLED = ROOT / "forecast" / "theatres" / "frontier-fronts" / "data"

needs_raw = pytest.mark.skipif(not RAW.is_dir(), reason="the raw exports are not part of the project")

SPAN = Coverage(**{"from": "2005-01", "to": "2020-12"})
MEASURES = ("events", "best")

# file: raw export, arguments of ingest, and what the data package says of it
RECIPES = {
    "pakistan_fronts.csv": (
        "ucdp_ged_22_1_pakistan_hdx.csv",
        {"format": "ucdp-ged", "fronts": BUNDLED / "pakistan_map.csv"},
        Provenance(
            title="Events and deaths (best estimate) by month on three fronts in Pakistan: Khyber Pakhtunkhwa with "
            "the former tribal areas, Balochistan, and the dyad of India and Pakistan (its events on Pakistan's "
            "side)",
            citation="UCDP Georeferenced Event Dataset (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2022)",
            licence="CC-BY-4.0",
            version="GED 22.1",
        ),
    ),
    "pakistan_actors.csv": (
        "ucdp_ged_22_1_pakistan_hdx.csv",
        {"format": "ucdp-ged", "fronts": BUNDLED / "pakistan_actors_map.csv"},
        Provenance(
            title="Events and deaths (best estimate) by month in the dyads of the TTP on Pakistan's soil: the "
            "government against the TTP and against its splinters (TTP - TA, Jamaat-ul-Ahrar), the TTP against "
            "civilians, the TTP against other groups and itself",
            citation="UCDP Georeferenced Event Dataset (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2022)",
            licence="CC-BY-4.0",
            version="GED 22.1",
        ),
    ),
    "afghanistan_fronts.csv": (
        "afghanistan_events_ged_21_1.csv",
        {
            "format": "ucdp-ged",
            "columns": {"date_start": "date", "date_end": "date"},
            "fronts": BUNDLED / "afghanistan_map.csv",
        },
        Provenance(
            title="Events and deaths (best estimate) by month in four provinces of Afghanistan on the border, "
            "precisely located events only: 41 % of the country's deaths in 2015-2020",
            citation="UCDP Georeferenced Event Dataset (Sundberg & Melander 2013), events with where_prec 1 or 2 as "
            "in the R package juanr; province by point in polygon",
            licence="CC-BY-4.0",
            version="GED 21.1",
        ),
    ),
}


def make(file: str, folder: Path) -> Ingested:
    """Write one bundled table."""
    raw, arguments, provenance = RECIPES[file]
    made = ingest([RAW / raw], measures=MEASURES, coverage=SPAN, **arguments)
    write(made, folder / file, provenance=provenance)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fronts") / "frontier-fronts" / "data"
    folder.mkdir(parents=True)
    return folder, {file: make(file, folder) for file in RECIPES}


@needs_raw
@pytest.mark.parametrize("file", [*RECIPES, PACKAGE])
def test_the_bundled_file_is_what_ingest_writes(made, file) -> None:
    folder, _ = made
    assert (folder / file).read_bytes() == (BUNDLED / file).read_bytes()


@needs_raw
@pytest.mark.parametrize(
    ("file", "rows", "elsewhere"),
    [
        ("pakistan_fronts.csv", 6416, 554),
        ("pakistan_actors.csv", 6416, 2150),
        ("afghanistan_fronts.csv", 16038, 13116),
    ],
)
def test_events_on_no_front_are_counted(made, file, rows, elsewhere) -> None:
    """Sindh and Punjab, what the TTP has no part in, thirty provinces of Afghanistan."""
    (reading,) = made[1][file].readings
    assert (reading.rows, reading.elsewhere) == (rows, elsewhere)
    assert f"{elsewhere:,} events on no front of the map, left out" in reading.account()


@needs_raw
def test_the_fronts_have_the_figures_of_the_source(made) -> None:
    sums = {}
    for one in made[1].values():
        frame = one.frame.assign(year=one.frame["month"].str[:4])
        sums |= frame.groupby(["front", "stream", "year"])["count"].sum().to_dict()
    assert sums["khyber-pakhtunkhwa", "best", "2010"] == 6055
    assert sums["khyber-pakhtunkhwa", "events", "2010"] == 906
    assert sums["line-of-control", "events", "2017"] == 43
    assert sums["balochistan", "best", "2013"] == 447
    assert sums["nangarhar", "best", "2017"] == 1561
    assert sums["khost", "events", "2020"] == 28


@needs_raw
def test_the_dyads_of_the_ttp_are_all_of_the_source(made) -> None:
    """Every dyad that names the TTP or a faction of it has an actor, and the years have the figures of the source."""
    frame = made[1]["pakistan_actors.csv"].frame.assign(year=lambda rows: rows["month"].str[:4])
    sums = frame.groupby(["front", "stream", "year"])["count"].sum()
    assert sums["ttp", "events", "2010"] == 680
    assert sums["ttp", "best", "2009"] == 5968  # two years' sums of the source are spread over their days
    assert sums["ttp-civilians", "events", "2013"] == 65
    assert sums["ttp-splinters", "events"].loc["2012":"2015"].tolist() == [2, 1, 3, 1]
    assert sums["ttp-rivals", "events"].loc["2015":].sum() == 0
    named = (BUNDLED / "pakistan_actors_map.csv").read_text("utf-8").splitlines()[1:]
    dyads = set(
        pd.read_csv(RAW / "ucdp_ged_22_1_pakistan_hdx.csv", usecols=["dyad_name"])["dyad_name"].dropna()
    )
    assert {row.split(",", 2)[2] for row in named} == {
        d for d in dyads if "TTP" in d or "Jamaat-ul-Ahrar" in d
    }


@needs_raw
def test_the_precisely_located_events_hold_two_deaths_in_five() -> None:
    """2015 to 2020: 41 % of all Afghanistan's in the events, 44 % of the monthly sums, which drop events across months."""
    precise = ingest(
        [RAW / "afghanistan_events_ged_21_1.csv"],
        format="ucdp-ged",
        columns={"date_start": "date", "date_end": "date"},
        stream="deaths",
    ).frame
    country = ingest([ROOT / "forecast" / "theatres" / "frontier" / "data" / "country_months.csv"]).frame
    country = country[country["front"] == "afghanistan"]
    shares = [rows[rows["month"].between("2015-01", "2020-12")]["count"].sum() for rows in (precise, country)]
    assert shares[0] / shares[1] == pytest.approx(0.435, abs=0.005)


EVENTS = "id,country,where,date,best,low,high\n1,Mali,north,2020-01-05,3,1,4\n2,Mali,south,2020-02-05,5,5,5\n"
MAP = "front,column,value\nsahel,where,north\n"
COLUMNS = {"date_start": "date", "date_end": "date", "adm_1": "where"}


def placed(folder: Path, map: str = MAP, **arguments: object) -> Ingested:
    (folder / "ged.csv").write_text(EVENTS, "utf-8", newline="")
    (folder / "map.csv").write_text(map, "utf-8", newline="")
    given = {"format": "ucdp-ged", "columns": COLUMNS, "fronts": folder / "map.csv"} | arguments
    return ingest([folder / "ged.csv"], **given)  # type: ignore[arg-type]


def test_the_first_front_that_fits_has_the_event(tmp_path) -> None:
    both = "front,column,value\nsahel,adm_1,north\nmali,country,Mali\n"
    one = placed(tmp_path, both, measures=["events", "best"])
    assert text_of(one).splitlines()[1:] == [
        "2020-01,sahel,best,3",
        "2020-01,sahel,events,1",
        "2020-02,mali,best,5",
        "2020-02,mali,events,1",
    ]
    assert one.readings[0].elsewhere == 0


def test_an_event_on_no_front_is_left_out_and_counted(tmp_path) -> None:
    one = placed(tmp_path, "front,column,value\nsahel,adm_1,north\n", stream="deaths")
    assert text_of(one).splitlines()[1:] == ["2020-01,sahel,deaths,3"]
    assert one.readings[0].elsewhere == 1


@pytest.mark.parametrize(
    ("map", "arguments", "match"),
    [
        (MAP, {}, r"map.csv: line 2, column column: got 'where'; wanted a column of .*ged.csv"),
        ("front,column,value\nsahel,adm_1,nord\n", {}, r"column value: got 'nord'; .*did you mean 'north'\?"),
        ("front,column,value\na,adm_1,north\nb,adm_1,north\n", {}, "lines 2 and 3.*an event lies on one front"),
        ("front,column,value\nsahel,adm_1,north\n", {"columns": COLUMNS | {"adm_2": "place"}}, r"columns, adm_2: got 'place'; wanted a column of the file"),
        ("front,column,value\nsahel,adm_1,north\n", {"columns": COLUMNS | {"best": "low"}}, "leave best out: the file has a column of that name"),
        ("front,column,value\nsahel,adm_1,north\n", {"measures": ["deaths"]}, r"measures: got 'deaths'; wanted events \| best \| low \| high"),
        ("front,column,value\nsahel,adm_1,north\n", {"measures": ["best"], "stream": "deaths"}, "name a stream or measures, not both"),
    ],
)  # fmt: skip
def test_a_map_that_does_not_fit_is_refused(tmp_path, map, arguments, match) -> None:
    with pytest.raises(Refusal, match=match):
        placed(tmp_path, map, **arguments)


def test_rows_that_say_their_front_take_no_map(tmp_path) -> None:
    (tmp_path / "tidy.csv").write_text("month,front,stream,count\n2020-01,n,d,3\n", "utf-8", newline="")
    (tmp_path / "map.csv").write_text(MAP, "utf-8", newline="")
    with pytest.raises(Refusal, match="a map of fronts only for dated events"):
        ingest([tmp_path / "tidy.csv"], fronts=tmp_path / "map.csv")
    with pytest.raises(Refusal, match="measures: got 'best'; wanted events with deaths; leave measures out"):
        ingest([tmp_path / "tidy.csv"], measures=["best"])
