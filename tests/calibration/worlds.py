"""Worlds for calibration: small designs with every feature that the densities know, and truths drawn from their priors.

Sixty months, three regimes, a counted stream with two releases and a yes-or-no one, gaps, labels and a driver. What an
analyst would state is drawn from the prior, and what follows from it is written on paper, not by the models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from paper import NAMES, Design, history
from scipy.special import logsumexp

from forecast.fitting import Compiled, compile_model, fit, from_prior
from models import CATALOGUE, Driver, Model, Reporting, Setting, Stream, derived, forward
from priors import PriorSet, loads

MONTHS, AHEAD = 60, (1, 3, 6, 12)
GAPS = ((0, 7), (0, 31), (0, 32), (1, 20), (1, 58), (1, 59))  # cells nobody saw: stream, month
LABELLED = (12, 27, 44)
LABEL_RATIO = 4.0  # how many times likelier an analyst finds the regime named than each other
FINAL, TALKS = 48, (20, 34)  # months of final figures; months with talks
LEVEL = {"regimes": "constant", "switching-drift": "drift"}  # of the others: a walk

SAID = {
    "dwell.calm": (3, 18, "months"),
    "dwell.tense": (4, 24, "months"),
    "dwell.war": (1.5, 8, "months"),
    "level.deaths": (12, 40, "deaths per month"),
    "wander.deaths": (2, 10, "percent per month"),
    "spread.deaths": (20, 50, "percent"),
    "effect.deaths.calm": (0.35, 0.8, "times"),
    "effect.deaths.war": (1.5, 4, "times"),
    "chance.truce.calm": (0.5, 0.95, "probability"),
    "chance.truce.tense": (0.05, 0.4, "probability"),
    "chance.truce.war": (0.02, 0.3, "probability"),
    "persist.truce.off": (0.6, 0.95, "probability"),
    "persist.truce.on": (0.5, 0.9, "probability"),
    "odds.talks.leave.war": (1.2, 5, "times"),
    **{f"shape.{k}": (0.4, 4, "shape") for k in NAMES},
    "drift.deaths.calm": (-6, 1, "percent per month"),
    "drift.deaths.tense": (-3, 3, "percent per month"),
    "drift.deaths.war": (-1, 8, "percent per month"),
    "swing.calm": (0.6, 1.6, "times"),
    "swing.war": (0.8, 2.5, "times"),
}
SHARES = {
    "exits.calm": "tense = 0.8, war = 0.2",
    "exits.tense": "calm = 0.4, war = 0.6",
    "exits.war": "calm = 0.3, tense = 0.7",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """What stays the same in every simulation of a model: beliefs, setting and gaps."""

    model: str
    priors: PriorSet
    setting: Setting
    design: Design
    compiled: Compiled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """A world's parameters and levels as a model's draws, what was seen of it, and what was not."""

    draws: xr.Dataset | None  # one chain, one draw; None where every quantity is known without a model
    panel: xr.DataArray
    setting: Setting  # with labels
    hidden: Mapping[str, float]  # quantities that need no model


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A posterior of what was seen, and what its diagnostics look at."""

    posterior: Any
    stated: NDArray[np.float64]  # [prior, chain, draw]
    diverged: bool


def beliefs(extra: Mapping[str, tuple[float, float, str]] = MappingProxyType({})) -> PriorSet:
    """Return the priors of every design."""
    why = 'because = "A design of calibration."\nauthor = "t"\ndate = 2026-01-01\nsource = "none"\n'
    text = 'schema = 1\nname = "calibration"\n'
    for key, (low, high, unit) in {**SAID, **extra}.items():
        text += f'[{key}]\n{why}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
    for key, to in SHARES.items():
        text += f'[{key}]\n{why}kind = "shares"\nto = {{ {to} }}\nworth = 6\n'
    return loads(text, "calibration.toml")


def plain_setting() -> Setting:
    """Return the setting of every design."""
    span = MONTHS + max(AHEAD)
    talks = tuple(float(t in range(*TALKS)) for t in range(span))
    return Setting(
        scenarios=NAMES,
        reference="tense",
        streams=(
            Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),
            Stream(id="truce", family="bernoulli", level=None, effect="free"),
        ),
        horizon=max(AHEAD),
        reporting={
            "deaths": Reporting(release=tuple(int(t >= FINAL) for t in range(span)), mean=(0.15,), sd=(0.1,))
        },
        drivers=(Driver(id="talks", lag=1, reference=0.0, values=talks),),
    )


@cache
def world(model: str) -> World:
    """Return the world of a model of the catalogue."""
    priors, setting = beliefs(), plain_setting()
    level = LEVEL.get(model, "walk")
    if level == "drift":
        setting = replace(setting, basis=MONTHS - 1)
    design = Design(
        months=MONTHS,
        ahead=max(AHEAD),
        regimes=len(CATALOGUE[model].view(setting).scenarios) > 1,
        level=level,
        waves=setting.basis,
        final=FINAL,
        driver=setting.drivers[0].values,
    )
    y = np.full((2, MONTHS), np.nan)
    y[:, 0] = 1.0
    compiled = compile_model(_panel(y), CATALOGUE[model], priors, labelled(setting, {}))
    return World(model=model, priors=priors, setting=setting, design=design, compiled=compiled)


def labelled(setting: Setting, named: Mapping[int, int]) -> Setting:
    """Return the setting with the regime that an analyst named in some months."""
    logs = np.zeros((MONTHS, len(setting.scenarios)))
    for month, regime in named.items():
        logs[month, regime] = np.log(LABEL_RATIO)
    return replace(setting, labels=tuple(tuple(row) for row in logs.tolist()))


def simulate(of: World, rng: np.random.Generator) -> Truth:
    """Draw a truth from the prior, the history it leads to, and what an observer sees of it."""
    blank = _panel(np.zeros((2, MONTHS)))
    seed = int(rng.integers(2**32))
    one = from_prior(blank, CATALOGUE[of.model], of.priors, of.setting, draws=1, seed=seed).draws
    said = dict(zip(one["prior"].values.tolist(), one["stated"].values[0, 0].tolist(), strict=True))
    told = history(said, of.design, rng)
    level = one["level"].copy()
    level.loc[{"stream": "deaths"}] = told.level[:MONTHS]
    y = np.stack([told.deaths, told.truce])[:, :MONTHS]
    for n, t in GAPS:
        y[n, t] = np.nan
    hidden = {f"deaths in {h} months": told.deaths[MONTHS + h - 1] for h in AHEAD}
    named = {}
    if of.design.regimes:
        hidden["regime at the end"] = float(told.regime[MONTHS - 1])
        named = {month: _name(int(told.regime[month]), rng) for month in LABELLED}
    return Truth(
        draws=one.assign(level=level), panel=_panel(y), setting=labelled(of.setting, named), hidden=hidden
    )


def _name(regime: int, rng: np.random.Generator) -> int:
    """Return the regime that an analyst names in a month of a regime."""
    weight = np.ones(len(NAMES))
    weight[regime] = LABEL_RATIO
    return int(rng.choice(len(NAMES), p=weight / weight.sum()))


def fitted(of: World, truth: Truth, *, seed: int, tune: int, draws: int) -> Fit:
    """Fit one chain to what was seen."""
    found = fit(
        truth.panel,
        CATALOGUE[of.model],
        of.priors,
        truth.setting,
        seed=seed,
        chains=1,
        tune=tune,
        draws=draws,
        compiled=of.compiled,
    )
    stated = found.draws["stated"].transpose("prior", "chain", "draw").values
    return Fit(posterior=found, stated=stated, diverged=bool(found.statistics["diverging"].values.sum() > 0))


def compared(
    of: World, truth: Truth, fit: Fit, *, thin: int, seed: int
) -> tuple[Mapping[str, float], Mapping[str, NDArray[np.float64]]]:
    """Return the true value of each quantity, and its values among every ``thin``-th draw."""
    thinned = fit.posterior.draws.isel(draw=slice(0, None, thin))
    among = quantities(of.model, thinned, truth.panel, truth.setting, seed=seed + 2)
    of_truth = quantities(of.model, truth.draws, truth.panel, truth.setting, seed=seed + 1)
    return {name: float(value[0]) for name, value in of_truth.items()} | dict(truth.hidden), among


def quantities(
    model: str, draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return every quantity that is ranked, ``[draws]`` each."""
    of = CATALOGUE[model]
    seen = of.view(setting)
    found = {str(key): draws["stated"].sel(prior=key).values.ravel() for key in draws["prior"].values}
    found["last level of deaths"] = draws["level"].sel(stream="deaths").values[..., -1].ravel()
    found["log likelihood"] = _log_likelihood(of, draws, panel, seen)
    futures = of.draw(draws, panel, seen, months=max(AHEAD), paths=1, seed=seed)
    if len(seen.scenarios) > 1:
        last = futures["filtered"].values
        found["probability of war at the end"] = last[:, -1]
        drawn = np.random.default_rng(seed).random(len(last))
        found["regime at the end"] = (last.cumsum(axis=1) < drawn[:, None]).sum(axis=1).astype(float)
    for h in AHEAD:
        found[f"deaths in {h} months"] = futures["count"].values[:, 0, 0, h - 1].astype(float)
    return found


def _log_likelihood(of: Model, draws: xr.Dataset, panel: xr.DataArray, seen: Setting) -> NDArray[np.float64]:
    """Return the log likelihood of the streams that follow the regimes, and of steps that do, ``[draws]``."""
    if of.regimes is None:
        return derived.log_emission(draws, panel, seen).sum(axis=(-2, -1)).ravel()
    if of.laws is not None:
        before = of.laws(draws, panel, seen, months=0)["predicted"].values
        months = logsumexp(derived.log_emission(draws, panel, seen), b=before, axis=-1)
        return np.asarray(months).sum(axis=-1).ravel()
    chain = of.regimes(draws, panel, seen)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    varying = "step" in chain["transition"].dims
    return forward.log_likelihood(*given, time_varying=varying).ravel()


def _panel(y: NDArray[np.float64]) -> xr.DataArray:
    return xr.DataArray(
        y, dims=("stream", "month"), coords={"stream": ["deaths", "truce"], "month": np.arange(MONTHS)}
    )
