"""One origin, from what was known to what every model says: fits, futures, and the density of what came.

An origin is worked on alone: its fits start from the prior and tune for themselves. Starting from the posterior of the
origin before would spare a second and make each result depend on which were done before it, so a result could be
neither reused nor worked out on another machine.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from forecast import checks, fitting, scenarios
from forecast.backtest import windows
from forecast.fitting import Compiled, Posterior, compile_model, from_prior
from forecast.provenance import LIBRARIES
from forecast.rules import Bounds, ScenarioSet
from forecast.sidebyside import own_seed
from forecast.simulation import simulate, thinned
from models import CATALOGUE
from models.contract import Setting
from models.densities import one_step
from priors import PriorSet, dumps

HORIZONS = (1, 3, 6, 12)  # months ahead at which counts are scored
EXAM = 3  # months whose joint density weighs the models
CHAINS, TUNE, DRAWS = 4, 400, 250  # of a fit: with weak priors each chain may name the regimes otherwise
PATHS = 50  # futures of each draw
SAMPLE = 1000  # joint futures that are kept
PRIOR_DRAWS = 400
DENSITY_DRAWS, PARTICLES = 500, 50  # behind a density
PRIOR_ONLY = "prior-only"
ROOT = Path(__file__).parents[2]  # the packages lie side by side
CODE = (
    *("models", "priors", "forecast/months", "forecast/rules", "forecast/scenarios", "forecast/sampling"),
    *("forecast/fitting", "forecast/simulation", "forecast/checks", "forecast/sidebyside"),
    *("forecast/backtest/origin", "forecast/backtest/windows", "forecast/backtest/store"),
)

type Floats = NDArray[np.float64]
type Fit = Callable[["Task", str], tuple[Posterior, float]]  # a model's posterior, and the seconds it took


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """Everything that one origin needs and nothing else; it may travel to another machine."""

    origin: str
    priors_name: str  # "hindsight" or "blank"
    panel: xr.DataArray  # (stream, month) as known
    settings: Mapping[str, Setting]  # by model
    used: tuple[str, ...]  # models with a weight
    priors: PriorSet
    rules: ScenarioSet
    bounds: Mapping[str, Bounds]
    last: int  # place of the last resolved scenario, -1 without one
    exam: xr.DataArray | None  # (stream, month): the next months as first released, for the densities alone
    seed: int

    @property
    def key(self) -> str:
        """SHA-256 of what the result depends on: inputs, sampler, and the code that works on them."""
        told = {
            "origin": self.origin,
            "priors": dumps(self.priors_name, tuple(self.priors.values())),
            "settings": {name: _plain(setting) for name, setting in self.settings.items()},
            "used": self.used,
            "rules": self.rules.model_dump(mode="json"),
            "bounds": {name: repr(bound) for name, bound in self.bounds.items()},
            "last": self.last,
            "seed": self.seed,
            "sampler": (CHAINS, TUNE, DRAWS, PATHS, SAMPLE, PRIOR_DRAWS, DENSITY_DRAWS, PARTICLES),
        }
        hashed = hashlib.sha256(json.dumps(told, sort_keys=True).encode() + _code())
        for table in (self.panel, self.exam):
            if table is not None:
                names = [str(name) for axis in ("stream", "month") for name in table[axis].values]
                hashed.update(
                    json.dumps(names).encode() + table.transpose("stream", "month").values.tobytes()
                )
        return hashed.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What one forecaster says at an origin."""

    probabilities: Floats  # [window, K], NaN where no future resolves
    unresolved: Floats  # [window], share of futures
    passages: Floats  # [K, 2] first passage within one and four windows; NaN for the last resolved scenario
    sample: Floats  # [S, stream, horizon], joint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitness:
    """How a fit went."""

    seconds: float
    divergences: int
    rhat: float
    ess: float  # least bulk effective size of a parameter
    log_density: float  # ln p of the months that came, jointly; NaN without them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replayed:
    """One origin, replayed."""

    origin: str
    key: str  # of its task
    said: Mapping[str, Said]  # by model, and by "prior-only " and the name of a model
    fitness: Mapping[str, Fitness]  # by model


def replay(task: Task, *, fit: Fit | None = None, cores: int | None = None) -> Replayed:
    """Fit every model at an origin, ask it about the months ahead, and let the priors alone answer too.

    Args:
        task: what was known.
        fit: what makes a posterior; the sampler unless stated.
        cores: how many chains the sampler runs at once; all that the machine has unless stated.
    """
    make = fit or partial(sampled, cores=cores)
    said, fitness = {}, {}
    for name in task.settings:
        posterior, seconds = make(task, name)
        said[name] = ask(task, posterior)
        fitness[name] = _fitness(task, posterior, seconds)
        if name in task.used:
            said[f"{PRIOR_ONLY} {name}"] = ask(task, alone(task, name))
    return Replayed(origin=task.origin, key=task.key, said=said, fitness=fitness)


def sampled(task: Task, name: str, *, cores: int | None) -> tuple[Posterior, float]:
    """A model's posterior at the origin, from a density that this process compiles once for each structure."""
    model, setting = CATALOGUE[name], task.settings[name]
    structure = fitting.structure(model, task.priors, setting)
    if structure not in _compiled():
        _compiled()[structure] = compile_model(task.panel, model, task.priors, setting)
    began = perf_counter()
    found = fitting.fit(
        task.panel,
        model,
        task.priors,
        setting,
        seed=own_seed(task.seed, name),
        chains=CHAINS,
        tune=TUNE,
        draws=DRAWS,
        cores=cores,
        compiled=_compiled()[structure],
    )
    return found, perf_counter() - began


def alone(task: Task, name: str) -> Posterior:
    """The priors without a single month of data, labels left out: past and future are both drawn."""
    nothing = xr.full_like(task.panel, np.nan)
    setting = replace(task.settings[name], labels=None)
    return from_prior(
        nothing,
        CATALOGUE[name],
        task.priors,
        setting,
        draws=PRIOR_DRAWS,
        seed=own_seed(task.seed, f"{PRIOR_ONLY} {name}"),
    )


def ask(task: Task, posterior: Posterior) -> Said:
    """What a posterior says of the windows and months ahead."""
    months = max(HORIZONS)
    drawn = simulate(posterior, months=months, paths=PATHS, seed=own_seed(task.seed, posterior.model))
    futures = scenarios.held(drawn, task.bounds)
    outcomes = windows.ahead(task.rules, posterior.panel, futures, task.bounds)
    K = len(task.rules.ids)
    p, unresolved = windows.shares(outcomes, K)
    return Said(
        probabilities=p,
        unresolved=unresolved,
        passages=windows.passages(outcomes, K, task.last),
        sample=_sample(futures["count"]),
    )


def _sample(count: xr.DataArray) -> Floats:
    """Joint futures at the horizons, ``[SAMPLE, stream, horizon]``: draws evenly spaced, each with another path."""
    cells = count.transpose("draw", "path", "stream", "month").values
    draws = np.linspace(0, cells.shape[0], SAMPLE, endpoint=False).astype(int)
    kept = cells[draws, np.arange(SAMPLE) % cells.shape[1]]
    at_horizons: Floats = kept[:, :, [h - 1 for h in HORIZONS]].astype(np.float64)
    return at_horizons


def _fitness(task: Task, posterior: Posterior, seconds: float) -> Fitness:
    parameters = [str(name) for name in posterior.draws.data_vars if name != "level"]
    found = checks.convergence(posterior.draws, posterior.statistics, reported=parameters)
    value = {check.name: np.nan if check.value is None else check.value for check in found}
    return Fitness(
        seconds=seconds,
        divergences=int(value["divergences"]),
        rhat=value["R-hat"],
        ess=value["bulk ESS"],
        log_density=_log_density(task, posterior),
    )


def _log_density(task: Task, posterior: Posterior) -> float:
    """Log p(y[t+1..t+3] | y[1..t]) over draws that have not seen those months, labels left out."""
    if task.exam is None:
        return float("nan")
    T, steps = posterior.panel.sizes["month"], task.exam.sizes["month"]
    draws = thinned(posterior.draws, DENSITY_DRAWS)
    level = draws["level"].pad(
        month=(0, steps), mode="edge"
    )  # constant ones; those that walk are not looked at
    longer = xr.concat([posterior.panel, task.exam], "month")
    setting = replace(posterior.setting, horizon=posterior.setting.horizon - steps, labels=None)
    model = CATALOGUE[posterior.model]
    density = (model.one_step or one_step)(
        draws.drop_dims("month").assign(level=level),
        longer,
        setting,
        task.priors,
        number=PARTICLES,
        seed=own_seed(task.seed, f"density {posterior.model}"),
    )
    return float(logsumexp(density[:, T:].sum(axis=1)) - np.log(len(density)))


def _plain(setting: Setting) -> dict[str, Any]:
    return asdict(replace(setting, reporting=dict(setting.reporting)))


@cache
def _code() -> bytes:
    """What the numbers of an origin are made by: the modules of `CODE`, line ends aside, and the libraries."""
    hashed = hashlib.sha256()
    for part in CODE:
        for path in sorted((ROOT / part).rglob("*.py")) or [ROOT / f"{part}.py"]:
            name = path.relative_to(ROOT).as_posix()
            hashed.update(f"{name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    hashed.update("\0".join(map(version, LIBRARIES)).encode())
    return hashed.digest()


@cache
def _compiled() -> dict[tuple[Any, ...], Compiled]:
    """This process's densities by structure: machine code, which holds no state of a fit."""
    return {}
