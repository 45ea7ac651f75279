"""What somebody says who knows the law of a world, its parameters and its levels, and has seen the counts.

    P(state now | counts)   the exact filter with the true parameters (models.forward)
    futures                 drawn from the law of the world, by the lines that drew the world itself

Nobody else can know as much: parameters and levels must be learnt. What is lost by learning them is the distance
between the engine and the oracle.
"""

import numpy as np
import xarray as xr

from forecast import months
from models import forward
from simulated.worlds import AHEAD, STREAMS, Floats, World, generator, log_density, moved, scattered, steps_of

FIRST = "2000-01"
PATHS = 8000  # the oracle's probabilities are good to 0.005; its own error costs 0.0002 bits


def panel(world: World) -> xr.DataArray:
    """The past, as the engine sees it: (stream, month)."""
    names = months.span(FIRST, months.shift(FIRST, world.months - 1))
    return xr.DataArray(
        world.counts[:, : world.months],
        dims=("stream", "month"),
        coords={"stream": list(STREAMS), "month": list(names)},
    )


def filtered(world: World) -> Floats:
    """P(state of the last month | counts up to it), ``[E]``, with everything else known."""
    T = world.months
    known = world.level[:, :T] + world.factor[:, :T]
    mean = np.exp(known[:, :, None] + world.effect[:, None, :])  # [S, T, K]
    each = log_density(world.kind, world.counts[:, :T, None], mean, world.spread[:, None, None])
    log_emission = each.sum(axis=0)[:, world.regime]
    law: Floats = forward.filtered(log_emission, world.transition, world.initial, time_varying=False)[-1]
    return law


def futures(world: World, law: Floats, *, paths: int, rng: np.random.Generator) -> xr.Dataset:
    """Counts of the year ahead on paths that start from a law of the state, in the shape of `forecast.simulate`."""
    T = world.months
    state = np.repeat(np.arange(law.size), rng.multinomial(paths, law / law.sum()))
    level = np.repeat(world.level[:, T - 1 : T], paths, axis=1)
    ladder = steps_of(world.transition)
    mean = np.empty((3, paths, AHEAD))
    for h in range(AHEAD):
        state = moved(ladder, state, rng)
        level = level + world.drift[:, None] + world.step[:, None] * rng.standard_normal(level.shape)
        mean[:, :, h] = np.exp(level + world.factor[:, T + h, None] + world.effect[:, world.regime[state]])
    counts = scattered(world.kind, mean, world.spread[:, None, None], rng)
    ahead = [months.shift(FIRST, T + h) for h in range(AHEAD)]
    return xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), counts.transpose(1, 0, 2)[None]),
            "tail": (("draw", "path", "stream", "tail_month"), np.empty((1, paths, 3, 0))),
        },
        coords={"stream": list(STREAMS), "month": ahead, "tail_month": []},
    )


def foresees(world: World) -> xr.Dataset:
    """The oracle's futures."""
    return futures(world, filtered(world), paths=PATHS, rng=generator(world.kind, world.number, "oracle"))


def came(world: World) -> xr.Dataset:
    """The one future that came, in the same shape."""
    ahead = [months.shift(FIRST, world.months + h) for h in range(AHEAD)]
    return xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), world.counts[None, None, :, world.months :]),
            "tail": (("draw", "path", "stream", "tail_month"), np.empty((1, 1, 3, 0))),
        },
        coords={"stream": list(STREAMS), "month": ahead, "tail_month": []},
    )
