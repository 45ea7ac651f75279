"""The ledger as tidy tables: every forecast, question, answer and score, one a row."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from forecast.ledger import Scored, answers, entries, questions, track_record
from forecast.ledger.asking import asked_by, register
from forecast.tables import write_csv

type Rows = list[tuple[object, ...]]


def write_tables(ledger: Path, to: Path, *, format: str, on: date) -> tuple[Path, ...]:
    """Four tables, ``csv`` or ``parquet``: forecasts, questions, answers, scores.

    Args:
        ledger: the file.
        to: a folder; made where it is absent.
        format: csv or parquet.
        on: the day on which questions are open or closed.
    """
    to.mkdir(parents=True, exist_ok=True)
    files = []
    for name, (header, rows) in _tables(ledger, on).items():
        path = to / f"{name}.{format}"
        if format == "csv":
            write_csv(path, header, rows)
        else:
            import pandas as pd

            pd.DataFrame(rows, columns=list(header)).to_parquet(path, index=False)
        files.append(path)
    return tuple(files)


def _tables(ledger: Path, on: date) -> Mapping[str, tuple[Sequence[str], Rows]]:
    asked = ("id", "quarter", "text", "open", "close", "scheduled_resolve", "release", "state", "outcome")
    answered = (
        "seq",
        "question",
        "kind",
        "recorded_at",
        "outcome",
        "release",
        "as_of",
        "source",
        "reason",
        "set_by",
        "stands",
    )
    told = (
        "run",
        "timing",
        "forced",
        "issued_at",
        "as_of",
        "origin",
        "question",
        "quarter",
        "horizon",
        "scenario",
        "mean",
        "q05",
        "q95",
        "mcse",
    )
    scored = (
        "run",
        "issued_at",
        "begun",
        "forced",
        "question",
        "quarter",
        "horizon",
        "outcome",
        "forecaster",
        "ign",
        "rps",
        "brier",
    )
    found = [[asdict(one) for one in rows] for rows in (questions(ledger, on=on), answers(ledger))]
    return {
        "forecasts": (told, list(_forecasts(ledger))),
        "questions": (asked, [tuple(one[key] for key in asked) for one in found[0]]),
        "answers": (answered, [tuple(one[key] for key in answered) for one in found[1]]),
        "scores": (scored, [row for one in track_record(ledger) for row in _scores(one)]),
    }  # fmt: skip


def _forecasts(ledger: Path) -> Iterator[tuple[object, ...]]:
    found = entries(ledger)
    known = register(entry.payload for entry in found if entry.kind == "question")
    for entry in found:
        if entry.kind != "forecast":
            continue
        record = json.loads(entry.payload)
        answered = asked_by(record, known)
        run = (entry.subject, record["timing"], bool(record["verdict"].get("forced")), entry.created_at)
        for horizon, ahead in enumerate(record["quarters"], start=1):
            asked = (
                record["as_of"],
                record["origin"],
                answered[horizon - 1],
                ahead["quarter"],
            )
            for name, told in ahead["resolved"].items():
                yield (
                    *run,
                    *asked,
                    horizon,
                    name,
                    *(told.get(key) for key in ("mean", "q05", "q95", "mcse")),
                )


def _scores(one: Scored) -> Iterator[tuple[object, ...]]:
    about = (
        one.run,
        one.issued_at,
        one.begun,
        one.forced,
        one.question,
        one.quarter,
        one.horizon,
        one.outcome,
    )
    yield (*about, "issued", one.ign, one.rps, one.brier)
    for name, found in one.references.items():
        yield (*about, name, *(found[key] for key in ("ign", "rps", "brier")))
