"""What analysts add by hand, as the record holds it: labels, drivers, and levers with what is believed of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from forecast.config import Driver
from forecast.record.beliefs import says
from forecast.record.chances import told
from forecast.record.material import Material
from forecast.workspace.contents import drivers_known, labels_known
from models import CATALOGUE

type Json = dict[str, Any]

AHEAD = {
    "last": "stays as it is",
    "own-history": "goes on as its own history did",
    "none": "at its reference",
}


def labels(material: Material) -> list[Json]:
    """The labels that were known at the date of the forecast; the fits used no other."""
    return [
        {
            "months": list(label.months),
            "scenario": label.scenario,
            "ratio": label.ratio,
            "because": label.because,
            "author": label.author,
            "date": label.date.isoformat(),
            "source": label.source,
            "known_from": label.known.isoformat(),
        }
        for label in labels_known(material.workspace, material.clock.as_of)
    ]


def drivers(material: Material) -> list[Json]:
    """Each driver: its kind, its reference, its last known row, how it goes on, and what is believed of it."""
    rows = drivers_known(material.workspace, material.clock.as_of)
    found = []
    for driver in material.workspace.config.drivers.values():
        own = [row for row in rows if row.driver == driver.id and row.month <= material.panel.origin]
        last = max(own, key=lambda row: row.month, default=None)
        found.append(
            {
                "id": driver.id,
                "title": driver.title,
                "kind": driver.kind,
                "use": driver.use,
                "lag": driver.lag,
                "reference": driver.at_rest,
                "rows": len(own),
                "last": last
                and {"month": last.month, "value": last.value, "known_from": last.known_from.isoformat()},
                "ahead": _ahead(driver),
                "odds": _odds(material, [driver.id]),
            }
        )
    return found


def levers(material: Material) -> list[Json]:
    """Each lever: what it sets and why, the beliefs it works by, and the quarters with it beside those without.

    ``unconditional`` is the published probability; ``difference`` is paired, path for path, and ``conditional`` their
    sum.
    """
    return [
        {
            "id": lever.id,
            "title": lever.title,
            "drivers": dict(lever.drivers),
            "because": lever.because,
            "beliefs": _odds(material, lever.drivers),
            "quarters": [_beside(material, entry) for entry in material.levers.get(lever.id, ())],
        }
        for lever in material.workspace.config.levers.values()
    ]


def unmoved(material: Material) -> list[str]:
    """The models in use that no driver can move, since they have no regimes."""
    return [model.name for model in material.fitted if model.used and CATALOGUE[model.name].regimes is None]


def _beside(material: Material, entry: Mapping[str, Any]) -> Json:
    row = {}
    for key, cell in entry["resolved"].items():
        published = told(material.ensemble.resolved[entry["quarter"]][key])
        before, shift = published["mean"], cell["difference"]["mean"]
        after = None if before is None or shift is None else min(max(before + shift, 0.0), 1.0)
        row[key] = {
            "unconditional": published,
            "conditional": {"mean": after},
            "difference": cell["difference"],
        }
    return {"quarter": entry["quarter"], "resolved": row}


def _odds(material: Material, drivers: Iterable[str]) -> list[Json]:
    """Every statement about the odds of some drivers."""
    heads = tuple(f"odds.{driver}." for driver in drivers)
    return [
        {
            "key": key,
            "says": says(said),
            "unit": "times the odds",
            "because": said.because,
            "author": said.author,
            "date": said.date.isoformat(),
            "source": said.source,
        }
        for key, said in material.workspace.priors.items()
        if key.startswith(heads)
    ]


def _ahead(driver: Driver) -> str:
    if driver.use == "what-if":
        return "only a lever moves it"
    if isinstance(driver.ahead, str):
        return AHEAD[driver.ahead]
    return ", ".join(f"{value:g} from {month}" for month, value in driver.ahead.items())
