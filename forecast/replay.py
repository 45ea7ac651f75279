"""A run is made again from its inputs, seed and clock, and held against what it left, byte for byte.

The hashes of every input are checked first. The second run goes into a folder of its own, beside a ledger that holds
the rows that stood there before the first: reports print its head. ``manifest.json`` holds timings and is left out.
"""

import datetime
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecast import archive, clock
from forecast.archive import LEDGER, Stored
from forecast.ledger import entries, open_ledger
from forecast.ledger.store import append, transaction
from forecast.pipeline import run as issue
from forecast.provenance import code, fingerprint, provenance
from forecast.publish import MANIFEST, digest, run_id
from forecast.watching import Progress, silent
from forecast.workspace import Workspace
from priors.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Whether a run could be made again."""

    run: str
    identical: tuple[str, ...]  # files that came out the same to the byte
    differing: tuple[str, ...]  # files that did not, or that only one of the two has
    altered: tuple[str, ...]  # files of the run that are no longer as it wrote them
    causes: tuple[str, ...]  # what is not as it was then: code, libraries, ledger
    largest: float | None  # difference of a headline probability; None where the two cannot be compared

    @property
    def ok(self) -> bool:
        """Whether every file is the same."""
        return not self.differing


def replay(run: Stored, workspace: Workspace, *, progress: Progress = silent) -> Replay:
    """Make a run again and compare.

    Args:
        run: a stored run.
        workspace: where it came from.
        progress: as for a run.

    Raises:
        Refusal: naming the input that is no longer the one the run read.
    """
    archive.check_unedited(run, workspace)
    seed = int(run.record["provenance"]["seed"])
    with _clock_at(run.record["issued_at"]), TemporaryDirectory(prefix="replay-") as folder:
        as_of = _as_of(run, workspace)
        force = _forced(run, workspace, as_of, seed)
        rows = _ledger_before(run, Path(folder) / LEDGER)
        made = issue(workspace, output=folder, as_of=as_of, seed=seed, force=force, progress=progress)
        here, there = _files(run.path), _files(made.path)
        same = [name for name in here if name in there and here[name] == there[name]]
        return Replay(
            run=run.id,
            identical=tuple(same),
            differing=tuple(sorted((here.keys() | there.keys()) - set(same))),
            altered=tuple(
                name for name, was in run.manifest["outputs"].items() if here.get(name, was) != was
            ),
            causes=(*_causes(run, workspace, seed), *rows),
            largest=_largest(run.record, made.record),
        )


@contextmanager
def _clock_at(issued_at: str) -> Iterator[None]:
    """SOURCE_DATE_EPOCH, the input that sets a run's clock, for the length of a ``with``."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.datetime.fromisoformat(issued_at).timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


def _as_of(run: Stored, workspace: Workspace) -> datetime.date | None:
    """The date to ask for; None where the workspace itself says "today" and the run was live."""
    stated = datetime.date.fromisoformat(run.record["as_of"])
    if run.record["timing"] == "retrospective":
        return stated
    if workspace.config.time.as_of != "today":
        raise Refusal(
            file="forecast.toml", where="time.as_of", wanted='"today": the run was live', got="a date"
        )
    return None


def _forced(run: Stored, workspace: Workspace, as_of: datetime.date | None, seed: int) -> bool:
    """Whether the run was asked for with --force: its id tells, or else its verdict."""
    at = clock.read(workspace.config.time, as_of=as_of)
    for force in (False, True):
        if run.id == run_id(at.as_of.isoformat(), fingerprint(workspace, at, seed, force)):
            return force
    return bool(run.record["verdict"]["forced"])


def _ledger_before(run: Stored, to: Path) -> tuple[str, ...]:
    """Write the rows that the ledger held before the run; in words what stands in the way, if anything does."""
    count = int((run.record["ledger"] or {"count": 0})["count"])
    if count == 0:
        return ()
    source = run.output / LEDGER
    if not source.is_file():
        return (f"there is no {LEDGER} beside the runs: the head that reports print cannot be made again",)
    with open_ledger(to, write=True) as connection, transaction(connection):
        for row in entries(source)[:count]:
            append(
                connection,
                kind=row.kind,
                subject=row.subject,
                created_at=row.created_at,
                regards=row.regards,
                payload=row.payload,
            )
    return ()


def _files(folder: Path) -> Mapping[str, str]:
    """Hash of each file but the manifest, by its name in the run."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): digest(path) for path in paths}


def _causes(run: Stored, workspace: Workspace, seed: int) -> Iterator[str]:
    then, now = run.record["provenance"], provenance(workspace, seed)
    if then["code_sha256"] != code():
        yield "the code is not that of the run"
    if then["python"] != now["python"]:
        yield f"Python was {then['python']} and is {now['python']}"
    versions: Any = now["versions"]
    for name, version in then["versions"].items():
        if versions.get(name) != version:
            yield f"{name} was {version} and is {versions.get(name)}"


def _largest(then: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """The largest difference of a probability of the quarters ahead."""
    quarters = zip(then["quarters"], now["quarters"], strict=False)
    moved = [
        abs(a["resolved"][key]["mean"] - b["resolved"][key]["mean"])
        for a, b in quarters
        for key in a["resolved"]
        if a["quarter"] == b["quarter"]
        and key in b["resolved"]
        and None not in (a["resolved"][key]["mean"], b["resolved"][key]["mean"])
    ]
    return max(moved, default=None)
