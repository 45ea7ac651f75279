"""A panel, a model and priors become a posterior: the same bytes for the same seed, on any number of cores.

A model is compiled once for each structure; another panel, window, mask or prior set of the same structure
only changes its data. Chains start at draws from the prior.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.sampling import Adaptation, Progress, sample
from models.contract import Driver, Model, Reporting, Setting, Stream
from models.plan import covers
from models.streams import walking
from models.variables import Beliefs, draw, unconstrain
from priors import PriorSet, dumps, loads

TARGET_ACCEPT = 0.95  # small steps: no divergence on the frontier in any of many seeds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """What a fit knows: draws of every quantity, how the sampler fared, and all it was given."""

    model: str
    draws: xr.Dataset  # (chain, draw, …): the table of models.derived
    statistics: xr.Dataset  # (chain, draw): diverging, energy, tree_depth, …; empty for draws from the prior
    panel: xr.DataArray  # (stream, month)
    setting: Setting  # as the model sees it
    priors: PriorSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compiled:
    """A model's log density in machine code, good for every panel and prior set of its structure."""

    structure: tuple[Any, ...]
    density: Any  # nutpie's
    fused: bool  # written by hand in models.fused, or compiled from the PyMC model


def structure(model: Model, priors: PriorSet, setting: Setting) -> tuple[Any, ...]:
    """Return what a compiled density depends on besides its data."""
    seen = model.view(setting)
    drivers = tuple(driver.id for driver in seen.drivers)
    return (
        model.name,
        seen.scenarios,
        seen.reference,
        seen.streams,
        drivers,
        model.beliefs(priors, seen).structure,
    )


def compile_model(
    panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting, *, fused: bool = True
) -> Compiled:
    """Return a model's density for panels, masks, windows and priors of this structure.

    Args:
        panel: equally spaced months.
        model: one of ``models.CATALOGUE``.
        priors: the beliefs.
        setting: as ``fit`` takes it.
        fused: take the density written by hand where it holds the structure, ready at once; else, or where it
            does not, the PyMC model is compiled, which takes a minute. The two agree to rounding.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
        Refusal: priors that are missing or contradict the setting.
    """
    # late: they load the sampler, which only a fit needs
    beliefs, seen = model.beliefs(priors, setting), model.view(setting)
    if fused and covers(model.name, beliefs):
        from models.sampler import data, density

        given = data(model.data(panel, priors, setting), beliefs, panel, seen)
        ready = density(beliefs, given, seen)
        return Compiled(structure=structure(model, priors, setting), density=ready, fused=True)
    from models.machine import compile_density

    built = model.build(panel, priors, setting)
    made = compile_density(built, [variable.name for variable in built.free_RVs])
    return Compiled(structure=structure(model, priors, setting), density=made, fused=False)


def fit(
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
    *,
    seed: int,
    chains: int = 4,
    tune: int = 1000,
    draws: int = 1000,
    cores: int | None = None,
    progress: Progress | None = None,
    compiled: Compiled | None = None,
) -> Posterior:
    """Sample the posterior of a panel ``(stream, month)``, NaN where a cell is missing.

    Args:
        panel: equally spaced months, or any other steps.
        model: one of ``models.CATALOGUE``.
        priors: the beliefs.
        setting: streams in the panel's order, scenarios, and what runs along time.
        seed: decides everything random.
        chains: run side by side on the cores there are.
        tune: steps that adapt the sampler, thrown away.
        draws: kept from each chain.
        cores: how many chains run at once; all that the machine has unless stated.
        progress: called now and then with one record for each chain.
        compiled: a density of the same structure; without it the model is compiled here.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown, or a compiled density of another structure.
        Refusal: priors that are missing or contradict the setting.
    """
    if compiled is None:
        compiled = compile_model(panel, model, priors, setting)
    elif compiled.structure != structure(model, priors, setting):
        raise ValueError("compiled: got a density of another structure; wanted one of this model and setting")
    beliefs = model.beliefs(priors, setting)
    given = dict(model.data(panel, priors, setting))
    if compiled.fused:
        from models.sampler import data

        given = data(given, beliefs, panel, model.view(setting))
    sampled = sample(
        compiled.density.with_data(**given),
        _starting_points(beliefs),
        seed=seed,
        chains=chains,
        tune=tune,
        draws=draws,
        target_accept=TARGET_ACCEPT,
        adaptation=_adaptation(model.view(setting)),
        cores=cores,
        progress=progress,
    )
    return Posterior(
        model=model.name,
        draws=model.derive(sampled.free, panel, priors, setting),
        statistics=sampled.statistics,
        panel=panel,
        setting=model.view(setting),
        priors=priors,
    )


def from_prior(
    panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting, *, draws: int, seed: int
) -> Posterior:
    """Draw from the prior in the shape of a posterior of one chain; the panel only lends its coordinates."""
    drawn = draw(model.beliefs(priors, setting), np.random.default_rng(seed), draws)
    return Posterior(
        model=model.name,
        draws=model.derive({name: value[None] for name, value in drawn.items()}, panel, priors, setting),
        statistics=xr.Dataset(),
        panel=panel,
        setting=model.view(setting),
        priors=priors,
    )


def save(posterior: Posterior, path: Path) -> None:
    """Write a posterior as one netCDF file; the same posterior gives the same bytes."""
    setting = replace(posterior.setting, reporting=dict(posterior.setting.reporting))
    given = {
        "schema": "scenariocast/posterior/1",
        "model": posterior.model,
        "setting": json.dumps(asdict(setting), sort_keys=True),
        "priors": dumps(posterior.priors.name, tuple(posterior.priors.values())),
        "priors_source": posterior.priors.source,
    }
    groups = {
        "/": xr.Dataset(attrs=given),
        "/posterior": posterior.draws,
        "/sample_stats": posterior.statistics,
        "/observed_data": posterior.panel.rename("count").to_dataset(),
    }
    encoding = {
        group: {name: {"zlib": True, "complevel": 4, "shuffle": True} for name in held.data_vars}
        for group, held in groups.items()
    }
    xr.DataTree.from_dict(groups).to_netcdf(path, engine="h5netcdf", encoding=encoding)


def load(path: Path) -> Posterior:
    """Read a posterior that `save` wrote."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        tree.load()
        return Posterior(
            model=tree.attrs["model"],
            draws=tree["posterior"].to_dataset(),
            statistics=tree["sample_stats"].to_dataset(),
            panel=tree["observed_data"].to_dataset()["count"],
            setting=_setting(json.loads(tree.attrs["setting"])),
            priors=loads(tree.attrs["priors"], tree.attrs["priors_source"]),
        )


def _adaptation(setting: Setting) -> Adaptation:
    """How the sampler learns scales: where no level walks, a ridge between levels and effects is most of what is hard.

    Walks bring many coordinates that a warm-up is too short to correlate (docs/decisions/0010).
    """
    return "draw_diag" if walking(setting) else "low_rank"


def _starting_points(beliefs: Beliefs) -> Callable[..., NDArray[np.float64]]:
    """Return what gives each chain its first point: a draw from the prior, in the sampler's coordinates."""

    def start(seed: Any = None) -> NDArray[np.float64]:
        drawn = draw(beliefs, np.random.default_rng(seed), 1)
        return np.concatenate([unconstrain(name, value[0]).ravel() for name, value in drawn.items()])

    return start


def _setting(given: Mapping[str, Any]) -> Setting:
    """Return the setting that JSON lists and tables describe."""
    reporting = {
        stream: Reporting(**{name: tuple(values) for name, values in record.items()})
        for stream, record in given["reporting"].items()
    }
    return Setting(
        **{
            **given,
            "scenarios": tuple(given["scenarios"]),
            "streams": tuple(Stream(**record) for record in given["streams"]),
            "labels": None if given["labels"] is None else tuple(map(tuple, given["labels"])),
            "reporting": reporting,
            "drivers": tuple(
                Driver(**{**record, "values": tuple(record["values"])}) for record in given["drivers"]
            ),
        }
    )
