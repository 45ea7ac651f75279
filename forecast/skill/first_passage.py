"""First passages are scored as events: whether some quarter up to the h-th resolved to the scenario, (q − z)² for h = 1 and 4.

Asked only where the last resolved quarter was not that scenario already. The reference is the empirical Markov chain of the outcomes
the forecast knew, with the scenario made absorbing. A passage is settled when every quarter up to its horizon is answered, whatever
came: to settle what came before what did not would count the former sooner. A quarter that stays unresolved is answered, and did not
resolve to the scenario; one whose question was annulled takes its passages with it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from forecast.ledger import Question, entries, questions
from forecast.ledger.asking import asked_by, register
from forecast.ledger.issue import ANNULLED
from forecast.score import brier_event

HORIZONS = (1, 4)  # quarters; those between are one question with these
UNANSWERED = ("open", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One live forecast of a first passage that is settled."""

    run: str
    scenario: str
    horizon: int
    q: float
    came: bool
    brier: float
    reference: float | None  # Brier score of the Markov chain; None if the forecast kept no past


def passages(ledger: str | Path, *, theatre: str | None = None) -> tuple[Passage, ...]:
    """Every settled first passage of live forecasts, in the order issued; of several of the same quarters the first.

    Args:
        ledger: the file.
        theatre: whose forecasts, by title; every theatre's if absent.
    """
    rows = entries(ledger)
    known = register(row.payload for row in rows if row.kind == "question")
    asked = {one.id: one for one in questions(ledger, on=date.max)}
    found: dict[tuple[str, str, str, int], Passage] = {}
    for row in rows:
        if row.kind != "forecast":
            continue
        record = json.loads(row.payload)
        title, first = record["title"], record["quarters"][0]["quarter"]
        if record["timing"] == "live" and theatre in (None, title):
            seen = [asked.get(name or "") for name in asked_by(record, known)]
            for one in _settled(record, seen):
                found.setdefault((title, first, one.scenario, one.horizon), one)
    return tuple(found.values())


def _settled(record: Mapping[str, Any], asked: Sequence[Question | None]) -> Iterator[Passage]:
    for scenario, told in (record.get("first_passage") or {}).items():
        for horizon in HORIZONS:
            seen = asked[:horizon]
            if told is None or len(seen) < horizon or not all(map(_counts, seen)):
                continue
            q = told[horizon - 1]["mean"]
            came = any(one is not None and one.outcome == scenario for one in seen)
            reference = _chain(record, scenario, horizon)
            yield Passage(
                run=record["run"],
                scenario=scenario,
                horizon=horizon,
                q=q,
                came=came,
                brier=float(brier_event(q, came)),
                reference=None if reference is None else float(brier_event(reference, came)),
            )


def _counts(question: Question | None) -> bool:
    """Whether a quarter is answered, so that what came and what did not are told at the same time."""
    return question is not None and question.state not in (*UNANSWERED, ANNULLED)


def _chain(record: Mapping[str, Any], scenario: str, horizon: int) -> float | None:
    """What the Markov chain says: from the last resolved quarter to the first of the forecast, from there absorbed."""
    if not record.get("resolved_history"):
        return None
    from forecast.ledger.scoring import (
        outcomes_known,  # late: a record without a settled passage needs no models
    )
    from models.baselines import empirical_chain, markov_chain

    places, steps = outcomes_known(record, record["quarters"][0]["quarter"])
    ids = [one["id"] for one in record["scenarios"]]
    place, absorbing = ids.index(scenario), empirical_chain(places, len(ids))
    absorbing[place] = np.eye(len(ids))[place]
    first = markov_chain(places, len(ids), steps)
    return float((first @ np.linalg.matrix_power(absorbing, horizon - 1))[place])
