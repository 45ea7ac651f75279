"""Counts around levels that wander, with no regimes: a state-space model alone.

    y[s,t] ~ family(mean = r · level[s,t] · season[s, t's place in the year])
    log level[s,t+1] = log level[s,t] + b[s,t] + σ ξ        b[s,t+1] = ρ b[s,t] + τ √(1 - ρ²) ξ'

Season, slope b (a trend that fades) and a share of outlying months are options of each stream, off unless the setting turns
them on. A yes-or-no stream stays as it is with a probability of its own. The model knows scenarios only through the rules
that resolve them. Durbin and Koopman, *Time Series Analysis by State Space Methods*, 2nd ed. (2012).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import futures, switching_level
from models.contract import Draws, Model, Setting
from models.variables import Beliefs
from priors import PriorSet

if TYPE_CHECKING:
    import pymc as pm


def single(setting: Setting) -> Setting:
    """Return the setting with the reference scenario alone: no effects, labels or drivers."""
    return replace(setting, scenarios=(setting.reference,), labels=None, drivers=())


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have."""
    return switching_level.needs(single(setting))


def optional(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys it can use besides: none."""
    return ()


def beliefs(priors: PriorSet, setting: Setting) -> Beliefs:
    """Return what the priors say about everything the model needs."""
    return switching_level.beliefs(priors, single(setting))


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, NDArray[np.float64]]:
    """Return all that a compiled density takes as data."""
    return switching_level.data(panel, priors, single(setting))


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``; refusals as in ``switching_level``."""
    return switching_level.build(panel, priors, single(setting))


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities behind raw draws ``[chain, draw, …]`` of the free variables."""
    return switching_level.derive(variables, panel, priors, single(setting))


MODEL = Model(
    name="local-level",
    view=single,
    needs=needs,
    optional=optional,
    beliefs=beliefs,
    data=data,
    build=build,
    derive=derive,
    regimes=None,
    draw=futures.draw,
)
