"""From simulated futures to the probabilities of written scenarios."""

from forecast.scenarios.bands import expected, fans, held, mixture
from forecast.scenarios.futures import months_ahead, outcomes, quarters_ahead
from forecast.scenarios.nested import Estimate, combine, estimate
from forecast.scenarios.summary import Crosswalk, Probabilities, crosswalk, pooled, probabilities

__all__ = [
    "Crosswalk",
    "Estimate",
    "Probabilities",
    "combine",
    "crosswalk",
    "estimate",
    "expected",
    "fans",
    "held",
    "mixture",
    "months_ahead",
    "outcomes",
    "pooled",
    "probabilities",
    "quarters_ahead",
]
