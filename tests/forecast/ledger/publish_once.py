"""Publish one run, and stop at the k-th step that touches the disk: by an error, or as if the power went.

Run as a script (``publish_once.py OUTPUT RECORD K before|after``) the process ends at that step without any cleaning
up. Steps are every folder made, file written, sync, rename and SQL statement.
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from forecast import publish

FILES = {"report.html": "<p>report</p>", "tables/quarters.csv": "quarter,p\n2026Q3,0.5\n"}


def publish_once(output: Path, record: str, run: str, issued_at: str) -> None:
    """The order of commitment as the pipeline goes through it."""
    ledger = output / "ledger.sqlite"
    with publish.exclusive(output):
        publish.recover(output, ledger=ledger)
        staged = publish.stage(output, run, ledger=ledger)
        for name, text in {**FILES, "forecast.json": record}.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_text(text, encoding="utf-8", newline="")
        publish.write_manifest(staged, inputs={}, facts={"seed": 1})
        publish.commit(staged, ledger=ledger, issued_at=issued_at)


@contextmanager
def stopping(k: int, when: str, stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call ``stop`` before or after the k-th step; yields the number of steps so far."""
    done = [0]

    def step(act):
        def stepped(*args, **kwargs):
            done[0] += 1
            here = done[0] == k
            if here and when == "before":
                stop()
            result = act(*args, **kwargs)
            if here and when == "after":
                stop()
            return result

        return stepped

    class Stepping(sqlite3.Connection):
        execute = step(sqlite3.Connection.execute)
        executescript = step(sqlite3.Connection.executescript)

    connect = sqlite3.connect
    with (
        mock.patch("os.fsync", step(os.fsync)),
        mock.patch("os.rename", step(os.rename)),
        mock.patch("os.mkdir", step(os.mkdir)),
        mock.patch("pathlib.Path.write_text", step(Path.write_text)),
        mock.patch("json.dump", step(__import__("json").dump)),
        mock.patch("sqlite3.connect", lambda *a, **kw: connect(*a, **kw, factory=Stepping)),
    ):
        yield done


if __name__ == "__main__":
    place, text, run_, at, nth, moment = sys.argv[1:]
    with stopping(int(nth), moment, lambda: os._exit(9)):
        publish_once(Path(place), Path(text).read_text(encoding="utf-8"), run_, at)
