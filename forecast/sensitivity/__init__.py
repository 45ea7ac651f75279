"""What a forecast rests on: which priors carry its probabilities, and what one would have to believe to change its words.

Both questions are answered from the draws of a run by importance weights, without a new fit. How much of a headline's
uncertainty the data took away stands in the record already (``contraction``, over 0.8 "prior-driven").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from forecast.fitting import Posterior
from forecast.sensitivity.reweighing import Reweighed, models_of, reweighed
from forecast.sensitivity.scaling import SENSITIVE, Scaled, cjs, scaled
from forecast.sensitivity.tipping import Reach, Tipping, tipping

__all__ = [
    "SENSITIVE",
    "Reach",
    "Reweighed",
    "Scaled",
    "Sensitivity",
    "Tipping",
    "cjs",
    "models_of",
    "reweighed",
    "scaled",
    "sensitivity",
    "tipping",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """Both answers for the headlines of a run."""

    groups: tuple[Scaled, ...]
    tipping: tuple[Tipping, ...]


def sensitivity(
    posteriors: Mapping[str, Posterior], counts: xr.Dataset, *, quarters: Sequence[str]
) -> Sensitivity:
    """What the headlines of a run rest on.

    Args:
        posteriors: of its weighted models, by name.
        counts: behind the headline, as ``forecast.archive.headline`` returns them.
        quarters: whose headlines are asked about.
    """
    asked = counts.sel(quarter=list(quarters))
    models, chains = models_of(posteriors, asked), int(counts.attrs["chains"])
    ids = [str(name) for name in counts["scenario"].values]
    return Sensitivity(
        groups=scaled(models, quarters=quarters, scenarios=ids, chains=chains),
        tipping=tipping(models, quarters=quarters, scenarios=ids, chains=chains),
    )
