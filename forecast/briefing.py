"""The record of a run becomes a brief: a pure function, so a stored run renders again without sampling.

Keys of the contract must be there; what later runs add may be absent and becomes ``None`` or empty. Nothing
is computed here: a number in a report is a number of ``forecast.json``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from forecast import fronts_brief
from priors.refusal import Refusal
from reports.brief import Brief
from reports.given import Belief, Driver, Label, Reading
from reports.parts import Estimate, Gap, Known, Move, Prior, Record, Resolution, Signpost
from reports.trust import Calibrated, Carried, Check, Gain, Past, Sensitivity, Tipping, Track, Verdict

SCHEMA = "scenariocast/forecast/1"
FILE = "forecast.json"
OUTSIDE = "-"  # a blank in the strip of the record: outside what the source covers

Json = Mapping[str, Any]
Plain = dict[str, Any]


def brief(record: Json) -> Brief:
    """The brief of a record, as ``forecast.json`` holds it.

    Raises:
        Refusal: if the record has another schema, lacks a key of the contract, or holds what cannot be.
    """
    if record.get("schema") != SCHEMA:
        raise Refusal(
            file=FILE,
            where="schema",
            got=record.get("schema"),
            wanted=repr(SCHEMA),
            remedy="run the forecast again",
        )
    try:
        return Brief.model_validate(_parts(record))
    except KeyError as missing:
        raise Refusal(
            file=FILE,
            wanted=f"the key {missing}",
            remedy="the record is not complete; run the forecast again",
        ) from missing
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Refusal(
            file=FILE, where=where, got=first["input"], wanted=first["msg"], remedy="run the forecast again"
        ) from wrong
    except (TypeError, AttributeError) as wrong:
        raise Refusal(
            file=FILE, wanted="the layout of " + SCHEMA, remedy=f"{wrong}; run the forecast again"
        ) from wrong


def _parts(record: Json) -> Plain:
    ids = [scenario["id"] for scenario in record["scenarios"]]
    provenance = record["provenance"]
    return {
        **{
            key: record[key]
            for key in ("run", "title", "issued_at", "as_of", "timing", "data_as_of", "origin")
        },
        **_present(record, "question", "organisation", "language", "licence", "citation", "latent_from"),
        **_present(record, "priors_name", "weights_sentence", "ledger"),
        "window": _ends(record["window"]),
        "verdict": _verdict(record["verdict"]),
        "scenarios": [_scenario(scenario) for scenario in record["scenarios"]],
        "last_resolved": _pair(record.get("last_resolved"), "quarter", "scenario"),
        "now": _row(_get(record["now"], "regime"), ids),
        "current_quarter": _quarter(record["current_quarter"], ids),
        "quarters": [_quarter(quarter, ids) for quarter in record["quarters"]],
        "first_passage": [
            _passage(name, record["first_passage"].get(name), record["quarters"]) for name in ids
        ],
        "scenario_transitions": _matrix(record["scenario_transitions"], ids),
        "transitions": _matrix(record["transitions"], ids),
        "transitions_quarter": _matrix(record["transitions_quarter"], ids, per="quarter"),
        "dwell_months": _row(record["dwell_months"], ids),
        "crosswalk": _crosswalk(record["crosswalk"]),
        "history": [
            {"month": entry["month"], "regime": [entry["regime"].get(name, 0.0) for name in ids]}
            for entry in record["history"] or ()
        ],
        "fronts": fronts_brief.fronts(record, ids),
        "pooling": fronts_brief.pooling(record, ids),
        "resolved_history": _each(Resolution, record.get("resolved_history")),
        "rule_noise": [
            {"scenario": name, **noise} for name, noise in (record.get("rule_noise") or {}).items()
        ],
        "rule_warnings": record.get("rule_warnings") or (),
        "streams": [_stream(name, record) for name in record["streams"]],
        "masks": _each(Gap, record.get("masks")),
        "drawn": _each(Gap, record.get("drawn_cells")),
        "coverage": _coverage(record.get("coverage_strip")),
        "sources": [_source(source) for source in record.get("sources") or ()],
        "labels": _each(Label, record.get("labels")),
        "drivers": [_driver(driver) for driver in record.get("drivers") or ()],
        "change": _change(record.get("change")),
        "signposts": _each(Signpost, record.get("signposts")),
        "levers": [_lever(lever, ids) for lever in record.get("levers") or ()],
        "unmoved": record.get("unmoved_by_drivers") or (),
        "priors": _each(Prior, record["priors"]),
        "sensitivity": _sensitivity(record.get("sensitivity")),
        "track": _track(record.get("track")),
        "models": [_fitted(model, record.get("weights") or {}) for model in record["models"]],
        "notes": record.get("notes") or (),
        "provenance": {
            **_present(provenance, "data_sha256", "priors_sha256", "scenarios_sha256", "lock_sha256"),
            **_present(provenance, "seed", "engine", "python"),
            "versions": sorted((provenance.get("versions") or {}).items()),
        },
    }


def _of(part: type[Record], entry: Json) -> Plain:
    """What `part` knows of an entry; a later version may have added more."""
    return _present(entry, *part.model_fields)


def _known(entry: Json | None) -> Plain | None:
    """An estimate; none where the question never arose, or a scenario has no regime."""
    return None if entry is None or entry["mean"] is None else _of(Estimate, entry)


def _each(part: type[Record], entries: Iterable[Json] | None) -> list[Plain]:
    return [_of(part, entry) for entry in entries or ()]


def _verdict(entry: Json) -> Plain:
    return {**_of(Verdict, entry), "checks": _each(Check, entry.get("checks"))}


def _present(source: Json, *keys: str) -> Plain:
    return {key: source[key] for key in keys if source.get(key) is not None}


def _get(source: Json | None, key: str) -> Any:
    return None if source is None else source[key]


def _pair(source: Json | None, first: str, second: str) -> tuple[str, str] | None:
    return None if source is None else (source[first], source[second])


def _ends(window: Json) -> tuple[str, str]:
    return window["from"], window["to"]


def _row(by_name: Json | None, ids: Iterable[str]) -> list[Any] | None:
    """The estimates in scenario order."""
    return None if by_name is None else [_known(by_name.get(name)) for name in ids]


def _scenario(entry: Json) -> Plain:
    seen = entry.get("visibility")
    return {
        **{key: entry[key] for key in ("id", "title", "precedents")},
        **_present(entry, "narrative", "watch", "is_reference", "is_remainder", "support_months"),
        "rule": entry["rule"],
        "because": entry.get("rule_because"),
        "visibility": seen
        and {
            "visible": seen["visible"],
            "months": [point["months"] for point in seen["expected_log_bayes_factor"]],
            "log_bayes_factor": [point["value"] for point in seen["expected_log_bayes_factor"]],
        },
    }


def _quarter(entry: Json | None, ids: list[str]) -> Plain | None:
    if entry is None:
        return None
    return {
        "quarter": entry["quarter"],
        "resolved": _row(entry["resolved"], ids),
        "regime": _row(entry.get("regime"), ids),
        **_present(entry, "unresolved", "observed_months", "simulated_months"),
        "streams": _each(Known, entry.get("streams")),
    }


def _passage(name: str, entries: list[Json] | None, quarters: list[Json]) -> Plain:
    names = [quarter["quarter"] for quarter in quarters]
    if entries is None:
        return {"scenario": name, "quarters": names, "estimates": [None] * len(names)}
    estimates = [_known(entry) for entry in entries]
    return {"scenario": name, "quarters": [entry["quarter"] for entry in entries], "estimates": estimates}


def _matrix(entry: Json | None, ids: list[str], per: str = "month") -> Plain | None:
    if entry is None:
        return None
    now = entry.get("from_now")
    return {
        "per": entry.get("per", per),
        "rows": ids,
        "columns": ids,
        "cells": [
            [_cell(*cell) for cell in zip(*rows, strict=True)]
            for rows in zip(entry["mean"], entry["q05"], entry["q95"], strict=True)
        ],
        "from_now": now and [_cell(now["mean"][i], now["q05"][i], now["q95"][i]) for i in ids],
        **_present(entry, "paths", "noisy"),
    }


def _cell(mean: float | None, q05: float | None, q95: float | None) -> Plain | None:
    return None if mean is None else {"mean": mean, "q05": q05, "q95": q95}


def _crosswalk(entry: Json | None) -> Plain | None:
    if entry is None:
        return None
    return {
        **{key: entry[key] for key in ("rows", "columns", "mean")},
        "differ": _known(entry["differ"]),
    }


def _stream(name: str, record: Json) -> Plain:
    about = (record.get("streams_meta") or {}).get(name, {})
    splice = about.get("splice")
    quantiles = ("q05", "q25", "q50", "q75", "q95", "mean")
    cells = [
        {
            "month": cell["month"],
            "observed": cell["observed"],
            "state": cell.get("state") or ("future" if cell["month"] > record["origin"] else "covered"),
            **_present(cell, *quantiles),
        }
        for cell in record["streams"][name]
    ]
    return {
        "id": name,
        "title": about.get("title") or name,
        "family": about.get("family") or "not stated",
        **_present(about, "unit", "level", "effect", "source", "first", "last"),
        "splice": splice and {"month": splice["month"], "before": splice["from"], "after": splice["to"]},
        "cells": cells,
    }


def _coverage(strip: Json | None) -> Plain | None:
    if strip is None:
        return None
    return {
        "months": strip["months"],
        "rows": [(row["stream"], row["states"].replace(" ", OUTSIDE)) for row in strip["rows"]],
    }


def _source(entry: Json) -> Plain:
    covered = entry.get("coverage")
    told = (
        "the months that have a row"
        if covered == "rows"
        else covered and f"{covered['from']} to {covered['to']}"
    )
    releases = [
        {
            "name": release["name"],
            "first": release["from"],
            "last": release["to"],
            "published": sorted(release["published"].items()),
        }
        for release in entry.get("releases") or ()
    ]
    return {
        **_present(entry, "id", "citation", "licence", "file", "sha256", "notes"),
        "coverage": told,
        "releases": releases,
    }


def _driver(entry: Json) -> Plain:
    last = entry["last"]
    return {**_of(Driver, entry), "last": last and _of(Reading, last), "odds": _each(Belief, entry["odds"])}


def _change(entry: Json | None) -> Plain | None:
    if entry is None:
        return None
    return {
        "run": entry["since"]["run"],
        "as_of": entry["since"]["as_of"],
        **_present(entry, "same_rules"),
        "shifts": [
            {
                "quarter": quarter["quarter"],
                "scenario": name,
                "before": pair["before"],
                "after": pair["after"],
                **_present(pair, "mcse"),
            }
            for quarter in entry["quarters"]
            for name, pair in quarter["resolved"].items()
        ],
        "moves": _each(Move, entry.get("bars")),
    }


def _track(entry: Json | None) -> Plain | None:
    return None if entry is None else _nested(Track, entry, gains=Gain, calibration=Calibrated, past=Past)


def _sensitivity(entry: Json | None) -> Plain | None:
    return None if entry is None else _nested(Sensitivity, entry, groups=Carried, tipping=Tipping)


def _nested(part: type[Record], entry: Json, **inside: type[Record]) -> Plain:
    return {**_of(part, entry), **{key: _each(one, entry.get(key)) for key, one in inside.items()}}


def _lever(entry: Json, ids: list[str]) -> Plain:
    return {
        **_present(entry, "id", "title", "because"),
        "sets": sorted((entry.get("drivers") or {}).items()),
        "beliefs": _each(Belief, entry.get("beliefs")),
        "courses": [_course(quarter, ids) for quarter in entry.get("quarters") or ()],
    }


def _course(entry: Json, ids: list[str]) -> Plain:
    cells = [entry["resolved"][name] for name in ids]
    return {
        "quarter": entry["quarter"],
        "before": [_known(cell["unconditional"]) for cell in cells],
        "after": [cell["conditional"]["mean"] for cell in cells],
        "shift": [_known(cell["difference"]) for cell in cells],
    }


def _fitted(entry: Json, weights: Json) -> Plain:
    point = {"mean": entry["weight"], "q05": entry["weight"], "q95": entry["weight"]}
    return {
        "name": entry["name"],
        "role": entry.get("role") or "used",
        **_present(entry, "origins", "refits", "pareto_k", "density_error"),
        "weight": weights.get(entry["name"]) or point,
        "verdict": _verdict(entry["verdict"]),
    }
