"""What a model is: one frozen record of functions, fed by a labelled array, priors and a small setting.

A panel is an array ``(stream, month)`` of equally spaced steps, NaN where a cell is missing. Everything in
a setting that runs along time covers the panel's T months and the ``horizon`` months after them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pymc as pm

    from models.variables import Beliefs
    from priors import PriorSet

type Draws = Mapping[str, NDArray[np.float64]]  # a model's free variables by name, ``[..., *shape]``

Level = Literal["walk", "constant"]
Effect = Literal["increasing", "decreasing", "free", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One row of the panel and how its cells are distributed."""

    id: str
    family: str  # of models.emissions
    level: Level | None  # None: a model that walks lets it walk
    effect: Effect  # along the scenarios in their order
    season: bool = False  # the level has a season of twelve steps
    trend: bool = False  # the steps of a walk have a damped slope
    outliers: bool = False  # some months scatter out of all proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """How the figures of each release relate to those of the reference release, class 0."""

    release: tuple[int, ...]  # class of each month, [T + horizon]
    mean: tuple[float, ...]  # log factor of class 1, 2, …
    sd: tuple[float, ...]  # its uncertainty, one error shared by the months of a class


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A measured influence on the transitions; it has an effect where the priors state its odds."""

    id: str
    lag: Literal[0, 1]  # 1: the value of a month moves the step into the next month
    reference: float
    values: tuple[float, ...]  # [T + horizon]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a model must know beside data and beliefs."""

    scenarios: tuple[str, ...]  # in their order, calmest first; the latent regimes bear the same names
    reference: str  # the scenario that effects are stated against
    streams: tuple[Stream, ...]  # in the panel's order
    horizon: int  # months after the panel's last that levels, releases and drivers cover
    basis: int = 16  # eigenvectors that carry a walk
    labels: tuple[tuple[float, ...], ...] | None = None  # [T, K] log ratios, evidence besides the streams
    reporting: Mapping[str, Reporting] = field(default_factory=lambda: MappingProxyType({}))  # by stream
    drivers: tuple[Driver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the catalogue.

    ``build`` makes a PyMC model whose data, priors' parameters and length are ``pm.Data``: one compiled
    log density serves every panel and prior set of the same structure. ``derive`` turns its raw draws into
    the named quantities of a posterior; ``regimes`` and ``draw`` start from those and the viewed setting.
    A model whose densities month by month or whose laws of the regimes are not those of a plain chain brings its own.
    """

    name: str
    view: Callable[[Setting], Setting]  # the setting as this model sees it; twice is once
    needs: Callable[[Setting], tuple[str, ...]]  # prior keys it must have
    optional: Callable[[Setting], tuple[str, ...]]  # prior keys it can use besides
    beliefs: Callable[["PriorSet", Setting], "Beliefs"]  # what the priors say of everything it needs
    data: Callable[
        [xr.DataArray, "PriorSet", Setting], Mapping[str, NDArray[np.float64]]
    ]  # its pm.Data, by name
    build: Callable[[xr.DataArray, "PriorSet", Setting], "pm.Model"]
    derive: Callable[[Draws, xr.DataArray, "PriorSet", Setting], xr.Dataset]
    regimes: Callable[[xr.Dataset, xr.DataArray, Setting], xr.Dataset] | None  # the chain behind the draws
    draw: Callable[..., xr.Dataset]  # futures
    one_step: Callable[..., NDArray[np.float64]] | None = None  # None: models.densities.one_step
    laws: Callable[..., xr.Dataset] | None = None  # of regimes that are no chain without their ages
