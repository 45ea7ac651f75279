"""What the files of a hub may hold, as its ``hub-config`` says it: the values of each task, and the types of output."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecast.streams import slug
from forecast.tables import HUB, SAMPLES

if TYPE_CHECKING:
    import pandas as pd

SCHEMAS = "https://raw.githubusercontent.com/hubverse-org/schemas/main/v6.0.0"  # named, never fetched
KEYS = HUB[:5]  # the columns that say what is forecast
UTC = "Africa/Abidjan"  # the schema lists places; the clocks of this one show UTC all year
LONGEST = 30  # characters of a target's id

type Json = dict[str, Any]


def admin(record: Mapping[str, Any]) -> Json:
    """``admin.json``; the address of a contact and the owner of a repository are for whoever runs the hub to add."""
    organisation = record.get("organisation") or ""
    return {
        "schema_version": f"{SCHEMAS}/admin-schema.json",
        "name": record["title"],
        "maintainer": organisation,
        "contact": {"name": organisation},
        "repository": {"host": "github", "owner": "", "name": slug(record["title"])},
        "file_format": ["parquet"],
        "timezone": UTC,
    }


def tasks(frames: Sequence["pd.DataFrame"], record: Mapping[str, Any]) -> Json:
    """``tasks.json``.

    Args:
        frames: the rows of every file.
        record: the newest forecast.
    """
    import pandas as pd

    every = pd.concat(frames, ignore_index=True)
    scenario = every["output_type"] == "pmf"
    groups = [_task_group(every[scenario], "nominal" if _unordered(record) else "ordinal")]
    if not scenario.all():
        groups.append(_task_group(every[~scenario], "continuous"))
    return {
        "schema_version": f"{SCHEMAS}/tasks-schema.json",
        "output_type_id_datatype": "character",
        "derived_task_ids": ["target_end_date"],
        "rounds": [
            {
                "round_id_from_variable": True,
                "round_id": "origin_date",
                "model_tasks": groups,
                "submissions_due": {"relative_to": "origin_date", "start": 0, "end": 366},
            }
        ],
    }


def _unordered(record: Mapping[str, Any]) -> bool:
    return not ((record.get("answer_key") or {}).get("rules") or {}).get("ordinal", True)


def _task_group(rows: "pd.DataFrame", kind: str) -> Json:
    values = {name: sorted(rows[name].unique().tolist()) for name in KEYS}
    return {
        "task_ids": {name: {"required": None, "optional": found} for name, found in values.items()},
        "output_type": {name: _output_type(name, rows) for name in sorted(set(rows["output_type"]))},
        "target_metadata": [
            {
                "target_id": target if len(target) <= LONGEST else f"{target[: LONGEST - 4]}-{place:03d}",
                "target_name": target,
                "target_units": "probability" if kind != "continuous" else "per month",
                "target_keys": {"target": target},
                "target_type": kind,
                "is_step_ahead": kind == "continuous",
                **({"time_unit": "month"} if kind == "continuous" else {}),
            }
            for place, target in enumerate(values["target"], start=1)
        ],
    }


def _output_type(name: str, rows: "pd.DataFrame") -> Json:
    ids = list(dict.fromkeys(rows.loc[rows["output_type"] == name, "output_type_id"].tolist()))
    if name == "pmf":
        value = {"type": "double", "minimum": 0, "maximum": 1}
        return {"output_type_id": {"required": ids}, "value": value, "is_required": True}
    if name == "quantile":
        levels = sorted(float(level) for level in ids)
        return {"output_type_id": {"required": levels}, "value": {"type": "double"}, "is_required": False}
    params = {
        "type": "character",
        "max_length": max(len(str(label)) for label in ids),
        "min_samples_per_task": 1,
        "max_samples_per_task": SAMPLES,
        "compound_taskid_set": ["origin_date", "location"],
    }  # one sample is one joint future of all streams and months
    return {"output_type_id_params": params, "value": {"type": "double"}, "is_required": False}
