"""What each used model counts for, and how much of that is the noise of the densities that it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from forecast import checks
from forecast.ensemble import Weights, weigh
from forecast.fitted import Fitted

REDRAWN = 20  # times the densities are redrawn: the noise is then known to a sixth
MOST_K = 0.7  # Pareto k from which importance weights are not trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Weights with the Monte Carlo error of each, by model."""

    weights: Weights
    noise: Mapping[str, float]


def weighed(models: Iterable[Fitted], *, seed: int) -> Weighed:
    """Weigh models by the densities of three months that their draws had not seen.

    The noise is the spread of a weight when every log density is redrawn with its own Monte Carlo error, as if these
    were independent; a model that stands alone has none.

    Args:
        models: fitted, used and compared.
        seed: of the bootstrap and of the redrawing.
    """
    models = tuple(models)
    compared = [model.name for model in models if not model.used]
    seen = {model.name: model.foresight for model in models}
    densities = {name: np.zeros(0) if each is None else each.log_density for name, each in seen.items()}
    errors = {name: np.zeros(0) if each is None else each.error for name, each in seen.items()}
    found = weigh(densities, seed=seed, compared=compared)
    if len(found.weights) == 1:
        return Weighed(weights=found, noise=dict.fromkeys(found.weights, 0.0))
    rng = np.random.default_rng(seed)
    redrawn = []
    for _ in range(REDRAWN):
        moved = {name: rng.normal(densities[name], errors[name]) for name in found.weights}
        redrawn.append([weight.mean for weight in weigh(moved, seed=seed).weights.values()])
    spread = np.std(redrawn, axis=0, ddof=1)
    return Weighed(weights=found, noise=dict(zip(found.weights, spread.tolist(), strict=True)))


def pareto(models: Iterable[Fitted]) -> tuple[checks.Check, ...]:
    """Whether the importance weights behind the used models' weights can be trusted; none for a model alone or a record too short to weigh."""
    worst = [
        float(np.max(model.foresight.k))
        for model in models
        if model.used and model.foresight is not None and model.foresight.k.size
    ]
    if not worst:
        return ()
    return (
        checks.below(
            "Pareto k behind the weights",
            max(worst),
            MOST_K,
            "raise draws: importance weights from another origin's posterior are not to be trusted",
        ),
    )
