"""How long regimes last and where they go, as a prior set has it: both readings of a dwell, and the matrices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import forward, transitions
from models.contract import Setting
from models.variables import Beliefs, Stated, draw
from priors import PriorSet, Spell, distribution, spell

type Floats = NDArray[np.float64]
type Json = dict[str, Any]

LOW, HIGH = 0.05, 0.95


def implied(priors: PriorSet, regimes: Sequence[str], *, seed: int, draws: int = 4000) -> Json:
    """What the statements about the chain imply, with every driver at its reference.

    Args:
        priors: the set.
        regimes: the latent regimes in their order, two or more.
        seed: of the draws from the priors.
        draws: behind each mean and interval.

    Returns:
        ``dwell`` by regime: quantiles in months of the ``average`` spell and of ``one_spell``, and the probability
        that a spell is over ``within_a_month``; ``transitions`` per month and ``transitions_quarter`` (end of a quarter
        to end of the next), rows from, columns to; ``stationary`` and ``start``, laws by regime, ``start_stated``.

    Raises:
        ValueError: fewer than two regimes.
        Refusal: statements that are missing, or that do not cover the regimes.
    """
    names = tuple(regimes)
    if len(names) < 2:
        raise ValueError(f"implied: got regimes {names}; wanted two or more")
    chain = Setting(scenarios=names, reference=names[0], streams=(), horizon=0)
    beliefs = Beliefs(laws=transitions.laws(priors, chain))
    stated = Stated(np, beliefs, draw(beliefs, np.random.default_rng(seed), draws))
    P = transitions.matrix(transitions.hazard(stated, chain), transitions.exits(stated, chain), len(names))
    start = np.broadcast_to(transitions.start(stated, chain, P), P.shape[:-1])
    return {
        "regimes": list(names),
        "dwell": {name: _readings(spell(distribution(priors[f"dwell.{name}"]))) for name in names},
        "transitions": {"per": "month", **_spread(P)},
        "transitions_quarter": {"per": "quarter", **_spread(np.linalg.matrix_power(P, 3))},
        "stationary": _laws(forward.stationary(P), names),
        "start": _laws(start, names),
        "start_stated": "start" in priors,
    }


def _readings(both: Spell) -> Json:
    return {
        "average": {f"q{100 * level:02.0f}": value for level, value in both.average},
        "one_spell": {f"q{100 * level:02.0f}": value for level, value in both.one},
        "within_a_month": both.one_month,
    }


def _spread(draws: Floats) -> Json:
    """Return mean and central 90 % over the first axis, nested as the rest."""
    low, high = np.quantile(draws, (LOW, HIGH), axis=0)
    return {"mean": draws.mean(axis=0).tolist(), "q05": low.tolist(), "q95": high.tolist()}


def _laws(draws: Floats, names: Sequence[str]) -> Json:
    told = _spread(draws)
    return {name: {key: told[key][place] for key in told} for place, name in enumerate(names)}
