"""A row's hash is that of its content and of the hash before, so no row can change without all later ones."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

GENESIS = "0" * 64  # the hash before the first row


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a ledger reaches: what a report prints and an auditor keeps."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the chain."""

    seq: int  # 1, 2, 3 …
    kind: str  # forecast, question, resolution, annulment, correction
    subject: str  # the run of a forecast, the question of all others
    created_at: str  # UTC, "2026-06-30T12:00:00Z"
    regards: int | None  # the row it answers
    payload: str  # JSON, byte for byte as it was given
    payload_sha256: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a chain holds; where it does not, the first row that fails, and why."""

    ok: bool
    count: int  # rows that hold
    head: str  # hash of the last of them
    first_bad: int | None
    sentence: str


def digest(text: str) -> str:
    """SHA-256 of the UTF-8 text, in hex."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def link(
    before: Head, *, kind: str, subject: str, created_at: str, regards: int | None, payload: str
) -> Entry:
    """The entry that follows ``before``: hash = SHA-256 of the canonical JSON of all it says."""
    seq = before.count + 1
    said = json.dumps([seq, kind, subject, created_at, regards, payload, before.hash], separators=(",", ":"))
    return Entry(
        seq=seq,
        kind=kind,
        subject=subject,
        created_at=created_at,
        regards=regards,
        payload=payload,
        payload_sha256=digest(payload),
        previous=before.hash,
        hash=digest(said),
    )


def audit(rows: Iterable[Entry], *, head: str | None, count: int | None) -> Verdict:
    """Walk the chain from its first row.

    Args:
        rows: in order.
        head: a hash seen earlier, as a report prints it; some row must still bear it.
        count: how many rows there were then: row ``count`` must be the one with hash ``head``.
    """
    at = Head(count=0, hash=GENESIS)
    missing = head is not None and head != GENESIS

    def broken(sentence: str) -> Verdict:
        return Verdict(ok=False, count=at.count, head=at.hash, first_bad=at.count + 1, sentence=sentence)

    for row in rows:
        said = link(
            at,
            kind=row.kind,
            subject=row.subject,
            created_at=row.created_at,
            regards=row.regards,
            payload=row.payload,
        )
        if row != said:
            return broken(f"entry {at.count + 1} is not what was recorded, or not in its place")
        if row.seq == count and head is not None and row.hash != head:
            return broken(f"entry {count} is not the one that was anchored: the ledger was written anew")
        missing = missing and row.hash != head
        at = Head(count=row.seq, hash=row.hash)
    if count is not None and at.count < count:
        return broken(f"the ledger ends after {at.count} of {count} anchored entries: its tail was cut")
    if missing:
        return broken("no entry has the anchored hash: the ledger was cut or written anew")
    sentence = f"all {at.count} entries hold" + ("" if head is None else ", the anchored one among them")
    return Verdict(ok=True, count=at.count, head=at.hash, first_bad=None, sentence=sentence)
