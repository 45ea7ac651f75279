"""A run is issued once, whole or not at all; the same inputs give the same bytes; a failed gate is kept and told.

Fits are draws of the priors, so nothing is sampled; everything else is the real run.
"""

import datetime
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pypdf
import pytest

from forecast import ledger, publish
from forecast.archive import LEDGER
from forecast.assembly import Assembled, assemble
from forecast.cli import main
from forecast.months import month_end
from forecast.pipeline import Run, render_again, run
from priors import Refusal

type Quickly = Callable[..., AbstractContextManager[None]]

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
LIVE = 1_581_724_800  # 15 February 2020


@pytest.fixture(scope="module")
def theatre(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second(tmp_path_factory.mktemp("theatre") / "second")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of this module go, one after the other."""
    return tmp_path_factory.mktemp("issued")


@pytest.fixture(scope="module")
def assembled() -> list[Assembled]:
    """What `first` was made from, for runs of the same inputs that differ only in how they are published."""
    return []


@pytest.fixture(scope="module")
def first(theatre: Path, place: Path, quickly: Quickly, assembled: list[Assembled]) -> Run:
    def keep(*given: Any, **named: Any) -> Assembled:
        assembled.append(assemble(*given, **named))
        return assembled[0]

    with quickly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.assembly.assemble", keep)
        return run(theatre, output=place)


@pytest.fixture(scope="module")
def other(theatre: Path, place: Path, quickly: Quickly, first: Run) -> Run:
    """Issued after `first`, with another seed."""
    with quickly():
        return run(theatre, output=place, seed=8)


@pytest.fixture(scope="module")
def refused(theatre: Path, place: Path, quickly: Quickly, other: Run) -> Run:
    """Held back by its gate: two draws diverged."""
    with quickly(diverging=2):
        return run(theatre, output=place, seed=9)


@pytest.fixture(scope="module")
def forced(theatre: Path, place: Path, quickly: Quickly, refused: Run) -> Run:
    """The same, issued all the same."""
    with quickly(diverging=2):
        return run(theatre, output=place, seed=9, force=True)


def tree(folder: Path) -> Mapping[str, str]:
    """Hash of every file by its name; the lock and what SQLite keeps beside a ledger are not of the run."""
    return {
        file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock" and not file.name.endswith(("-wal", "-shm"))
    }


def pages(path: Path) -> tuple[str, str, str]:
    """What a reader meets first in each format: the text of the page, of the first sheet and of the first cell."""
    html = (path / "report.html").read_text("utf-8")
    cells = json.loads((path / "report.ipynb").read_text("utf-8"))["cells"]
    sheet = pypdf.PdfReader(path / "report.pdf").pages[0].extract_text()
    return html[html.index("<body") :], sheet, "".join("".join(cell["source"]) for cell in cells[:3])


def test_the_same_inputs_give_the_same_bytes(
    theatre: Path, first: Run, quickly: Quickly, tmp_path: Path
) -> None:
    with quickly():
        again = run(theatre, output=tmp_path / "elsewhere è")
    one, two = dict(tree(first.path)), dict(tree(again.path))
    assert again.new
    assert again.id == first.id
    # The manifest alone tells how long the run took, so it alone may differ.
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] != two[name]} <= {"manifest.json"}
    assert "posterior/regimes.nc" in one


def test_another_seed_is_another_run(first: Run, other: Run) -> None:
    assert other.id != first.id
    means = [
        [told["mean"] for quarter in found.record["quarters"] for told in quarter["resolved"].values()]
        for found in (first, other)
    ]
    assert means[0] != means[1]
    assert means[0] == pytest.approx(means[1], abs=0.05)


def test_a_run_that_was_made_before_is_returned(
    theatre: Path, place: Path, first: Run, quickly: Quickly
) -> None:
    before, rows = tree(place), ledger.head(place / LEDGER)
    with quickly(moment=1_700_000_000):  # years later
        again = run(theatre, output=place)
    assert not again.new
    assert json.loads(json.dumps(first.record)) == again.record
    assert again.reports == first.reports
    assert tree(place) == before
    assert ledger.head(place / LEDGER) == rows


def test_the_ledger_carries_the_whole_record(place: Path, first: Run) -> None:
    row = ledger.show(place / LEDGER, first.id)[0]
    text = (first.path / "forecast.json").read_text("utf-8")
    assert row.payload == text
    assert ledger.verify(place / LEDGER).ok


def test_the_head_in_a_report_is_the_one_before_its_own_row(place: Path, first: Run, other: Run) -> None:
    rows = [entry for entry in ledger.entries(place / LEDGER) if entry.kind == "forecast"]
    heads = {entry.subject: entry.hash for entry in ledger.entries(place / LEDGER)}
    assert first.record["ledger"]["count"] == 0
    assert [row.subject for row in rows[:2]] == [first.id, other.id]
    before = [entry for entry in ledger.entries(place / LEDGER) if entry.seq < rows[1].seq]
    assert other.record["ledger"] == {"count": len(before), "head": before[-1].hash}
    assert before[-1].hash in (other.path / "report.html").read_text("utf-8")
    assert heads[other.id] not in (other.path / "report.html").read_text("utf-8")


def test_a_run_is_held_against_the_last_one_issued(first: Run, other: Run, forced: Run) -> None:
    """Not against one that was refused, which nobody was given."""
    assert first.record["change"] is None
    told = other.record["change"]
    assert told["since"]["run"] == first.id
    assert forced.record["change"]["since"]["run"] == other.id
    means = [
        {
            (quarter["quarter"], name): said["mean"]
            for quarter in found.record["quarters"]
            for name, said in quarter["resolved"].items()
        }
        for found in (first, other)
    ]
    for side, expected in zip(("before", "after"), means, strict=True):
        assert expected == {
            (entry["quarter"], name): pair[side]
            for entry in told["quarters"]
            for name, pair in entry["resolved"].items()
        }
    assert all(
        f"since run {first.id} of the same date" in " ".join(page.split()).lower()
        for page in pages(other.path)
    )


def test_a_failed_gate_is_kept_but_not_issued(place: Path, refused: Run) -> None:
    assert not refused.ok
    assert refused.record["verdict"]["ok"] is False
    assert ledger.issued(place / LEDGER, refused.id) is None
    for text in pages(refused.path):
        words = text.index("REFUSED")
        assert "A second theatre" not in text[:words]
    failed = [check for check in refused.record["verdict"]["checks"] if not check["ok"]]
    assert [(check["name"], check["value"]) for check in failed] == [("regimes: divergences", 2.0)]
    page = pages(refused.path)[0]
    assert "No forecast is issued" in page


def test_a_refused_run_asked_for_again_stays_refused(
    theatre: Path, place: Path, refused: Run, quickly: Quickly, capsys: pytest.CaptureFixture[str]
) -> None:
    with quickly():
        again = run(theatre, output=place, seed=9)
        assert main(["run", str(theatre), "--output", str(place), "--seed", "9"]) == 3
    assert not again.new
    assert not again.ok
    printed = capsys.readouterr().out
    assert "the same inputs were run before: its checks failed and it was not issued" in printed
    assert "checks: REFUSED, 1 of" in printed


def test_force_issues_it_and_says_so(place: Path, refused: Run, forced: Run) -> None:
    assert forced.ok
    assert forced.id != refused.id
    assert forced.record["verdict"]["forced"] is True
    assert forced.record["verdict"]["ok"] is False
    on_record = {row.run: row.forced for row in ledger.forecasts(place / LEDGER)}
    assert on_record[forced.id] is True
    for text in pages(forced.path):
        assert "force" in text.lower()[: text.index("A second theatre")]


def test_force_changes_nothing_where_the_gate_holds(
    theatre: Path,
    tmp_path: Path,
    first: Run,
    assembled: list[Assembled],
    quickly: Quickly,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("forecast.assembly.assemble", lambda *_, **__: assembled[0])
    with quickly():
        found = run(theatre, output=tmp_path, force=True)
    assert found.record["verdict"] == first.record["verdict"]


def test_a_run_of_an_earlier_date_says_on_page_one_that_it_was_made_afterwards(first: Run) -> None:
    assert first.record["timing"] == "retrospective"
    for text in pages(first.path):
        assert "made afterwards" in " ".join(text.split())


def test_a_run_of_today_is_live(second: Callable[[Path], Path], tmp_path: Path, quickly: Quickly) -> None:
    theatre = today(second(tmp_path / "second"))
    with quickly(moment=LIVE):
        found = run(theatre)
    assert found.record["timing"] == "live"
    assert found.record["as_of"] == "2020-02-15"
    assert found.record["issued_at"] == "2020-02-15T00:00:00+00:00"
    assert "made afterwards" not in pages(found.path)[0]


def today(theatre: Path) -> Path:
    """The same theatre with the clock of a live run."""
    file = theatre / "forecast.toml"
    file.write_text(file.read_text("utf-8").replace("2020-01-31", '"today"'), encoding="utf-8", newline="")
    return theatre


@pytest.mark.parametrize(
    ("moment", "told"),
    [(1_584_230_400, r"data to 2019-12, 2 months old"), (1_600_000_000, r"2020Q1, has ended")],
)
def test_a_live_run_that_comes_too_late_is_refused(
    second: Callable[[Path], Path], tmp_path: Path, quickly: Quickly, moment: int, told: str
) -> None:
    theatre = today(second(tmp_path / "second"))
    file = theatre / "forecast.toml"
    file.write_text(file.read_text("utf-8").replace("months = 3", "months = 1"), encoding="utf-8", newline="")
    before = tree(theatre)
    with quickly(moment=moment), pytest.raises(Refusal, match=told):
        run(theatre)
    assert tree(theatre) == before
    assert not (theatre / "runs").exists()


def test_nobody_knows_what_will_be_known_in_the_future(
    theatre: Path, tmp_path: Path, quickly: Quickly
) -> None:
    with quickly(), pytest.raises(Refusal, match=r"got '2021-02-02'; wanted a date up to 2021-02-01"):
        run(theatre, output=tmp_path / "out", as_of=datetime.date(2021, 2, 2))
    assert not (tmp_path / "out").exists()


def test_a_stored_run_is_rendered_again_to_the_byte_without_the_sampler(first: Run, place: Path) -> None:
    before = tree(place)
    for file in first.reports:
        file.unlink()
    code = (
        "import sys; from forecast.cli import main; code = main(['report', sys.argv[1]]);"
        "heavy = {'pymc', 'pytensor', 'nutpie', 'numba', 'preliz', 'xarray'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(first.path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("report: ") == 3
    assert tree(place) == before


def test_one_format_alone(first: Run) -> None:
    before = tree(first.path)
    assert [file.name for file in render_again(first.path, formats=("notebook",))] == ["report.ipynb"]
    assert tree(first.path) == before


def test_a_report_that_cannot_be_made_anew_stays_as_it_was(
    first: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second format fails after the first was written; a reader meanwhile finds what was there."""
    before = tree(first.path)

    def half(_: object, *, to: Path, **__: object) -> None:
        (to / "report.html").write_text("half a page", encoding="utf-8")
        assert tree(first.path).items() >= before.items()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("forecast.pipeline.render", half)
    with pytest.raises(OSError, match="No space left"):
        render_again(first.path)
    assert tree(first.path) == before
    assert main(["report", str(first.path)]) == 2


def test_a_disk_that_fails_is_told_in_one_line(
    first: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/x\x1b[31m")

    monkeypatch.setattr("forecast.pipeline.render", full)
    assert main(["report", str(first.path)]) == 2
    assert capsys.readouterr().err == "forecast: runs/x\\x1b[31m: No space left on device\n"


@pytest.mark.parametrize(
    ("lost", "match"),
    [
        ("folder", r"a forecast on record, and no folder .*bring the folder back from a copy"),
        ("ledger", r"wanted the row of run .*, which was issued; bring the ledger back"),
        ("bytes", r"forecast.json: got 'other bytes'; wanted the forecast on record"),
        ("record", r"got 'a run of the same inputs'; it was issued; nothing to do"),
    ],
)
def test_a_run_and_a_ledger_that_disagree_are_told_before_the_work(
    theatre: Path,
    place: Path,
    first: Run,
    tmp_path: Path,
    quickly: Quickly,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    match: str,
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(place, mine)
    run_ = mine / "runs" / first.id
    if lost == "folder":
        shutil.rmtree(run_)
    elif lost == "ledger":
        for file in mine.glob("ledger.sqlite*"):
            file.unlink()
    elif lost == "record":
        (run_ / "forecast.json").unlink()
    else:
        text = (run_ / "forecast.json").read_text("utf-8")
        (run_ / "forecast.json").write_text(text + "\n", encoding="utf-8", newline="")
    before = tree(mine)
    monkeypatch.setattr("forecast.assembly.assemble", None)
    with quickly(), pytest.raises(Refusal, match=match):
        run(theatre, output=mine)
    assert tree(mine) == before


def test_a_path_ahead_that_begins_in_the_past_is_refused(
    tmp_path: Path, quickly: Quickly, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    shutil.copytree(SMALL, small)
    text = (small / "forecast.toml").read_text("utf-8")
    path = '{ "2021-03" = 1, "2020-12" = 1 }'
    (small / "forecast.toml").write_text(text.replace('future = "last"', f"future = {path}"), "utf-8")
    monkeypatch.setattr("forecast.assembly.assemble", None)
    with (
        quickly(),
        pytest.raises(Refusal, match=r"talks.future: got '2020-12'; wanted a month after 2020-12"),
    ):
        run(small)


def test_a_run_that_broke_off_leaves_nothing_but_a_folder_that_the_next_one_clears(
    theatre: Path,
    tmp_path: Path,
    first: Run,
    assembled: list[Assembled],
    quickly: Quickly,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forecast.assembly.assemble", lambda *_, **__: assembled[0])
    with monkeypatch.context() as patch, quickly():
        patch.setattr("forecast.pipeline.render", stop)
        with pytest.raises(KeyboardInterrupt):
            run(theatre, output=tmp_path)
    assert [folder.name[:9] for folder in (tmp_path / "runs").iterdir() if folder.is_dir()] == [".staging-"]
    assert not (tmp_path / LEDGER).exists()
    with quickly():
        found = run(theatre, output=tmp_path)
    assert [folder.name for folder in (tmp_path / "runs").iterdir() if folder.is_dir()] == [found.id]
    assert [row.run for row in ledger.forecasts(tmp_path / LEDGER)] == [found.id]
    assert tree(found.path).keys() == tree(first.path).keys()


def test_a_run_that_was_issued_but_lacks_its_name_gets_it_and_is_not_made_again(
    theatre: Path,
    tmp_path: Path,
    first: Run,
    assembled: list[Assembled],
    quickly: Quickly,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The power failed between the row and the rename: the row decides."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("no power")

    monkeypatch.setattr("forecast.assembly.assemble", lambda *_, **__: assembled[0])
    with monkeypatch.context() as patch, quickly():
        patch.setattr(publish, "_name", fail)
        with pytest.raises(OSError, match="no power"):
            run(theatre, output=tmp_path)
    row = ledger.forecasts(tmp_path / LEDGER)[0]
    monkeypatch.setattr("forecast.assembly.assemble", fail)
    with quickly():
        found = run(theatre, output=tmp_path)
    assert found.id == row.run == first.id
    assert not found.new
    assert all(file.is_file() for file in found.reports)


def test_a_file_that_changes_while_it_is_read_is_noticed(
    second: Callable[[Path], Path], tmp_path: Path, quickly: Quickly, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre = second(tmp_path / "second")

    def edited(*_: object, **__: object) -> None:
        with (theatre / "data" / "counts.csv").open("a", encoding="utf-8") as file:
            file.write("2020-01,all,incidents,4\n")

    monkeypatch.setattr("forecast.assembly.assemble", edited)
    with quickly(), pytest.raises(Refusal, match="changed while it was read'; run the forecast again"):
        run(theatre)
    assert not (theatre / "runs").exists()


def test_output_that_cannot_be_written_is_told_before_the_work(
    theatre: Path, tmp_path: Path, quickly: Quickly, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr("forecast.assembly.assemble", None)
    with quickly(), pytest.raises(Refusal, match="file: wanted a folder that can be written to"):
        run(theatre, output=tmp_path / "file")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with quickly(), pytest.raises(Refusal, match="wanted a folder that can be written to"):
        run(theatre, output=tmp_path / "new")


def test_the_hub_s_quantiles_are_the_bands_of_the_record(first: Run) -> None:
    (file,) = (first.path / "model-output").rglob("*.parquet")
    rows = pd.read_parquet(file).query("output_type == 'quantile'")
    levels = {"q05": "0.05", "q25": "0.25", "q50": "0.5", "q75": "0.75", "q95": "0.95"}
    compared = 0
    for stream, months in first.record["streams"].items():
        by_end = {month_end(month["month"]).isoformat(): month for month in months}
        for end, own in rows[rows["target"] == stream].groupby("target_end_date"):
            told = own.set_index("output_type_id")["value"]
            assert {key: told[level] for key, level in levels.items()} == {
                key: by_end[end][key] for key in levels
            }
            compared += 1
    assert compared >= 12
