"""Markov-switching counts around constant levels: the classic hidden Markov model.

y[s,t] | z[t] = k ~ family(mean = r · level[s] · effect[s,k]). Where a series rises through its window its regimes
become eras, so this is a comparator there. Zucchini, MacDonald and Langrock, *Hidden Markov Models for Time
Series*, 2nd ed. (2016).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import derived, futures, switching_level, transitions
from models.contract import Draws, Model, Setting
from models.variables import Beliefs
from priors import PriorSet

if TYPE_CHECKING:
    import pymc as pm


def levelled(setting: Setting) -> Setting:
    """Return the setting with every level constant."""
    return replace(setting, streams=tuple(replace(s, level="constant") for s in setting.streams))


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have."""
    return switching_level.needs(levelled(setting))


def beliefs(priors: PriorSet, setting: Setting) -> Beliefs:
    """Return what the priors say about everything the model needs."""
    return switching_level.beliefs(priors, levelled(setting))


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, NDArray[np.float64]]:
    """Return all that a compiled density takes as data."""
    return switching_level.data(panel, priors, levelled(setting))


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``; refusals as in ``switching_level``."""
    return switching_level.build(panel, priors, levelled(setting))


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities behind raw draws ``[chain, draw, …]`` of the free variables."""
    return switching_level.derive(variables, panel, priors, levelled(setting))


MODEL = Model(
    name="regimes",
    view=levelled,
    needs=needs,
    optional=transitions.optional,
    beliefs=beliefs,
    data=data,
    build=build,
    derive=derive,
    regimes=derived.regimes,
    draw=futures.draw,
)
