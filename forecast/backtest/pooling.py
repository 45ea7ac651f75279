"""The ensemble as it would have been: weights from what the models had foreseen of months that were known by then.

The densities are the backtest's own: three months ahead, by parameters that had not seen them. Until the first of
them is known all weights are equal.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from forecast import months
from forecast.backtest.known import Calendar
from forecast.backtest.origin import EXAM, PRIOR_ONLY, Floats, Replayed, Said
from forecast.ensemble import weigh

ENSEMBLE, PREVIOUS = "ensemble", "previous-forecast"


def weights(
    replayed: Sequence[Replayed], used: Sequence[str], dates: Calendar, *, overlapping: bool, seed: int
) -> Mapping[str, Mapping[str, float]]:
    """Weights of the used models by origin.

    Args:
        replayed: every origin, in time order.
        used: models with a weight.
        dates: when months were known.
        overlapping: whether origins are nearer than the months that a density is of.
        seed: of the intervals that come with the weights.
    """
    found = {}
    for one in replayed:
        earlier = _known(replayed, used, dates, one.origin)
        if not len(earlier):
            found[one.origin] = dict.fromkeys(used, 1.0 / len(used))
            continue
        columns = {name: earlier[:, place] for place, name in enumerate(used)}
        weighed = weigh(columns, seed=seed, overlap=EXAM if overlapping else 1)
        found[one.origin] = {name: weighed.weights[name].mean for name in used}
    return found


def _known(replayed: Sequence[Replayed], used: Sequence[str], dates: Calendar, origin: str) -> Floats:
    """Densities ``[origin, model]`` of stretches of months that an origin had seen.

    An origin may speak so late that months after it are known by then; it has not looked at them.
    """
    day = dates.day(origin)
    rows = []
    for one in replayed:
        exam = [months.shift(one.origin, ahead) for ahead in range(1, EXAM + 1)]
        if exam[-1] <= origin and all(dates.day(month) <= day for month in exam):
            rows.append([one.fitness[name].log_density for name in used])
    table = np.array(rows, dtype=np.float64).reshape(-1, len(used))
    return table[~np.isnan(table).any(axis=1) & np.isfinite(table).any(axis=1)]


def mixed(said: Mapping[str, Said], shares: Mapping[str, float]) -> Said:
    """Several forecasters as one: a future comes from each with the probability of its share."""
    parts = [said[name] for name in shares]
    w = np.array(list(shares.values())) / sum(shares.values())
    size = len(parts[0].sample)
    edges = np.round(np.cumsum([0.0, *w]) * size).astype(int)
    taken = [
        part.sample[np.linspace(0, size, n, endpoint=False).astype(int)]
        for part, n in zip(parts, np.diff(edges), strict=True)
    ]
    return Said(
        probabilities=np.tensordot(w, np.stack([part.probabilities for part in parts]), 1),
        unresolved=np.tensordot(w, np.stack([part.unresolved for part in parts]), 1),
        passages=np.tensordot(w, np.stack([part.passages for part in parts]), 1),
        sample=np.concatenate(taken),
    )


def forecasters(
    replayed: Sequence[Replayed], shares: Mapping[str, Mapping[str, float]]
) -> Mapping[str, Mapping[str, Said]]:
    """By origin: every model, the ensemble, the priors alone, and the ensemble as it was a quarter before."""
    found: dict[str, dict[str, Said]] = {}
    for one in replayed:
        w = shares[one.origin]
        models = {name: one.said[name] for name in one.fitness}
        equal = {f"{PRIOR_ONLY} {name}": 1.0 for name in w}
        told = {**models, ENSEMBLE: mixed(models, w), PRIOR_ONLY: mixed(one.said, equal)}
        before = found.get(months.shift(one.origin, -3))
        if before is not None:
            told[PREVIOUS] = _earlier(before[ENSEMBLE])
        found[one.origin] = told
    return found


def _earlier(said: Said) -> Said:
    """What was said a quarter before of the same windows; of the last one nothing was."""
    nothing = np.full_like(said.probabilities[:1], np.nan)
    return Said(
        probabilities=np.concatenate([said.probabilities[1:], nothing]),
        unresolved=np.append(said.unresolved[1:], np.nan),
        passages=np.full_like(said.passages, np.nan),
        sample=np.full_like(said.sample, np.nan),
    )
