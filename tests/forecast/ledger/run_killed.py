"""Kill the whole command `forecast run` at each step that touches the disk, and start it again.

A script (``run_killed.py THEATRE PLACE EVERY``): it prints, as JSON, one line for each step. The forecast is put together
once, from draws of the priors; each command then runs in a process of its own that is forked from this one and, at its
step, sends itself the signal that nothing can catch. `EVERY` is how many steps to go on by: 1 takes them all.
"""

import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

MOMENT = "1612137600"
LAST = 4  # steps that are all taken: they hold the ledger's commit and the name of the folder


def beside(name: str) -> ModuleType:
    """A module of the tests, by its file."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, Path(__file__).parent / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put_together(theatre: Path) -> None:
    """Assemble the forecast once; from then on every run gets it."""
    from forecast import assembly, fitted, pipeline

    whole, kept = assembly.assemble, []

    class Enough(Exception):  # noqa: N818
        pass

    def keep(*given: Any, **named: Any) -> None:
        kept.append(whole(*given, **named))
        raise Enough

    fitted.fits = partial(beside("../../conftest.py").drawn, diverging=0)
    assembly.assemble = keep  # type: ignore[assignment]
    try:
        pipeline.run(theatre, output=theatre.parent / "nowhere")
    except Enough:
        assembly.assemble = lambda *_, **__: kept[0]


def forked(act: Callable[[], int]) -> int:
    """What becomes of a process that does this: its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os._exit(act())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def tree(folder: Path) -> dict[str, str]:
    """Hash of every file of a run but the manifest, which holds timings."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json")
    return {file.relative_to(folder).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files}


def main(theatre: Path, place: Path, every: int) -> None:
    """Count the steps, then stop at each in turn, look, start again, and look again."""
    os.environ["SOURCE_DATE_EPOCH"] = MOMENT
    put_together(theatre)
    from forecast import ledger, pipeline
    from forecast.cli import main as command

    once = beside("publish_once.py")
    reference = place / "reference"

    def run(to: Path, k: int = 0, told: Path | None = None) -> int:
        with once.stopping(k, "before", lambda: os.kill(os.getpid(), signal.SIGKILL)) as steps:
            code = command(["run", str(theatre), "--output", str(to)])
        if told is not None:
            told.write_text(str(steps[0]), encoding="utf-8")
        return int(code)

    assert forked(lambda: run(reference)) == 0
    (first,) = (folder for folder in (reference / "runs").iterdir() if folder.is_dir())
    wanted = tree(first)

    def copied(_: Any, *, formats: tuple[str, ...], to: Path) -> tuple[Path, ...]:
        """The reports as they were rendered; to render them is what takes long, and it is the same every time."""
        return tuple(
            Path(shutil.copy(first / name, to)) for name in ("report.html", "report.pdf", "report.ipynb")
        )

    pipeline.render = copied
    assert forked(lambda: run(place / "counted", told=place / "steps")) == 0
    total = int((place / "steps").read_text("utf-8"))
    for k in sorted({*range(1, total, every), *range(total - LAST, total + 1)}):
        to = place / str(k)
        killed = forked(lambda to=to, k=k: run(to, k))
        runs = list((to / "runs").glob("[!.]*")) if to.exists() else []
        rows = len(ledger.forecasts(to / "ledger.sqlite")) if ledger.head(to / "ledger.sqlite").count else 0
        again = forked(lambda to=to: run(to))
        after = [folder for folder in (to / "runs").iterdir() if folder.is_dir()]
        seen = {
            "step": k,
            "killed": killed == -signal.SIGKILL,
            "whole": all(tree(folder) == wanted for folder in runs) and len(runs) <= rows,
            "issued": rows,
            "again": again,
            "runs": [folder.name for folder in after],
            "same": [tree(folder) == wanted for folder in after],
            "rows": [row.run for row in ledger.forecasts(to / "ledger.sqlite")],
            "sound": ledger.verify(to / "ledger.sqlite").ok,
        }
        sys.stdout.write(json.dumps(seen) + "\n")
        sys.stdout.flush()
        shutil.rmtree(to)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
