"""Models of a panel of incident series, by name; a labelled array, priors and a setting in, draws out."""

from collections.abc import Mapping
from types import MappingProxyType

from models import caches, durations, local_level, regimes, switching_drift, switching_level
from models.contract import Driver, Model, Reporting, Setting, Stream

__all__ = ["CATALOGUE", "Driver", "Model", "Reporting", "Setting", "Stream", "caches"]

CATALOGUE: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            regimes.MODEL,
            switching_level.MODEL,
            local_level.MODEL,
            durations.MODEL,
            switching_drift.MODEL,
        )
    }
)
