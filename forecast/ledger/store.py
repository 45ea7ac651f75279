"""One SQLite file holds the ledger; a function opens it, does one thing in one transaction, and closes it."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from forecast.ledger.chain import GENESIS, Entry, Head, link
from priors.refusal import Refusal, nearest

APPLICATION = 0x53436C67  # marks the file as ours
SCHEMA, NEEDS = 1, "0.1.0"  # the schema written here, and the first version that reads it
MIGRATIONS: Mapping[int, tuple[str, ...]] = MappingProxyType({})  # statements that lead to that schema
PATIENCE = 30.0  # seconds to wait while another process writes
COLUMNS = "seq, kind, subject, created_at, regards, payload, payload_sha256, previous, hash"

_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "SQLITE_BUSY": "another process is writing to it; try again when it is done",
        "SQLITE_READONLY": "it cannot be written to; check the permissions of the file and of its folder",
        "SQLITE_CANTOPEN": "it cannot be opened; its folder must exist, be writable and lie on a local disk",
        "SQLITE_PERM": "it cannot be opened; check the permissions of the file and of its folder",
        "SQLITE_FULL": "the disk is full; nothing was recorded",
        "SQLITE_IOERR": "the disk failed; nothing more was recorded",
    }
)


class Damage(Refusal):
    """The file is no ledger, or no longer a sound one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A forecast of the ledger, without its numbers."""

    seq: int
    run: str
    issued_at: str
    as_of: str
    timing: str  # live, retrospective
    origin: str
    title: str
    forced: bool


@contextmanager
def open_ledger(path: str | Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection for the length of a ``with``; what was not committed by its end never was.

    Args:
        path: the file; with ``write`` it is made where it is absent.
        write: whether anything will be appended.

    Raises:
        Refusal: if the file is absent, stays locked, or lies where it cannot be used.
        Damage: if it is no ledger, is damaged, or was written by a newer version.
    """
    path = Path(path)
    if not write and not path.is_file():
        raise Refusal(
            file=str(path),
            wanted="a ledger",
            remedy="`forecast run` makes one when it first issues a forecast",
        )
    with _connected(path, write=write) as connection:
        _prepare(connection, path, write=write)
        yield connection


@contextmanager
def _connected(path: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    # A reader keeps an index beside the file; where it may not, nobody can be writing either.
    sealed = not write and not os.access(path.absolute().parent, os.W_OK)
    mode = "immutable=1" if sealed else f"mode={'rwc' if write else 'rw'}"
    try:
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        for code, remedy in _ENVIRONMENT.items():
            if name.startswith(code):
                raise Refusal(file=str(path), remedy=remedy) from error
        if type(error) not in (sqlite3.DatabaseError, sqlite3.OperationalError):
            raise  # a constraint or a seal: not the file's fault
        raise Damage(file=str(path), remedy=f"it is no ledger, or a damaged one ({error})") from error
    except UnicodeDecodeError as error:  # SQLite quotes the bytes it stumbled over
        raise Damage(file=str(path), remedy=f"it is damaged ({error})") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: an error leaves it open, and closing the connection undoes it."""
    connection.execute("begin immediate")
    yield
    connection.execute("commit")


def schema() -> str:
    """The statements that make an empty ledger."""
    return files("forecast.ledger").joinpath("schema.sql").read_text(encoding="utf-8")


def append(
    connection: sqlite3.Connection,
    *,
    kind: str,
    subject: str,
    created_at: str,
    regards: int | None,
    payload: str,
) -> Entry:
    """Add the next row; inside a transaction."""
    entry = link(
        reach(connection),
        kind=kind,
        subject=subject,
        created_at=created_at,
        regards=regards,
        payload=payload,
    )
    connection.execute(f"insert into entry ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(entry))
    return entry


def reach(connection: sqlite3.Connection) -> Head:
    """Count and hash of the last row."""
    row = connection.execute("select seq, hash from entry order by seq desc limit 1").fetchone()
    return Head(count=0, hash=GENESIS) if row is None else Head(count=row[0], hash=row[1])


def rows(connection: sqlite3.Connection, where: str = "true", *values: object) -> Iterator[Entry]:
    """Entries in order."""
    for row in connection.execute(f"select {COLUMNS} from entry where {where} order by seq", values):
        yield Entry(**dict(zip(COLUMNS.split(", "), row, strict=True)))


def head(ledger: str | Path) -> Head:
    """Count and hash of the last row; of a ledger that does not exist yet, those before the first."""
    if not _begun(ledger):
        return Head(count=0, hash=GENESIS)
    with open_ledger(ledger) as connection:
        return reach(connection)


def entries(ledger: str | Path) -> tuple[Entry, ...]:
    """Every row, in order."""
    with open_ledger(ledger) as connection:
        return tuple(rows(connection))


def forecasts(ledger: str | Path) -> tuple[Issued, ...]:
    """Every issued forecast, in order, without its numbers."""
    names = "seq, run, issued_at, as_of, timing, origin, title, forced"
    with open_ledger(ledger) as connection:
        found = connection.execute(f"select {names} from forecast order by seq").fetchall()
    listed = (dict(zip(names.split(", "), row, strict=True)) for row in found)
    return tuple(Issued(**{**values, "forced": bool(values["forced"])}) for values in listed)


def issued(ledger: str | Path, run: str) -> str | None:
    """SHA-256 of the forecast.json recorded for a run; None if there is none."""
    if not _begun(ledger):
        return None
    with open_ledger(ledger) as connection:
        row = connection.execute(
            "select payload_sha256 from entry where kind = 'forecast' and subject = ?", (run,)
        ).fetchone()
    return None if row is None else str(row[0])


def show(ledger: str | Path, name: str) -> tuple[Entry, ...]:
    """What the ledger holds about a run or a question, in order.

    Raises:
        Refusal: if it holds nothing of that name.
    """
    with open_ledger(ledger) as connection:
        if found := tuple(rows(connection, "subject = ?", name)):
            return found
        known = [row[0] for row in connection.execute("select distinct subject from entry")]
    raise Refusal(file=str(ledger), got=name, wanted="a run or a question", remedy=nearest(name, known))


def _begun(ledger: str | Path) -> bool:
    """Whether the file holds anything: a process killed while it made the ledger leaves an empty one."""
    path = Path(ledger)
    if not path.exists():
        return False
    with _connected(path, write=False) as connection:
        return not _blank(connection)


def _blank(connection: sqlite3.Connection) -> bool:
    return connection.execute("select 1 from sqlite_schema").fetchone() is None


def _prepare(connection: sqlite3.Connection, path: Path, *, write: bool) -> None:
    if write and _blank(connection):
        connection.executescript(
            f"begin immediate; pragma application_id = {APPLICATION}; {schema()} commit;"
        )
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION:
        raise Damage(file=str(path), wanted="a ledger", remedy="give the ledger.sqlite of a workspace")
    match connection.execute("select schema, needs from about").fetchall():
        case [(int(version), str(needs))]:
            pass
        case _:
            raise Damage(file=str(path), remedy="what it says about itself is gone")
    if version > SCHEMA:
        raise Damage(file=str(path), where="schema", got=version, remedy=f"needs scenariocast ≥ {needs}")
    if version < SCHEMA:
        _migrate(connection, path, version)
    if write and connection.execute("pragma journal_mode = wal").fetchone()[0] != "wal":
        raise Refusal(file=str(path), remedy="this disk cannot hold a ledger; keep it on a local one")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")
    connection.execute(f"pragma query_only = {'off' if write else 'on'}")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy the file beside itself, then bring it to this schema in one transaction; the chain stays as it is."""
    if any(step not in MIGRATIONS for step in range(version + 1, SCHEMA + 1)):
        raise Damage(file=str(path), where="schema", got=version, wanted=f"a schema up to {SCHEMA}")
    with closing(sqlite3.connect(path.with_name(f"{path.name}.schema-{version}"))) as copy:
        connection.backup(copy)
    with transaction(connection):
        (found,) = connection.execute(
            "select schema from about"
        ).fetchone()  # another process may have been first
        for step in range(found + 1, SCHEMA + 1):
            for statement in MIGRATIONS[step]:
                connection.execute(statement)
        connection.execute("update about set schema = ?, needs = ?", (SCHEMA, NEEDS))
