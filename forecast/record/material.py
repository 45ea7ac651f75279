"""Everything a record is made from, as the pipeline has it in hand before a word is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from forecast.checks import Verdict
from forecast.clock import Clock
from forecast.fitted import Fitted
from forecast.frontwise import ByFront
from forecast.history import History, Noise
from forecast.latent import Latent
from forecast.panel import Panel
from forecast.scenarios import Crosswalk, Probabilities
from forecast.sensitivity import Sensitivity
from forecast.signposts import Signpost
from forecast.weighing import Weighed
from forecast.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """All parts of one run."""

    run: str
    workspace: Workspace
    clock: Clock
    panel: Panel
    fitted: tuple[Fitted, ...]
    weighed: Weighed  # what each used model counts for
    ensemble: Probabilities
    before: Probabilities  # the ensemble of the priors alone
    fans: xr.DataArray  # (stream, month, quantile)
    expected: xr.DataArray  # (stream, month)
    current: str | None  # the running quarter
    quarters: tuple[str, ...]
    latent: Latent | None
    crosswalk: Crosswalk | None
    past: History
    noise: Mapping[str, Noise]
    noise_warnings: tuple[str, ...]
    visibility: Mapping[str, Mapping[str, object] | None]  # by scenario; empty without regimes
    levers: Mapping[str, Sequence[Mapping[str, Any]]]  # quarters with each lever pulled alone, by its id
    notes: tuple[str, ...]
    verdict: Verdict
    ledger: Mapping[str, object] | None  # count and head before this run's own row
    provenance: Mapping[str, object]
    by_front: ByFront | None = None  # where each front has a chain
    issued: Path | None = None  # the ledger before this run's own row; None where it holds nothing
    signposts: tuple[Signpost, ...] = ()  # of the first quarter ahead
    sensitivity: Sensitivity | None = None  # of the same quarter; None where no future decides it

    @property
    def source_of_latent(self) -> Fitted | None:
        """The model that regimes are reported from."""
        return next((model for model in self.fitted if model.name == self.workspace.latent_from), None)
