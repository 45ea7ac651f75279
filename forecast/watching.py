"""Progress of long work: live bars on a terminal, a plain line per stage elsewhere."""

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Protocol, Self


class Progress(Protocol):
    """What a long verb calls: the stage, how far it is, and a short note. Calls are cheap and may repeat."""

    def __call__(self, stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        """Say where the work is."""


def silent(stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
    """Progress that nobody watches."""


class Lines:
    """One line when a stage begins, one when the work ends: a log that reads well in a file."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Write each line with ``write``."""
        self._write, self._began = write, perf_counter()
        self._stages: set[str] = set()

    def __enter__(self) -> Self:
        """Start the clock."""
        self._began = perf_counter()
        return self

    def __call__(self, stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        """Write ``stage`` the first time it is seen."""
        if stage not in self._stages:
            self._stages.add(stage)
            self._write(f"{perf_counter() - self._began:6.1f} s  {stage}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the total when the work went well."""
        if kind is None and self._stages:
            self._write(f"{perf_counter() - self._began:6.1f} s  done")


class Bars:
    """Live bars on standard error, one per stage."""

    def __init__(self) -> None:
        """Prepare the display; nothing is drawn before the first event."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(finished_text="·"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        self._display = Progress(*columns, console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._display.start()
        return self

    def __call__(self, stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        """Move the bar of ``stage``."""
        if stage not in self._tasks:
            for (
                task
            ) in self._display.tasks:  # one that never said how far it goes is over when the next begins
                if task.total is None:
                    self._display.update(task.id, total=1, completed=1)
            self._tasks[stage] = self._display.add_task(stage, total=total or None, note=note)
        self._display.update(self._tasks[stage], completed=done, total=total or None, note=note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the finished bars on the screen."""
        if kind is None:
            for task in self._display.tasks:
                self._display.update(task.id, total=task.total or 1, completed=task.total or 1)
        self._display.stop()
