"""Models are weighed by what they foresaw, not by what they fitted."""

from collections.abc import Callable, Collection, Mapping

from forecast.ensemble.foresight import AHEAD, MOST_K, Foresight, foresee
from forecast.ensemble.weights import Range, Weights, weigh
from forecast.fit import Compiled, Posterior

__all__ = ["MOST_K", "Foresight", "Range", "Weights", "foresee", "weigh", "weigh_models"]


def weigh_models(
    posteriors: Mapping[str, Posterior],
    *,
    used: Collection[str],
    seed: int,
    compiled: Mapping[str, Compiled] | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Weights, Mapping[str, Foresight]]:
    """Weigh the used models of a run by the joint densities of three months ahead, from every origin.

    Args:
        posteriors: every fitted model of the same panel, those with weight zero too.
        used: the models that share the weight.
        seed: decides everything random.
        compiled: their densities in machine code, by model; one that is absent is compiled if it must be refitted.
        progress: called with a line as the work goes on.

    Returns:
        The weights, and each model's densities; a model that is alone is not scored.
    """
    if len(posteriors) == 1:
        return weigh(dict.fromkeys(posteriors, ()), seed=seed, overlap=AHEAD), {}
    found = {
        name: foresee(posterior, seed=seed, compiled=(compiled or {}).get(name), progress=progress)
        for name, posterior in posteriors.items()
    }
    densities = {name: foresight.log_density for name, foresight in found.items()}
    compared = [name for name in posteriors if name not in used]
    return weigh(densities, seed=seed, compared=compared, overlap=AHEAD), found
