"""The JSON Schema of a prior file, so that an editor completes and checks it as it is written."""

from typing import Any

from priors.library import SCHEMA, SHAREABLE
from priors.quantities import GRAMMAR, Quantity
from priors.statement import KINDS

ID = "^[a-z][a-z0-9-]{0,40}$"


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``priors.toml``: quantities nested as the dots of their keys say."""
    from pydantic.json_schema import models_json_schema

    _, definitions = models_json_schema([(kind, "validation") for kind in KINDS.values()])
    records = definitions["$defs"]
    for kind in KINDS.values():
        record = records[kind.__name__]
        del record["properties"]["quantity"]  # the key itself
        from_elsewhere = {"quantity", "known_from", *SHAREABLE}
        record["required"] = ["kind", *(name for name in record["required"] if name not in from_elsewhere)]
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scenariocast priors",
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "name"],
        "properties": {
            "schema": {"const": SCHEMA},
            "name": {"type": "string", "minLength": 1},
            "defaults": _defaults(records["Interval"]["properties"]),
        },
        "$defs": records,
    }
    for quantity in GRAMMAR:
        _plant(root, quantity)
    return root


def _defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """Author, date and source may be given once for a file."""
    shared = {name: fields[name] for name in SHAREABLE}
    return {"type": "object", "additionalProperties": False, "properties": shared}


def _plant(root: dict[str, Any], quantity: Quantity) -> None:
    """Put a quantity where its pattern says: words as properties, ids as pattern properties."""
    node = root
    for word in quantity.pattern.split("."):
        group, name = ("patternProperties", ID) if word[0] == "<" else ("properties", word)
        node = node.setdefault(group, {}).setdefault(name, {"type": "object", "additionalProperties": False})
    kinds = [kind for kind in KINDS if (kind == "shares") == (quantity.scale == "shares")]
    del node["additionalProperties"]
    node["description"] = quantity.meaning
    node["oneOf"] = [{"$ref": f"#/$defs/{KINDS[kind].__name__}"} for kind in kinds]
