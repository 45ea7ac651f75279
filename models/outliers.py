"""A month out of all proportion is one of a wider law around the same mean, so that no level and no regime plays it.

    p(y) = (1 - outlier) p(y | mean, 1/φ) + outlier p(y | mean, 1/φ + 4)

For counts the wide law is the negative binomial with a spread of 200 % on top of the stream's own. A month of y events
pulls its log mean by (y - mean) / (1 + (1/φ + 4) mean) there: a month of ten times the mean by about two, whatever
the counts, where a spread of 30 % would have let it pull by a hundred. A gaussian outlier has five times the sd. Both
numbers only say what is meant by out of all proportion; how often it happens is the analyst's `outlier`. The two laws
are summed, so nothing discrete is sampled. Tukey, A survey of sampling from contaminated distributions (1960).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

OUTLYING = "outlying-"  # how the name of a family with outlying months begins
WIDE = np.float64(4.0)  # what outlying months of counts have more of 1/φ
WIDER = np.float64(5.0)  # times the sd of an outlying gaussian month


def widened(family: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the family and parameters of the outlying months of a family of ``models.emissions``."""
    if family == "gaussian":
        return family, {**parameters, "sd": WIDER * parameters["sd"]}
    wide = wide_dispersion(parameters["dispersion"]) if "dispersion" in parameters else 1 / WIDE
    return family.replace("poisson", "negative-binomial"), {**parameters, "dispersion": wide}


def wide_dispersion(phi: Any) -> Any:
    """Return the φ of outlying months of counts."""
    return phi / (1 + WIDE * phi)


def both(family: str, parameters: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the share of outlying months, then family and parameters of usual and of outlying ones."""
    usual = family.removeprefix(OUTLYING)
    rest = {name: value for name, value in parameters.items() if name != "outlier"}
    return parameters["outlier"], (usual, rest), widened(usual, rest)
