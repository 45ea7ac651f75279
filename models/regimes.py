"""Markov-switching counts around constant levels: the classic hidden Markov model.

y[s,t] | z[t] = k ~ family(mean = r · level[s] · effect[s,k]). Where a series rises through its window its regimes
become eras, so this is a comparator there. Zucchini, MacDonald and Langrock, *Hidden Markov Models for Time
Series*, 2nd ed. (2016).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import xarray as xr

from models import derived, futures, switching_level, transitions
from models.contract import Draws, Model, Setting
from priors import PriorSet

if TYPE_CHECKING:
    import pymc as pm


def levelled(setting: Setting) -> Setting:
    """Return the setting with every level constant."""
    return replace(setting, streams=tuple(replace(s, level="constant") for s in setting.streams))


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have."""
    return switching_level.needs(levelled(setting))


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
    build=build,
    derive=derive,
    regimes=derived.regimes,
    draw=futures.draw,
)
