"""A forecast is scored together with what it must beat, from its own row: the outcomes it knew, the ones before it, its priors.

References see exactly what the forecast saw: how the rules had resolved the past at its origin, with the figures of that day. The
scores enter the ledger with the resolution, so that a later version of the code finds the same numbers.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from forecast import score
from forecast.ledger import asking
from forecast.ledger.issue import probabilities
from forecast.ledger.store import rows
from forecast.months import month_end, ordinal, quarter_months
from models.baselines import SCENARIOS, UNRESOLVED

PREVIOUS, PRIORS_ALONE = "previous-forecast", "priors-alone"  # beside those of `models.baselines.SCENARIOS`

type Json = dict[str, Any]


def scores(connection: sqlite3.Connection, question: str, outcome: int) -> list[Json]:
    """Every forecast of a question against the place of the scenario that came, in the order issued."""
    scored: list[Json] = []
    published: Sequence[float] | None = None  # by the last live forecast so far
    known = asking.register(row.payload for row in rows(connection, "kind = 'question'"))
    for row in rows(connection, "kind = 'forecast'"):
        record = json.loads(row.payload)
        answered = asking.asked_by(record, known)
        for horizon, (ahead, asked) in enumerate(zip(record["quarters"], answered, strict=True), start=1):
            if asked != question:
                continue
            p = probabilities(record, ahead)
            opens = month_end(quarter_months(ahead["quarter"])[0]).replace(day=1)
            scored.append(
                {
                    "run": row.subject,
                    "timing": record["timing"],
                    "issued_at": row.created_at,
                    "horizon": horizon,
                    "forced": bool(record["verdict"].get("forced")),
                    "begun": row.created_at[:10] >= opens.isoformat(),
                    "p": p,
                    **_three(p, outcome),
                    "references": {
                        name: _three(q, outcome) for name, q in references(record, ahead, published)
                    },
                }
            )
            if record["timing"] == "live":
                published = p
    return scored


def references(
    record: Mapping[str, Any], ahead: Mapping[str, Any], published: Sequence[float] | None
) -> Iterator[tuple[str, Sequence[float]]]:
    """What each reference says of a quarter, by name.

    Args:
        record: the forecast.
        ahead: its entry for the quarter.
        published: what the last live forecast before it said of the quarter, if one did.
    """
    ids = [scenario["id"] for scenario in record["scenarios"]]
    if record.get("resolved_history"):
        places, steps = outcomes_known(record, ahead["quarter"])
        for name, reference in SCENARIOS.items():
            yield name, reference(places, len(ids), steps).tolist()
    if published is not None:
        yield PREVIOUS, published
    if all(ahead["resolved"][name].get("before") is not None for name in ids):
        yield PRIORS_ALONE, probabilities(record, ahead, "before")


def outcomes_known(record: Mapping[str, Any], quarter: str) -> tuple[list[int], int]:
    """Places of the past quarters as the forecast knew them, and the steps from the last resolved one to a quarter."""
    ids, past = [scenario["id"] for scenario in record["scenarios"]], record["resolved_history"]
    places = [UNRESOLVED if row["resolved"] is None else ids.index(row["resolved"]) for row in past]
    known = [i for i, place in enumerate(places) if place != UNRESOLVED]
    return places, _quarters(past[known[-1] if known else -1]["quarter"], quarter)


def _quarters(earlier: str, later: str) -> int:
    return (ordinal(quarter_months(later)[0]) - ordinal(quarter_months(earlier)[0])) // 3


def _three(p: Sequence[float], outcome: int) -> dict[str, float]:
    vector = np.asarray(p, dtype=float)
    return {name: float(getattr(score, name)(vector, outcome)) for name in ("ign", "rps", "brier")}
