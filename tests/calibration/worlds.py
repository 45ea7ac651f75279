"""Worlds for calibration: small designs with every feature that the densities know, and truths drawn from their priors.

Sixty months, three regimes, a counted stream with two releases and a yes-or-no one, gaps, labels and a driver. The
simulator shares the models' quantities (``models.derived``) but not their densities.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.fitting import Compiled, compile_model, from_prior
from models import CATALOGUE, Driver, Reporting, Setting, Stream, derived, forward, streams
from priors import PriorSet, loads

MONTHS, AHEAD = 60, (1, 3, 6, 12)
GAPS = ((0, 7), (0, 31), (0, 32), (1, 20), (1, 58), (1, 59))  # cells nobody saw: stream, month
LABELLED = (12, 27, 44)
LABEL_RATIO = 4.0  # how many times likelier an analyst finds the regime named than each other

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
    compiled: Compiled


@cache
def world(model: str) -> World:
    """Return the world of a model of the catalogue."""
    why = 'because = "A design of calibration."\nauthor = "t"\ndate = 2026-01-01\nsource = "none"\n'
    text = 'schema = 1\nname = "calibration"\n'
    for key, (low, high, unit) in SAID.items():
        text += f'[{key}]\n{why}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
    for key, to in SHARES.items():
        text += f'[{key}]\n{why}kind = "shares"\nto = {{ {to} }}\nworth = 6\n'
    priors = loads(text, "calibration.toml")
    span = MONTHS + max(AHEAD)
    setting = Setting(
        scenarios=("calm", "tense", "war"),
        reference="tense",
        streams=(
            Stream(id="deaths", family="negative-binomial", level="walk", effect="increasing"),
            Stream(id="truce", family="bernoulli", level=None, effect="free"),
        ),
        horizon=max(AHEAD),
        reporting={
            "deaths": Reporting(release=tuple(int(t >= 48) for t in range(span)), mean=(0.15,), sd=(0.1,))
        },
        drivers=(
            Driver(id="talks", lag=1, reference=0.0, values=tuple(float(20 <= t < 34) for t in range(span))),
        ),
    )
    y = np.full((2, MONTHS), np.nan)
    y[:, 0] = 1.0
    compiled = compile_model(_panel(y), CATALOGUE[model], priors, labelled(setting, {}))
    return World(model=model, priors=priors, setting=setting, compiled=compiled)


def labelled(setting: Setting, named: Mapping[int, int]) -> Setting:
    """Return the setting with the regime that an analyst named in some months."""
    logs = np.zeros((MONTHS, len(setting.scenarios)))
    for month, regime in named.items():
        logs[month, regime] = np.log(LABEL_RATIO)
    return replace(setting, labels=tuple(tuple(row) for row in logs.tolist()))


def simulate(of: World, rng: np.random.Generator) -> tuple[xr.Dataset, xr.DataArray, Setting, int]:
    """Draw a truth from the prior and the panel and labels it leads to; also its last regime's place."""
    model = CATALOGUE[of.model]
    blank = _panel(np.zeros((2, MONTHS)))
    seed = int(rng.integers(2**32))
    truth = from_prior(blank, model, of.priors, of.setting, draws=1, seed=seed)
    seen, one = truth.setting, truth.draws
    K = len(seen.scenarios)
    z = np.zeros(MONTHS, dtype=int)
    if K > 1:
        P, by_step = derived.transition(one, seen, MONTHS - 1)
        steps = np.broadcast_to(P[0, 0] if by_step else P[0, 0][None], (MONTHS - 1, K, K))
        z[0] = rng.choice(K, p=one["initial"].values[0, 0])
        for t in range(1, MONTHS):
            z[t] = rng.choice(K, p=steps[t - 1, z[t - 1]])
    y = np.empty((2, MONTHS))
    for n, s in enumerate(seen.streams):
        if s in streams.chained(seen):
            P = one["persistence"].values[0, 0, n]
            y[n, 0] = rng.random() < forward.stationary(P)[1]
            for t in range(1, MONTHS):
                y[n, t] = rng.random() < P[int(y[n, t - 1]), 1]
        elif s.family == "bernoulli":
            y[n] = rng.random(MONTHS) < one["chance"].values[0, 0, n, z]
        else:
            log = one["level"].values[0, 0, n] + one["effect"].values[0, 0, n, z]
            mean = np.exp(log + derived.released(one, seen, s, MONTHS)[0, 0])
            phi = one["dispersion"].values[0, 0, n]
            y[n] = rng.poisson(rng.gamma(phi, mean / phi))
    for n, t in GAPS:
        y[n, t] = np.nan
    named = {}
    for month in LABELLED if K > 1 else ():
        agrees = rng.random() < LABEL_RATIO / (LABEL_RATIO + K - 1.0)
        others = [k for k in range(K) if k != z[month]]
        named[month] = int(z[month]) if agrees else int(rng.choice(others))
    return one, _panel(y), labelled(of.setting, named), int(z[-1])


def quantities(
    model: str, draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Return every quantity that is ranked, ``[draws]`` each."""
    of = CATALOGUE[model]
    seen = of.view(setting)
    found = {str(key): draws["stated"].sel(prior=key).values.ravel() for key in draws["prior"].values}
    found["last level of deaths"] = draws["level"].sel(stream="deaths").values[..., -1].ravel()
    log_emission = derived.log_emission(draws, panel, seen)
    if len(seen.scenarios) == 1:
        found["log likelihood"] = log_emission.sum(axis=(-2, -1)).ravel()
    else:
        P, by_step = derived.transition(draws, seen, MONTHS - 1)
        law = draws["initial"].values
        varying = bool(by_step)
        found["log likelihood"] = forward.log_likelihood(log_emission, P, law, time_varying=varying).ravel()
    futures = of.draw(draws, panel, seen, months=max(AHEAD), paths=1, seed=seed)
    if len(seen.scenarios) > 1:
        last = futures["filtered"].values
        found["probability of war at the end"] = last[:, -1]
        drawn = np.random.default_rng(seed).random(len(last))
        found["regime at the end"] = (last.cumsum(axis=1) < drawn[:, None]).sum(axis=1).astype(float)
    for h in AHEAD:
        found[f"deaths in {h} months"] = futures["count"].values[:, 0, 0, h - 1].astype(float)
    return found


def _panel(y: NDArray[np.float64]) -> xr.DataArray:
    return xr.DataArray(
        y, dims=("stream", "month"), coords={"stream": ["deaths", "truce"], "month": np.arange(MONTHS)}
    )
