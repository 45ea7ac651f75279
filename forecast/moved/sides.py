"""A run as it takes part in a comparison: what its models were given and drew, and the counts behind its headline."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from forecast import archive
from forecast.archive import Stored
from forecast.fitting import Posterior
from forecast.tallies import Tally, of_headline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """A run, as far as it takes part in a comparison."""

    run: str
    seed: int
    posteriors: Mapping[str, Posterior]  # by model; of the later run all that are weighted
    counts: xr.Dataset  # behind its headline, as `forecast.archive.headline` returns them

    @property
    def weights(self) -> dict[str, float]:
        """Of the models in use."""
        return of_headline(self.counts)[1]

    @property
    def draws(self) -> int:
        """Parameter draws that were simulated."""
        return int(self.counts.sizes["draw"])

    @property
    def paths(self) -> int:
        """Futures of each draw."""
        return int(self.counts.attrs["paths"])

    def tallies(self, quarters: Sequence[str]) -> dict[str, Tally]:
        """Counts of its futures by model, of some quarters."""
        return of_headline(self.counts.sel(quarter=list(quarters)))[0]


def side_of(run: Stored, models: Collection[str]) -> Side:
    """A stored run with the posteriors of some models, as far as it fitted them, and of one at least.

    Args:
        run: the run.
        models: names of the catalogue.

    Raises:
        Refusal: if a file of the run is gone or damaged.
    """
    fitted = [str(model["name"]) for model in run.record["models"]]
    wanted = [name for name in fitted if name in models] or fitted[:1]
    return Side(
        run=run.id,
        seed=int(run.record["provenance"]["seed"]),
        posteriors={name: archive.posterior(run, name) for name in wanted},
        counts=archive.headline(run),
    )
