"""The record of issued forecasts: it only grows, every row names the hash of the one before, and anyone can check it.

A chain alone does not show that its tail was cut or that all of it was written anew: its head, count and hash, is
therefore printed in every report, and `verify` takes such a head back.
"""

from forecast.ledger.audit import check_sound, export, verify, verify_export
from forecast.ledger.chain import GENESIS, Entry, Head, Verdict
from forecast.ledger.issue import append_forecast
from forecast.ledger.resolution import (
    Answer,
    Question,
    Scored,
    answers,
    questions,
    resolve,
    track_record,
)
from forecast.ledger.store import Issued, entries, forecasts, head, issued, open_ledger, show

__all__ = [
    "GENESIS",
    "Answer",
    "Entry",
    "Head",
    "Issued",
    "Question",
    "Scored",
    "Verdict",
    "answers",
    "append_forecast",
    "check_sound",
    "entries",
    "export",
    "forecasts",
    "head",
    "issued",
    "open_ledger",
    "questions",
    "resolve",
    "show",
    "track_record",
    "verify",
    "verify_export",
]
