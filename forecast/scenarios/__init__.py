"""From simulated futures to the probabilities of written scenarios."""

from forecast.scenarios.estimate import Estimate, combine, estimate
from forecast.scenarios.fans import fans
from forecast.scenarios.outcomes import months_ahead, outcomes, quarters_ahead
from forecast.scenarios.probabilities import Crosswalk, Probabilities, crosswalk, pooled, probabilities

__all__ = [
    "Crosswalk",
    "Estimate",
    "Probabilities",
    "combine",
    "crosswalk",
    "estimate",
    "fans",
    "months_ahead",
    "outcomes",
    "pooled",
    "probabilities",
    "quarters_ahead",
]
