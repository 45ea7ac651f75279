"""A written table and its entry in the data package beside it: what it holds, where it is from, which hashes."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.ingest import Ingested, text_of
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


def write(ingested: Ingested, path: Path, provenance: Provenance) -> None:
    """Write the file, and its entry in the data package beside it; each replaces the old one in one step."""
    sources = {(path.parent / reading.file).resolve() for reading in ingested.readings}
    if path.resolve() in sources | {Path(reading.file).resolve() for reading in ingested.readings}:
        raise Refusal(
            file=str(path), got="an input file", wanted="another name", remedy="give -o another file"
        )
    if not path.parent.is_dir():
        raise Refusal(file=str(path.parent), remedy="there is no such folder; make it first")
    content = text_of(ingested).encode("utf-8")
    package = _package(path.parent)
    entry = _resource(ingested, path, content, provenance)
    others = [resource for resource in package["resources"] if resource["path"] != path.name]
    package["resources"] = sorted([*others, entry], key=lambda resource: str(resource["path"]))
    _replace(path, content)
    _replace(
        path.parent / PACKAGE, (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    )


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


def _resource(ingested: Ingested, path: Path, content: bytes, provenance: Provenance) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [{"name": column, "type": _TYPES.get(column, "string")} for column in ingested.frame],
        "missingValues": [""],
    }
    if ingested.key:
        schema["primaryKey"] = list(ingested.key)
    sources = [
        {
            "title": provenance.citation,
            **({"version": provenance.version} if provenance.version else {}),
            "file": Path(reading.file).name,
            "hash": f"sha256:{reading.sha256}",
        }
        for reading in ingested.readings
    ]
    return {
        "name": slug(path.stem),
        "path": path.name,
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


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(aside, path)
