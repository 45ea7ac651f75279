"""A workspace as read and checked: every file an analyst owns, parsed, with the paths that are hashed."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forecast.config import Configuration, DriverRow, Label
from forecast.rules import ScenarioSet
from forecast.streams import Source, StreamDefinition
from forecast.workspace.catalogue import MODELS
from priors import PriorSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What `load` returns; no two of its parts contradict each other."""

    root: Path
    name: str  # an id: the theatre's, or made from the directory's name
    config: Configuration
    scenarios: ScenarioSet
    priors: PriorSet
    labels: tuple[Label, ...]
    drivers: tuple[DriverRow, ...]
    files: Mapping[str, Path]  # every input by the name its owner knows: what a run hashes

    @property
    def title(self) -> str:
        """What reports are headed by."""
        return self.config.title or self.name

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources, in the order of the file."""
        return tuple(self.config.sources.values())

    @property
    def streams(self) -> tuple[StreamDefinition, ...]:
        """The streams in panel order, which is that of the file."""
        return tuple(self.config.streams.values())

    @property
    def latent_from(self) -> str | None:
        """The model that latent regimes are reported from; None if no model has regimes."""
        stated, fitted = self.config.models.latent_from, self.config.models.fitted
        if stated is not None or "switching-level" in fitted:
            return stated or "switching-level"
        return next((name for name in fitted if MODELS[name].regimes), None)

    def regimes(self, model: str) -> tuple[str, ...]:
        """The latent regimes of a model: the scenarios, or the fewer that its settings name."""
        settings = self.config.models.settings.get(model)
        return (settings and settings.regimes) or self.scenarios.ids

    def data_path(self, source: Source | str) -> Path:
        """The file of a source."""
        name = source if isinstance(source, str) else source.id
        return self.files[self.config.sources[name].file]

    def vintages_path(self, stream: StreamDefinition) -> Path | None:
        """The file of a stream's vintages, if it states one."""
        return None if stream.reporting is None else self.files[stream.reporting.vintages]


def labels_known(workspace: Workspace, as_of: datetime.date) -> tuple[Label, ...]:
    """The labels that were known at a date."""
    return tuple(label for label in workspace.labels if label.known <= as_of)


def drivers_known(workspace: Workspace, as_of: datetime.date) -> tuple[DriverRow, ...]:
    """The rows of drivers.csv that were known at a date."""
    return tuple(row for row in workspace.drivers if row.known_from <= as_of)


def masks_known(workspace: Workspace, as_of: datetime.date) -> tuple[StreamDefinition, ...]:
    """The streams with only those masks that were known at a date."""
    return tuple(
        stream.model_copy(update={"masks": tuple(mask for mask in stream.masks if mask.known <= as_of)})
        for stream in workspace.streams
    )
