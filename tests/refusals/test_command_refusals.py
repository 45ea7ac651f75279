"""A mistake on the command line or in a workspace ends every command alike: exit code 2, one line, nothing written."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from forecast.cli import main

type Capture = pytest.CaptureFixture[str]

ROWS = "data/counts.csv"

# file, what stands there, what comes in its place, what the line says
FILES = [
    (ROWS, "month,front", "date,front", r"counts.csv: .*no column 'month'"),
    (ROWS, "stream,count", "stream,deaths", r"counts.csv: .*no column 'count'"),
    (ROWS, "stream,count", "stream,count,count", r"counts.csv: .*'count'.*once"),
    (ROWS, "front,stream,count", "front,stream,count,weight", r"counts.csv: .*(weight|fields)"),
    (ROWS, "front,stream", "front,stream ", r"counts.csv: .*write 'stream' for 'stream '"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents,-6", r"counts.csv: line 4.*'-6'"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents,6.5", r"counts.csv: line 4.*'6.5'"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents,six", r"counts.csv: line 4.*'six'"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents,inf", r"counts.csv: line 4.*'inf'"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents,1e20", r"counts.csv: line 4.*'1e20'"),
    (ROWS, "2014-03,all,incidents,6", "2014-02,all,incidents,6", r"counts.csv: lines 3 and 4: got '2014-02, all, incidents'"),
    (ROWS, "2014-03,all", "2014-13,all", r"counts.csv: line 4.*'2014-13'"),
    (ROWS, "2014-03,all", "March 2014,all", r"counts.csv: line 4.*'March 2014'"),
    (ROWS, "2014-03,all", "0202-03,all", r"counts.csv: line 4.*'0202-03'"),
    (ROWS, "2014-03,all,incidents,6", "2014-03,all,incidents", r"counts.csv: line 4.*3 fields"),
    (ROWS, "2014-03,all", '2014-03,"all', r"counts.csv: line .*quote"),
    (ROWS, "", None, r"counts.csv.*an empty file"),
    (ROWS, "2014-01", "month,front,stream,count\n", r"counts.csv: .*header without rows"),
    (ROWS, "month", "utf-16", r"counts.csv: .*UTF-16 text"),
    (ROWS, "all,incidents,7", "Côte,incidents,7", r"counts.csv: line 2.*byte 0xf4"),
    ("forecast.toml", '"data/counts.csv"', '"data/count.csv"', r"forecast.toml: sources.counts.file.*did you mean"),
    ("forecast.toml", '["regimes"]', '["regime"]', r"forecast.toml: models.use.*did you mean 'regimes'"),
    ("forecast.toml", "[streams.incidents]", "[streams.Incidents]", r"forecast.toml: streams.Incidents.*an id"),
    ("forecast.toml", 'stream = "incidents" }', 'stream = "incident" }', r"(forecast.toml|counts.csv).*incident"),
    ("forecast.toml", '"counts"\nwhere', '"count"\nwhere', r"streams.incidents.source.*did you mean 'counts'"),
    ("forecast.toml", "quarters = 4", "quarters = 40", r"forecast.toml: time.quarters.*got 40"),
    ("forecast.toml", "2020-01-31", "2999-01-31", r"forecast.toml: time.as_of: got '2999-01-31'; wanted a date up to"),
    ("forecast.toml", "[time]", "[time", r"forecast.toml: line 4.*valid TOML"),
    ("forecast.toml", "seed     = 7", "sead     = 7", r"forecast.toml: time.sead.*did you mean 'seed'"),
    ("scenarios.toml", 'stream = "incidents"', 'stream = "incident"', r"scenarios.toml: .*did you mean 'incidents'"),
    ("scenarios.toml", '["violent"]', '["violet"]', r"scenarios.toml: .*did you mean 'violent'"),
    ("scenarios.toml", '["violent"]', '["violent", "quiet"]', r"scenarios.toml: precedence"),
    ("scenarios.toml", '["violent"]', '["violent", "violent"]', r"scenarios.toml: precedence"),
    ("scenarios.toml", 'title = "Quiet"\n', 'title = "Quiet"\n\n[[scenario]]\nid = "odd"\ntitle = "Odd"\n', r"scenarios.toml: .*(remainder|rule)"),
    ("scenarios.toml", "at_least = 10", "at_leest = 10", r"scenarios.toml: .*did you mean 'at_least'"),
    ("scenarios.toml", 'because  = "Above 10 incidents a month the mission suspends travel."\n', "", r"scenarios.toml: .*because"),
    ("priors.toml", "[dwell.quiet]", "[dwel.quiet]", r"priors.toml: dwel .*did you mean 'dwell'"),
    ("priors.toml", "[dwell.violent]", "[dwell.violet]", r"priors.toml: dwell.violet.*did you mean 'violent'"),
    ("priors.toml", "low = 8", "low = 80", r"priors.toml: dwell.quiet.*(80|low)"),
    ("priors.toml", "low = 8", "low = 12", r"priors.toml: dwell.quiet"),
    ("priors.toml", "low = 8", "low = 0.5", r"priors.toml: dwell.quiet"),
    ("priors.toml", "mass = 0.9", "mass = 90", r"priors.toml: dwell.quiet.*90"),
    ("priors.toml", 'unit = "months"', 'unit = "quarters"', r"priors.toml: dwell.quiet.*'quarters'"),
    ("priors.toml", 'because = "Field experience."\n', "", r"priors.toml: dwell.quiet.*because"),
    ("priors.toml", "low = 2.6", "low = 0.6", r"priors.toml: effect.incidents.violent"),
    ("priors.toml", "[spread.incidents]", "[spread.incident]", r"priors.toml: spread.incident.*did you mean 'incidents'"),
    ("priors.toml", 'kind = "interval"', 'kind = "shares"\nto = { a = 0.4, b = 0.5 }\nworth = 3', r"priors.toml: dwell.quiet"),
]  # fmt: skip


@pytest.fixture
def theatre(second: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as a reader names it who stands beside it."""
    monkeypatch.chdir(tmp_path)
    second(tmp_path / "le théâtre")
    return Path("le théâtre")


def tree(folder: Path) -> Mapping[str, bytes | None]:
    """Everything under a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused(argv: list[str], capsys: Capture) -> str:
    """The one line by which a command refuses; nothing else is said, nothing is written."""
    before = tree(Path())
    assert main(argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("forecast: ")
    assert told.err.count("\n") == 1, told.err
    assert "Traceback" not in told.err
    assert len(told.err) < 600
    assert tree(Path()) == before
    return told.err


@pytest.mark.parametrize(("file", "old", "new", "match"), FILES)
def test_a_mistake_in_a_file(
    theatre: Path, capsys: Capture, file: str, old: str, new: str | None, match: str
) -> None:
    path = theatre / file
    text = path.read_text("utf-8")
    assert old in text
    if new is None:
        path.write_bytes(b"")
    elif new == "utf-16":
        path.write_bytes(text.encode("utf-16"))
    elif file == ROWS and old == "2014-01":
        path.write_text(new, encoding="utf-8", newline="")
    else:
        encoding = "latin-1" if "ô" in new else "utf-8"
        path.write_text(text.replace(old, new, 1), encoding=encoding, newline="")
    line = refused(["run", str(theatre)], capsys)
    assert re.search(match, line), line
    assert re.search("wanted|did you mean|; ", line), "it names no remedy"


@pytest.mark.parametrize("file", ["forecast.toml", "scenarios.toml", "priors.toml", ROWS])
def test_a_file_that_is_missing(theatre: Path, capsys: Capture, file: str) -> None:
    (theatre / file).unlink()
    line = refused(["run", str(theatre)], capsys)
    assert file in line or "no forecast.toml in it" in line


ARGUMENTS = [
    (["run", "nowhere"], r"nowhere: no forecast.toml in it: `forecast init nowhere` writes one"),
    (["run", "--theatre", "frontir"], r"frontir.*(frontier)"),
    (["run", "le théâtre", "--theatre", "frontier"], r"--theatre.*a directory or a theatre, not both"),
    (["run", "le théâtre", "--as-of", "yesterday"], r"as-of.*yesterday"),
    (["run", "le théâtre", "--as-of", "2020-02-30"], r"as-of.*2020-02-30"),
    (["run", "le théâtre", "--as-of", "2999-01-01"], r"2999-01-01.*wanted a date up to"),
    (["run", "le théâtre", "--seed", "seven"], r"seed.*seven"),
    (["run", "le théâtre", "--seed", "-1"], r"--seed: got -1; wanted a whole number from 0"),
    (["run", "le théâtre", "--sead", "7"], r"--sead"),
    (["run", "le théâtre", "--output", "le théâtre/forecast.toml"], r"forecast.toml: wanted a folder that can be"),
    (["rum"], r"rum"),
    (["scenarios", "histories"], r"histories"),
    (["scenarios", "history", "nowhere"], r"nowhere: no forecast.toml"),
    (["priors", "check", "nowhere"], r"nowhere: no forecast.toml"),
    (["priors", "show", "--theatre", "second"], r"second.*(frontier)"),
    (["report", "nowhere"], r"nowhere.*wanted the directory of a run; name one under runs/"),
    (["report", "le théâtre"], r"le théâtre.*wanted the directory of a run"),
    (["report", "le théâtre/forecast.toml"], r"wanted the directory of a run"),
    (["report", "le théâtre", "--formats", "docx"], r"--formats: got 'docx'; wanted html, pdf, notebook"),
    (["report"], r"--run requires an argument"),
    (["init", "le théâtre"], r"le théâtre: wanted a new or empty directory"),
    (["init", "le théâtre/forecast.toml"], r"wanted a new or empty directory; this is a file"),
    (["init", "new", "--theatre", "frontir"], r"did you mean 'frontier'"),
    (["init", "new", "--theatre", "blank"], r"--theatre blank: wanted --data FILE"),
    (["init", "new", "--theatre", "blank", "--data", "none.csv"], r"none.csv"),
    (["init", "new", "--data", "le théâtre/data/counts.csv"], r"--data.*the theatre brings its own"),
    (["init"], r"--directory requires an argument"),
    (["ingest", "none.csv"], r"none.csv"),
    (["ingest", "le théâtre"], r"le théâtre"),
    (["ingest", "le théâtre/forecast.toml"], r"forecast.toml"),
    (["ingest", "le théâtre/data/counts.csv", "--format", "tidi"], r"got 'tidi'; wanted a format of incidents; did you mean 'tidy'"),
    (["ingest", "le théâtre/data/counts.csv", "--columns", "month"], r"--columns: got 'month'; wanted name=column"),
    (["ingest", "le théâtre/data/counts.csv", "--columns", "=month"], r"--columns: got '=month'"),
    (["ingest", "le théâtre/data/counts.csv", "--coverage", "2014"], r"--coverage: got '2014'; wanted 1989-01..2021-12"),
    (["ingest", "le théâtre/data/counts.csv", "--coverage", "2019-01..2014-01"], r"--coverage"),
    (["ingest", "le théâtre/data/counts.csv", "--format", "table"], r"--columns|columns"),
    (["ledger", "show", "a-run", "nowhere"], r"nowhere|a-run"),
    (["ledger", "list", "nowhere"], r"nowhere"),
    (["ledger", "list", "le théâtre/forecast.toml"], r"forecast.toml"),
    (["explain", "nowhere", "quiet"], r"nowhere"),
    (["compare", "nowhere", "nowhere"], r"nowhere"),
    (["whatif", "nowhere", "--lever", "x"], r"nowhere"),
    (["replay", "nowhere"], r"nowhere"),
    (["priors", "diff", "nowhere", "le théâtre"], r"nowhere"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("argv", "match"), ARGUMENTS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_mistake_on_the_command_line(theatre: Path, capsys: Capture, argv: list[str], match: str) -> None:
    line = refused(argv, capsys)
    assert re.search(match, line), line


@pytest.mark.parametrize(
    "told", ['"', "[]", '{"schema": 3}', '{"schema": "scenariocast/forecast/1"}', "\ufeff{}"]
)
def test_a_run_whose_record_is_broken(theatre: Path, capsys: Capture, told: str) -> None:
    run = theatre / "runs" / "2020-01-31-00000000"
    run.mkdir(parents=True)
    for name in ("forecast.json", "manifest.json"):
        (run / name).write_text(told, encoding="utf-8")
    line = refused(["report", str(run)], capsys)
    assert "forecast.json" in line


def test_a_coverage_of_the_output_is_told_before_it_is_written(theatre: Path, capsys: Capture) -> None:
    """The strip was asked for too, and stands on the screen; the file that cannot be is named."""
    data = str(theatre / ROWS)
    before = tree(Path())
    assert main(["ingest", data, "--output", "no folder/panel.csv"]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "panel.csv: wanted a file in a folder that exists; make the folder first" in told.err
    assert tree(Path()) == before


def test_a_hostile_name_is_shown_and_not_obeyed(theatre: Path, capsys: Capture) -> None:
    line = refused(["run", "\x1b[31mred\x07"], capsys)
    assert "\x1b" not in line
    assert "\x07" not in line
