"""Anyone can check a ledger, or the text exported from it, without trusting who kept it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from forecast.ledger.chain import GENESIS, Entry, Verdict, audit
from forecast.ledger.store import NEEDS, SCHEMA, Damage, open_ledger, rows, schema

FORMAT = "scenariocast/ledger/1"


def verify(ledger: str | Path, *, head: str | None = None, count: int | None = None) -> Verdict:
    """Check every row, the file that holds them, and the seals that keep them.

    What is checked is what the file says. A byte that differs where it says nothing (an unused page, the slack of a page, a counter
    of the header) changes no row and leaves the verdict as it was.

    Args:
        ledger: the file.
        head: a hash printed by an earlier report. Without it a cut tail, or a ledger written anew, cannot be seen.
        count: the number of rows printed beside it.

    Raises:
        Refusal: if the file is absent or cannot be read; damage is a verdict, not a refusal.
    """
    try:
        with open_ledger(ledger) as connection:
            return _fault(connection) or audit(rows(connection), head=head, count=count)
    except Damage as damage:
        return _failed(str(damage))


def check(connection: sqlite3.Connection, file: str | Path) -> None:
    """Refuse a ledger that is broken, before anything rests on it; inside a transaction nothing can change after.

    Raises:
        Damage: saying where, as `verify` does.
    """
    try:
        verdict = _fault(connection) or audit(rows(connection), head=None, count=None)
    except sqlite3.DatabaseError as error:
        verdict = _failed(f"the file is damaged: {error}")
    if not verdict.ok:
        raise Damage(
            file=str(file),
            got=verdict.sentence,
            wanted="a sound ledger",
            remedy="bring it back from a copy",
        )


def check_sound(ledger: str | Path) -> None:
    """`check` for readers: refuse a file whose rows cannot be told from what someone made of them.

    Raises:
        Refusal: if the file is absent or cannot be read.
        Damage: if it is broken.
    """
    with open_ledger(ledger) as connection:
        check(connection, ledger)


def export(ledger: str | Path) -> str:
    """The whole ledger as JSON Lines: a line with its head, then a line per row, in one canonical form."""
    with open_ledger(ledger) as connection:
        connection.execute("begin")  # one state of the ledger, whoever writes meanwhile
        return _canonical(tuple(rows(connection)))


def verify_export(text: str, *, head: str | None = None, count: int | None = None) -> Verdict:
    """As `verify`, of an exported text: any byte that differs is found."""
    try:
        _, *lines = (json.loads(line) for line in text.splitlines())
        found = tuple(Entry(**line) for line in lines)
    except (ValueError, TypeError, RecursionError) as error:
        return _failed(f"the text is not an export of a ledger: {error}")
    verdict = audit(found, head=head, count=count)
    if verdict.ok and _canonical(found) != text:
        return _failed("the text is not in the form it was exported in")
    return verdict


def _fault(connection: sqlite3.Connection) -> Verdict | None:
    """What is wrong with the file around the rows: its pages and indices, its schema, its seals."""
    pages = connection.execute("pragma integrity_check(1)").fetchone()[0]
    if pages != "ok":
        return _failed(f"the file is damaged: {pages}")
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(schema())
        if _seals(connection) != _seals(fresh):
            return _failed("the tables, or the triggers that seal them, are not those of a ledger")
    if connection.execute("select schema, needs from about").fetchall() != [(SCHEMA, NEEDS)]:
        return _failed("what the ledger says about itself was changed")
    return None


def _seals(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("select type, name, tbl_name, sql from sqlite_schema order by name").fetchall()


def _failed(sentence: str) -> Verdict:
    return Verdict(ok=False, count=0, head=GENESIS, first_bad=None, sentence=sentence)


def _canonical(found: tuple[Entry, ...]) -> str:
    last = found[-1].hash if found else GENESIS
    lines = [{"format": FORMAT, "count": len(found), "head": last}, *map(asdict, found)]
    return "".join(json.dumps(line, sort_keys=True, separators=(",", ":")) + "\n" for line in lines)
