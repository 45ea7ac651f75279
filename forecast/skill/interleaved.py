"""The skill process at any horizon: forecasts of successive quarters overlap, those of every h-th do not.

    E = (E⁽¹⁾ + … + E⁽ʰ⁾) / h        E⁽ʳ⁾ the process of `forecast.score` over the quarters whose number is r modulo h

Each E⁽ʳ⁾ bets only what was known when its next forecast was issued, so it is a supermartingale whenever the model is never
expected to be better, and E has a mean of at most one at every length fixed beforehand. It is none for whoever stops at will: a
quarter that resolves meanwhile tells something of one that another process has bet on already. By Ville each E⁽ʳ⁾ ever passes c
with probability 1/c at most, and E passes c only if one of them does: so E passes 20 h in one record of twenty at most. At h = 1
all this is the skill process itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A skill process at a horizon, after the last quarter of a record."""

    horizon: int  # quarters ahead
    n: int  # forecasts
    value: float  # E
    alarm: float  # 20 h
    alarmed: bool  # whether E has ever reached the alarm


def running(quarters: ArrayLike, reference: ArrayLike, model: ArrayLike, *, horizon: int) -> Running:
    """Where the process stands.

    Args:
        quarters: ``[n]``, n ≥ 1, whole numbers one apart from a quarter to the next, ascending, each once.
        reference: ``[n]`` scores in [0, 1].
        model: ``[n]``, of the same quarters.
        horizon: quarters ahead at which they were forecast.

    Raises:
        ValueError: if quarters do not ascend, a score is outside [0, 1], or the lengths differ.
    """
    path = interleaved(quarters, reference, model, horizon=horizon)
    alarm = score.ALARM * horizon
    return Running(
        horizon=horizon,
        n=path.size,
        value=float(path[-1]),
        alarm=alarm,
        alarmed=bool((path >= alarm).any()),
    )


def interleaved(
    quarters: ArrayLike, reference: ArrayLike, model: ArrayLike, *, horizon: int
) -> NDArray[np.float64]:
    """E after each quarter, ``[n]``; arguments as `running`."""
    when, theirs, ours = np.asarray(quarters), np.asarray(reference, float), np.asarray(model, float)
    if when.ndim != 1 or not when.shape == theirs.shape == ours.shape or (np.diff(when) < 1).any():
        raise ValueError("wanted quarters that ascend, and two scores of each")
    each = np.ones((horizon, when.size))
    for r in range(horizon):
        own = when % horizon == r
        if own.any():
            path = np.concatenate([[1.0], score.skill_process(theirs[own], ours[own])])
            each[r] = path[np.cumsum(own)]  # between its own quarters a process rests
    mean: NDArray[np.float64] = each.mean(axis=0)
    return mean
