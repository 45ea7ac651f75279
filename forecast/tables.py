"""A run's numbers as files other programs read: csv tables, and the layout of forecast hubs.

The hub file follows the hubverse's column names: one row per task and output, ``pmf`` for scenarios (categories
from calm to severe), ``quantile`` and joint ``sample`` rows for counts.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.ledger.issue import probabilities
from forecast.months import month_end, quarter_months

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
SAMPLES = 1000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
HUB = (
    "origin_date", "target", "location", "horizon", "target_end_date", "output_type", "output_type_id", "value",
)  # fmt: skip


def cell(value: object) -> object:
    """A csv cell; text that a spreadsheet would run as a formula is quoted, numbers stay numbers."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write one table as UTF-8 with line feeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([cell(value) for value in row] for row in rows)
    return path


def write_tables(record: Mapping[str, Any], to: Path) -> tuple[Path, ...]:
    """The record's main tables as csv: probabilities, scenario transitions, streams, rule history, priors, levers, checks."""
    ids = [scenario["id"] for scenario in record["scenarios"]]
    keys = ("mean", "q05", "q95", "mcse")
    probabilities = [
        (quarter["quarter"], kind, key, *(quarter[kind][key][k] for k in keys))
        for quarter in record["quarters"]
        for kind in ("resolved", "regime")
        if quarter[kind] is not None
        for key in ids
    ]
    matrix = record["scenario_transitions"]
    transitions = [
        (start, end, *(matrix[k][i][j] for k in ("mean", "q05", "q95")))
        for i, start in enumerate(ids)
        for j, end in enumerate(ids)
    ]
    fans = ("observed", "q05", "q25", "q50", "q75", "q95", "state")
    streams = [
        (stream, month["month"], *(month[k] for k in fans))
        for stream, months in record["streams"].items()
        for month in months
    ]
    past = [(row["quarter"], row["resolved"], row["decided_by"]) for row in record["resolved_history"]]
    beliefs = [
        tuple(prior[k] for k in ("key", "says", "unit", "because", "author", "date", "source"))
        for prior in record["priors"]
    ]
    levers = [
        (
            *(lever["id"], entry["quarter"], key),
            *(cell[side]["mean"] for side in ("unconditional", "conditional")),
            *(cell["difference"][k] for k in keys),
        )
        for lever in record["levers"]
        for entry in lever["quarters"]
        for key, cell in entry["resolved"].items()
    ]
    checks = [
        tuple(check[k] for k in ("name", "value", "limit", "ok", "advice"))
        for check in record["verdict"]["checks"]
    ]
    return (
        write_csv(to / "probabilities.csv", ("quarter", "what", "scenario", *keys), probabilities),
        write_csv(to / "scenario_transitions.csv", ("from", "to", "mean", "q05", "q95"), transitions),
        write_csv(to / "streams.csv", ("stream", "month", *fans), streams),
        write_csv(to / "rule_history.csv", ("quarter", "resolved", "decided_by"), past),
        write_csv(to / "priors.csv", ("key", "says", "unit", "because", "author", "date", "source"), beliefs),
        write_csv(
            to / "levers.csv",
            ("lever", "quarter", "scenario", "unconditional", "conditional", "difference", *keys[1:]),
            levers,
        ),
        write_csv(to / "checks.csv", ("name", "value", "limit", "ok", "advice"), checks),
    )


def headline(
    outcomes: Mapping[str, xr.DataArray],
    weights: Mapping[str, float],
    scenarios: Sequence[str],
    *,
    chains: int,
) -> xr.Dataset:
    """What the headline is made of: per model and draw, how many simulated futures resolved to what.

    Args:
        outcomes: by model (draw, path, quarter), positions in ``scenarios``, negative where the rules cannot tell;
            all of one size.
        weights: by model.
        scenarios: ids in their order.
        chains: the draws are this many chains, one after the other.

    Returns:
        ``hits`` (model, draw, quarter, scenario), ``trials`` (model, draw, quarter) and ``weight`` (model); attributes
        ``chains`` and ``paths``.
    """
    found = xr.concat([outcomes[name] for name in weights], "model").transpose(
        "model", "draw", "path", "quarter"
    )
    hits = np.stack([(found.values == k).sum(axis=2) for k in range(len(scenarios))], axis=-1)
    return xr.Dataset(
        {
            "hits": (("model", "draw", "quarter", "scenario"), hits.astype(np.int32)),
            "trials": (("model", "draw", "quarter"), hits.sum(axis=-1).astype(np.int32)),
            "weight": ("model", list(weights.values())),
        },
        coords={"model": list(weights), "quarter": found["quarter"].values, "scenario": list(scenarios)},
        attrs={"chains": chains, "paths": found.sizes["path"]},
    )


def write_hub(
    record: Mapping[str, Any],
    futures: xr.Dataset,
    quantiles: xr.DataArray,
    to: Path,
    *,
    model: str,
    location: str,
) -> Path:
    """One ``model-output/<model>/<origin>-<model>.parquet``.

    A hub's ``pmf`` has no category for a quarter that stays unresolved: it is over the futures in which a rule decides,
    and adds to one; ``forecast.json`` tells the share of the others. A quarter that no future decides has no rows.

    Args:
        record: the run's ``forecast.json``.
        futures: ``count`` (draw, path, stream, month) of the model whose samples are written.
        quantiles: (stream, month, quantile) of the same at `QUANTILES`, as the record's bands are made.
        to: the hub's root.
        model: ``team-model``.
        location: the theatre's id.
    """
    import pandas as pd

    origin = month_end(record["origin"]).isoformat()
    rows = [*_pmf_rows(record, origin, location), *_count_rows(futures, quantiles, origin, location)]
    frame = pd.DataFrame(rows, columns=list(HUB))
    path = to / "model-output" / model / f"{origin}-{model}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
    return path


def _pmf_rows(record: Mapping[str, Any], origin: str, location: str) -> list[tuple[object, ...]]:
    ids = [scenario["id"] for scenario in record["scenarios"]]
    decided = [
        (h, ahead)
        for h, ahead in enumerate(record["quarters"], start=1)
        if all(ahead["resolved"][key]["mean"] is not None for key in ids)
    ]
    return [
        (origin, "scenario", location, h, month_end(quarter_months(ahead["quarter"])[2]).isoformat(), "pmf", key, p)
        for h, ahead in decided
        for key, p in zip(ids, probabilities(record, ahead), strict=True)
    ]  # fmt: skip


def _count_rows(
    futures: xr.Dataset, quantiles: xr.DataArray, origin: str, location: str
) -> list[tuple[object, ...]]:
    count = futures["count"]
    draws, paths = count.sizes["draw"], count.sizes["path"]
    # One path per draw, draws evenly spaced: the rows that share a sample's id are one joint future.
    taken = np.linspace(0, draws - 1, min(SAMPLES, draws * paths)).astype(int)
    rows: list[tuple[object, ...]] = []
    for stream in count["stream"].values:
        for h, month in enumerate(count["month"].values, start=1):
            cells = count.sel(stream=stream, month=month).transpose("draw", "path").values
            task = (origin, str(stream), location, h, month_end(str(month)).isoformat())
            band = quantiles.sel(stream=stream, month=month, quantile=list(QUANTILES)).values
            rows += [(*task, "quantile", f"{q:g}", float(v)) for q, v in zip(QUANTILES, band, strict=True)]
            rows += [(*task, "sample", str(i), float(cells[d, i % paths])) for i, d in enumerate(taken)]
    return rows
