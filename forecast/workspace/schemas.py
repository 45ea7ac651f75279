"""JSON Schemas of the files an analyst writes, so that an editor completes and checks them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.config import Configuration, Labels
from forecast.rules import ScenarioSet
from forecast.workspace.documents import SCHEMA
from priors.schema import schema as priors_schema

NAMED = ("Source", "StreamDefinition", "Front", "Driver", "Lever")  # their id is the name of their table
SHARED = ("author", "date", "source")  # what [defaults] may give once for a file


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file by the stem of its name: forecast, scenarios, priors, labels."""
    return {
        "forecast": _forecast(),
        "scenarios": ScenarioSet.model_json_schema(),
        "priors": priors_schema(),
        "labels": _labels(),
    }


def rendered() -> Mapping[str, bytes]:
    """The schema files by name: the same bytes every time."""
    return {
        f"{name}.json": (json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
        for name, schema in schemas().items()
    }


def write_schemas(directory: Path) -> tuple[Path, ...]:
    """Write the schema files into a directory, where ``#:schema`` lines look for them."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in rendered().items():
        path = directory / name
        path.write_bytes(content)
        written.append(path)
    return tuple(written)


def _forecast() -> dict[str, Any]:
    schema = _versioned(Configuration.model_json_schema())
    for name in NAMED:
        record = schema["$defs"][name]
        del record["properties"]["id"]
        record["required"].remove("id")
    where = schema["$defs"]["StreamDefinition"]["properties"]["where"]
    one_or_more = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    where["additionalProperties"] = {"anyOf": one_or_more}
    models = schema["$defs"]["Models"]
    models["patternProperties"] = models["properties"].pop("settings")["patternProperties"]
    return schema


def _labels() -> dict[str, Any]:
    schema = _versioned(Labels.model_json_schema())
    label = schema["$defs"]["Label"]
    label["required"] = [key for key in label["required"] if key not in SHARED]
    shared = {key: label["properties"][key] for key in SHARED}
    schema["properties"]["defaults"] = {"type": "object", "properties": shared, "additionalProperties": False}
    return schema


def _versioned(schema: dict[str, Any]) -> dict[str, Any]:
    schema["properties"] = {"schema": {"const": SCHEMA}, **schema["properties"]}
    schema["required"] = ["schema", *schema["required"]]
    return schema
