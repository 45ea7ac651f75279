"""First passages are scored as events: whether some quarter up to the h-th resolved to the scenario, (q − z)² for h = 1 and 4.

Asked only where the last resolved quarter was not that scenario already. The reference is the empirical Markov chain of the outcomes
the forecast knew, with the scenario made absorbing. A passage is settled once it came, or once all its quarters resolved without it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from forecast.ledger import entries, questions
from forecast.ledger.issue import question_id
from forecast.score import brier_event

HORIZONS = (1, 4)  # quarters; those between are one question with these


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


def passages(ledger: str | Path) -> tuple[Passage, ...]:
    """Every settled first passage of live forecasts, in the order issued; of several of the same quarters the first."""
    outcomes = {one.id: one.outcome for one in questions(ledger, on=date.max)}
    found: dict[tuple[str, str, int], Passage] = {}
    for entry in entries(ledger):
        if entry.kind != "forecast":
            continue
        record = json.loads(entry.payload)
        if record["timing"] == "live":
            asked = [question_id(record, ahead["quarter"]) for ahead in record["quarters"]]
            for one in _settled(record, [outcomes.get(question) for question in asked]):
                found.setdefault((asked[0], one.scenario, one.horizon), one)
    return tuple(found.values())


def _settled(record: Mapping[str, Any], outcomes: Sequence[str | None]) -> Iterator[Passage]:
    for scenario, told in (record.get("first_passage") or {}).items():
        for horizon in HORIZONS:
            seen = outcomes[:horizon]
            if told is None or len(seen) < horizon or (scenario not in seen and None in seen):
                continue
            q, came = told[horizon - 1]["mean"], scenario in seen
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
