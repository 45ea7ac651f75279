"""What a record of n quarters could show at all: how often a forecaster who knows the true chain beats every reference.

The chain is simulated, the forecaster says the row of its power, and the references learn from the outcomes so far as
`models.baselines` has them (climatology, empirical Markov chain, persistence), all worlds at once. After STATISTICS A7: with 11
scored quarters an oracle of a three-state chain wins on both scores at all horizons in about a third of the worlds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast import score

HORIZONS = (1, 2, 4)  # quarters
WORLDS = 1000  # a share is then known to 1.6 points

type Floats = NDArray[np.float64]
type Places = NDArray[np.int64]


def power(n: int, chain: ArrayLike, *, burn_in: int, seed: int, worlds: int = WORLDS) -> float:
    """Probability that the mean IGN and the mean RPS of the true chain are below every reference's at every horizon.

    Args:
        n: quarters scored at each horizon, at least 1.
        chain: ``[K, K]``, from one quarter's scenario to the next's.
        burn_in: resolved quarters that the references know before the first is scored, at least 1.
        seed: of the worlds.
        worlds: how many are drawn.

    Raises:
        ValueError: if a number is too small or a row of the chain is no distribution.
    """
    rows = np.asarray(chain, dtype=float)
    if min(n, burn_in, worlds) < 1:
        raise ValueError("wanted at least one quarter scored, one known before, and one world")
    if rows.ndim != 2 or (rows < 0).any() or np.abs(rows.sum(axis=-1) - 1.0).max() > score.SUM_TOLERANCE:
        raise ValueError("wanted a chain whose rows are distributions")
    return _power(n, tuple(map(tuple, rows.tolist())), burn_in, seed, worlds)


@lru_cache(maxsize=64)
def _power(n: int, rows: tuple[tuple[float, ...], ...], burn_in: int, seed: int, worlds: int) -> float:
    chain = np.asarray(rows)
    chain /= chain.sum(axis=1, keepdims=True)
    outcomes = _outcomes(chain, burn_in + n + max(HORIZONS) - 1, worlds, np.random.default_rng(seed))
    totals = np.zeros((len(HORIZONS), 2, 4, worlds))  # IGN and RPS of the truth, then of the references
    for origin in range(burn_in, burn_in + n):
        learnt = _learn(outcomes[:, :origin], len(chain))
        for place, steps in enumerate(HORIZONS):
            came = outcomes[:, origin + steps - 1]
            said = np.stack([np.linalg.matrix_power(chain, steps)[learnt.last], *learnt.references(steps)])
            totals[place] += np.stack([score.ign(said, came), score.rps(said, came)])
    return float((totals[:, :, :1] < totals[:, :, 1:]).all(axis=(0, 1, 2)).mean())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Learnt:
    """What the references know of each world after some quarters."""

    last: Places  # [worlds]
    climate: Floats  # [worlds, K]
    chain: Floats  # [worlds, K, K]
    stays: Floats  # [worlds]

    def references(self, steps: int) -> tuple[Floats, Floats, Floats]:
        """Climatology, Markov chain and persistence, each ``[worlds, K]``."""
        worlds = np.arange(len(self.last))
        persistent = self.climate.copy()
        persistent[worlds, self.last] = 0.0
        persistent *= ((1.0 - self.stays) / persistent.sum(axis=1))[:, None]
        persistent[worlds, self.last] = self.stays
        return self.climate, np.linalg.matrix_power(self.chain, steps)[worlds, self.last], persistent


def _learn(seen: Places, K: int) -> _Learnt:
    """From the quarters seen, ``[worlds, quarters]``."""
    world = np.arange(len(seen))[:, None]
    visits, moves = np.full((len(seen), K), 0.5), np.ones((len(seen), K, K))
    np.add.at(visits, (world, seen), 1.0)
    np.add.at(moves, (world, seen[:, :-1], seen[:, 1:]), 1.0)
    same = (seen[:, 1:] == seen[:, :-1]).sum(axis=1)
    return _Learnt(
        last=seen[:, -1],
        climate=visits / visits.sum(axis=1, keepdims=True),
        chain=moves / moves.sum(axis=2, keepdims=True),
        stays=(same + 1.0) / (seen.shape[1] + 1.0),
    )


def _outcomes(chain: Floats, quarters: int, worlds: int, rng: np.random.Generator) -> Places:
    """Worlds of the chain, ``[worlds, quarters]``, each begun long ago."""
    K = len(chain)
    law = np.linalg.matrix_power((np.eye(K) + chain) / 2.0, 1024).mean(axis=0)
    ladder, begin = np.cumsum(chain, axis=1)[:, :-1], np.cumsum(law)[:-1]
    draws = rng.random((quarters, worlds, 1))
    states = np.empty((worlds, quarters), np.int64)
    states[:, 0] = (draws[0] >= begin).sum(axis=1)
    for t in range(1, quarters):
        states[:, t] = (draws[t] >= ladder[states[:, t - 1]]).sum(axis=1)
    return states
