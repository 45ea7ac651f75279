"""The ledger records a forecast once, before its quarter is over, and never lets go of it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import FrozenInstanceError, replace
from datetime import date

import pytest

from forecast import ledger as book
from forecast.ledger import chain, store
from priors.refusal import Refusal

AT = "2026-06-30T12:00:00Z"


def sql(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def test_a_ledger_not_yet_begun_has_the_head_before_the_first_row(tmp_path):
    assert book.head(tmp_path / "none.sqlite") == book.Head(count=0, hash=book.GENESIS)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_forecast_is_kept_byte_for_byte_with_its_questions(tmp_path, record):
    path, text = tmp_path / "ü space" / "ledger.sqlite", record(title="Grenze – “Ü” \u202e\x00")
    path.parent.mkdir()
    head = book.append_forecast(path, text, issued_at=AT)
    forecast, *asked = book.entries(path)
    assert forecast.payload == text
    assert book.issued(path, forecast.subject) == forecast.payload_sha256 == chain.digest(text)
    assert [row.subject for row in asked] == ["2026Q3-abababab", "2026Q4-abababab"]
    assert {row.regards for row in asked} == {forecast.seq}
    assert head == book.head(path) == book.Head(count=3, hash=asked[-1].hash)
    question = json.loads(asked[0].payload)
    assert (question["open"], question["close"], question["scheduled_resolve"]) == (
        "2026-06-30",
        "2026-09-30",
        "2026-10-30",
    )
    assert question["scenarios"][2]["rule"] == "Deaths at least 100."


def test_the_same_rules_ask_the_same_question_once(ledger):
    assert [q.id for q in book.questions(ledger, on=date(2026, 7, 1))] == [
        "2026Q3-abababab",
        "2026Q4-abababab",
        "2026Q2-abababab",
    ]


def test_forecasts_are_listed_with_their_timing(ledger):
    assert [(f.run, f.timing, f.forced) for f in book.forecasts(ledger)] == [
        ("2026-06-30-7f3a9c21", "live", False),
        ("second", "live", False),
        ("past", "retrospective", False),
    ]


def test_show_finds_a_run_or_names_the_nearest(ledger):
    (found,) = book.show(ledger, "second")
    assert found.kind == "forecast"
    with pytest.raises(Refusal, match="did you mean 'second'"):
        book.show(ledger, "secnd")


def test_a_run_is_issued_once(ledger, record):
    with pytest.raises(Refusal, match="a run is issued once"):
        book.append_forecast(ledger, record(timing="retrospective"), issued_at=AT)
    assert book.verify(ledger).ok


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"issued_at": "2026-10-01T00:00:00Z"}, "a live forecast of 2026Q3 before it ends"),
        ({"issued_at": "2026-07-02T00:00:00Z"}, "as of the day it is issued, 2026-07-02"),
        ({"as_of": "2026-07-02"}, "as of the day it is issued, 2026-06-30"),
        ({"origin": "2026-07"}, "data that end before 2026Q3"),
        ({"verdict": {"ok": False, "forced": False, "checks": []}}, "checks that hold"),
        ({"scenarios": [{"id": "annulled"}, {"id": "war"}]}, "choose another id"),
    ],
)
def test_what_is_no_forecast_any_more_is_refused_and_leaves_no_file(tmp_path, record, changes, message):
    path = tmp_path / "ledger.sqlite"
    with pytest.raises(Refusal, match=message):
        book.append_forecast(path, record(**changes), issued_at=changes.get("issued_at", AT))
    assert not path.exists()


def test_a_fit_may_pass_midnight_and_an_offset_is_no_delay(tmp_path, record):
    at = "2026-07-01T01:30:00+02:00"
    book.append_forecast(tmp_path / "l.sqlite", record(issued_at=at), issued_at=at)
    assert book.entries(tmp_path / "l.sqlite")[0].created_at == "2026-06-30T23:30:00Z"


def test_a_retrospective_forecast_may_be_made_at_any_time(tmp_path, record):
    at = "1970-01-01T00:00:00Z"  # a build epoch
    text = record(timing="retrospective", issued_at=at)
    assert book.append_forecast(tmp_path / "l.sqlite", text, issued_at=at).count == 3


def test_a_live_forecast_is_never_dated_before_one_already_recorded(ledger, record):
    at = "2026-09-29T12:00:00Z"
    text = record(run="third", issued_at=at, as_of="2026-09-29")
    with pytest.raises(Refusal, match="set the clock"):
        book.append_forecast(ledger, text, issued_at=at)


def test_a_forced_forecast_says_so_itself(tmp_path, record):
    path = tmp_path / "l.sqlite"
    text = record(verdict={"ok": False, "forced": True, "checks": []})
    with pytest.raises(Refusal, match="--force"):
        book.append_forecast(path, text, issued_at=AT)
    book.append_forecast(path, text, issued_at=AT, forced=True)
    assert book.forecasts(path)[0].forced


def test_the_time_of_the_row_is_the_time_of_the_record(tmp_path, record):
    with pytest.raises(ValueError, match="says it was issued at 2026-06-30"):
        book.append_forecast(tmp_path / "l.sqlite", record(), issued_at="2026-06-30T13:00:00Z")
    with pytest.raises(ValueError, match="offset from UTC"):
        book.append_forecast(tmp_path / "l.sqlite", record(), issued_at="2026-06-30T12:00:00")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update entry set payload = '{}' where seq = 1", "never edited"),
        ("delete from entry where seq = 6", "never deleted"),
        ("delete from entry", "never deleted"),
        ("insert or replace into entry select * from entry where seq = 1", "issued once"),
        (
            "insert or replace into entry select 7, kind, subject, created_at, regards, payload, payload_sha256,"
            " (select hash from entry where seq = 6), hash from entry where seq = 1",
            "issued once",
        ),
        (
            "insert into entry select 9, kind, 'x', created_at, regards, payload, payload_sha256, previous, hash"
            " from entry where seq = 1",
            "follows the last one",
        ),
    ],
)
def test_the_database_itself_refuses(ledger, statement, message):
    before = book.export(ledger)
    with pytest.raises(sqlite3.IntegrityError, match=message):
        sql(ledger, statement)
    assert book.export(ledger) == before


def test_an_entry_is_frozen(ledger):
    entry = book.entries(ledger)[0]
    with pytest.raises(FrozenInstanceError):
        entry.payload = "{}"
    assert replace(entry, seq=2) != entry


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ledger.sqlite of a workspace"),
        (b"not a database, but long enough to be read as one" * 40, "no ledger"),
    ],
)
def test_what_is_no_ledger_is_refused(tmp_path, record, content, message):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=message):
        book.entries(path)
    assert not book.verify(path).ok


def test_another_database_is_not_taken_for_a_ledger(tmp_path, record):
    sql(tmp_path / "other.sqlite", "create table mine (x)")
    with pytest.raises(Refusal, match="wanted a ledger"):
        book.append_forecast(tmp_path / "other.sqlite", record(), issued_at=AT)


def test_an_absent_ledger_and_an_absent_folder_are_told_apart_from_damage(tmp_path, record):
    with pytest.raises(Refusal, match="makes one when"):
        book.verify(tmp_path / "none.sqlite")
    with pytest.raises(Refusal, match="folder must exist"):
        book.append_forecast(tmp_path / "no" / "l.sqlite", record(), issued_at=AT)


def test_a_locked_ledger_is_a_message_not_a_crash(ledger, record, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", 0.05)
    with closing(sqlite3.connect(ledger, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(Refusal, match="another process is writing"):
            book.append_forecast(
                ledger,
                record(run="third", timing="retrospective"),
                issued_at=AT,
            )
        assert book.head(ledger).count == 6  # a reader does not wait


def test_a_newer_ledger_says_what_it_needs(ledger):
    sql(ledger, "update about set schema = 2, needs = '0.9.0'")
    with pytest.raises(Refusal, match=r"needs scenariocast ≥ 0\.9\.0"):
        book.entries(ledger)


def test_an_older_ledger_is_copied_and_brought_up_with_its_chain_unbroken(ledger, record, monkeypatch):
    before = book.export(ledger)
    monkeypatch.setattr(store, "SCHEMA", 2)
    monkeypatch.setattr(store, "MIGRATIONS", {2: ("create index entry_kind on entry (kind)",)})
    assert book.export(ledger) == before
    copy = ledger.with_name("ledger.sqlite.schema-1")
    monkeypatch.undo()
    assert book.export(copy) == before
    with pytest.raises(Refusal, match="needs scenariocast"):
        book.entries(ledger)
