"""A wrong incident file gives one line that names the file, the place, the value and the remedy; never a panel."""

import datetime
import os
import sys

import pytest

from forecast import formats
from forecast.formats.datapackage import Provenance
from forecast.incidents import gather
from forecast.ingest import ingest, write
from forecast.panel import panel
from forecast.streams import Coverage, Source, StreamDefinition
from priors.refusal import Refusal

HEAD = "month,front,stream,count\n"
GOOD = "2020-01,north,deaths,3\n"
CHRONOLOGY = "start,end,kind,place,mediator,detail,date_quality,source_url,known_from\n"
SPELL = "2020-01-05,2020-01-07,clash,,,,exact,https://example.org/a,2020-01-08\n"
EVENTS = "date,front,stream,count,note\n"
GED = "id,country,date_start,date_end,best,low,high\n"
EVENT = "1,Mali,2020-01-05,2020-01-05,3,1,4\n"

FILES = {
    # ---- files
    "an empty file": (b"", "got 'an empty file'"),
    "blank lines": (b"\n\n  \n", "got 'an empty file'"),
    "a header alone": (HEAD, "got 'a header without rows'"),
    "a spreadsheet": (b"PK\x03\x04rest", "spreadsheet or zip archive.*save it as"),
    "gzip": (b"\x1f\x8b\x08\0rest", "gzip archive.*unpack it first"),
    "pdf": (b"%PDF-1.7", "got 'a PDF'"),
    "utf-16 with a mark": ((HEAD + GOOD).encode("utf-16"), "UTF-16 text.*CSV UTF-8"),
    "utf-16 without a mark": ((HEAD + GOOD).encode("utf-16-le"), "UTF-16 text"),
    "latin-1": ((HEAD + GOOD + "2020-02,Côte,deaths,1\n").encode("latin-1"), "line 3.*byte 0xf4.*CSV UTF-8"),
    "mixed encodings": (
        (HEAD + "2020-02,Côte,deaths,1\n").encode() + "2020-03,Côte,deaths,1\n".encode("latin-1"),
        "line 3.*byte 0xf4",
    ),
    "a NUL byte": (HEAD + "2020-01,no\0rth,deaths,3\n", "line 2: got 'a NUL byte'"),
    "CR alone": ((HEAD + GOOD).replace("\n", "\r"), "lines that end in CR alone"),
    "a stray CR": (HEAD + "2020-01,no\rrth,deaths,3\n", "line 2.*new-line character"),
    "semicolons": ((HEAD + GOOD).replace(",", ";"), "separated by semicolons.*wanted commas"),
    "tabs": ((HEAD + GOOD).replace(",", "\t"), "separated by tabs"),
    "an unclosed quote": (HEAD + GOOD + '2020-02,"north,deaths,3\n' + GOOD * 3, "line 3.*close the quote"),
    "a quote inside a field": (HEAD + '2020-02,"no"rth,deaths,3\n', "line 2.*expected after"),
    "a huge field": (HEAD + "2020-02," + "n" * 140_000 + ",deaths,3\n", "line 2.*field limit"),
    "a long row": (
        HEAD + GOOD + "2020-02,north,deaths,3,5\n",
        "line 3: got '5 fields.*wanted 4.*needs a point",
    ),
    "a short row": (HEAD + "2020-02,north,deaths\n", "line 2: got '3 fields.*missing commas"),
    # ---- columns
    "a renamed column": (HEAD.replace("count", "counts") + GOOD, "no column 'count'.*did you mean 'counts'"),
    "upper case": (HEAD.title() + GOOD, "no column 'month'.*write 'month' for 'Month'"),
    "a space before a column": (HEAD.replace(",count", ", count") + GOOD, "write 'count' for ' count'"),
    "a missing column": ("month,front,stream\n2020-01,north,deaths\n", "no column 'count'.*add the column"),
    "a column twice": ("month,front,stream,count,count\n2020-01,n,d,3,3\n", "got 'count'.*every column once"),
    "an extra column": (
        "month,front,stream,count,weight\n2020-01,n,d,3,3\n",
        "column 'weight'.*remove the column",
    ),
    "a Cyrillic letter in a column": (HEAD.replace("count", "\u0441ount") + GOOD, "CYRILLIC SMALL LETTER ES"),
    "swapped columns": (HEAD + "north,2020-01,deaths,3\n", "line 2, column month: got 'north'"),
    "HTML": ("<html><body>\n<p>404</p>\n", "got '<html><body>'.*the columns of tidy"),
    # ---- months
    "day before month": (HEAD + "01/02/2020,north,deaths,3\n", "column month.*year first"),
    "points": (HEAD + "01.02.2020,north,deaths,3\n", "column month.*year first"),
    "an Excel serial": (HEAD + "45292,north,deaths,3\n", "got '45292'.*spreadsheet's day number"),
    "month 13": (HEAD + "2020-13,north,deaths,3\n", "got '2020-13'.*wanted a month"),
    "the year 202": (HEAD + "0202-01,north,deaths,3\n", "got '0202-01'.*mend the year"),
    "a week": (HEAD + "2020-01-13,north,deaths,3\n", "got '2020-01-13'.*weeks belong to"),
    "an ISO week": (HEAD + "2020-W53,north,deaths,3\n", "weeks straddle months"),
    "a quarter": (HEAD + "2020Q1,north,deaths,3\n", "got '2020Q1'"),
    "no month": (HEAD + ",north,deaths,3\n", "line 2, column month: got ''"),
    "Arabic digits": (HEAD + "٢٠٢٠-٠١,north,deaths,3\n", "line 2, column month"),
    "mixed formats": (HEAD + GOOD + "Feb 2020,north,deaths,3\n", "line 3, column month: got 'Feb 2020'"),
    "a month twice": (HEAD + GOOD + GOOD, "lines 2 and 3.*every month of a front and stream once"),
    "a month twice under two spellings": (
        HEAD + GOOD + "2020-01-01,North,deaths,4\n",
        "lines 2 and 3: got '2020-01, north, deaths'",
    ),
    # ---- names
    "a Cyrillic letter in a name": (HEAD + "2020-01,P\u0430kistan,deaths,3\n", "CYRILLIC SMALL LETTER A"),
    "an override of direction": (HEAD + "2020-01,no\u202erth,deaths,3\n", "RIGHT-TO-LEFT OVERRIDE"),
    "an escape sequence": (HEAD + "2020-01,\x1b[31mnorth,deaths,3\n", r"got '\\x1b\[31mnorth'"),
    "a name of digits": (HEAD + "2020-01,17,deaths,3\n", "begin with a letter"),
    "no name": (HEAD + "2020-01,,deaths,3\n", "column front: got ''"),
    "a name too long": (HEAD + f"2020-01,{'n' * 50},deaths,3\n", "at most 41"),
    # ---- counts
    "a negative count": (HEAD + "2020-01,north,deaths,-3\n", "got '-3'.*cannot be negative"),
    "half a death": (HEAD + "2020-01,north,deaths,1.5\n", "got '1.5'.*counts are whole"),
    "a decimal comma": (HEAD + '2020-01,north,deaths,"3,5"\n', "decimal point, not a comma"),
    "thousands": (HEAD + '2020-01,north,deaths,"1,234"\n', "without thousands separators"),
    "thousands with spaces": (HEAD + "2020-01,north,deaths,1 234\n", "without thousands separators"),
    "a remark": (HEAD + "2020-01,north,deaths,12 (est.)\n", "got '12 \\(est.\\)'.*remarks in another column"),
    "N/A": (HEAD + "2020-01,north,deaths,N/A\n", "got 'N/A'.*leave the cell empty"),
    "NA": (HEAD + "2020-01,north,deaths,NA\n", "got 'NA'.*leave the cell empty"),
    "a dash": (HEAD + "2020-01,north,deaths,-\n", "got '-'.*leave the cell empty"),
    "infinity": (HEAD + "2020-01,north,deaths,inf\n", "got 'inf'"),
    "nan": (HEAD + "2020-01,north,deaths,nan\n", "got 'nan'"),
    "1e20": (HEAD + "2020-01,north,deaths,1e20\n", "more than any month can hold"),
    "a billion": (HEAD + "2020-01,north,deaths,1000000000\n", "more than any month can hold"),
    "digits of another script": (HEAD + "2020-01,north,deaths,٣\n", "write the digits 0 to 9"),
    "a formula": (HEAD + "2020-01,north,deaths,=1+1\n", "got '=1\\+1'"),
    "several": (
        HEAD + "2020-01,n,d,x\n2020-02,n,d,y\n2020-03,n,d,z\n",
        "line 2, column count: got 'x'.*2 more like it",
    ),
    # ---- chronology
    "a spell backwards": (
        CHRONOLOGY + SPELL.replace("2020-01-07", "2020-01-04"),
        "line 2, column end: got '2020-01-04'.*swap",
    ),
    "a kind of date": (CHRONOLOGY + SPELL.replace("exact", "aprox"), "date_quality.*did you mean 'approx'"),
    "no link": (CHRONOLOGY + SPELL.replace("https://example.org/a", "a friend"), "source_url.*public source"),
    "a script for a link": (
        CHRONOLOGY + SPELL.replace("https://example.org/a", "javascript:x()"),
        "source_url",
    ),
    "no day known from": (CHRONOLOGY + SPELL.replace("2020-01-08", ""), "known_from: got ''"),
    "known long before it began": (
        CHRONOLOGY + SPELL.replace("2020-01-08", "2019-12-04"),
        "line 2, column known_from: got '2019-12-04'; wanted a day from 2019-12-05 on",
    ),
    "29 February": (CHRONOLOGY + SPELL.replace("2020-01-05", "2019-02-29"), "got '2019-02-29'"),
    "the same spell twice": (CHRONOLOGY + SPELL + SPELL, "lines 2 and 3.*every row once"),
    "a terminal command": (
        CHRONOLOGY + SPELL.replace(",,,,", ",,,\x1b[2J,"),
        "column detail.*control characters",
    ),
    "a chronology without sources": (
        "start,end,kind\n2020-01-05,2020-01-07,clash\n",
        "no column 'date_quality'",
    ),
    # ---- events
    "an event without a count": (EVENTS + "2020-01-05,n,d,,\n", "column count: got ''.*write the number"),
    "a time zone": (EVENTS + "2020-01-01T00:30+03:00,n,d,1,\n", "local day alone"),
    "one event twice": (EVENTS + "2020-01-05,n,d,1,\n" * 2, "lines 2 and 3.*in a note"),
    "one event id twice": (GED + EVENT + EVENT.replace(",3,", ",4,"), "lines 2 and 3: got '1'.*counted once"),
    "an event that ends before it starts": (
        GED + EVENT.replace("2020-01-05,3", "2020-01-04,3"),
        "line 2, column date_end: got '2020-01-04'",
    ),
    "deaths in words": (GED + EVENT.replace(",3,", ",several,"), "column best: got 'several'"),
    "tags alone": (GED + "#meta+id,#country,#date,#date,#killed,#low,#high\n", "a header without rows"),
    "columns of no format": ("a,b\n1,2\n", "--columns month"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, case):
    content, message = FILES[case]
    path = tmp_path / "counts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Refusal, match=message) as refused:
        ingest([path])
    told = str(refused.value)
    assert "counts.csv" in told
    assert told.isprintable()
    assert len(told) < 600


@pytest.mark.parametrize(
    "case", [case for case, (content, _) in FILES.items() if str(content).startswith(HEAD)]
)
def test_the_same_file_is_refused_as_a_source(tmp_path, case):
    content, message = FILES[case]
    (tmp_path / "counts.csv").write_bytes(content.encode())
    with pytest.raises(Refusal, match=message):
        gather([a_source()], [a_stream()], root=tmp_path)


def a_source(**more):
    said = {
        "id": "x",
        "file": "counts.csv",
        "format": "tidy",
        "coverage": {"from": "2020-01", "to": "2020-12"},
    }
    return Source(**(said | more))


def a_stream(**more):
    said = {"id": "s", "source": "x", "measure": "count", "family": "poisson", "effect": "free"}
    return StreamDefinition(**(said | more))


def test_an_agreement_may_be_known_up_to_31_days_before_it_begins(tmp_path):
    path = tmp_path / "chronology.csv"
    path.write_text(CHRONOLOGY + SPELL.replace("2020-01-08", "2019-12-05"), encoding="utf-8", newline="")
    assert formats.read(path, "chronology").frame["known_from"].tolist() == [datetime.datetime(2019, 12, 5)]


def test_what_is_benign_is_read(tmp_path):
    """A byte-order mark, CR LF, blank last lines, first days of months, empty counts and a region called NA."""
    text = HEAD + "2020-01-01,NA,deaths,3\n2020-02,NA,deaths,\n2020-03,NA,deaths,44.0\n\n,,,\n"
    path = tmp_path / "counts.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    made = ingest([path])
    assert made.frame.fillna(-1).to_numpy().tolist() == [
        ["2020-01", "na", "deaths", 3.0],
        ["2020-02", "na", "deaths", -1.0],
        ["2020-03", "na", "deaths", 44.0],
    ]


def test_there_is_no_such_file(tmp_path):
    (tmp_path / "counts.csv").write_text(HEAD + GOOD, encoding="utf-8", newline="")
    with pytest.raises(Refusal, match=r"no such file; did you mean 'counts\.csv'"):
        ingest([tmp_path / "count.csv"])
    with pytest.raises(Refusal, match="got 'a directory'"):
        ingest([tmp_path])
    with pytest.raises(Refusal, match="got 'no file'"):
        ingest([])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind here")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8", newline="")
    path.chmod(0)
    with pytest.raises(Refusal, match="change its permissions"):
        ingest([path])


def test_files_that_overlap_would_count_twice(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(GED + EVENT, encoding="utf-8", newline="")
    with pytest.raises(Refusal, match=r"b\.csv: got '1'.*1 rows would count twice"):
        ingest([tmp_path / "a.csv", tmp_path / "b.csv"])
    (tmp_path / "c.csv").write_text(CHRONOLOGY + SPELL, encoding="utf-8", newline="")
    with pytest.raises(Refusal, match="files of one shape"):
        ingest([tmp_path / "a.csv", tmp_path / "c.csv"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": {"month": "month", "count": "count"}}, "--columns and --stream"),
        (
            {"columns": {"month": "month", "count": "cuont"}, "stream": "s"},
            "columns, count.*did you mean 'count'",
        ),
        ({"columns": {"month": "month"}, "stream": "s"}, "columns: got 'no count'"),
        ({"columns": {"mnth": "month", "count": "count"}, "stream": "s"}, "got 'mnth'.*did you mean 'month'"),
        ({"format": "tidi"}, "got 'tidi'"),
        ({"stream": "deaths"}, "format tidy with --stream"),
        ({"format": "acled"}, "no column 'event_id_cnty'"),
        ({"coverage": Coverage(**{"from": "2021-01"})}, "a row inside the coverage"),
    ],
)
def test_a_wrong_wish_is_refused(tmp_path, arguments, message):
    path = tmp_path / "counts.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8", newline="")
    with pytest.raises(Refusal, match=message):
        ingest([path], **arguments)


def test_output_never_replaces_an_input(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8", newline="")
    provenance = Provenance(title="t", citation="c", licence="l")
    with pytest.raises(Refusal, match="got 'an input file'"):
        write(ingest([path]), path, provenance=provenance)
    with pytest.raises(Refusal, match="make the folder first"):
        write(ingest([path]), tmp_path / "none" / "out.csv", provenance=provenance)
    (tmp_path / "datapackage.json").write_text("[]", encoding="utf-8", newline="")
    with pytest.raises(Refusal, match=r"datapackage\.json.*wanted a data package"):
        write(ingest([path]), tmp_path / "out.csv", provenance=provenance)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["counts.csv", "datapackage.json"]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ({"source": "y"}, r"streams\.s\.source: got 'y'.*known: x"),
        ({"measure": "days"}, r"streams\.s\.measure: got 'days'; wanted count \| value"),
        ({"where": {"frnt": "north"}}, r"streams\.s\.where: got 'frnt'.*did you mean 'front'"),
        ({"where": {"front": "nroth"}}, r"streams\.s\.where\.front: got 'nroth'.*did you mean 'north'"),
        ({"where": {"front": ["north", "west"]}}, r"got 'west'; wanted a value that occurs in counts\.csv"),
        ({"family": "bernoulli"}, r"counts\.csv: line 2: got '3 in 2020-01'; wanted 0 or 1"),
    ],
)
def test_a_stream_that_its_source_cannot_give_is_refused(tmp_path, stream, message):
    (tmp_path / "counts.csv").write_text(HEAD + GOOD, encoding="utf-8", newline="")
    streams = [a_stream(**stream)]
    with pytest.raises(Refusal, match=message):
        panel(gather([a_source()], streams, root=tmp_path), streams, [a_source()], window_from="2020-01")


def test_a_value_may_be_negative_and_a_count_may_not(tmp_path):
    (tmp_path / "counts.csv").write_text(HEAD + "2020-01,north,price,-1.5\n", encoding="utf-8", newline="")
    value = a_stream(measure="value", family="gaussian")
    read = gather([a_source(coverage="rows")], [value], root=tmp_path)
    seen = panel(read, [value], [a_source(coverage="rows")], window_from="2020-01")
    assert seen.counts.item() == -1.5
    wrong = a_stream(measure="value")
    with pytest.raises(Refusal, match=r"line 2: got '-1\.5 in 2020-01'; wanted a whole number from 0"):
        panel(read, [wrong], [a_source(coverage="rows")], window_from="2020-01")


def test_a_kind_that_is_nearly_one_is_a_slip_and_a_new_one_may_wait(tmp_path):
    (tmp_path / "counts.csv").write_text(CHRONOLOGY + SPELL, encoding="utf-8", newline="")
    source = a_source(format="chronology")
    slip = [a_stream(measure="days", where={"kind": "clas"})]
    with pytest.raises(Refusal, match=r"got 'clas'.*did you mean 'clash'"):
        panel(gather([source], slip, root=tmp_path), slip, [source], window_from="2020-01")
    waits = [a_stream(measure="days", where={"kind": ["clash", "offensive"]})]
    seen = panel(gather([source], waits, root=tmp_path), waits, [source], window_from="2020-01")
    assert seen.counts.sum() == 3


def test_a_window_without_data_is_refused(tmp_path):
    (tmp_path / "counts.csv").write_text(HEAD + GOOD, encoding="utf-8", newline="")
    streams = [a_stream()]
    read = gather([a_source()], streams, root=tmp_path)
    with pytest.raises(Refusal, match="the data known reach from 2020-01 to 2020-12"):
        panel(read, streams, [a_source()], window_from="2021-01")
    with pytest.raises(Refusal, match="no month is known yet"):
        panel(read, streams, [a_source()], window_from="2020-01", as_of=datetime.date(2019, 1, 1))
    with pytest.raises(Refusal, match="got 't'; wanted a stream"):
        panel(read, streams, [a_source()], window_from="2020-01", deciding=["t"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"coverage": {"from": "2020-02", "to": "2020-01"}}, "ends .* before it starts"),
        ({"coverage": {"from": "2020-13"}}, "pattern"),
        ({"columns": {"month": "m"}}, 'belong to format = "table"'),
        ({"format": "table", "stream": "s", "columns": {"month": "m"}}, r"lacks \['count'\]"),
        ({"format": "table", "columns": {"month": "m", "count": "c"}}, "needs stream"),
        ({"format": "table", "stream": "s", "columns": {"mnth": "m"}}, r"names \['mnth'\]"),
        ({"releases": {"final": {"to": "2020-06"}, "late": {"from": "2020-06"}}}, "claim the same month"),
        (
            {"releases": {"final": {"to": "2024-12"}, "candidate": {"from": "2025-06"}}},
            "no release claims the months after 2024-12 and before 2025-06: .*start in 2025-01",
        ),
        ({"format": "chronology", "coverage": "rows"}, "a chronology states from and to"),
        ({"format": "xlsx"}, "ucdp-ged"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused(source, message):
    with pytest.raises(ValueError, match=message):
        a_source(**source)


def test_a_mask_needs_a_day_and_a_reason():
    with pytest.raises(ValueError, match="known_from"):
        a_stream(masks=[{"months": ["2020-01"], "because": "Another war."}])
    with pytest.raises(ValueError, match="because"):
        a_stream(masks=[{"months": ["2020-01"], "known_from": datetime.date(2020, 2, 1)}])
