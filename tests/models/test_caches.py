"""Compiled code goes where the user can write it, and a read-only home is said and survived."""

import logging
import os
from pathlib import Path

from models import caches


def test_directories_the_user_has_set_are_left_alone(monkeypatch):
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float64,base_compiledir=/a")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/b")
    caches.prepare()
    assert os.environ["PYTENSOR_FLAGS"] == "floatX=float64,base_compiledir=/a"
    assert os.environ["NUMBA_CACHE_DIR"] == "/b"


def test_other_flags_stay_and_the_directory_is_the_user_s(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float64")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(caches.platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    caches.prepare()
    assert os.environ["PYTENSOR_FLAGS"] == f"floatX=float64,base_compiledir={tmp_path / 'cache' / 'pytensor'}"
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "cache" / "numba")


def test_a_home_that_cannot_be_written_is_said_and_survived(monkeypatch, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setattr(caches.platformdirs, "user_cache_path", lambda *_, **__: blocked / "cache")
    with caplog.at_level(logging.WARNING):
        found = caches.directory()
    assert found.is_dir()
    assert Path(found) != blocked / "cache"
    assert "compiled anew in each run" in caplog.text
