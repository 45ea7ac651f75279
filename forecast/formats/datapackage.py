"""A table's entry in the data package beside it: what it holds, where it is from, which hashes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.formats.reading import Reading
from forecast.streams import slug
from priors.refusal import Refusal

PACKAGE = "datapackage.json"

_TYPES = {
    "month": "yearmonth",
    "vintage": "date",
    "start": "date",
    "end": "date",
    "known_from": "date",
    "count": "number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the figures come from, for the data package."""

    title: str
    citation: str
    licence: str
    version: str | None = None


def described(
    frame: pd.DataFrame,
    key: Sequence[str],
    readings: Sequence[Reading],
    *,
    file: Path,
    content: bytes,
    provenance: Provenance,
) -> bytes:
    """The data package of the folder of `file`, with the entry of `file` put in or replaced.

    Args:
        frame: the table that was written; its columns become the schema.
        key: columns that name a row, if any do.
        readings: the inputs, with the hashes of what was read.
        file: where the table goes.
        content: its bytes.
        provenance: what is said of it.

    Raises:
        Refusal: if what stands there is no data package.
    """
    package = _package(file.parent)
    entry = _resource(frame, key, readings, file, content, provenance)
    others = [resource for resource in package["resources"] if resource["path"] != file.name]
    package["resources"] = sorted([*others, entry], key=lambda resource: str(resource["path"]))
    return (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _package(folder: Path) -> dict[str, Any]:
    path = folder / PACKAGE
    if not path.exists():
        home = folder.resolve()
        name = slug(home.parent.name if home.name == "data" else home.name)
        return {"name": name or "data", "profile": "tabular-data-package", "resources": []}
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
        resources = [resource["path"] for resource in package["resources"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            file=str(path), got=str(error), wanted="a data package", remedy="mend it, or move it away"
        ) from None
    assert isinstance(resources, list)
    return dict(package)


def _resource(
    frame: pd.DataFrame,
    key: Sequence[str],
    readings: Sequence[Reading],
    file: Path,
    content: bytes,
    provenance: Provenance,
) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [{"name": column, "type": _TYPES.get(column, "string")} for column in frame],
        "missingValues": [""],
    }
    if key:
        schema["primaryKey"] = list(key)
    sources = [
        {
            "title": provenance.citation,
            **({"version": provenance.version} if provenance.version else {}),
            "file": Path(reading.file).name,
            "hash": f"sha256:{reading.sha256}",
        }
        for reading in readings
    ]
    return {
        "name": slug(file.stem),
        "path": file.name,
        "title": provenance.title,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": schema,
        "sources": sources,
        "licenses": [{"name": provenance.licence}],
    }
