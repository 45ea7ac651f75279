"""What the data are, as the record holds them: streams with their fans, gaps, sources, and how rules read the past."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forecast.panel import COVERED, MASKED, OUTSIDE, PROVISIONAL
from forecast.publish import digest
from forecast.record.material import Material
from forecast.streams import Release, StreamDefinition

type Json = dict[str, Any]

MARKS = {COVERED: "#", PROVISIONAL: "~", MASKED: "x", OUTSIDE: " "}
UNITS = {"days": "days a month", "in-force": "in force (1) or not (0)", "events": "events a month"}
LEVELS = ("q05", "q25", "q50", "q75", "q95")


def streams(material: Material) -> Json:
    """Per stream: every month observed, then the fan of the months that are drawn."""
    drawn = [str(month) for month in material.fans["month"].values]
    ahead = [month for month in drawn if month > material.panel.origin]
    return {
        stream.id: [_cell(material, stream.id, month, drawn) for month in (*material.panel.months, *ahead)]
        for stream in material.panel.definitions
    }


def _cell(material: Material, stream: str, month: str, drawn: list[str]) -> Json:
    """An observation, or the fan of what was drawn in its place."""
    past = month <= material.panel.origin
    at = {"stream": stream, "month": month}
    value = float(material.panel.counts.sel(at)) if past else float("nan")
    known = value == value
    open_ = month in drawn and not known
    levels = material.fans.sel(at).values.tolist() if open_ else [None] * len(LEVELS)
    return {
        "month": month,
        "observed": value if known else None,
        **dict(zip(LEVELS, levels, strict=True)),
        "mean": float(material.expected.sel(at)) if open_ else None,
        "state": str(material.panel.states.sel(at).item()) if past else "future",
    }


def about_streams(material: Material) -> Json:
    """Title, unit and structure of each stream, its ends, and where final figures give way to provisional ones."""
    return {stream.id: _about(stream, material) for stream in material.panel.definitions}


def _about(stream: StreamDefinition, material: Material) -> Json:
    row = material.panel.counts.sel(stream=stream.id).dropna("month")["month"].values
    splice = material.panel.splices[stream.id]
    inside = splice is not None and material.panel.months[0] < splice <= material.panel.origin
    releases = material.panel.releases.sel(stream=stream.id)
    return {
        "title": stream.name,
        "unit": UNITS.get(stream.measure, "count a month"),
        "family": stream.family,
        "level": stream.level,
        "effect": stream.effect,
        "source": stream.source,
        "measure": stream.measure,
        "where": {column: list(values) for column, values in stream.where.items()},
        "first": str(row[0]) if len(row) else None,
        "last": str(row[-1]) if len(row) else None,
        "splice": {
            "month": splice,
            "from": str(releases.values[0]),
            "to": str(releases.sel(month=splice).item()),
        }
        if inside
        else None,
    }


def gaps(material: Material) -> tuple[list[Json], list[Json]]:
    """Masked months with their reasons, and the missing cells that are drawn with the future."""
    masks = [
        {
            "stream": stream,
            "months": list(mask.months),
            "because": mask.because,
            "known_from": mask.known.isoformat(),
        }
        for stream, found in material.panel.masks.items()
        for mask in found
    ]
    drawn = [
        {"stream": stream, "months": list(tail)} for stream, tail in material.panel.tails.items() if tail
    ]
    return masks, drawn


def known(material: Material, stream: str, months: Sequence[str]) -> list[str]:
    """Those of some months in which a stream is observed."""
    own = set(material.panel.counts.sel(stream=stream).dropna("month")["month"].values.tolist())
    return [month for month in months if month in own]


def coverage(material: Material) -> Json:
    """One character a month and stream."""
    return {
        "months": list(material.panel.months),
        "rows": [
            {"stream": stream.id, "states": "".join(MARKS.get(str(s), ".") for s in row)}
            for stream, row in zip(material.panel.definitions, material.panel.states.values, strict=True)
        ],
    }


def sources(material: Material) -> list[Json]:
    """Citation, licence, file and hash of each source, and what reading it had to set aside or mend."""
    readings = {reading.file: reading for reading in material.panel.readings}
    told = []
    for source in material.workspace.sources:
        covered = (
            source.coverage
            if source.coverage == "rows"
            else {"from": source.coverage.from_, "to": source.coverage.to}
        )
        path: Path = material.workspace.data_path(source)
        reading = readings.get(source.file)
        told.append(
            {
                "id": source.id,
                "citation": source.citation,
                "licence": source.licence,
                "file": source.file,
                "sha256": digest(path),
                "coverage": covered,
                "coded_by": source.coded_by,
                "releases": [_release(name, source.releases[name]) for name in source.classes],
                "notes": list(reading.account()) if reading is not None else [],
            }
        )
    return told


def _release(name: str, release: Release) -> Json:
    """A release class: its months, and since which day it reached so far."""
    return {
        "name": name,
        "from": release.from_,
        "to": release.to,
        "published": {month: day.isoformat() for month, day in release.published.items()},
    }


def rule_history(material: Material) -> list[Json]:
    """How the rules resolve each quarter of the window, and the smallest revision that would flip it."""
    return [
        {
            "quarter": quarter.quarter,
            "resolved": quarter.resolved,
            "decided_by": quarter.decided_by,
            "flip": {
                "stream": quarter.flips[0].stream,
                "factor": quarter.flips[0].factor,
                "to": quarter.flips[0].to,
            }
            if quarter.flips
            else None,
        }
        for quarter in material.past.quarters
    ]
