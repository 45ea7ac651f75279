"""The ledger's commands: a line for each forecast, an entry whole, a verdict in a sentence, a text anyone can check."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from forecast.cli import main
from forecast.ledger import head, verify_export
from forecast.terminal import headline


def test_one_line_for_each_forecast(shelf: Any, capsys: Any) -> None:
    assert main(["ledger", "list", str(shelf.root)]) == 0
    _, _, *lines = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert [line.split()[0] for line in lines] == [shelf.first.id, shelf.second.id]
    assert all("retrospective" in line and "2021 Q1: Tense" in line for line in lines)
    for line, stored in zip(lines, (shelf.first, shelf.second), strict=True):
        (row,) = (r for r in headline(stored.record).splitlines() if r.startswith("2021\u00a0Q1"))
        assert line.split("Tense ")[1].removesuffix(" %") in row.replace("\u00a0", " ")
    assert main(["ledger", "list", str(shelf.root), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["run"] for row in rows] == [shelf.first.id, shelf.second.id]
    assert {row["forced"] for row in rows} == {False}


def test_an_entry_is_shown_whole(shelf: Any, capsys: Any) -> None:
    assert main(["ledger", "show", shelf.first.id, str(shelf.root)]) == 0
    printed = capsys.readouterr().out
    assert (shelf.first.path / "forecast.json").read_text("utf-8").rstrip() in printed
    assert main(["ledger", "show", shelf.first.id, str(shelf.root), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["payload"] == shelf.first.record
    assert main(["ledger", "show", "2021-01-31-00000000", str(shelf.root)]) == 2
    assert "wanted a run or a question" in capsys.readouterr().err


def test_a_sound_ledger_holds_and_an_anchor_is_looked_for(shelf: Any, capsys: Any) -> None:
    now = head(shelf.root / "ledger.sqlite")
    anchor = ["--head", now.hash, "--count", str(now.count)]
    assert main(["ledger", "verify", "--output", str(shelf.root), *anchor]) == 0
    assert f"all {now.count} entries hold, the anchored one among them" in capsys.readouterr().out
    assert main(["ledger", "verify", str(shelf.root), "--head", "f" * 64]) == 2
    assert "no entry has the anchored hash" in capsys.readouterr().out


def test_a_ledger_that_was_tampered_with_is_told(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    mine = shelf.copied(tmp_path / "tampered")
    with closing(sqlite3.connect(mine.root / "ledger.sqlite")) as connection:
        for (trigger,) in connection.execute(
            "select name from sqlite_schema where type = 'trigger'"
        ).fetchall():
            connection.execute(f"drop trigger {trigger}")
        connection.execute("update entry set payload = replace(payload, 'Tense', 'Calm') where seq = 1")
        connection.commit()
    assert main(["ledger", "verify", str(mine.root), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False
    assert main(["ledger", "list", str(mine.root)]) == 2
    assert "wanted a sound ledger" in capsys.readouterr().err
    assert main(["ledger", "verify", str(tmp_path)]) == 2
    assert "wanted a ledger" in capsys.readouterr().err


def test_the_export_verifies_without_the_ledger(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    to = tmp_path / "ledger.jsonl"
    assert main(["ledger", "export", str(shelf.root), "--canonical", "-o", str(to)]) == 0
    text = to.read_bytes().decode("utf-8")
    assert verify_export(text, head=head(shelf.root / "ledger.sqlite").hash).ok
    capsys.readouterr()
    assert main(["ledger", "export", str(shelf.root)]) == 0
    assert capsys.readouterr().out == text
    assert main(["ledger", "export", str(shelf.root), "-o", str(tmp_path / "no" / "folder.jsonl")]) == 2


@pytest.fixture
def export(shelf: Any, tmp_path: Path) -> Path:
    to = tmp_path / "ledger.txt"
    assert main(["ledger", "export", str(shelf.root), "-o", str(to)]) == 0
    return to


def test_an_export_is_verified_by_the_same_command(shelf: Any, export: Path, capsys: Any) -> None:
    now = head(shelf.root / "ledger.sqlite")
    assert main(["ledger", "verify", str(export), "--head", now.hash[:16], "--count", str(now.count)]) == 0
    assert f"{export}: all {now.count} entries hold, the anchored one among them" in capsys.readouterr().out
    assert main(["ledger", "verify", str(export), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["head"] == now.hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Tense", "Calm", "is not what was recorded"),
        ('"count":', '"counted":', "not in the form it was exported in"),
        ("}\n", "} \n", "not in the form it was exported in"),
        ('"seq":1,', '"seq":"1",', "is not what was recorded"),
        ('"seq"', '"sequence"', "is not an export of a ledger"),
    ],
)
def test_an_export_that_was_edited_is_told(export: Path, capsys: Any, old: str, new: str, says: str) -> None:
    text = export.read_bytes().decode()
    assert old in text
    export.write_bytes(text.replace(old, new).encode())
    assert main(["ledger", "verify", str(export)]) == 2
    assert says in capsys.readouterr().out


def test_an_export_whose_tail_was_cut_is_told_by_the_head_alone(
    export: Path, shelf: Any, capsys: Any
) -> None:
    _, *rows = export.read_text("utf-8").splitlines()
    last = json.loads(rows[-2])
    first = {"count": len(rows) - 1, "format": "scenariocast/ledger/1", "head": last["hash"]}
    lines = [json.dumps(first, sort_keys=True, separators=(",", ":")), *rows[:-1]]
    export.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    assert main(["ledger", "verify", str(export)]) == 0
    assert main(["ledger", "verify", str(export), "--head", json.loads(rows[-1])["hash"][:16]]) == 2
    assert "no entry has the anchored hash" in capsys.readouterr().out


def test_what_is_no_ledger_is_named_once(shelf: Any, tmp_path: Path, capsys: Any) -> None:
    for name, data in (("a.csv", b"month,count\n"), ("b.txt", b"\xff\xfe"), ("c.json", b"{}")):
        file = tmp_path / name
        file.write_bytes(data)
        assert main(["ledger", "verify", str(file)]) == 2
        told = "".join(capsys.readouterr())
        assert told.count(str(file)) == 1
        assert told.count("\n") == 1


def test_a_count_alone_says_what_it_cannot_show(shelf: Any, capsys: Any) -> None:
    assert main(["ledger", "verify", str(shelf.root), "--count", "2"]) == 0
    printed = capsys.readouterr().out
    assert "no fewer than the 2 anchored; without --head a ledger written anew would look the same" in printed
    assert main(["ledger", "verify", str(shelf.root), "--count", "200"]) == 2
    assert "of 200 anchored entries: its tail was cut" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("anchor", "says"),
    [
        (["--head", "abc"], "--head: got 'abc'; wanted a hash as a report prints it"),
        (["--head", "G" * 64], "wanted a hash as a report prints it"),
        (["--count", "-1"], "--count: got -1; wanted a whole number from 0"),
    ],
)
def test_an_anchor_that_no_report_prints_is_refused(
    shelf: Any, capsys: Any, anchor: list[str], says: str
) -> None:
    assert main(["ledger", "verify", str(shelf.root), *anchor]) == 2
    assert says in capsys.readouterr().err


def test_the_list_needs_nothing_heavy(shelf: Any) -> None:
    code = (
        "import sys; from forecast.cli import main; assert main(['ledger', 'list', sys.argv[1]]) == 0; "
        "heavy = {'numpy', 'pandas', 'xarray', 'scipy', 'pymc', 'pytensor', 'numba'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(shelf.root)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
