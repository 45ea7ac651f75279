"""A forecast is issued once, before what it speaks of is over, together with the questions it answers."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from forecast.ledger import asking
from forecast.ledger.audit import check
from forecast.ledger.chain import Head
from forecast.ledger.store import append, open_ledger, reach, rows, transaction
from forecast.months import month_end, ordinal, quarter_months
from priors.refusal import Refusal

UNRESOLVED, AMBIGUOUS, ANNULLED = "unresolved", "ambiguous", "annulled"
ENOUGH = 12  # months that two forecasts both saw, before their figures can be told apart


def append_forecast(ledger: str | Path, record_json: str, *, issued_at: str, forced: bool = False) -> Head:
    """Record a forecast and the questions that are new with it, in one transaction.

    Args:
        ledger: the file; made where it is absent.
        record_json: the whole forecast.json; kept byte for byte.
        issued_at: ISO 8601 with its offset; the time the record itself states.
        forced: whether a forecast that failed its checks is issued all the same.

    Returns:
        The head after the last new row.

    Raises:
        Refusal: if the run was issued before, its checks failed, it is live and comes too late to be a forecast, its
            questions are those of another theatre, or the ledger is broken.
    """
    record = json.loads(record_json)
    created_at = stamp(issued_at)
    if created_at != stamp(record["issued_at"]):
        raise ValueError(f"the record says it was issued at {record['issued_at']}, not at {issued_at}")
    _refuse_unfit(record, forced=forced)
    if record["timing"] == "live":
        _refuse_late(record, created_at)
    with open_ledger(ledger, write=True) as connection, transaction(connection):
        check(connection, ledger)
        _refuse_repeated(connection, str(ledger), record, created_at)
        known = asking.register(row.payload for row in rows(connection, "kind = 'question'"))
        _refuse_other_figures(connection, str(ledger), record, known)
        forecast = append(
            connection,
            kind="forecast",
            subject=record["run"],
            created_at=created_at,
            regards=None,
            payload=record_json,
        )
        for question in asking.questions(record):
            if asking.identity(question) not in known:
                _refuse_taken(str(ledger), question, known.values())
                append(
                    connection,
                    kind="question",
                    subject=question["id"],
                    created_at=created_at,
                    regards=forecast.seq,
                    payload=json.dumps(question, ensure_ascii=False),
                )
        return reach(connection)


def probabilities(record: Mapping[str, Any], ahead: Mapping[str, Any], key: str = "mean") -> list[float]:
    """A quarter's probabilities in the order of the scenarios, given that it resolves."""
    told = [float(ahead["resolved"][scenario["id"]][key]) for scenario in record["scenarios"]]
    return [value / sum(told) for value in told]


def stamp(moment: str) -> str:
    """ISO 8601 with an offset as UTC to the second, so that text sorts by time.

    Raises:
        ValueError: if it is no such time, or lacks its offset.
    """
    at = datetime.fromisoformat(moment)
    if at.tzinfo is None:
        raise ValueError(f"a time needs its offset from UTC, and {moment!r} has none")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse_unfit(record: Mapping[str, Any], *, forced: bool) -> None:
    run, verdict, first = record["run"], record["verdict"], record["quarters"][0]["quarter"]
    if not verdict["ok"] and not (forced and verdict.get("forced")):
        raise Refusal(
            where=f"run {run}",
            wanted="checks that hold",
            remedy="mend what they name, or issue it with --force",
        )
    reserved = {UNRESOLVED, AMBIGUOUS, ANNULLED} & {scenario["id"] for scenario in record["scenarios"]}
    if reserved:
        raise Refusal(
            where="scenario", got=min(reserved), remedy="a resolution uses this word; choose another id"
        )
    if ordinal(record["origin"]) >= ordinal(quarter_months(first)[0]):
        raise Refusal(
            where=f"run {run}",
            got=record["origin"],
            wanted=f"data that end before {first}, the first quarter forecast",
        )


def _refuse_late(record: Mapping[str, Any], created_at: str) -> None:
    """A live forecast is issued on the day it speaks from (or the next: a fit may pass midnight)."""
    first = record["quarters"][0]["quarter"]
    issued, as_of = date.fromisoformat(created_at[:10]), date.fromisoformat(record["as_of"])
    if issued > month_end(quarter_months(first)[-1]):
        raise Refusal(
            where=f"run {record['run']}",
            got=created_at,
            wanted=f"a live forecast of {first} before it ends",
            remedy="state time.as_of as a date: the run is then retrospective and says so",
        )
    if abs(issued - as_of) > timedelta(days=1):
        raise Refusal(
            where=f"run {record['run']}",
            got=record["as_of"],
            wanted=f"a live forecast as of the day it is issued, {issued}",
            remedy='set time.as_of = "today", or state a date and let the run be retrospective',
        )


def _refuse_repeated(
    connection: sqlite3.Connection, file: str, record: Mapping[str, Any], created_at: str
) -> None:
    run = record["run"]
    known = "select 1 from entry where kind = 'forecast' and subject = ?"
    if connection.execute(known, (run,)).fetchone():
        raise Refusal(
            file=file,
            where=f"run {run}",
            got="a second forecast",
            remedy="a run is issued once; it is on record",
        )
    if record["timing"] != "live":
        return
    (latest,) = connection.execute(
        "select max(created_at) from entry where kind not in ('forecast', 'question')"
        " or seq in (select seq from forecast where timing = 'live')"
    ).fetchone()
    if latest is not None and created_at < latest:
        raise Refusal(
            file=file,
            where=f"run {run}",
            got=created_at,
            wanted=f"a time after the last entry, {latest}",
            remedy="set the clock of this machine right",
        )


def _refuse_other_figures(
    connection: sqlite3.Connection, file: str, record: Mapping[str, Any], known: Mapping[str, str]
) -> None:
    """Two theatres of one title and one key differ in their figures alone; a source that is revised keeps most of its months."""
    for question in filter(None, asking.asked_by(record, known)):
        (row,) = connection.execute(
            "select payload from entry where kind = 'forecast' and seq ="
            " (select regards from entry where kind = 'question' and subject = ?)",
            (question,),
        ).fetchone()
        then, now = asking.figures(json.loads(row)), asking.figures(record)
        common = then.keys() & now.keys()
        same = sum(then[cell] == now[cell] for cell in common)
        if len(common) >= ENOUGH and same < len(common) / 2:
            raise Refusal(
                file=file,
                where=f"question {question}",
                got=f"figures of which {same} of {len(common)} are those of the forecast that asked it",
                wanted="the same theatre's",
                remedy="give this one a title of its own in forecast.toml, or another --output",
            )


def _refuse_taken(file: str, question: Mapping[str, Any], known: Iterable[str]) -> None:
    """Rules in words alone do not tell two theatres apart, and an id names one question."""
    if question["id"] in known:
        raise Refusal(
            file=file,
            where=f"question {question['id']}",
            got=question["text"],
            wanted="the question that was asked under this id, by another theatre or on other figures",
            remedy="give another --output: a ledger of its own",
        )
