"""The posterior that every road states: simulated counts, and beliefs in coordinates that all of them share.

A hazard of leaving is 1 / (1 + exp(dwell)); everything positive is the exponential of a normal coordinate; the shares of
a regime's exits are a Dirichlet's. The law of the first month is the stationary one. Five cells in a hundred are missing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

K, M = 3, 4  # regimes and streams, of which the one in the middle is the reference
Z = 1.6448536269514722  # of the 95th percentile: an interval of mass 0.9 lies so many sd from its middle
DWELL = ((3.0, 18.0), (6.0, 36.0), (1.5, 8.0))  # months
LEVEL, SPREAD = (4.0, 20.0), (20.0, 70.0)  # events a month, percent
EFFECT = ((0.3, 0.9), (1.3, 5.0))  # below the reference and above it, times
SHARES, WORTH = (0.7, 0.3), 6.0
NORMAL = ("dwell", "level", "spread", "effect")  # the order in which every road takes its normal coordinates

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Counts, beliefs, and points at which every road must know the same density."""

    counts: Floats  # [month, stream], NaN where missing
    mean: dict[str, Floats]  # of each block of normal coordinates
    sd: dict[str, Floats]
    worth: Floats  # [regime, exit] concentrations
    normal: Floats  # [point, coordinate]
    turns: Floats  # [point, regime]: half the log odds of a regime's first exit
    value: Floats  # [point], this engine's log density
    d_normal: Floats  # [point, coordinate]
    d_turns: Floats  # [point, regime]

    def blocks(self, row: Floats) -> dict[str, Floats]:
        """Cut a row of normal coordinates into its blocks."""
        ends = np.cumsum([self.mean[name].size for name in NORMAL])
        return dict(zip(NORMAL, np.split(row, ends[:-1]), strict=True))


def counts(months: int, regimes: int = K, streams: int = M, *, seed: int = 20) -> Floats:
    """Simulate ``[month, stream]`` counts, some of them missing."""
    rng = np.random.default_rng(seed)
    stay, middle = 0.85, regimes // 2
    state = np.empty(months, dtype=int)
    state[0] = middle
    for t in range(1, months):
        other = int(rng.integers(regimes - 1))
        state[t] = state[t - 1] if rng.random() < stay else other + (other >= state[t - 1])
    times = np.where(np.arange(regimes) < middle, 0.5, 2.5) ** np.abs(np.arange(regimes) - middle)
    means = np.resize([10.0, 6.0, 15.0, 8.0], streams) * times[state][:, None]
    y = rng.poisson(rng.gamma(5.0, means / 5.0)).astype(float)
    y[rng.random(y.shape) < 0.05] = np.nan
    return y


def coordinates() -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return mean and sd of every normal coordinate of three regimes and four streams, by block."""
    intervals = {
        "dwell": np.array(DWELL) - 1.0,
        "level": np.tile(LEVEL, (M, 1)),
        "spread": np.tile(SPREAD, (M, 1)),
        "effect": np.tile(EFFECT, (M, 1)),  # stream by stream: below the reference, above it
    }
    logs = {name: np.log(bounds) for name, bounds in intervals.items()}
    return (
        {name: log.mean(axis=1) for name, log in logs.items()},
        {name: (log[:, 1] - log[:, 0]) / (2.0 * Z) for name, log in logs.items()},
    )


def start(problem: Problem, seed: int) -> tuple[Floats, Floats]:
    """Draw normal coordinates and turns from the prior: where a chain begins, on every road."""
    rng = np.random.default_rng(seed)
    normal = [rng.normal(problem.mean[name], problem.sd[name]) for name in NORMAL]
    exits = np.array([rng.dirichlet(worth) for worth in problem.worth])
    return np.concatenate(normal), 0.5 * np.log(exits[:, 0] / exits[:, 1])


def save(problem: Problem, path: Path) -> None:
    """Write a problem for the processes that solve it."""
    plain = {name: getattr(problem, name) for name in Problem.__slots__ if name not in ("mean", "sd")}
    blocks = {f"{part}.{name}": getattr(problem, part)[name] for part in ("mean", "sd") for name in NORMAL}
    np.savez(path, **plain, **blocks)


def load(path: Path) -> Problem:
    """Read what ``save`` wrote."""
    with np.load(path) as held:
        parts = {part: {name: held[f"{part}.{name}"] for name in NORMAL} for part in ("mean", "sd")}
        plain = {name: held[name] for name in Problem.__slots__ if name not in parts}
    return Problem(**plain, **parts)
