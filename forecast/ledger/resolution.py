"""A question resolves by a new row that carries the scores; what was resolved before stays to be read."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forecast.ledger import asking
from forecast.ledger.audit import check
from forecast.ledger.chain import Entry, Head
from forecast.ledger.issue import AMBIGUOUS, ANNULLED, UNRESOLVED, stamp
from forecast.ledger.store import append, open_ledger, reach, rows, transaction
from priors.refusal import Refusal, nearest

FIRST, ANNUAL = "first", "annual"  # releases of the figures
ANSWERS = "kind in ('resolution', 'annulment', 'correction')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question and how it stands: open → closed → resolved, unresolved, ambiguous or annulled."""

    seq: int
    id: str
    quarter: str
    text: str
    open: str
    close: str
    scheduled_resolve: str
    release: str | None  # the release of the data that scores
    state: str
    outcome: str | None  # the scenario, once resolved
    answer_key: Mapping[str, Any] | None  # None: asked by version 0.1.0, which kept rules in words alone
    theatre: str  # the title of the workspace that asked it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A live forecast of one quarter against what came; lower is better."""

    run: str
    question: str
    quarter: str
    horizon: int  # quarters ahead, the first is 1
    outcome: str
    ign: float  # bits
    rps: float
    brier: float
    forced: bool
    issued_at: str = ""  # of forecasts scored by version 0.1.0: not kept, as all below
    begun: bool = False  # issued when its quarter had begun
    p: tuple[float, ...] = ()  # in the order of the scenarios
    references: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    theatre: str = ""  # whose question it answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a question came out by one release of the data, as it was recorded."""

    seq: int
    question: str
    kind: str  # resolution, annulment, correction
    recorded_at: str
    outcome: str  # a scenario, unresolved, ambiguous or annulled
    release: str | None
    as_of: str
    source: str
    reason: str
    set_by: str
    stands: bool  # False: a later row supersedes it


def resolve(
    ledger: str | Path,
    question: str,
    outcome: str,
    *,
    source: str,
    as_of: str,
    reason: str,
    set_by: str,
    recorded_at: str,
    release: str | None = None,
    supersedes: int | None = None,
) -> Head:
    """Record how a question came out and score every forecast of it, in one transaction.

    Args:
        ledger: the file.
        question: its id.
        outcome: a scenario, or ``unresolved``, ``ambiguous``, ``annulled``.
        source: the data that resolve it.
        as_of: the day of that data, "YYYY-MM-DD".
        reason: why it resolves so.
        set_by: who says so.
        recorded_at: ISO 8601 with its offset.
        release: the release of the data, first or annual; absent, the one the question is scored on.
        supersedes: the row this one corrects.

    Raises:
        Refusal: if the question, the outcome or the release is unknown, its quarter is not over, it is resolved on this
            release already and the row in force is not named, or the ledger is broken.
    """
    with open_ledger(ledger, write=True) as connection, transaction(connection):
        check(connection, ledger)
        asked, said = _question(connection, str(ledger), question)
        _refuse_release(said, release)
        release = release or said["release"]
        names = [scenario["id"] for scenario in said["scenarios"]]
        _refuse_outcome(said, outcome, names, as_of)
        standing = _in_force(connection, question, release)
        if standing is None and outcome == ANNULLED:  # it ends what was said on any release
            standing = _in_force(connection, question, None)
        _refuse_superseding(str(ledger), question, standing, supersedes)
        append(
            connection,
            kind=_kind(outcome, supersedes),
            subject=question,
            created_at=stamp(recorded_at),
            regards=asked.seq if supersedes is None else supersedes,
            payload=json.dumps(
                {
                    "outcome": outcome,
                    "release": release,
                    "source": source,
                    "as_of": as_of,
                    "reason": reason,
                    "set_by": set_by,
                    "scores": _scored(connection, question, names.index(outcome)) if outcome in names else [],
                },
                ensure_ascii=False,
            ),
        )
        return reach(connection)


def questions(ledger: str | Path, *, on: date) -> tuple[Question, ...]:
    """Every question in the order asked, with its state on a day."""
    with open_ledger(ledger) as connection:
        return tuple(_state(connection, row, on) for row in rows(connection, "kind = 'question'"))


def track_record(ledger: str | Path, *, theatre: str | None = None) -> tuple[Scored, ...]:
    """Every live forecast of a resolved question, in the order resolved; retrospective ones never count.

    Args:
        ledger: the file.
        theatre: whose questions; every theatre's if absent.
    """
    scored: list[tuple[int, Scored]] = []
    with open_ledger(ledger) as connection:
        for row in rows(connection, "kind = 'question'"):
            asked = json.loads(row.payload)
            whose = asking.theatre(asked)
            answer = _in_force(connection, row.subject, asked["release"])
            if answer is None or theatre not in (None, whose):
                continue
            said = json.loads(answer.payload)
            for entry in said["scores"]:
                if entry.pop("timing") == "live":
                    p = tuple(entry.pop("p", ()))
                    about = {"question": row.subject, "quarter": asked["quarter"], "theatre": whose}
                    scored.append((answer.seq, Scored(**about, outcome=said["outcome"], p=p, **entry)))
    return tuple(line for _, line in sorted(scored, key=lambda pair: pair[0]))


def answers(ledger: str | Path) -> tuple[Answer, ...]:
    """Every answer in the order recorded, those that were superseded included."""
    names = "seq, question, kind, recorded_at, outcome, release, as_of, source, reason, set_by, stands"
    with open_ledger(ledger) as connection:
        found = connection.execute(f"select {names} from resolution order by seq").fetchall()
    told = (dict(zip(names.split(", "), row, strict=True)) for row in found)
    return tuple(Answer(**{**values, "stands": bool(values["stands"])}) for values in told)


def _state(connection: sqlite3.Connection, row: Entry, on: date) -> Question:
    asked = json.loads(row.payload)
    answer = _in_force(connection, row.subject, asked["release"])
    outcome = None if answer is None else json.loads(answer.payload)["outcome"]
    if outcome is None:
        state = "open" if on <= date.fromisoformat(asked["close"]) else "closed"
    else:
        state = outcome if outcome in (UNRESOLVED, AMBIGUOUS, ANNULLED) else "resolved"
    told = ("id", "quarter", "text", "open", "close", "scheduled_resolve", "release")
    return Question(
        seq=row.seq,
        state=state,
        outcome=outcome if state == "resolved" else None,
        answer_key=asked.get("answer_key"),
        theatre=asking.theatre(asked),
        **{key: asked[key] for key in told},
    )


def _in_force(connection: sqlite3.Connection, question: str, release: str | None) -> Entry | None:
    """The last answer on a release that no correction supersedes; one of none that is declared, or an annulment, holds on all."""
    answers = tuple(rows(connection, f"{ANSWERS} and subject = ?", question))
    superseded = {row.regards for row in answers if row.kind == "correction"}
    standing = [row for row in answers if row.seq not in superseded]
    for row in reversed(standing):
        said = json.loads(row.payload)
        if release is None or said["release"] in (release, None) or said["outcome"] == ANNULLED:
            return row
    return None


def _question(connection: sqlite3.Connection, file: str, question: str) -> tuple[Entry, dict[str, Any]]:
    for row in rows(connection, "kind = 'question' and subject = ?", question):
        return row, json.loads(row.payload)
    known = [
        subject for (subject,) in connection.execute("select subject from entry where kind = 'question'")
    ]
    raise Refusal(
        file=file, got=question, wanted="a question of this ledger", remedy=nearest(question, known)
    )


def _refuse_outcome(asked: dict[str, Any], outcome: str, names: list[str], as_of: str) -> None:
    if outcome not in (*names, UNRESOLVED, AMBIGUOUS, ANNULLED):
        remedy = nearest(outcome, (*names, UNRESOLVED, AMBIGUOUS, ANNULLED))
        raise Refusal(where=asked["id"], got=outcome, wanted="a scenario or a word for none", remedy=remedy)
    try:
        day = date.fromisoformat(as_of)
    except ValueError as error:
        raise Refusal(where=asked["id"], got=as_of, wanted='a day "YYYY-MM-DD"') from error
    if outcome != ANNULLED and day <= date.fromisoformat(asked["close"]):
        raise Refusal(
            where=asked["id"],
            got=as_of,
            wanted=f"data of a day after {asked['close']}, when the question closes",
        )


def _refuse_release(asked: dict[str, Any], release: str | None) -> None:
    known = tuple(dict.fromkeys((FIRST, ANNUAL, *filter(None, [asked["release"]]))))
    if release is not None and release not in known:
        wanted, remedy = f"a release of the figures: {', '.join(known)}", nearest(release, known)
        raise Refusal(where=asked["id"], got=release, wanted=wanted, remedy=remedy)


def _refuse_superseding(file: str, question: str, standing: Entry | None, supersedes: int | None) -> None:
    held = None if standing is None else standing.seq
    if held == supersedes:
        return
    if standing is None:
        raise Refusal(file=file, where=question, got=supersedes, remedy="there is no resolution to supersede")
    raise Refusal(
        file=file,
        where=question,
        got="a second resolution" if supersedes is None else supersedes,
        wanted="a resolution, once",
        remedy=f"entry {held} resolves it as {json.loads(standing.payload)['outcome']}; name it as superseded",
    )


def _kind(outcome: str, supersedes: int | None) -> str:
    if supersedes is not None:
        return "correction"
    return "annulment" if outcome == ANNULLED else "resolution"


def _scored(connection: sqlite3.Connection, question: str, outcome: int) -> list[dict[str, Any]]:
    from forecast.ledger.scoring import scores  # numpy: a ledger is read without it

    return scores(connection, question, outcome)
