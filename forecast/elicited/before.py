"""What a prior set expects of the counts and of the quarters ahead, before any data.

The panel only lends its months: its past is drawn from the priors together with its future, so rules look back on
months the priors made. An observed month that the priors hold all but impossible, with a tail probability below one
in a million, is an alarm: they then speak of another series, unit or scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from forecast import predictive
from forecast.fitting import Posterior, from_prior
from forecast.months import ordinal, quarter_months
from forecast.rules import Bounds, ScenarioSet
from forecast.scenarios import Estimate, outcomes, probabilities
from forecast.scenarios.futures import REACH
from forecast.simulation import simulate
from models.contract import Model, Setting
from priors import PriorSet

type Json = dict[str, Any]

ALARM = 1e-6  # prior predictive tail probability of one observed month
SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)


def prior_predictive(
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
    rules: ScenarioSet,
    *,
    current: str | None,
    quarters: Sequence[str],
    bounds: Mapping[str, Bounds],
    seed: int,
    draws: int,
    paths: int,
) -> Json:
    """What priors alone say of a month of each stream and of the quarters ahead.

    Args:
        panel: observed (stream, month) up to the origin; compared with the priors, never learnt from.
        model: one of the catalogue.
        priors: the set.
        setting: its horizon reaches the end of the last quarter. Labels are evidence, and left out.
        rules: the scenario set.
        current: the running quarter, or None.
        quarters: those ahead, in order.
        bounds: what a cell of a stream may be (``forecast.rules``).
        seed: decides everything random.
        draws: parameters drawn from the priors.
        paths: pasts and futures of each.

    Returns:
        ``streams`` by id: quantiles of a month of the window under the priors, ``observed`` low, median and high, and
        the entry of ``surprises``; ``quarters`` as in a forecast: ``resolved`` by scenario and ``unresolved``.
    """
    unlabelled = replace(setting, labels=None)
    nothing = xr.full_like(panel, np.nan)
    prior = from_prior(nothing, model, priors, unlabelled, draws=draws, seed=seed)
    asked = [*([current] if current else []), *quarters]
    first, last = (_from(str(panel["month"].values[-1]), quarter) for quarter in (asked[0], asked[-1]))
    futures = simulate(prior, months=last, paths=paths, seed=seed)
    looked_at = futures.isel(tail_month=slice(-(REACH - first), None))  # the past that a rule can reach
    found = probabilities(
        outcomes(rules, nothing, looked_at, quarters=asked, bounds=bounds),
        rules,
        current=current,
        last_resolved=None,
        chains=1,
    )
    odd = surprises(prior, panel)
    return {
        "streams": {
            stream.id: {
                "month": _quantiles(futures["tail"].sel(stream=stream.id)),
                "observed": _observed(panel.sel(stream=stream.id)),
                "surprise": odd.get(stream.id),
            }
            for stream in prior.setting.streams
        },
        "quarters": [
            {
                "quarter": quarter,
                "running": quarter == current,
                "resolved": {name: _told(estimate) for name, estimate in found.resolved[quarter].items()},
                "unresolved": found.unresolved[quarter],
            }
            for quarter in asked
        ],
    }


def surprises(prior: Posterior, panel: xr.DataArray) -> dict[str, Json]:
    """The observed month of each counted stream that the priors expected least.

    Args:
        prior: draws from the prior.
        panel: observed (stream, month), the same months.

    Returns:
        By stream ``month``, ``value``, its ``tail`` probability (the smaller of P(Y ≤ y) and P(Y ≥ y), over regimes,
        levels and draws) and whether it is an ``alarm``; streams without an observed month are left out.
    """
    told: dict[str, Json] = {}
    weight = predictive.law(prior, blind=True)
    for stream, below, upto in predictive.bounds(prior.draws, panel, prior.setting, weight):
        if np.isnan(upto).all():
            continue
        tails = np.minimum(upto, 1.0 - below)
        place = int(np.nanargmin(tails))
        told[stream.id] = {
            "month": str(panel["month"].values[place]),
            "value": float(panel.sel(stream=stream.id).values[place]),
            "tail": float(tails[place]),
            "alarm": bool(tails[place] < ALARM),
        }
    return told


def _from(origin: str, quarter: str) -> int:
    """Months from the origin to the end of a quarter."""
    return ordinal(quarter_months(quarter)[2]) - ordinal(origin)


def _quantiles(cells: xr.DataArray) -> Json:
    values = np.quantile(cells.values, SHOWN)
    return {f"q{100 * q:02.0f}": float(value) for q, value in zip(SHOWN, values, strict=True)}


def _observed(row: xr.DataArray) -> Json | None:
    seen = row.values[~np.isnan(row.values)]
    if not seen.size:
        return None
    return {"low": float(seen.min()), "median": float(np.median(seen)), "high": float(seen.max())}


def _told(estimate: Estimate | None) -> Json | None:
    if estimate is None:
        return None
    return {"mean": estimate.mean, "q05": estimate.q05, "q95": estimate.q95, "mcse": estimate.mcse}
