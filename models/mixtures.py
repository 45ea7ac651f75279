"""Functions of a cell under a mixture of regimes, averaged over draws: blocks of draws run side by side."""

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from models.blocks import each_block
from models.kernels import Floats

COSTLY = 100  # steps of work in a distribution function of one cell

type Law = Mapping[str, Floats]  # parameters by name


def averaged(
    functions: Sequence[Callable[[Law], Floats]],
    weight: Floats,
    parameters: Law,
    *,
    cells: tuple[int, ...],
) -> tuple[Floats, ...]:
    """Return, for each function f, the mean over draws of sum_k weight[k] f(parameters of regime k).

    Args:
        functions: of the parameters, each entry by itself.
        weight: ``[..., T, K]`` of regimes.
        parameters: each broadcasts with it.
        cells: the shape of the result; axes before those of cells and regimes are draws.
    """
    axes = len(cells) + 1
    arrays = [weight, *parameters.values()]
    lead = np.broadcast_shapes(*(x.shape[: max(x.ndim - axes, 0)] for x in arrays))
    share, *values = (_by_draw(x, lead, axes) for x in arrays)
    number = prod(lead)
    found = [np.empty((number, *cells)) for _ in functions]

    def run(begin: int, end: int) -> None:
        here, *rest = (x if len(x) == 1 else x[begin:end] for x in (share, *values))
        law = dict(zip(parameters, rest, strict=True))
        for function, place in zip(functions, found, strict=True):
            place[begin:end] = (here * function(law)).sum(axis=-1)

    each_block(number, run, steps=COSTLY * prod(cells) * weight.shape[-1])
    return tuple(place.mean(axis=0) for place in found)


def _by_draw(x: Floats, lead: tuple[int, ...], axes: int) -> Floats:
    """Return ``x`` with the axes of draws as one, of length one where ``x`` serves all draws."""
    x = x.reshape((1,) * (axes - x.ndim) + x.shape)
    own, cell = x.shape[: x.ndim - axes], x.shape[x.ndim - axes :]
    if prod(own) == 1:
        return x.reshape(1, *cell)
    return np.broadcast_to(x, lead + cell).reshape(-1, *cell)
