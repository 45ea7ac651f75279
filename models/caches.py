"""Compiled code is kept in the user's cache directory, or, where none can be written, for this process alone.

Imported before anything of ours that compiles. PyTensor reads its directory when it is imported; so does numba, which
is told again where another library has imported it already. Directories that the user has set are left as they are.

A compiled function is known by its own source alone, though it holds the machine code of every function that it calls.
So the directory is named after the source of all: after an upgrade nothing of the old code is left to be called.
"""

import hashlib
import logging
import os
import sys
import tempfile
from pathlib import Path

import platformdirs

log = logging.getLogger(__name__)


def stamp(sources: Path) -> str:
    """Return a name for the source of every module in a directory: another one as soon as a byte of it changes."""
    digest = hashlib.sha256()
    for path in sorted(sources.glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def directory() -> Path:
    """Return a directory that can be written: one of the user's for this code, or a new one that goes with the process."""
    home = platformdirs.user_cache_path("scenariocast", appauthor=False) / stamp(Path(__file__).parent)
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return home
    except OSError as error:
        passing = tempfile.TemporaryDirectory(prefix="scenariocast-", ignore_cleanup_errors=True)
        PASSING.append(passing)
        log.warning(
            "%s cannot be written (%s): everything is compiled anew in each run", home, error.strerror
        )
        return Path(passing.name)


def prepare() -> None:
    """Point PyTensor and numba at the directory, unless the environment points them elsewhere."""
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "base_compiledir" in flags and "NUMBA_CACHE_DIR" in os.environ:
        return
    home = directory()
    os.environ.setdefault("NUMBA_CACHE_DIR", str(home / "numba"))
    if (numba := sys.modules.get("numba")) is not None:
        numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
    if "base_compiledir" not in flags:
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (flags, f"base_compiledir={home / 'pytensor'}")))


PASSING: list[tempfile.TemporaryDirectory[str]] = []  # alive as long as the process

prepare()
