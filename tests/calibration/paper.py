"""Histories written from what was stated, by the definitions alone: nothing of the code under test is imported.

    spells     of 1 + negative binomial months; from the age of two years on a regime ends at the hazard of that age
    start      a chain that has run for a lifetime before the first month, its drivers at their reference
    levels     stand still; or walk as the leading components of a random walk of the window and the months ahead less
               its mean; or take steps of the regime of their month, less the mean over the window. Ahead they go on
               from the last month of the window with steps of their own
    counts     a Poisson of a gamma
    fronts     each its own statements: dwells, exits and effects vary about the theatre's, levels about an even share

Slow and plain on purpose. Three scenarios in their order, the middle one the reference; a counted stream and a
yes-or-no one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

NAMES = ("calm", "tense", "war")
OLD = 24  # months: the age from which on the hazard stays what it is
LIFETIME = 3000  # months before the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What is the same in every history of a model."""

    months: int
    ahead: int
    regimes: bool  # whether there are any
    level: Literal["constant", "walk", "drift"]
    waves: int  # components of a walk
    final: int  # months whose figures are final; later ones carry a factor
    driver: Sequence[float]  # what stands above the driver's reference in each month of the window and ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened, in the window and after it."""

    regime: Integers  # [months + ahead]
    level: Floats  # [months + ahead], log
    deaths: Floats
    truce: Floats


def history(said: Mapping[str, float], design: Design, rng: np.random.Generator) -> History:
    """Draw a history from statements by key, shares as key.alternative, in the units they were stated in."""
    n = design.months + design.ahead
    z = _regimes(said, design, rng) if design.regimes else np.full(n, NAMES.index("tense"))
    level = np.log(said["level.deaths"]) + _path(said, design, z, rng)
    mean = np.exp(level)
    if design.regimes:
        mean = mean * np.array([said["effect.deaths.calm"], 1.0, said["effect.deaths.war"]])[z]
        chance = np.array([said[f"chance.truce.{k}"] for k in NAMES])[z]
        truce = (rng.random(n) < chance).astype(float)
    else:
        truce = _stays(said["persist.truce.off"], said["persist.truce.on"], n, rng)
    mean[design.final :] *= np.exp(said["reporting.deaths.1"])
    shape = (100.0 / said["spread.deaths"]) ** 2
    deaths = rng.poisson(rng.gamma(shape, mean / shape)).astype(float)
    return History(regime=z, level=level, deaths=deaths, truce=truce)


def varied(said: Mapping[str, float], fronts: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Return what would be stated of each of some fronts, given what was stated of the theatre."""
    far, wide = (np.log(1.0 + said[f"pooling.{what}"] / 100.0) for what in ("fronts", "levels"))
    found = []
    for _ in range(fronts):
        own = dict(said)
        away = wide * rng.standard_normal() - wide**2 / 2.0
        own["level.deaths"] = said["level.deaths"] / fronts * np.exp(away)
        for k in NAMES:
            own[f"dwell.{k}"] = 1.0 + (said[f"dwell.{k}"] - 1.0) * np.exp(far * rng.standard_normal())
            weight = {
                key: share * np.exp(far / np.sqrt(2.0) * rng.standard_normal())
                for key, share in said.items()
                if key.startswith(f"exits.{k}.")
            }
            own |= {key: value / sum(weight.values()) for key, value in weight.items()}
        for k in ("calm", "war"):
            key = f"effect.deaths.{k}"
            own[key] = np.exp(np.log(said[key]) * np.exp(far * rng.standard_normal()))
        found.append(own)
    return found


def _regimes(said: Mapping[str, float], design: Design, rng: np.random.Generator) -> Integers:
    n, K = design.months + design.ahead, len(NAMES)
    ending = np.array([_ending(said[f"dwell.{k}"], said.get(f"shape.{k}", 1.0)) for k in NAMES])
    exits = [[said.get(f"exits.{k}.{to}", 0.0) for to in NAMES] for k in NAMES]
    odds = np.ones((n, K))
    odds[:, NAMES.index("war")] = said["odds.talks.leave.war"] ** np.array(design.driver)
    z, k, age = np.empty(n, dtype=int), int(rng.integers(K)), 1
    for t in range(-LIFETIME, n):
        if t >= 0:
            z[t] = k
        ends = ending[k, min(age, OLD) - 1]
        if t >= 0:
            ends = ends * odds[t, k] / (1.0 - ends + ends * odds[t, k])
        if rng.random() < ends:
            k, age = int(rng.choice(K, p=exits[k])), 1
        else:
            age += 1
    return z


def _ending(average: float, shape: float) -> Floats:
    """Return the probability that a spell that has lasted 1 … `OLD` months ends with the month."""
    months = np.arange(OLD)
    law = nbinom(shape, shape / (shape + average - 1.0))
    left = law.sf(months - 1)
    return np.divide(law.pmf(months), left, out=np.ones(OLD), where=left > 0.0)


def _path(said: Mapping[str, float], design: Design, z: Integers, rng: np.random.Generator) -> Floats:
    """Return what a log level is above the mean that was stated."""
    n = design.months + design.ahead
    if design.level == "constant":
        return np.zeros(n)
    step = np.log(1.0 + said["wander.deaths"] / 100.0)
    if design.level == "drift":
        drift = np.log(1.0 + np.array([said[f"drift.deaths.{k}"] for k in NAMES]) / 100.0)
        swing = np.array([said["swing.calm"], 1.0, said["swing.war"]])
        path = np.cumsum(drift[z] + step * swing[z] * rng.standard_normal(n))
        return path - path[: design.months].mean()
    path = step * (_components(n, design.waves) @ rng.standard_normal(design.waves))
    path[design.months :] = path[design.months - 1] + np.cumsum(step * rng.standard_normal(design.ahead))
    return path


@cache
def _components(months: int, waves: int) -> Floats:
    """Return the leading components of a random walk of unit steps less its mean, ``[months, waves]``."""
    less = np.eye(months) - 1.0 / months
    walk = np.minimum.outer(np.arange(months), np.arange(months)).astype(float)
    variance, component = np.linalg.eigh(less @ walk @ less)
    return component[:, -waves:] * np.sqrt(variance[-waves:])


def _stays(off: float, on: float, months: int, rng: np.random.Generator) -> Floats:
    """Return a yes-or-no chain that stays as it is with the probability of its state."""
    state, found = 0, np.empty(months)
    for t in range(-LIFETIME, months):
        if t >= 0:
            found[t] = state
        state = state if rng.random() < (on if state else off) else 1 - state
    return found
