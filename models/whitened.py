"""A normal matrix sampled as waves along its rows, in units of its own law, whatever other variables that law hangs on.

x = mean + sd · (u turn')        turn a rotation, so u is standard normal where x is Normal(mean, sd²)

A sampler moves easily in u: what the law hangs on may change and u need not.
"""

from typing import Any

import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from models.kernels import Floats


class Whitened(Transform):  # type: ignore[misc]
    """From a matrix ``[..., n]`` to its waves u, given its mean and its sd of the same shape."""

    name = "whitened"

    def __init__(self, turn: Floats) -> None:
        """State the rotation, ``[n, n]``, waves in its columns."""
        self.turn = turn

    def forward(self, value: Any, *inputs: Any) -> Any:
        """Return u."""
        *_, mean, sd = inputs
        return ((value - mean) / sd) @ self.turn

    def backward(self, value: Any, *inputs: Any) -> Any:
        """Return x."""
        *_, mean, sd = inputs
        return mean + sd * (value @ self.turn.T)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        """Return logarithms whose sum is that of what a volume of u becomes in x."""
        return pt.log(inputs[-1]) + 0.0 * value


def log_density(value: Any, mean: Any, sd: Any) -> Any:
    """Return the log density of a normal matrix, without ln √2π."""
    return (-0.5 * ((value - mean) / sd) ** 2 - pt.log(sd)).sum()
