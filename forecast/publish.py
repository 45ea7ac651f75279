"""A run is published whole or not at all: written aside, synced, entered in the ledger, renamed into place.

The ledger row decides. A run set aside whose row exists was issued and only lacks its name; one without a row never
was. So after a crash at any point `recover` has nothing to guess.
"""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any

from forecast.ledger import Head, append_forecast, check_sound, head, issued
from priors.refusal import Refusal

RUN = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(10)}
)
ASIDE = ".staging-"
PATIENCE = 10.0  # seconds to wait for another run of the same workspace to be published
RECORD, MANIFEST = "forecast.json", "manifest.json"


def run_id(as_of: str, fingerprint: str) -> str:
    """The name of a run: the day it speaks from and the first eight digits of the hash of its inputs."""
    return checked_id(f"{as_of}-{fingerprint[:8]}")


def checked_id(run: str) -> str:
    """The id itself, if it can name a folder on every system.

    Raises:
        Refusal: otherwise.
    """
    if not RUN.fullmatch(run) or run in RESERVED:
        raise Refusal(
            where="run",
            got=run,
            wanted="a run id: up to 64 of a-z, 0-9 and -, not first a hyphen, no device name of Windows",
        )
    return run


@contextmanager
def exclusive(output: str | Path) -> Iterator[None]:
    """Hold the runs of a workspace: whatever is set aside there then belongs to no living process.

    The system lets go when the process ends, however it ends.

    Raises:
        Refusal: if another process holds them.
    """
    lock = _runs(Path(output)) / ".lock"
    try:
        connection = sqlite3.connect(lock, timeout=PATIENCE, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise Refusal(file=str(lock), wanted="a folder that can be written to") from error
    with closing(connection):
        try:
            connection.execute("pragma journal_mode = memory")  # a lock, and no file beside it
            connection.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            raise Refusal(file=str(output), got="another run being written", remedy="wait for it") from error
        yield


def recover(output: str | Path, *, ledger: str | Path) -> tuple[str, ...]:
    """Finish or remove what an interrupted run left; call it at the start, inside `exclusive`.

    Returns:
        The runs that were issued and are now in place.
    """
    runs, finished = _runs(Path(output)), []
    for aside in sorted(runs.glob(f"{ASIDE}*")):
        run = aside.name.removeprefix(ASIDE)
        record, final = aside / RECORD, runs / run
        on_record = issued(ledger, run)
        if on_record is not None and not final.exists() and record.is_file() and digest(record) == on_record:
            _name(aside, final)
            finished.append(run)
        else:
            shutil.rmtree(aside)
    return tuple(finished)


def stage(output: str | Path, run: str, *, ledger: str | Path) -> Path:
    """A new folder beside the published runs, to be filled by the caller; inside `exclusive`, after `recover`.

    Raises:
        Refusal: if the id is no id, the run exists, or was issued before.
    """
    runs = _runs(Path(output))
    check_new(output, run, ledger=ledger)
    aside = runs / f"{ASIDE}{run}"
    aside.mkdir()
    return aside


def check_new(output: str | Path, run: str, *, ledger: str | Path) -> None:
    """Refuse a run that cannot be published, because its id is no id, its name is taken, or it was issued before.

    Raises:
        Refusal: as `stage`, which asks the same again, or for a broken ledger; nothing is written.
    """
    if head(ledger).count:
        check_sound(ledger)
    runs = Path(output) / "runs"
    final = runs / checked_id(run)
    if final.resolve().parent != runs.resolve() or final.is_symlink():
        raise Refusal(file=str(final), wanted=f"a folder inside {runs}")
    on_record = issued(ledger, run) is not None
    if final.exists():
        remedy = "it was issued; nothing to do" if on_record else "it was not issued; remove it to run again"
        raise Refusal(file=str(final), got="a run of the same inputs", remedy=remedy)
    if on_record:
        raise Refusal(
            file=str(ledger),
            where=f"run {run}",
            got=f"a forecast on record, and no folder {final}",
            remedy="it cannot be issued again; bring the folder back from a copy, or give another --output",
        )


def check_issued(run: Path, *, ledger: str | Path) -> None:
    """Refuse a published run that the ledger does not hold, or holds otherwise.

    Raises:
        Refusal: saying which.
    """
    on_record = issued(ledger, run.name)
    if on_record is None:
        raise Refusal(
            file=str(ledger),
            wanted=f"the row of run {run.name}, which was issued",
            remedy="bring the ledger back from a copy, or give another --output",
        )
    if on_record != digest(run / RECORD):
        raise Refusal(
            file=str(run / RECORD),
            got="other bytes",
            wanted=f"the forecast on record in {ledger}",
            remedy="`forecast ledger show` prints it",
        )


def commit(staged: Path, *, ledger: str | Path, issued_at: str, forced: bool = False) -> Head:
    """Publish a complete run: sync its files, enter its forecast.json in the ledger, give the folder its name.

    Returns:
        The ledger's head after the new rows.

    Raises:
        Refusal: as `forecast.ledger.append_forecast`; the run then stays aside and `recover` removes it.
    """
    _sync(staged)
    with open(staged / RECORD, encoding="utf-8", newline="") as file:
        record = file.read()
    head = append_forecast(ledger, record, issued_at=issued_at, forced=forced)
    _name(staged, _final(staged))
    return head


def keep_refused(staged: Path) -> Path:
    """Keep a run whose checks failed, without a row in the ledger; its reports say REFUSED.

    Returns:
        Its folder.
    """
    _sync(staged)
    _name(staged, _final(staged))
    return _final(staged)


def write_manifest(staged: Path, *, inputs: Mapping[str, Path], facts: Mapping[str, Any]) -> Path:
    """Write ``manifest.json`` last: SHA-256 of every input and of every file of the run, and what else is known.

    Args:
        staged: the folder, complete but for this file.
        inputs: files read, by the name their owner knows them by.
        facts: seed, versions, lock hash, timings.

    Returns:
        The file.
    """
    outputs = {
        path.relative_to(staged).as_posix(): digest(path) for path in _files(staged) if path.name != MANIFEST
    }
    said = {
        "schema": "scenariocast/manifest/1",
        "inputs": {name: digest(path) for name, path in sorted(inputs.items())},
        "outputs": outputs,
        **facts,
    }
    target = staged / MANIFEST
    with open(target, "w", encoding="utf-8", newline="") as file:
        json.dump(said, file, indent=1, allow_nan=False, ensure_ascii=False)
        file.write("\n")
    return target


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _runs(output: Path) -> Path:
    runs = output / "runs"
    if runs.is_symlink() or runs.is_junction():
        raise Refusal(file=str(runs), got="a link", wanted="a folder of its own", remedy="remove the link")
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(file=str(runs), wanted="a folder that can be made and written to") from error
    return runs


def _final(staged: Path) -> Path:
    return staged.with_name(staged.name.removeprefix(ASIDE))


def _name(staged: Path, final: Path) -> None:
    if final.exists():
        raise Refusal(file=str(final), got="a run of the same inputs", remedy="a run is never replaced")
    os.rename(staged, final)
    _sync_folder(final.parent)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sync(folder: Path) -> None:
    """Bring every file, and every folder that lists it, to the disk."""
    for path in _files(folder):
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
    for listed in (*(path for path in folder.rglob("*") if path.is_dir()), folder, folder.parent):
        _sync_folder(listed)


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder; NTFS orders the names itself
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
