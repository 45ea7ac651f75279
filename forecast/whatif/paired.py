"""How far a probability moves between two simulations of the same draws, and how well that is known.

Path for path the two start from the same seed. With a path's influence e = (hit − p·trial) / mean trials in each of
them, the draws' difference is δ_d = mean over paths of e₁ − e₀, around p₁ − p₀. Its spread S² over draws holds the
noise of the simulation, mean of var(e₁ − e₀)/R. The interval is that of p₁ − p₀ + s δ_d with s² = 1 − noise/S², but
never under √(2/D): the spread of D draws is not known better than that, and the noise can explain all of it. MCSE² =
S²/ESS.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from forecast.scenarios import Estimate
from forecast.scenarios.nested import HIGH, LOW, effective, quantiles

type Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Outcomes (draw, path, quarter) of one model, without and with something changed; −1 where unresolved."""

    without: xr.DataArray
    given: xr.DataArray
    chains: int  # the draws are this many chains, one after the other


def difference(without: Array, given: Array, scenario: int, *, chains: int) -> Estimate | None:
    """How far the probability that a quarter resolves to a scenario moves; None if it never resolves.

    Args:
        without: (draw, path) outcomes of the quarter.
        given: the same with something changed, path for path.
        scenario: its position.
        chains: the draws are this many chains, one after the other.

    Returns:
        Mean, 90 % interval over draws and Monte Carlo error, all of a difference in [−1, 1].
    """
    if (without < 0).all() or (given < 0).all():
        return None
    (before, e0), (after, e1) = _influence(without, scenario), _influence(given, scenario)
    each: Array = (e1 - e0).mean(axis=1)
    spread = float(each.var(ddof=1))
    noise = float((e1 - e0).var(axis=1, ddof=1).mean()) / without.shape[1]
    shrink = np.sqrt(max(1 - noise / spread, np.sqrt(2 / each.size))) if spread > 0 else 1.0
    size = effective(each, chains)
    draws = after - before + shrink * each
    weights = np.full(len(draws), 1 / len(draws))
    low, high = quantiles(draws, weights, (LOW, HIGH))
    return Estimate(
        mean=after - before,
        q05=float(low),
        q95=float(high),
        mcse=float(np.sqrt(spread / size)),
        ess=size,
        inflation=float(1 / shrink**2),
        share=float((without >= 0).mean()),
        draws=draws,
        weights=weights,
    )


def _influence(outcomes: Array, scenario: int) -> tuple[float, Array]:
    """P(scenario | resolved), and by how much each path (draw, path) stands off from it."""
    trials = outcomes >= 0
    p = float((outcomes == scenario).sum() / trials.sum())
    return p, ((outcomes == scenario) - p * trials) / trials.mean()
