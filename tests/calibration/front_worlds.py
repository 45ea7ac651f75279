"""A world of three fronts for calibration: `regimes` with one chain a front, partially pooled.

Sixty months; one front never shows the yes-or-no stream. What is stated of the theatre is drawn from the prior; fronts vary
about it, and their histories unfold, on paper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from paper import Design, History, history, varied
from worlds import AHEAD, FINAL, GAPS, MONTHS, Fit, Truth, beliefs, plain_setting, quantities

from forecast.fronts import fit_fronts, of
from models import CATALOGUE, Setting, fronts
from models.variables import Beliefs, Stated
from priors import PriorSet

MODEL = "regimes"
NAMES = ("north", "centre", "south")
SILENT = (2, 1)  # the front that never shows a stream
POOLING = {  # three fronts that hardly differ would say nothing of how far they do, and some draws would diverge
    "pooling.fronts": (20, 70, "percent"),
    "pooling.levels": (60, 300, "percent"),
}
OWN = ("dwell.", "exits.", "effect.", "level.")  # what varies from front to front


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """What stays the same in every simulation."""

    priors: PriorSet
    setting: Setting
    design: Design
    held: fronts.Pooled


@cache
def world(_: str) -> World:
    """Return the world of three fronts."""
    priors, setting = beliefs(POOLING), plain_setting()
    design = Design(
        months=MONTHS,
        ahead=max(AHEAD),
        regimes=True,
        level="constant",
        waves=0,
        final=FINAL,
        driver=setting.drivers[0].values,
    )
    blank = _panel(np.zeros((len(NAMES), 2, MONTHS)))
    held = fronts.pooled(blank, CATALOGUE[MODEL], priors, setting)
    return World(priors=priors, setting=setting, design=design, held=held)


def simulate(of: World, rng: np.random.Generator) -> Truth:
    """Draw what is stated of the theatre, what happens at each front, and what an observer sees of it."""
    drawn = fronts.draw(of.held, rng, 1)
    theatre = {key: float(values[0]) for key, values in _stated(of.held.beliefs, drawn).items()}
    hidden, seen = dict(theatre), []
    for name, said in zip(NAMES, varied(theatre, len(NAMES), rng), strict=True):
        told = history(said, of.design, rng)
        seen.append(np.stack([told.deaths, told.truce])[:, :MONTHS])
        own = {key: value for key, value in said.items() if key.startswith(OWN)} | _outcomes(told)
        hidden |= {f"{name}: {key}": value for key, value in own.items()}
    return Truth(draws=None, panel=_panel(np.array(seen)), setting=of.setting, hidden=hidden)


def fitted(of: World, truth: Truth, *, seed: int, tune: int, draws: int) -> Fit:
    """Fit one chain to what was seen at all fronts."""
    model = CATALOGUE[MODEL]
    found = fit_fronts(
        truth.panel, model, of.priors, truth.setting, seed=seed, chains=1, tune=tune, draws=draws
    )
    stated = np.stack(list(_stated(found.held.beliefs, found.free).values()))
    diverged = bool(found.statistics["diverging"].values.sum() > 0)
    return Fit(posterior=found, stated=stated, diverged=diverged)


def compared(
    _: World, truth: Truth, fit: Fit, *, thin: int, seed: int
) -> tuple[Mapping[str, float], Mapping[str, NDArray[np.float64]]]:
    """Return the true value of each quantity, and its values among every ``thin``-th draw."""
    joint = fit.posterior
    stated = _stated(joint.held.beliefs, joint.free)
    among = {key: values[:, ::thin].ravel() for key, values in stated.items()}
    for n, name in enumerate(NAMES):
        own = of(joint, name, thin=thin)
        found = quantities(MODEL, own.draws, own.panel, own.setting, seed=seed + n)
        among |= {f"{name}: {key}": values for key, values in found.items()}
    return truth.hidden, among


def _stated(held: Beliefs, free: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return every number that was stated of the theatre, ``[...]`` each."""
    stated = Stated(np, held, free)
    keys, values = stated.all()
    found = {key: values[..., n] for n, key in enumerate(keys)}
    for key in (key for members in held.shares.values() for key in members):
        for n, to in enumerate(held.laws[key].parameters):
            found[f"{key}.{to}"] = stated.shares_of(key)[..., n]
    return found


def _outcomes(told: History) -> dict[str, float]:
    """Return what nobody has seen of a history."""
    ahead = {f"deaths in {h} months": float(told.deaths[MONTHS + h - 1]) for h in AHEAD}
    return {"regime at the end": float(told.regime[MONTHS - 1]), **ahead}


def _panel(y: NDArray[np.float64]) -> xr.DataArray:
    for n, t in GAPS:
        y[:, n, t] = np.nan
    y[SILENT] = np.nan
    return xr.DataArray(
        y,
        dims=("front", "stream", "month"),
        coords={"front": list(NAMES), "stream": ["deaths", "truce"], "month": np.arange(MONTHS)},
    )
