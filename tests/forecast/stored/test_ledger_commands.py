"""The ledger's commands: a line for each forecast, an entry whole, a verdict in a sentence, a text anyone can check."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from forecast.cli import main
from forecast.ledger import head, verify_export


def test_one_line_for_each_forecast(shelf: Any, capsys: Any) -> None:
    assert main(["ledger", "list", str(shelf.root)]) == 0
    _, _, *lines = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert [line.split()[0] for line in lines] == [shelf.first.id, shelf.second.id]
    assert all("retrospective" in line and "2021 Q1: Tense" in line for line in lines)
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
