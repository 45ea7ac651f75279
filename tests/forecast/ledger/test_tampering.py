"""Whatever is done to a ledger is seen: by itself, or with a head that an earlier report printed."""

import json
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import ledger as book
from forecast.ledger import chain, store
from forecast.publish import check_new
from priors.refusal import Refusal


def forge(path, *statements):
    """Change the file as its owner could: seals taken off, rows changed, seals put back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        seals = connection.execute("select name, sql from sqlite_schema where type = 'trigger'").fetchall()
        for name, _ in seals:
            connection.execute(f"drop trigger {name}")
        for statement in statements:
            connection.execute(statement)
        for _, text in seals:
            connection.execute(text)


def rechained(rows):
    """The same rows, written anew: every hash is right again."""
    at, new = chain.Head(count=0, hash=chain.GENESIS), []
    for row in rows:
        keep = {
            k: v
            for k, v in asdict(row).items()
            if k in ("kind", "subject", "created_at", "regards", "payload")
        }
        new.append(chain.link(at, **keep))
        at = chain.Head(count=new[-1].seq, hash=new[-1].hash)
    return new


def test_an_untouched_ledger_holds_and_knows_its_earlier_heads(ledger):
    for row in book.entries(ledger):
        assert book.verify(ledger, head=row.hash, count=row.seq).ok
        assert book.verify(ledger, head=row.hash).ok
    verdict = book.verify(ledger)
    assert (verdict.ok, verdict.count, verdict.first_bad) == (True, 6, None)
    assert verdict.head == book.head(ledger).hash
    assert verdict.sentence == "all 6 entries hold"


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("update entry set payload = replace(payload, '0.7', '0.8') where seq = 4", 4),
        ("update entry set created_at = '2026-01-01T00:00:00Z' where seq = 1", 1),
        ("update entry set subject = 'other' where seq = 6", 6),
        ("update entry set kind = 'correction' where seq = 3", 3),
        ("update entry set regards = 2 where seq = 3", 3),
        ("update entry set payload_sha256 = hash where seq = 2", 2),
        ("update entry set hash = previous where seq = 5", 5),
        ("delete from entry where seq = 4", 4),
        ("delete from entry where seq = 1", 1),
        ("update entry set seq = case seq when 4 then 5 else 4 end + 100 where seq in (4, 5)", 4),
    ],
)
def test_a_changed_removed_or_moved_row_is_named(ledger, statement, first_bad):
    forge(ledger, "pragma foreign_keys = off", statement)
    verdict = book.verify(ledger)
    assert (verdict.ok, verdict.first_bad) == (False, first_bad)


def test_a_cut_tail_is_seen_with_an_anchor(ledger):
    anchor = book.head(ledger)
    forge(ledger, "delete from entry where seq = 6")
    assert book.verify(ledger).ok  # by itself a shorter chain is a sound chain
    assert "tail was cut" in book.verify(ledger, count=anchor.count).sentence
    assert not book.verify(ledger, head=anchor.hash).ok
    assert not book.verify(ledger, head=anchor.hash, count=anchor.count).ok


def test_a_ledger_written_anew_is_seen_with_an_anchor(ledger):
    anchor = book.head(ledger)
    rows = book.entries(ledger)
    forged = rechained(
        [replace(row, payload=row.payload.replace("0.5", "0.6")) if row.seq == 1 else row for row in rows]
    )
    changes = [
        f"update entry set payload = '{row.payload}', payload_sha256 = '{row.payload_sha256}',"
        f" previous = '{row.previous}', hash = '{row.hash}' where seq = {row.seq}"
        for row in forged
    ]
    forge(ledger, *changes)
    assert book.verify(ledger).ok
    assert "written anew" in book.verify(ledger, head=anchor.hash).sentence
    assert "written anew" in book.verify(ledger, head=anchor.hash, count=anchor.count).sentence


def test_a_broken_seal_is_seen(ledger):
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("drop trigger entry_is_kept")
    assert "seal" in book.verify(ledger).sentence


@pytest.mark.parametrize(
    "statement",
    [
        "update entry set payload = replace(payload, '0.7', '0.8') where seq = 4",
        "update entry set payload = '[]' where seq = 2",
        "delete from entry where seq = 4",
        "drop index entry_once",
    ],
)
def test_nothing_is_added_to_a_ledger_that_is_broken(ledger, record, statement):
    forge(ledger, "pragma foreign_keys = off", statement)
    before = ledger.read_bytes()
    said = {"source": "s", "reason": "r", "set_by": "d", "as_of": "2027-02-01"}
    at = "2026-10-02T12:00:00Z"
    for act in (
        lambda: book.append_forecast(
            ledger, record(run="third", timing="retrospective", issued_at=at), issued_at=at
        ),
        lambda: book.resolve(ledger, "2026Q3-abababab", "war", recorded_at="2027-02-02T00:00:00Z", **said),
        lambda: book.check_sound(ledger),
        lambda: check_new(ledger.parent, "fourth", ledger=ledger),  # before anything is fitted
    ):
        with pytest.raises(Refusal, match="wanted a sound ledger; bring it back from a copy"):
            act()
        assert ledger.read_bytes() == before


def test_a_byte_that_changes_is_seen_or_changes_nothing(tmp_path, ledger):
    """A tenth of the bytes here; `make torture` flips them all."""
    original = ledger.read_bytes()
    before, copy = book.entries(ledger), tmp_path / "flipped.sqlite"
    seen = 0
    for place in range(0, len(original), 97):
        copy.write_bytes(
            original[:place] + bytes([original[place] ^ (0x55, 0xAA)[place % 2]]) + original[place + 1 :]
        )
        verdict = book.verify(copy)
        seen += not verdict.ok
        assert not verdict.ok or book.entries(copy) == before, f"byte {place}"
    assert seen > 20


def test_a_torn_file_is_seen(tmp_path, ledger):
    original, copy = ledger.read_bytes(), tmp_path / "torn.sqlite"
    for length in range(0, len(original), 1111):
        copy.write_bytes(original[:length])
        assert not book.verify(copy).ok


def test_the_export_verifies_and_reads_as_the_ledger(ledger):
    text = book.export(ledger)
    assert book.verify_export(text) == book.verify(ledger)
    assert [json.loads(line) for line in text.splitlines()[1:]] == [
        asdict(row) for row in book.entries(ledger)
    ]
    assert text.isascii()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_changed_byte_of_the_export_is_seen(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).map(chr).filter(lambda c: c != text[place]))
    assert not book.verify_export(text[:place] + byte + text[place + 1 :]).ok


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rows = rechained(
        chain.Entry(
            seq=n,
            kind="forecast",
            subject=f"run-{n}",
            created_at="2026-06-30T12:00:00Z",
            regards=None,
            payload=json.dumps({"n": n, "title": "Ü\ud800"}),
            payload_sha256="",
            previous="",
            hash="",
        )
        for n in range(5)
    )
    path = tmp_path_factory.mktemp("export") / "ledger.sqlite"
    with store.open_ledger(path, write=True) as connection, store.transaction(connection):
        for row in rows:
            keep = {k: v for k, v in asdict(row).items() if k in ("kind", "subject", "created_at", "regards")}
            store.append(connection, **keep, payload=row.payload)
    return book.export(path)


def test_lines_removed_swapped_or_doubled_are_seen(text):
    lines = text.splitlines(keepends=True)
    assert book.verify_export(text).ok
    for n in range(len(lines)):
        assert not book.verify_export("".join(lines[:n] + lines[n + 1 :])).ok
        assert not book.verify_export("".join(lines[: n + 1] + lines[n:])).ok
    assert not book.verify_export("".join([lines[0], lines[2], lines[1], *lines[3:]])).ok
    assert not book.verify_export(text.replace("\n", "\r\n")).ok
    assert not book.verify_export("").ok
    assert not book.verify_export("[" * 100_000).ok


def test_ten_thousand_rows_verify_within_a_second(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with store.open_ledger(path, write=True) as connection, store.transaction(connection):
        for n in range(10_000):
            payload = json.dumps({"run": n, "p": [0.2, 0.5, 0.3]})
            store.append(
                connection, kind="forecast", subject=str(n), created_at="x", regards=None, payload=payload
            )
    started = time.process_time()
    assert book.verify(path).ok
    assert time.process_time() - started < 1.0


def test_a_copy_in_a_folder_that_cannot_be_written_is_read(tmp_path, ledger, monkeypatch):
    sealed = tmp_path / "sealed" / "ledger.sqlite"
    sealed.parent.mkdir()
    shutil.copy(ledger, sealed)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert book.verify(sealed).ok
    assert [path.name for path in sealed.parent.iterdir()] == ["ledger.sqlite"]
