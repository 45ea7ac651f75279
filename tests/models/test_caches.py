"""Compiled code goes where the user can write it, and a read-only home is said and survived."""

import logging
import os
import subprocess
import sys
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
    home = tmp_path / "cache" / caches.stamp(Path(caches.__file__).parent)
    assert os.environ["PYTENSOR_FLAGS"] == f"floatX=float64,base_compiledir={home / 'pytensor'}"
    assert os.environ["NUMBA_CACHE_DIR"] == str(home / "numba")


def test_other_code_has_another_directory(tmp_path):
    """Numba keeps a function as long as its own file is the same, whatever became of the functions it calls."""
    (tmp_path / "caller.py").write_text("a")
    (tmp_path / "called.py").write_text("b")
    before = caches.stamp(tmp_path)
    assert caches.stamp(tmp_path) == before
    (tmp_path / "notes.txt").write_text("no code")
    assert caches.stamp(tmp_path) == before
    (tmp_path / "called.py").write_text("c")
    assert caches.stamp(tmp_path) != before


def test_a_home_that_cannot_be_written_is_said_and_survived(monkeypatch, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setattr(caches, "PASSING", [])  # this process goes on with the directory it has
    monkeypatch.setattr(caches.platformdirs, "user_cache_path", lambda *_, **__: blocked / "cache")
    with caplog.at_level(logging.WARNING):
        found = caches.directory()
    assert found.is_dir()
    assert Path(found) != blocked / "cache"
    assert "compiled anew in each run" in caplog.text
    caches.PASSING.pop().cleanup()


def test_a_numba_that_was_there_before_is_told_where_code_is_kept(tmp_path):
    """Another library may import it first; compiled code must not land beside the sources then."""
    script = "import numba, models.kernels as k, numpy as np; k._log_sum(np.zeros(2)); print(k._log_sum._cache.cache_path)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    environment.pop("PYTENSOR_FLAGS", None)
    told = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert str(tmp_path) in told.stdout
