"""A run is made again from its inputs, seed and clock, and held against what it left, byte for byte.

The hashes of every input are checked first. The second run goes into a folder of its own, beside a ledger that holds
the rows that stood there before the first: reports print its head. ``manifest.json`` holds timings and is left out.
Another machine, Python or library may round otherwise, and then every draw differs: there a run counts as made again if
each probability of the quarters ahead lies within three Monte Carlo errors of the difference.
"""

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import hypot, inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from forecast import archive, clock
from forecast.archive import LEDGER, Stored
from forecast.ledger import entries, open_ledger
from forecast.ledger.store import append, transaction
from forecast.pipeline import ASIDE, machine
from forecast.pipeline import run as issue
from forecast.provenance import code, fingerprint, provenance
from forecast.publish import MANIFEST, digest, run_id
from forecast.watching import Progress, silent
from forecast.workspace import Workspace
from priors.refusal import Refusal

NEAR = 3.0  # Monte Carlo errors of a difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Whether a run could be made again."""

    run: str
    identical: tuple[str, ...]  # files that came out the same to the byte
    differing: tuple[str, ...]  # files that did not, or that only one of the two has
    altered: tuple[str, ...]  # files of the run that are no longer as it wrote them
    causes: tuple[str, ...]  # what is not as it was then: code, libraries, ledger
    elsewhere: bool  # made by another machine, Python or library: the last digits may differ, and with them the draws
    largest: float | None  # difference of a headline probability; None where the two cannot be compared
    errors: (
        float | None
    )  # the largest in Monte Carlo errors of the difference; None also where these are nought

    @property
    def ok(self) -> bool:
        """Every file is the same; or, elsewhere, every probability as near as simulation can tell."""
        near = self.errors is not None and self.errors <= NEAR
        return not self.differing or (self.elsewhere and near and not self.altered)


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
        surroundings = tuple(_surroundings(run, workspace, seed))
        made = issue(
            workspace, output=folder, as_of=as_of, seed=seed, force=force, progress=progress, again=True
        )
        here, there = _files(run.path), _files(made.path)
        moved = list(_gaps(run.record, made.record))
        same = [name for name in here if name in there and here[name] == there[name]]
        return Replay(
            run=run.id,
            identical=tuple(same),
            differing=tuple(sorted((here.keys() | there.keys()) - set(same))),
            altered=tuple(
                name for name, was in run.manifest["outputs"].items() if here.get(name, was) != was
            ),
            causes=(*_edited(run), *surroundings, *rows),
            elsewhere=bool(surroundings),
            largest=max((gap for gap, _ in moved), default=None),
            errors=_in_errors(moved),
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
    at = clock.read(workspace.config.time, as_of=as_of, again=True)
    for force in (False, True):
        if run.id == run_id(at.as_of.isoformat(), fingerprint(workspace, at, seed, force)):
            return force
    return bool(run.record["verdict"]["forced"])


def _ledger_before(run: Stored, to: Path) -> tuple[str, ...]:
    """Write the rows that the ledger held before the run; in words what stands in the way, if anything does."""
    before = run.record["ledger"] or {"count": 0, "head": None}
    if before["count"] == 0:
        return ()
    source = run.output / LEDGER
    if not source.is_file():
        return (f"there is no {LEDGER} beside the runs: the head that reports print cannot be made again",)
    rows = entries(source)[: before["count"]]
    if len(rows) < before["count"] or rows[-1].hash != before["head"]:
        return (f"the {LEDGER} beside the runs is not the one that the run found",)
    with open_ledger(to, write=True) as connection, transaction(connection):
        for row in rows:
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
    """Hash of each file but the manifest, and what a `report` that was killed left, by its name in the run."""
    paths = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return {
        name: digest(path) for name, path in paths.items() if name != MANIFEST and not name.startswith(ASIDE)
    }


def _edited(run: Stored) -> Iterator[str]:
    if run.record["provenance"]["code_sha256"] != code():
        yield "the code is not that of the run"


def _surroundings(run: Stored, workspace: Workspace, seed: int) -> Iterator[str]:
    """What the run was made with that is not here: machine, Python, libraries."""
    then, now = run.record["provenance"], provenance(workspace, seed)
    if then["python"] != now["python"]:
        yield f"Python was {then['python']} and is {now['python']}"
    versions: Any = now["versions"]
    for name, version in then["versions"].items():
        if versions.get(name) != version:
            yield f"{name} was {version} and is {versions.get(name)}"
    here = machine()
    for name, was in run.manifest.get("machine", {}).items():
        if name != "cores" and here.get(name) != was:  # a run is the same on any number of cores
            yield f"the {name} was {was} and is {here.get(name)}"


def _in_errors(moved: Sequence[tuple[float, float]]) -> float | None:
    found = max((gap / error if error else inf for gap, error in moved if gap), default=0.0)
    return found if moved and found < inf else None


def _gaps(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Of each probability of the quarters ahead, how far the two are apart, and the Monte Carlo error of that."""
    for a, b in zip(then["quarters"], now["quarters"], strict=False):
        if a["quarter"] != b["quarter"]:
            continue
        for key, was in a["resolved"].items():
            found = b["resolved"].get(key)
            if found is not None and None not in (was["mean"], found["mean"]):
                yield abs(was["mean"] - found["mean"]), hypot(was["mcse"] or 0.0, found["mcse"] or 0.0)
