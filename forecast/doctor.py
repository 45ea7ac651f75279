"""Whether this machine can make a forecast: one line for each thing it needs, and what to do where it is missing."""

import datetime
import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from forecast.archive import LEDGER
from priors.refusal import Refusal

LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"  # beside the packages in a checkout only
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;[^\\]*)?", re.MULTILINE)
FREE = 1_000_000_000  # bytes: a run of the bundled theatre with its caches takes a fifth of it
FONTS = ("font_source_sans_pro",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    remedy: str | None = None  # what to do; None where it is well


def doctor(where: Path | str | None, *, output: Path) -> tuple[Finding, ...]:
    """Look at everything a run rests on.

    Args:
        where: a workspace or a theatre to load as well; None: none.
        output: the folder that runs would go to.
    """
    return tuple(_findings(where, output))


def _findings(where: Path | str | None, output: Path) -> Iterator[Finding]:
    yield _python()
    yield _locked()
    yield _cache()
    yield _compiles()
    yield _fonts()
    yield _typst()
    yield _disk(output)
    yield _clock()
    yield _text()
    yield _ledger(output / LEDGER)
    if where is not None:
        yield _workspace(where)


def _python() -> Finding:
    ok = (3, 12) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        name="Python",
        ok=ok,
        found=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        remedy=None if ok else "use Python 3.12 or 3.13",
    )


def _locked() -> Finding:
    """Installed versions against the lock; from a wheel, whether every requirement is there at all."""
    if not LOCK.is_file():
        names = [
            re.split(r"[^A-Za-z0-9._-]", line)[0]
            for line in requires("scenariocast") or ()
            if "extra ==" not in line
        ]
        absent = [name for name in names if _version(name) is None]
        return Finding(
            name="packages",
            ok=not absent,
            found=f"missing: {', '.join(absent)}"
            if absent
            else "all there; no lock beside the code to hold them against",
            remedy="install the package again" if absent else None,
        )
    text = LOCK.read_text("utf-8")
    pinned = {name: pin for name, pin, marker in PINNED.findall(text) if not marker}
    wrong = [
        f"{name} {found or 'absent'} (lock: {pin})"
        for name, pin in pinned.items()
        if (found := _version(name)) != pin
    ]
    short = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Finding(
        name="packages",
        ok=not wrong,
        found="; ".join(wrong[:5]) if wrong else f"{len(pinned)} as in the lock {short}",
        remedy="install the lock again: `make forecast` does, or pip with requirements/run.txt"
        if wrong
        else None,
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cache() -> Finding:
    """Whether compiled code can be kept: without that every run compiles it anew, which takes minutes."""
    from models import caches

    folder = Path(os.environ["NUMBA_CACHE_DIR"])  # set by models.caches, unless the user did
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            ok = not caches.PASSING
    except OSError:
        ok = False
    return Finding(
        name="cache",
        ok=ok,
        found=f"{folder} {'keeps' if ok else 'cannot keep'} compiled code",
        remedy=None if ok else "set NUMBA_CACHE_DIR to a folder that can be written to",
    )


def _compiles() -> Finding:
    """The compiler turns a function of ours into code, and the code is right."""
    import numpy as np

    from models import forward

    law = forward.stationary(np.array([[0.9, 0.1], [0.3, 0.7]]))
    value = float(forward.log_likelihood(np.zeros((3, 2)), np.array([[0.9, 0.1], [0.3, 0.7]]), law))
    ok = abs(value) < 1e-12 and abs(float(law[0]) - 0.75) < 1e-12
    return Finding(
        name="compiler",
        ok=ok,
        found="the recursion compiles and is right" if ok else f"the recursion gives {value!r}, not 0",
        remedy=None if ok else "remove the caches and install the lock again",
    )


def _fonts() -> Finding:
    absent = [name for name in FONTS if find_spec(name) is None]
    return Finding(
        name="fonts",
        ok=not absent,
        found=f"missing: {', '.join(absent)}" if absent else "those of the report are installed",
        remedy="install the lock again" if absent else None,
    )


def _typst() -> Finding:
    import typst

    try:
        ok = typst.compile(b"ok", format="pdf").startswith(b"%PDF")
        found = f"typst {version('typst')} writes a PDF" if ok else "typst writes something else than a PDF"
    except typst.TypstError as error:
        ok, found = False, str(error).splitlines()[0]
    return Finding(name="typesetter", ok=ok, found=found, remedy=None if ok else "install the lock again")


def _disk(output: Path) -> Finding:
    place = next(folder for folder in (output.resolve(), *output.resolve().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    ok = free >= FREE and os.access(place, os.W_OK)
    return Finding(
        name="disk",
        ok=ok,
        found=f"{free / 1e9:.1f} GB free at {place}"
        + ("" if os.access(place, os.W_OK) else ", which is read-only"),
        remedy=None if ok else "make room for 1 GB, or name another place with --output",
    )


def _clock() -> Finding:
    """Runs are dated in UTC; a clock that is plainly wrong would date them so."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.UTC)
    newest = datetime.datetime.fromtimestamp(Path(__file__).stat().st_mtime, datetime.UTC)
    ok = now >= newest - datetime.timedelta(days=1)
    pinned = f"; SOURCE_DATE_EPOCH={epoch} holds instead" if epoch else ""
    return Finding(
        name="clock",
        ok=ok,
        found=f"{now:%Y-%m-%d %H:%M} UTC, local zone {datetime.datetime.now().astimezone():%Z}{pinned}",
        remedy=None if ok else "set the clock: it stands before the day the code was installed",
    )


def _text() -> Finding:
    encoding = sys.stdout.encoding or "none"
    try:
        "█ – ’ é".encode(encoding)
        ok = True
    except (UnicodeEncodeError, LookupError):
        ok = False
    return Finding(
        name="text",
        ok=True,
        found=f"output in {encoding}"
        + ("" if ok else "; what it lacks is printed as a question mark (set PYTHONUTF8=1)"),
    )


def _ledger(path: Path) -> Finding:
    from forecast.ledger import verify

    if not path.exists():
        return Finding(name="ledger", ok=True, found="none yet")
    verdict = verify(path)
    remedy = None if verdict.ok else "bring it back from a copy; never mend it by hand"
    return Finding(name="ledger", ok=verdict.ok, found=verdict.sentence, remedy=remedy)


def _workspace(where: Path | str) -> Finding:
    from forecast.workspace import load

    try:
        loaded = load(where)
    except Refusal as told:
        return Finding(name="workspace", ok=False, found=str(told), remedy="mend the line it names")
    found = f"{loaded.title}: {len(loaded.files)} files, {len(loaded.streams)} streams, {len(loaded.priors)} priors"
    return Finding(name="workspace", ok=True, found=found)
