"""Probabilities as the record holds them: mean, 90 % interval, Monte Carlo error, and the words they earn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.fitted import VISIBLE_SPREAD
from forecast.record.material import Material
from forecast.scenarios import Estimate
from forecast.scenarios.nested import Array, quantiles
from reports.words import phrase

PRIOR_DRIVEN = 0.8  # sd of the posterior over sd of the prior, above which a headline rests on the prior
GRID = tuple((i + 0.5) / 1000 for i in range(1000))  # equally weighted stand-ins for weighted draws

type Json = dict[str, Any]


def told(estimate: Estimate | None) -> Json:
    """Mean, interval and error; all null for a question that never arose."""
    if estimate is None:
        return dict.fromkeys(("mean", "q05", "q95", "mcse"))
    return {key: float(getattr(estimate, key)) for key in ("mean", "q05", "q95", "mcse")}


def sd(estimate: Estimate) -> float:
    """Standard deviation of the probability over parameter draws."""
    mean = float(estimate.weights @ estimate.draws)
    return float(np.sqrt(estimate.weights @ (estimate.draws - mean) ** 2))


def in_words(estimate: Estimate) -> str:
    """The likelihood word that the draws earn."""
    return phrase(quantiles(estimate.draws, estimate.weights, GRID))


def answered(estimate: Estimate | None, before: Estimate | None) -> Json:
    """A headline probability: also before any data, in words, and how much of its uncertainty the data took away."""
    if estimate is None:
        return {**told(None), "before": None, "words": None, "contraction": None, "prior_driven": None}
    ratio = sd(estimate) / sd(before) if before is not None and sd(before) > 0 else None
    return {
        **told(estimate),
        "before": None if before is None else float(before.mean),
        "words": in_words(estimate),
        "contraction": ratio,
        "prior_driven": None if ratio is None else ratio > PRIOR_DRIVEN,
    }


def latent(values: Array) -> Json:
    """A latent quantity from its exact value in each draw.

    Args:
        values: (chain, draw); no inner simulation, so quantiles are quantiles.
    """
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    low, high = np.quantile(values, (0.05, 0.95))
    moves = bool(np.ptp(values) > 0)
    size = array_stats.ess(values, method="mean") if moves else values.size  # type: ignore[no-untyped-call]
    return {
        "mean": float(values.mean()),
        "q05": float(low),
        "q95": float(high),
        "mcse": float(values.std(ddof=1) / np.sqrt(size)) if moves else 0.0,
    }


def quarter(material: Material, name: str) -> Json:
    """One quarter: what it may resolve to, and the latent regime of its last month."""
    ids = material.workspace.scenarios.ids
    row, before = material.ensemble.resolved[name], material.before.resolved[name]
    return {
        "quarter": name,
        "resolved": {key: answered(row[key], before[key]) for key in ids},
        "regime": None if material.latent is None else regimes_at(material.latent.quarter_end(name), ids),
        "unresolved": float(material.ensemble.unresolved[name]),
    }


def regimes_at(by_regime: Mapping[str, Array], ids: Sequence[str]) -> Json:
    """Latent probabilities by scenario id; a scenario without a regime of its own has none."""
    return {key: latent(by_regime[key]) if key in by_regime else told(None) for key in ids}


def front(material: Material, name: str) -> Json:
    """The regimes of a front that has a chain of its own: now, at each quarter's end, how long they last, and month by month.

    In ``history`` a month is as its own figures and earlier ones have it, under parameters that know the whole window.
    """
    if material.by_front is None:
        return {}
    told_, ids = material.by_front.fronts[name], material.workspace.scenarios.ids
    own = told_.latent
    ahead = (*([material.current] if material.current else ()), *material.quarters)
    return {
        "regime": regimes_at(own.now(), ids),
        "quarters": [{"quarter": q, "regime": regimes_at(own.quarter_end(q), ids)} for q in ahead],
        "dwell_months": regimes_at(own.dwell(), ids),
        "history": [
            {"month": month, "regime": dict(zip(own.regimes, row.tolist(), strict=True))}
            for month, row in zip(own.months, told_.filtered, strict=True)
        ],
    }


def pooled(material: Material) -> Json | None:
    """What fronts with chains of their own vary about: the average spells that are theirs together, and how far they do."""
    by_front = material.by_front
    if by_front is None:
        return None
    return {
        "model": by_front.joint.model.name,
        "dwell_months": regimes_at(by_front.dwell, material.workspace.scenarios.ids),
        "apart": {key: latent(values) for key, values in by_front.apart.items()},
    }


def passages(material: Material) -> Json:
    """First passage by scenario and quarter; null for the scenario that holds already."""
    told_ = {}
    for key in material.workspace.scenarios.ids:
        row = material.ensemble.first_passage.get(key)
        told_[key] = row and [
            {"quarter": name, **{k: v for k, v in told(row[name]).items() if k != "mcse"}}
            for name in material.quarters
        ]
    return told_


def scenario_transitions(material: Material) -> Json:
    """P(next quarter resolves to j | this one to i), and the row from the last resolved quarter.

    A row is ``noisy`` where the simulation widens one of its intervals beyond `TOO_NOISY`, or fewer futures visit it
    than there are parameter draws.
    """
    ids, table = material.workspace.scenarios.ids, material.ensemble.transitions
    cells = {k: [[told(table[i][j])[k] for j in ids] for i in ids] for k in ("mean", "q05", "q95", "mcse")}
    last = material.past.last_resolved
    row = None if last is None else material.ensemble.after(last.quarter)
    now = None
    if last is not None and row is not None:
        now = {
            "from": last.resolved,
            **{k: {j: told(row[j])[k] for j in ids} for k in ("mean", "q05", "q95")},
        }
    visits = [material.ensemble.visits[i] for i in ids]
    few = material.workspace.config.simulate.draws
    return {
        "per": "quarter",
        **cells,
        "from_now": now,
        "paths": visits,
        "inflation": [[_inflation(table[i][j]) for j in ids] for i in ids],
        "noisy": [
            seen < few or any(_noisy(cell) for cell in table[i].values())
            for i, seen in zip(ids, visits, strict=True)
        ],
    }


def _inflation(estimate: Estimate | None) -> float | None:
    """S²/σ̂² of a probability; null where the noise explains all the spread, or the question never arose."""
    return float(estimate.inflation) if estimate is not None and np.isfinite(estimate.inflation) else None


def _noisy(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.needs_more_paths and sd(estimate) > VISIBLE_SPREAD


def latent_transitions(material: Material, steps: int, per: str) -> Json | None:
    """The latent matrix over a number of months, from end to end."""
    if material.latent is None:
        return None
    regimes, ids = material.latent.regimes, material.workspace.scenarios.ids
    matrices = material.latent.transition(steps)  # (chain, draw, from, to)
    low, high = np.quantile(matrices, (0.05, 0.95), axis=(0, 1))
    told = {"mean": matrices.mean((0, 1)), "q05": low, "q95": high}

    def cell(values: Array, i: str, j: str) -> float | None:
        both = (
            i in regimes and j in regimes
        )  # a scenario without a regime of its own has neither row nor column
        return float(values[regimes.index(i), regimes.index(j)]) if both else None

    return {
        "per": per,
        **{key: [[cell(values, i, j) for j in ids] for i in ids] for key, values in told.items()},
    }


def crosswalk(material: Material) -> Json | None:
    """How regime and resolved scenario go together."""
    walk = material.crosswalk
    if walk is None:
        return None
    ids, rows = material.workspace.scenarios.ids, list(walk.table)
    return {
        "per": "quarter",
        "rows": rows,
        "columns": list(ids),
        "mean": [[told(walk.table[i][j])["mean"] for j in ids] for i in rows],
        "differ": told(walk.differ),
    }
