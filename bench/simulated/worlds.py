"""The law that the worlds are drawn from: three regimes, three streams of counts, levels that walk slowly.

    regime     calm, tense, war; it leaves with probability h a month, logit h ~ Normal(logit (.08, .16, .09), .35),
               for a neighbour only; from tense to calm with a probability ~ Beta(8, 8)
    level      log level of the first month ~ Normal(log (30, 12, 4), (.5, .4, .15)); deaths and attacks take monthly
               steps of sd σ ~ LogNormal(log .035, .35), clashes none
    effect     times tense: LogNormal(log (.45, .6, .3), .15) in calm and LogNormal(log (2.5, 1.8, 3.5), .15) in war
    counts     negative binomial, 1/√φ ~ LogNormal(log (.40, .35, .45), .25)

`KINDS` are worlds in which one sentence of this is false. Nothing here is shared with the engine. The first law is
the chain of the power table, .92/.84/.91.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, logit, logsumexp
from scipy.stats import nbinom

SEED = 20260630
SCENARIOS = ("calm", "tense", "war")
STREAMS = ("deaths", "attacks", "clashes")
WALKS = np.array([True, True, False])
SHORTEST, LONGEST = 60, 240  # months of history, log-uniform, a whole number of quarters
AHEAD = 12
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "plain": "the law as written",
        "dwell": "spells are not geometric: 1 + negative binomial of shape 4, the same mean",
        "trend": "every level drifts, deaths and attacks by 1 % a month up or down, clashes by 0.3 %",
        "heavy": "counts scatter as a mixture of lognormals: every tenth cell with an sd of 1.1 log points",
        "break": "from some month of the last three years on, 55 % of deaths and attacks are reported",
        "frozen": "levels do not walk",
        "zeros": "every eighth cell is zero whatever the regime",
    }
)
LEAVE = (0.08, 0.16, 0.09)
SHAPE, OLDEST = 4.0, 60  # of spells that are not geometric; ages are told apart so far
DRIFT = np.array([0.01, 0.01, 0.003])
WIDE_SHARE, WIDE = 0.1, 1.1  # cells of a heavy world that scatter so, sd of the log
REPORTED, RECENT = 0.55, 36
NOTHING = 0.125
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """A truth, its past and its future. A state is a regime or, where spells have ages, a regime and an age."""

    kind: str
    number: int
    months: int  # T, of the past
    transition: Floats  # [E, E] monthly, row = from
    initial: Floats  # [E]
    regime: Integers  # [E] place in SCENARIOS
    effect: Floats  # [S, K] log
    step: Floats  # [S] sd of the monthly steps of the log level
    drift: Floats  # [S] log points a month
    factor: Floats  # [S, T + AHEAD] log share that is reported
    spread: Floats  # [S] 1/√φ, or sd of the log
    level: Floats  # [S, T + AHEAD] log level in tense
    state: Integers  # [T + AHEAD]
    counts: Floats  # [S, T + AHEAD]


def world(kind: str, number: int) -> World:
    """Draw one world; the same number gives the same world."""
    rng = generator(kind, number, "truth")
    T = 3 * round(SHORTEST / 3 * (LONGEST / SHORTEST) ** rng.random())
    leave = expit(logit(LEAVE) + 0.35 * rng.standard_normal(3))
    toward_calm = rng.beta(8.0, 8.0)
    go = np.array([[0.0, 1.0, 0.0], [toward_calm, 0.0, 1.0 - toward_calm], [0.0, 1.0, 0.0]])
    P, regime = _aged(leave, go) if kind == "dwell" else (_plain(leave, go), np.arange(3))
    first = np.log([30.0, 12.0, 4.0]) + np.array([0.5, 0.4, 0.15]) * rng.standard_normal(3)
    step = np.where(WALKS, 0.035 * np.exp(0.35 * rng.standard_normal(3)), 0.0)
    effect = np.zeros((3, 3))
    effect[:, 0] = np.log([0.45, 0.6, 0.3]) + 0.15 * rng.standard_normal(3)
    effect[:, 2] = np.log([2.5, 1.8, 3.5]) + 0.15 * rng.standard_normal(3)
    spread = np.array([0.40, 0.35, 0.45]) * np.exp(0.25 * rng.standard_normal(3))
    drift, factor = np.zeros(3), np.zeros((3, T + AHEAD))
    if kind == "trend":
        drift = DRIFT * rng.choice((-1.0, 1.0), 3)
        first -= drift * T  # so that the last year is as busy as in other worlds
    if kind == "break":
        factor[WALKS, T - int(rng.integers(6, RECENT + 1)) :] = np.log(REPORTED)
    if kind == "frozen":
        step = np.zeros(3)
    law = stationary(P)
    state, level = np.empty(T + AHEAD, dtype=np.int64), np.empty((3, T + AHEAD))
    state[0], level[:, 0] = rng.choice(law.size, p=law), first
    ladder = steps_of(P)
    for t in range(1, T + AHEAD):
        state[t] = moved(ladder, state[t - 1 : t], rng)[0]
        level[:, t] = level[:, t - 1] + drift + step * rng.standard_normal(3)
    mean = np.exp(level + factor + effect[:, regime[state]])
    counts = scattered(kind, mean, spread[:, None], rng)
    return World(
        kind=kind,
        number=number,
        months=T,
        transition=P,
        initial=law,
        regime=regime,
        effect=effect,
        step=step,
        drift=drift,
        factor=factor,
        spread=spread,
        level=level,
        state=state,
        counts=counts,
    )


def generator(kind: str, number: int, use: str) -> np.random.Generator:
    """The source of everything random in one world, by use."""
    return np.random.default_rng([SEED, zlib.crc32(kind.encode()), number, zlib.crc32(use.encode())])


def scattered(kind: str, mean: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
    """Draw counts around means; shapes broadcast."""
    if kind == "heavy":
        wide = rng.random(mean.shape) < WIDE_SHARE
        sd = np.where(wide, WIDE, spread)
        rate = mean * np.exp(sd * rng.standard_normal(mean.shape) - sd**2 / 2.0)
    else:
        phi = spread**-2.0
        rate = mean / phi * rng.standard_gamma(np.broadcast_to(phi, mean.shape))
    y: Floats = rng.poisson(rate).astype(np.float64)
    return np.where(rng.random(mean.shape) < NOTHING, 0.0, y) if kind == "zeros" else y


def log_density(kind: str, y: Floats, mean: Floats, spread: Floats) -> Floats:
    """Log density of counts under the law of `scattered`; shapes broadcast."""
    if kind == "heavy":
        parts = [
            np.log(share) + _lognormal(y, mean, np.broadcast_to(sd, mean.shape))
            for share, sd in ((1.0 - WIDE_SHARE, spread), (WIDE_SHARE, np.array(WIDE)))
        ]
        return np.logaddexp(*parts)
    phi = spread**-2.0
    found: Floats = nbinom.logpmf(y, phi, phi / (phi + mean))
    if kind == "zeros":
        return np.where(y == 0, np.log(NOTHING + (1.0 - NOTHING) * np.exp(found)), np.log1p(-NOTHING) + found)
    return found


def steps_of(P: Floats) -> Floats:
    """Cumulative rows of a matrix, each one higher than the row before: `moved` searches it."""
    ladder = np.cumsum(P, axis=1)
    ladder[:, -1] = 1.0
    return np.asarray((ladder + np.arange(len(P))[:, None]).ravel())


def moved(ladder: Floats, state: Integers, rng: np.random.Generator) -> Integers:
    """The states a month later."""
    E = int(np.sqrt(ladder.size))
    found: Integers = np.searchsorted(ladder, state + rng.random(state.shape), side="right") - E * state
    return np.minimum(found, E - 1)


def stationary(P: Floats) -> Floats:
    """The law that P leaves as it is."""
    E = len(P)
    law: Floats = np.linalg.solve((np.eye(E) - P + 1.0).T, np.ones(E))
    return np.clip(law, 0.0, None) / np.clip(law, 0.0, None).sum()


def _plain(leave: Floats, go: Floats) -> Floats:
    return np.diag(1.0 - leave) + leave[:, None] * go


def _aged(leave: Floats, go: Floats) -> tuple[Floats, Integers]:
    """The chain of regime and age whose spells are 1 + negative binomial; the oldest age stays with its last hazard."""
    K = len(leave)
    P = np.zeros((K * OLDEST, K * OLDEST))
    for k, h in enumerate(leave):
        lasts = nbinom(SHAPE, SHAPE / (SHAPE + 1.0 / h - 1.0))
        age = np.arange(OLDEST)
        ends = lasts.pmf(age) / lasts.sf(age - 1)
        for a in range(OLDEST):
            P[k * OLDEST + a, k * OLDEST + min(a + 1, OLDEST - 1)] += 1.0 - ends[a]
            P[k * OLDEST + a, np.arange(K) * OLDEST] += ends[a] * go[k]
    return P, np.repeat(np.arange(K), OLDEST)


def _lognormal(y: Floats, mean: Floats, sd: Floats) -> Floats:
    """Log density of a Poisson whose rate is lognormal of that mean, by quadrature around the mode of the integrand."""
    usual = np.log(mean) - sd**2 / 2.0
    centre = np.maximum(usual, np.log(y + 1.0))  # above the mode, from where Newton's steps never turn back
    for _ in range(15):
        slope = y - np.exp(centre) - (centre - usual) / sd**2
        centre = centre + slope / (np.exp(centre) + sd**-2.0)
    width = 1.0 / np.sqrt(np.exp(centre) + 1.0 / sd**2)
    x = centre[..., None] + width[..., None] * NODES
    apart = (x - usual[..., None]) / sd[..., None]
    inside = y[..., None] * x - np.exp(x) - apart**2 / 2.0 + NODES**2 / 2.0 + np.log(WEIGHTS)
    return logsumexp(inside, axis=-1) + np.log(width / sd) - gammaln(y + 1.0) - 0.5 * np.log(2.0 * np.pi)
