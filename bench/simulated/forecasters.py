"""What each forecaster says of a world at its origin: the engine, the oracle, and the references without a model.

The engine is asked through its public functions alone, as a backtest asks it, with the settings of a workspace that
says nothing special. `ARMS` gives it more or less than that.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import process_time
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats

from forecast import months, rules, score
from forecast.backtest import windows
from forecast.backtest.blank import blank
from forecast.fitting import Compiled, Posterior, compile_model, fit, structure
from forecast.rules.truth import NO_BOUNDS
from forecast.simulation import simulate
from models import CATALOGUE, Setting, Stream
from models.baselines import SCENARIOS as REFERENCES
from priors import PriorSet, load, loads
from simulated import oracle
from simulated.worlds import AHEAD, SCENARIOS, STREAMS, WALKS, Floats, World, generator

HERE = Path(__file__).parent
QUARTERS = (1, 4)
COUNTED = (1, 3, 12)  # months ahead whose counts are held against their intervals
BASIS = 16  # waves of a walking level: what a workspace has that does not say
PATHS = 50  # futures of each draw
QUANTITIES = ("dwell", "exits", "level", "wander", "spread", "effect")
TOLD = 1.02  # how far from the truth, as a factor, a belief reaches that was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """How the engine is asked."""

    about: str
    model: str = "switching-level"
    beliefs: str = "analyst"  # or "blank", "told": true parameters, levels still to be found
    law: tuple[str, ...] = ()  # quantities on which the law of the worlds is believed
    basis: int = BASIS
    chains: int = 2
    tune: int = 200
    draws: int = 150


ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        "engine": Arm(about="as a workspace has it, with an analyst's beliefs"),
        "blank": Arm(about="with the blank beliefs", beliefs="blank"),
        "law": Arm(about="with the law of the worlds for beliefs", law=QUANTITIES),
        "law-levels": Arm(about="with the law for levels alone", law=("level",)),
        "law-effects": Arm(about="with the law for effects alone", law=("effect",)),
        "law-chain": Arm(about="with the law for dwell and exits alone", law=("dwell", "exits")),
        "law-scatter": Arm(about="with the law for spread and wander alone", law=("spread", "wander")),
        "told": Arm(about="told the true parameters", beliefs="told", tune=300, draws=200),
        "longer": Arm(about="four longer chains", chains=4, tune=500, draws=500),
        "waves": Arm(about="forty waves in place of sixteen", basis=40),
        "regimes": Arm(about="constant levels", model="regimes"),
        "local-level": Arm(about="levels without regimes", model="local-level"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What one forecaster says of one world."""

    probabilities: Floats  # [quarter, K]
    transforms: Floats | None  # [stream, month], randomised PIT of the counts that came
    fitted: Mapping[str, float]  # seconds of CPU, divergences, R-hat


@cache
def answer_key() -> rules.ScenarioSet:
    """The written rules."""
    path = HERE / "scenarios.toml"
    return rules.parse(tomllib.loads(path.read_text(encoding="utf-8")), file=path.name)


def setting(arm: Arm) -> Setting:
    """What the models are told of the streams."""
    streams = tuple(
        Stream(
            id=name, family="negative-binomial", level="walk" if walks else "constant", effect="increasing"
        )
        for name, walks in zip(STREAMS, WALKS, strict=True)
    )
    model = CATALOGUE[arm.model]
    return model.view(
        Setting(scenarios=SCENARIOS, reference="tense", streams=streams, horizon=AHEAD, basis=arm.basis)
    )


def ask(world: World, arm: Arm) -> Answer:
    """Fit the engine to a world's past and let it look a year ahead."""
    rng = generator(world.kind, world.number, "engine")
    past, model, given = oracle.panel(world), CATALOGUE[arm.model], setting(arm)
    held = _beliefs(world, arm, past)
    began = process_time()
    posterior = fit(
        past,
        model,
        held,
        given,
        seed=int(rng.integers(2**32)),
        chains=arm.chains,
        tune=arm.tune,
        draws=arm.draws,
        cores=1,
        compiled=_compiled(past, arm, held, given),
    )
    found = simulate(posterior, months=AHEAD, paths=PATHS, seed=int(rng.integers(2**32)))
    seconds = process_time() - began
    return Answer(
        probabilities=resolved(past, found),
        transforms=transforms(world, found),
        fitted={
            "seconds": round(seconds, 2),
            "divergences": int(posterior.statistics["diverging"].sum()),
            "rhat": round(_rhat(posterior), 3),
        },
    )


def resolved(past: xr.DataArray, futures: xr.Dataset) -> Floats:
    """Probabilities of the scenarios in the quarters asked for, ``[quarter, K]``."""
    places = windows.ahead(answer_key(), past, futures, NO_BOUNDS)
    p, _ = windows.shares(places, len(SCENARIOS))
    return p[[quarter - 1 for quarter in QUARTERS]]


def outcome(world: World) -> list[int]:
    """Places of the scenarios that came, in the quarters asked for."""
    places = windows.ahead(answer_key(), oracle.panel(world), oracle.came(world), NO_BOUNDS)
    return [int(places[0, quarter - 1]) for quarter in QUARTERS]


def references(world: World) -> dict[str, Floats]:
    """What the references say that know past outcomes alone, ``[quarter, K]`` by name."""
    behind = windows.past(answer_key(), oracle.panel(world), NO_BOUNDS)
    return {
        name: np.stack([reference(behind, len(SCENARIOS), quarter) for quarter in QUARTERS])
        for name, reference in REFERENCES.items()
    }


def transforms(world: World, futures: xr.Dataset) -> Floats:
    """Randomised PIT of the counts that came, ``[stream, month]``."""
    rng = generator(world.kind, world.number, "ties")
    at = [h - 1 for h in COUNTED]
    cells = futures["count"].transpose("stream", "month", "draw", "path").values[:, at]
    drawn = cells.reshape(*cells.shape[:2], -1)
    y = world.counts[:, [world.months + h for h in at], None]
    return score.randomised_pit((drawn < y).mean(axis=-1), (drawn <= y).mean(axis=-1), rng=rng)


def _beliefs(world: World, arm: Arm, past: xr.DataArray) -> PriorSet:
    if arm.beliefs == "blank":
        day = months.month_end(str(past["month"].values[-1]))
        return blank((arm.model,), {arm.model: setting(arm)}, past, day=day)
    held, law = _stated("priors.toml"), _stated("law.toml")
    taken = {key: law[key] for key in law if key.partition(".")[0] in arm.law}
    held = replace(held, statements={**held.statements, **taken})
    if arm.beliefs == "told":
        held = replace(held, statements={**held.statements, **_told(world).statements})
    needed = CATALOGUE[arm.model].needs(setting(arm))
    return replace(held, statements={key: held[key] for key in needed})


def _told(world: World) -> PriorSet:
    """Beliefs that hold the true parameters and hardly anything else; the levels are not among them."""
    leave, go = 1.0 - np.diag(world.transition), world.transition.copy()
    np.fill_diagonal(go, 0.0)
    spoken: dict[str, tuple[float, str]] = {}
    for k, name in enumerate(SCENARIOS):
        spoken[f"dwell.{name}"] = (1.0 / leave[k], "months")
    for s, name in enumerate(STREAMS):
        spoken[f"spread.{name}"] = (100.0 * world.spread[s], "percent")
        if world.step[s]:
            spoken[f"wander.{name}"] = (100.0 * world.step[s], "percent per month")
        for k in (0, 2):
            spoken[f"effect.{name}.{SCENARIOS[k]}"] = (float(np.exp(world.effect[s, k])), "times")
    told = 'because = "Told."\nauthor = "bench"\ndate = 2026-06-30\nsource = "the world"\n'
    text = 'schema = 1\nname = "told"\n'
    for key, (value, unit) in spoken.items():
        low, high = value / TOLD, value * TOLD
        text += f'[{key}]\n{told}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
    for k, name in enumerate(SCENARIOS):
        shares = np.clip(go[k] / leave[k], 1e-3, None)
        to = ", ".join(
            f"{SCENARIOS[j]} = {shares[j] / (shares.sum() - shares[k])}" for j in range(3) if j != k
        )
        text += f'[exits.{name}]\n{told}kind = "shares"\nto = {{ {to} }}\nworth = 2000\n'
    return loads(text, "told.toml")


@cache
def _stated(name: str) -> PriorSet:
    return load(HERE / name)


def _compiled(past: xr.DataArray, arm: Arm, held: PriorSet, given: Setting) -> Compiled:
    key = structure(CATALOGUE[arm.model], held, given)
    if key not in _densities():
        _densities()[key] = compile_model(past, CATALOGUE[arm.model], held, given)
    return _densities()[key]


@cache
def _densities() -> dict[tuple[Any, ...], Compiled]:
    """Densities by structure; they hold no state of a fit."""
    return {}


def _rhat(posterior: Posterior) -> float:
    stated = posterior.draws["stated"].transpose("prior", "chain", "draw").values
    return max(float(array_stats.rhat(row)) for row in stated)
