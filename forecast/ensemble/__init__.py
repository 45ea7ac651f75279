"""Models are weighed by what they foresaw, not by what they fitted.

`foresee` scores one fitted model on every three months after its burn-in; `weigh` turns the scores of several into
weights with intervals, and says whether the data can tell the models apart.
"""

from forecast.ensemble.foresight import AHEAD, MOST_K, Foresight, foresee
from forecast.ensemble.weights import Range, Weights, weigh

__all__ = ["AHEAD", "MOST_K", "Foresight", "Range", "Weights", "foresee", "weigh"]
