"""The record of a run: `forecast.json`, whose keys are a contract. Null, never NaN; no timings, so bytes repeat."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.fitted import Fitted
from forecast.ledger import answer_key
from forecast.months import quarter_months
from forecast.record import analysts, beliefs, chances, evidence, outlook, standing
from forecast.record.material import Material

__all__ = ["SCHEMA", "Material", "compose", "text"]

SCHEMA = "scenariocast/forecast/1"
FROM_LEDGER = {"track": standing.track, "change": standing.change}


def compose(material: Material) -> dict[str, Any]:
    """Everything that is known of one run, in the order of the contract."""
    workspace, config = material.workspace, material.workspace.config
    masks, drawn = evidence.gaps(material)
    weights = material.weighed.weights
    last = material.past.last_resolved
    latent = material.latent
    ids = workspace.scenarios.ids
    told = {
        "schema": SCHEMA,
        "run": material.run,
        "title": workspace.title,
        "question": config.question,
        "organisation": config.organisation,
        "language": config.language,
        "licence": config.licence,
        "citation": config.citation,
        "issued_at": material.clock.issued_at,
        "as_of": material.clock.as_of.isoformat(),
        "timing": material.clock.timing,
        "data_as_of": material.panel.origin,
        "origin": material.panel.origin,
        "window": {"from": material.panel.months[0], "to": material.panel.months[-1]},
        "release": workspace.scenarios.release,
        "answer_key": answer_key.written(
            workspace.scenarios, material.panel.definitions, window_from=workspace.config.time.window.from_
        ),
        "scenarios": beliefs.scenarios(material),
        "now": None if latent is None else {"regime": chances.regimes_at(latent.now(), ids)},
        "current_quarter": _running(material),
        "quarters": [chances.quarter(material, name) for name in material.quarters],
        "last_resolved": last and {"quarter": last.quarter, "scenario": last.resolved},
        "first_passage": chances.passages(material),
        "scenario_transitions": chances.scenario_transitions(material),
        "transitions": chances.latent_transitions(material, 1, "month"),
        "transitions_quarter": chances.latent_transitions(material, 3, "quarter"),
        "dwell_months": latent and chances.regimes_at(latent.dwell(), ids),
        "latent_from": workspace.latent_from,
        "crosswalk": chances.crosswalk(material),
        "history": [] if latent is None else latent.history(),
        "resolved_history": evidence.rule_history(material),
        "rule_noise": {
            name: {"nothing_changes": rate.nothing_changes, "level_walks": rate.level_walks}
            for name, rate in material.noise.items()
        },
        "rule_warnings": list(material.noise_warnings),
        "streams": evidence.streams(material),
        "streams_meta": evidence.about_streams(material),
        "masks": masks,
        "drawn_cells": drawn,
        "sources": evidence.sources(material),
        "coverage_strip": evidence.coverage(material),
        "fronts": {
            key: {"title": f.title, "at": f.at, **chances.front(material, key)}
            for key, f in config.fronts.items()
        }
        or None,
        "fronts_pooled": chances.pooled(material),
        "priors_name": workspace.priors.name,
        "priors": beliefs.priors(material),
        "weights": {
            name: {
                "mean": weight.mean,
                "q05": weight.q05,
                "q95": weight.q95,
                "mcse": material.weighed.noise[name],
            }
            for name, weight in weights.weights.items()
        },
        "weights_sentence": weights.sentence,
        "models": [_model(material, model) for model in material.fitted],
        "labels": analysts.labels(material),
        "drivers": analysts.drivers(material),
        "levers": analysts.levers(material),
        "unmoved_by_drivers": analysts.unmoved(material),
        "signposts": outlook.signposts(material),
        "sensitivity": outlook.sensitivity(material),
        "notes": list(material.notes),
        "ledger": material.ledger,
        "verdict": material.verdict.record(),
        "provenance": dict(material.provenance),
    }
    before = {part: tell(material.issued, told) for part, tell in FROM_LEDGER.items()}
    return {**told, **before}


def text(record: Mapping[str, Any]) -> str:
    """The bytes of ``forecast.json``: UTF-8, two spaces, a final line feed; a NaN is a bug and raises."""
    return json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _model(material: Material, model: Fitted) -> dict[str, Any]:
    """A model's part in the forecast: its weight, its checks, and what it foresaw a month, in nats."""
    seen = model.foresight
    return {
        "name": model.name,
        "role": "used" if model.used else "compared",
        "weight": material.weighed.weights.weights[model.name].mean if model.used else 0.0,
        "log_density_a_month": None
        if seen is None or not len(seen.origins)
        else material.weighed.weights.elpd[model.name],
        "origins": 0 if seen is None else len(seen.origins),
        "first_origin": None if seen is None or not seen.origins else seen.origins[0],
        "last_origin": None if seen is None or not seen.origins else seen.origins[-1],
        "refits": [] if seen is None else list(seen.refits),
        "pareto_k": None if seen is None else _worst(seen.k),
        "density_error": None if seen is None else _worst(seen.error),
        "verdict": model.verdict.record(),
    }


def _running(material: Material) -> dict[str, Any] | None:
    """The running quarter: what is observed is fixed, the rest is simulated, and streams differ in what they know.

    ``observed_months`` are those that every stream of a rule knows; ``streams`` tells each stream's own.
    """
    if material.current is None:
        return None
    months = quarter_months(material.current)
    known = {name: evidence.known(material, name, months) for name in material.workspace.scenarios.streams}
    by_all = [month for month in months if all(month in own for own in known.values())]
    return {
        **chances.quarter(material, material.current),
        "observed_months": by_all,
        "simulated_months": [month for month in months if month not in by_all],
        "streams": [
            {"stream": name, "observed": own, "simulated": [month for month in months if month not in own]}
            for name, own in known.items()
        ],
    }


def _worst(values: Sequence[float] | np.ndarray) -> float | None:
    """The largest finite one."""
    finite = np.asarray(values)[np.isfinite(values)]
    return float(finite.max()) if finite.size else None
