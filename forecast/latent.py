"""The latent regimes of a fitted model: where it is, how long it stays, where it goes. No simulation is needed.

With filtered probabilities f_d(T) and transition matrices P_d of each draw d,

    P(z[T+h] = k | data, d) = (f_d(T) P_d(T) … P_d(T+h-1))_k        dwell_d(k) = 1 / hazard_d(k)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.fitting import Posterior
from forecast.months import ordinal, quarter_months
from forecast.simulation import latent

type Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latent:
    """Latent quantities of one model, per draw."""

    regimes: tuple[str, ...]
    months: tuple[str, ...]  # of the panel
    smoothed: Array  # (month, regime), mean over draws
    filtered: Array  # (chain, draw, regime), at the last month
    ahead: Array  # (chain, draw, month ahead, regime)
    step: Array  # (chain, draw, from, to), with every driver at its reference
    hazard: Array  # (chain, draw, regime)

    def now(self) -> Mapping[str, Array]:
        """Probability of each regime in the last month with data, (chain, draw)."""
        return self._named(self.filtered)

    def quarter_end(self, quarter: str) -> Mapping[str, Array]:
        """Probability of each regime in the last month of a quarter ahead, (chain, draw)."""
        place = ordinal(quarter_months(quarter)[2]) - ordinal(self.months[-1])
        return self._named(self.ahead[:, :, place - 1])

    def transition(self, months: int) -> Array:
        """From the end of a month to the end of the one `months` later, (chain, draw, from, to)."""
        return np.linalg.matrix_power(self.step, months)

    def dwell(self) -> Mapping[str, Array]:
        """Average spell in months, (chain, draw)."""
        return self._named(1.0 / self.hazard)

    def support(self) -> Mapping[str, float]:
        """Expected number of months of the window in each regime."""
        return dict(zip(self.regimes, self.smoothed.sum(axis=0).tolist(), strict=True))

    def history(self) -> list[dict[str, Any]]:
        """Smoothed probabilities by month, as the record holds them."""
        return [
            {"month": month, "regime": dict(zip(self.regimes, row.tolist(), strict=True))}
            for month, row in zip(self.months, self.smoothed, strict=True)
        ]

    def _named(self, values: Array) -> Mapping[str, Array]:
        return {name: values[..., place] for place, name in enumerate(self.regimes)}


def view(posterior: Posterior, *, months: int) -> Latent:
    """The latent regimes behind a posterior, and for so many months ahead.

    Raises:
        ValueError: if the model has no regimes.
    """
    found = latent(posterior, months=months)
    return Latent(
        regimes=posterior.setting.scenarios,
        months=tuple(str(month) for month in found["month"].values),
        smoothed=found["smoothed"].values,
        filtered=found["filtered"].values,
        ahead=found["ahead"].values,
        step=found["transition"].values,
        hazard=posterior.draws["hazard"].values,
    )
