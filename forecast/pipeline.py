"""The quarterly run: files in, a published forecast out, whole or not at all."""

import datetime
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from forecast import archive, clock, processes, publish
from forecast.archive import LEDGER
from forecast.briefing import brief
from forecast.provenance import fingerprint, provenance
from forecast.watching import Progress, silent
from forecast.workspace import Workspace, load
from forecast.workspace.drivers import check_paths
from forecast.workspace.loading import THEATRES
from priors.refusal import Refusal
from reports import prepare, render

if TYPE_CHECKING:
    from forecast.assembly import Assembled

FORMATS = ("html", "pdf", "notebook")
ASIDE = ".again-"  # a folder inside a run in which its reports are made anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run and where it lies."""

    path: Path
    record: Mapping[str, Any]  # forecast.json
    reports: tuple[Path, ...]
    new: bool  # False: the same inputs had been run before, and nothing was done

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["run"])

    @property
    def ok(self) -> bool:
        """Whether it was published: its checks hold, or it was forced."""
        return bool(self.record["verdict"]["ok"] or self.record["verdict"]["forced"])


def run(
    workspace: Workspace | Path | str,
    *,
    output: Path | str | None = None,
    as_of: datetime.date | None = None,
    seed: int | None = None,
    force: bool = False,
    workers: int = 1,
    progress: Progress = silent,
    again: bool = False,
) -> Run:
    """Validate everything, fit, check, forecast, report, and enter the forecast in the ledger.

    Args:
        workspace: a workspace, its directory, or the name of a bundled theatre.
        output: where ``runs/`` and the ledger lie; the workspace's directory unless stated.
        as_of: what was known then, instead of ``time.as_of``.
        seed: instead of ``time.seed``.
        force: issue a forecast whose checks failed; its reports say so before anything else.
        workers: processes that models are fitted in; the forecast does not depend on it. With more than one, a script
            that calls this needs the usual ``if __name__ == "__main__":``.
        progress: called with the stage and how far it is.
        again: whether a live run is made again, for a replay (`forecast.clock.read`).

    Returns:
        The run. One whose checks failed is kept, says REFUSED in every format, and is not in the ledger.

    Raises:
        Refusal: for any mistake in the workspace or its data; nothing has then been written.
    """
    began = perf_counter()
    ws = workspace if isinstance(workspace, Workspace) else load(workspace)
    at = clock.read(ws.config.time, as_of=as_of, again=again)
    chosen = ws.config.time.seed if seed is None else seed
    if not 0 <= chosen < 2**32:
        raise Refusal(where="--seed", got=chosen, wanted="a whole number from 0 to 4294967295")
    place = _place(ws, output)
    inputs = fingerprint(ws, at, chosen, force)
    name = publish.run_id(at.as_of.isoformat(), inputs)
    if (place / "runs").is_dir():  # before the work: an interrupted run may be this one, issued already
        with publish.exclusive(place):
            publish.recover(place, ledger=place / LEDGER)
    if (place / "runs" / name / publish.RECORD).is_file():
        return _again(place / "runs" / name, ledger=place / LEDGER)
    publish.check_new(place, name, ledger=place / LEDGER)
    _check_paths(ws, at)
    if workers > 1 and len(ws.config.models.fitted) > 1:
        processes.prepare()
    from forecast.assembly import assemble  # late: neither a mistake nor a stored run waits for the sampler

    assembled = assemble(ws, at, run=name, seed=chosen, workers=workers, progress=progress)
    if fingerprint(ws, at, chosen, force) != inputs:
        raise Refusal(
            file=str(ws.root), got="a file that changed while it was read", remedy="run the forecast again"
        )
    with publish.exclusive(place):
        publish.recover(place, ledger=place / LEDGER)
        return _publish(assembled, place, force=force, began=began, progress=progress)


def _publish(assembled: "Assembled", place: Path, *, force: bool, began: float, progress: Progress) -> Run:
    """Write everything aside, then let the ledger decide."""
    from forecast import checks, record

    ledger = place / LEDGER
    progress("asking what the headline hangs on")
    drawing = prepare()
    verdict = checks.Verdict(checks=assembled.verdict.checks, forced=force and not assembled.verdict.ok)
    material = assembled.material(verdict=verdict, ledger=ledger)
    composed = record.compose(material)
    staged = publish.stage(place, material.run, ledger=ledger)
    progress("writing the reports")
    _write_text(staged / publish.RECORD, record.text(composed))
    assembled.write(staged, composed)
    written = brief(composed)
    _write_text(staged / "brief.json", written.model_dump_json(by_alias=True, indent=2) + "\n")
    drawing.join()
    reports = render(written, formats=FORMATS, to=staged)
    facts = {
        "provenance": dict(provenance(assembled.workspace, assembled.seed)),
        "machine": dict(machine()),
        "seconds": round(perf_counter() - began, 1),
    }
    publish.write_manifest(staged, inputs=assembled.workspace.files, facts=facts)
    progress("publishing")
    final = place / "runs" / material.run
    if verdict.ok or verdict.forced:
        publish.commit(staged, ledger=ledger, issued_at=material.clock.issued_at, forced=verdict.forced)
    else:
        publish.keep_refused(staged)
    return Run(path=final, record=composed, reports=tuple(final / path.name for path in reports), new=True)


def _check_paths(workspace: Workspace, at: clock.Clock) -> None:
    """A driver's path ahead is held against the last month with data, which only the data know."""
    drivers = workspace.config.drivers
    if any(isinstance(driver.ahead, Mapping) for driver in drivers.values()):
        from forecast.question import ask  # late: it reads the data

        check_paths(drivers, origin=ask(workspace, at).panel.origin)


def render_again(run: Path | str, *, formats: Sequence[str] = FORMATS) -> tuple[Path, ...]:
    """Render a stored run's reports again, without sampling.

    Raises:
        Refusal: if there is no such run, or a format is unknown.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise Refusal(where="--formats", got=unknown[0], wanted=", ".join(FORMATS))
    path, written = Path(run), brief(archive.read(run).record)
    try:
        aside = TemporaryDirectory(prefix=ASIDE, dir=path)
    except OSError as error:
        raise Refusal(file=str(path), wanted="a folder that can be written to", remedy=str(error)) from error
    with aside as folder:
        made = render(written, formats=tuple(formats), to=Path(folder))
        for file in made:  # a reader finds the old report or the new one, never a part
            os.replace(file, path / file.name)
    return tuple(path / file.name for file in made)


def machine() -> Mapping[str, str | int | None]:
    """What a run's last digits may depend on beside its inputs, its code and its libraries."""
    from llvmlite.binding import get_host_cpu_name  # type: ignore[import-untyped]

    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpu": get_host_cpu_name(),
        "cores": os.cpu_count(),
    }


def _again(path: Path, *, ledger: Path) -> Run:
    stored = archive.read(path).record
    if stored["verdict"]["ok"] or stored["verdict"]["forced"]:
        publish.check_issued(path, ledger=ledger)
    reports = tuple(
        path / name for name in ("report.html", "report.pdf", "report.ipynb") if (path / name).is_file()
    )
    return Run(path=path, record=stored, reports=reports, new=False)


def _place(workspace: Workspace, output: Path | str | None) -> Path:
    """Where runs go; a bundled theatre lies inside the installed package, where nothing is written.

    Raises:
        Refusal: if nothing can be written there, before any work is done.
    """
    bundled = workspace.root.parent == THEATRES
    place = Path(output) if output is not None else Path("workspace") if bundled else workspace.root
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise Refusal(
            file=str(place), wanted="a folder that can be written to", remedy="give another --output"
        )
    return place


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
