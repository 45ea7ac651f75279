"""What the data are, as the record holds them: streams with their fans, gaps, sources, and how rules read the past."""

from pathlib import Path
from typing import Any

from forecast.panel import COVERED, MASKED, OUTSIDE, PROVISIONAL
from forecast.publish import digest
from forecast.record.material import Material
from forecast.streams import StreamDefinition

type Json = dict[str, Any]

MARKS = {COVERED: "#", PROVISIONAL: "~", MASKED: "x", OUTSIDE: " "}
UNITS = {"days": "days a month", "in-force": "in force (1) or not (0)", "events": "events a month"}


def streams(material: Material) -> Json:
    """Per stream: every month observed, then the fan of the months that are drawn."""
    told = {}
    fans = material.fans
    drawn = [str(month) for month in fans["month"].values]
    for stream in material.panel.definitions:
        counts, states = (
            part.sel(stream=stream.id) for part in (material.panel.counts, material.panel.states)
        )
        rows = []
        for month in (*material.panel.months, *(m for m in drawn if m > material.panel.origin)):
            past = month <= material.panel.origin
            value = float(counts.sel(month=month)) if past else float("nan")
            known = value == value
            fan = (
                fans.sel(stream=stream.id, month=month).values.tolist()
                if month in drawn and not known
                else [None] * 5
            )
            rows.append(
                {
                    "month": month,
                    "observed": value if known else None,
                    **dict(zip(("q05", "q25", "q50", "q75", "q95"), fan, strict=True)),
                    "state": str(states.sel(month=month).item()) if past else "future",
                }
            )
        told[stream.id] = rows
    return told


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
        "unit": UNITS.get(stream.measure, "a month"),
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
        {"stream": stream, "months": list(mask.months), "because": mask.because}
        for stream, found in material.panel.masks.items()
        for mask in found
    ]
    drawn = [
        {"stream": stream, "months": list(tail)} for stream, tail in material.panel.tails.items() if tail
    ]
    return masks, drawn


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
                "notes": list(reading.account()) if reading is not None else [],
            }
        )
    return told


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
