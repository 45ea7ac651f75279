"""What the ledger held before this run, as its record tells it: how past forecasts did, and what the last one said."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import hypot
from pathlib import Path
from typing import Any

from forecast.ledger import entries, track_record
from forecast.skill import Against, Honesty, honesty_of

type Json = dict[str, Any]

AHEAD = 1  # quarters: of the forecasts that are listed one by one


def track(ledger: Path | None, record: Mapping[str, Any]) -> Json:
    """The record so far, beside what a record of that length could show at all (`forecast.skill.Honesty`).

    Args:
        ledger: its file as it stands before this run; None where it holds nothing.
        record: this run's ``forecast.json`` but for this part: its scenarios, transitions and past.
    """
    found = honesty_of(ledger, record)
    return {
        **{key: getattr(found, key) for key in ("resolved", "scored", "set_aside", "begun", "first", "last")},
        "means": [{"horizon": horizon, **means} for horizon, means in found.means.items()],
        "gains": [_gain(one) for one in found.against],
        **{key: getattr(found, key) for key in ("skill_process", "alarm", "alarmed", "reference_test")},
        "processes": [asdict(one) for one in found.processes],
        **{key: getattr(found, key) for key in ("perfect", "perfect_after", "sentence")},
        "calibration": _calibration(found),
        "past": [] if ledger is None else list(_past(ledger, record)),
    }


def change(ledger: Path | None, record: Mapping[str, Any]) -> Json | None:
    """Both numbers of each quarter that this run and the last one issued before it speak of; why they differ is not asked.

    A live forecast is held against the last live one. None where the theatre has no other of the same scenarios.

    Args:
        ledger: its file as it stands before this run; None where it holds nothing.
        record: this run's ``forecast.json``.
    """
    for earlier in () if ledger is None else _earlier(ledger, record):
        then = {row["quarter"]: row["resolved"] for row in _quarters(earlier)}
        common = [row for row in record["quarters"] if _known(row["resolved"]) and row["quarter"] in then]
        if common:
            rules = [run["provenance"]["scenarios_sha256"] for run in (earlier, record)]
            return {
                "since": {key: earlier[key] for key in ("run", "as_of", "issued_at")},
                "same_rules": rules[0] == rules[1],
                "quarters": [
                    {"quarter": row["quarter"], "resolved": _shifts(then[row["quarter"]], row["resolved"])}
                    for row in common
                ],
            }
    return None


def _gain(one: Against) -> Json:
    """A comparison; no interval where there are too few to resample."""
    told = one.comparison
    return {
        **{key: getattr(one, key) for key in ("score", "horizon", "reference")},
        **{key: getattr(told, key) for key in ("n", "origins", "gain", "low", "high", "mass", "skill", "p")},
        "scores": {"model": told.model, "reference": told.reference},
        "sentence": told.sentence,
    }


def _calibration(found: Honesty) -> list[Json]:
    return [
        {
            "scenario": name,
            "n": bias.n,
            "said": bias.mean,
            "came": bias.frequency,
            **{key: getattr(bias, key) for key in ("difference", "low", "high", "mass")},
        }
        for name, bias in found.calibration.items()
    ]


def _past(ledger: Path, record: Mapping[str, Any]) -> Iterator[Json]:
    """Every live forecast of the theatre's resolved quarters, one quarter ahead; version 0.1.0 kept no probabilities."""
    for one in track_record(ledger, theatre=record["title"]):
        if one.horizon == AHEAD and len(one.p) == len(record["scenarios"]):
            yield {
                "run": one.run,
                "as_of": one.issued_at,
                "quarter": one.quarter,
                "probabilities": list(one.p),
                "resolved": one.outcome,
            }


def _earlier(ledger: Path, record: Mapping[str, Any]) -> Iterator[Json]:
    """Forecasts of the theatre's same scenarios that a reader may have seen before this one, the last issued first."""
    for entry in reversed(entries(ledger)):
        if entry.kind != "forecast":
            continue
        earlier = json.loads(entry.payload)
        if (
            earlier["title"] == record["title"]
            and earlier["timing"] == record["timing"]
            and earlier["as_of"] <= record["as_of"]
            and _ids(earlier) == _ids(record)
        ):
            yield earlier


def _ids(record: Mapping[str, Any]) -> list[str]:
    return [scenario["id"] for scenario in record["scenarios"]]


def _quarters(record: Mapping[str, Any]) -> list[Json]:
    running = [record["current_quarter"]] if record["current_quarter"] else []
    return [row for row in (*running, *record["quarters"]) if _known(row["resolved"])]


def _known(row: Mapping[str, Json]) -> bool:
    return all(cell["mean"] is not None for cell in row.values())


def _shifts(then: Mapping[str, Json], now: Mapping[str, Json]) -> Json:
    return {
        name: {
            "before": then[name]["mean"],
            "after": cell["mean"],
            "shift": cell["mean"] - then[name]["mean"],
            "mcse": hypot(then[name]["mcse"], cell["mcse"]),
        }
        for name, cell in now.items()
    }
