"""What a machine lacks is named with its remedy, and a machine that lacks nothing is told so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forecast import doctor as rooms
from forecast.cli import main
from forecast.doctor import Finding, doctor


def finding(name: str, where: Path | None, output: Path) -> Finding:
    return next(one for one in doctor(where, output=output) if one.name == name)


def test_every_finding_is_well_or_has_a_remedy(shelf: Any) -> None:
    findings = doctor(shelf.root, output=shelf.root)
    names = [one.name for one in findings]
    assert len(set(names)) == len(names)
    assert {
        "Python",
        "packages",
        "compiler",
        "fonts",
        "typesetter",
        "disk",
        "clock",
        "ledger",
        "workspace",
    } <= set(names)
    assert all(one.ok is (one.remedy is None) for one in findings)
    wrong = [
        one for one in findings if not one.ok and one.name != "packages"
    ]  # the lock may be older than the tests
    assert wrong == []


def test_a_package_that_is_not_the_locked_one_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    lock = tmp_path / "run.txt"
    lock.write_text(
        "numpy==0.1 \\\n    --hash=sha256:00\nno-such-package==1.0 \\\n    --hash=sha256:00\n"
        "appnope==1.0.0 ; sys_platform == 'nowhere' \\\n    --hash=sha256:00\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(rooms, "LOCK", lock)
    found = finding("packages", None, tmp_path)
    assert not found.ok
    assert "(lock: 0.1)" in found.found
    assert "no-such-package absent (lock: 1.0)" in found.found
    assert "appnope" not in found.found
    monkeypatch.setattr(rooms, "LOCK", tmp_path / "none.txt")
    assert finding("packages", None, tmp_path).ok


def test_a_broken_workspace_and_a_broken_ledger_fail(
    shelf: Any, tmp_path: Path, edited: Callable[..., None], capsys: Any
) -> None:
    mine = shelf.copied(tmp_path / "broken")
    edited(mine.root / "forecast.toml", '"switching-level"]', '"switching-levels"]')
    (mine.root / "ledger.sqlite").write_bytes(b"no ledger at all")
    assert main(["doctor", str(mine.root)]) == 2
    printed = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("FAIL  workspace: forecast.toml") and "switching-levels" in line for line in printed
    )
    assert any(line.startswith("FAIL  ledger: ") and "bring it back from a copy" in line for line in printed)
    assert main(["doctor", str(mine.root), "--json"]) == 2
    assert {one["name"]: one["ok"] for one in json.loads(capsys.readouterr().out)}["workspace"] is False


def test_a_full_disk_and_a_pinned_clock_are_seen(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(rooms.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 10_000_000})())
    assert not finding("disk", None, tmp_path / "not" / "yet").ok
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    assert "SOURCE_DATE_EPOCH=1600000000 holds instead" in finding("clock", None, tmp_path).found


def test_a_cache_that_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked / "cache"))
    found = finding("cache", None, tmp_path)
    assert not found.ok
    assert "set NUMBA_CACHE_DIR" in str(found.remedy)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_that_lacks_characters_is_no_failure(
    encoding: str, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(rooms.sys, "stdout", type("Out", (), {"encoding": encoding})())
    found = finding("text", None, tmp_path)
    assert found.ok
    assert "PYTHONUTF8=1" in found.found
