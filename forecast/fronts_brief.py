"""The fronts of a record as a brief has them: those with regimes of their own, and what they vary about."""

from collections.abc import Iterable, Mapping
from typing import Any

type Json = Mapping[str, Any]
type Plain = dict[str, Any]

ESTIMATE = ("mean", "q05", "q95", "mcse")


def fronts(record: Json, ids: Iterable[str]) -> list[Plain]:
    """Each front that has a chain, its rows in the order of the scenarios."""
    names = tuple(ids)
    return [
        {
            "id": key,
            "title": told["title"] or key,
            "now": row(told["regime"], names),
            "quarters": [
                {"quarter": entry["quarter"], "regime": row(entry["regime"], names)}
                for entry in told["quarters"]
            ],
            "dwell_months": row(told["dwell_months"], names),
            "history": [
                {"month": entry["month"], "regime": [entry["regime"].get(name, 0.0) for name in names]}
                for entry in told["history"]
            ],
        }
        for key, told in (record.get("fronts") or {}).items()
        if "history" in told
    ]


def pooling(record: Json, ids: Iterable[str]) -> Plain | None:
    """What the fronts have together; None where there is one chain, or a single front that varies about nothing."""
    told = record.get("fronts_pooled")
    if not told or not told["apart"]:
        return None
    return {
        "model": told["model"],
        "dwell_months": row(told["dwell_months"], ids),
        "apart": [(key, estimate(entry)) for key, entry in told["apart"].items()],
    }


def row(by_name: Json, ids: Iterable[str]) -> list[Plain | None]:
    """The estimates in scenario order; none where a scenario has no regime."""
    return [
        None if entry is None or entry["mean"] is None else estimate(entry) for entry in map(by_name.get, ids)
    ]


def estimate(entry: Json) -> Plain:
    """Mean, interval and Monte Carlo error."""
    return {key: entry[key] for key in ESTIMATE}
