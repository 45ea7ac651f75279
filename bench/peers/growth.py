"""How a gradient of this engine grows with months, regimes, streams and fronts: the points, and an exponent through them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

AXES: dict[str, tuple[int, ...]] = {
    "months": (240, 1000, 4000),
    "regimes": (2, 3, 4, 5, 6),
    "streams": (1, 2, 4, 8),
    "fronts": (1, 8, 32, 256),
}
MONTHS, REGIMES, STREAMS = 240, 3, 4  # where the other axes stand


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return b of the least-squares line ln(time) = a + b ln(size)."""
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(times, dtype=float))
    x = x - x.mean()
    return float(x @ y / (x @ x))


def bare(months: int, regimes: int, fronts: int) -> Callable[[], object]:
    """The recursion alone with all its slopes, called from Python."""
    from models import kernels

    rng = np.random.default_rng(0)
    e = rng.normal(size=(fronts, months, regimes))
    P = rng.dirichlet(np.ones(regimes), size=(fronts, 1, regimes))
    law = np.full((fronts, regimes), 1.0 / regimes)
    return lambda: kernels.gradients(e, P, law, fronts)


def one_chain(months: int, regimes: int, streams: int) -> Callable[[], object]:
    """A gradient of `regimes`, as the sampler calls it."""
    from bench.peers import ours, posterior
    from forecast.fitting import compile_model
    from models.variables import draw

    y = ours.panel(posterior.counts(months, regimes, streams))
    given, priors = ours.setting(regimes, streams), ours.beliefs(regimes, streams)
    at, call = ours.native(compile_model(y, ours.MODEL, priors, given).density)
    held = ours.MODEL.beliefs(priors, ours.MODEL.view(given))
    at(point(draw(held, np.random.default_rng(0), 1)))
    return call


def many_chains(fronts: int) -> Callable[[], object]:
    """A gradient of `regimes` with a chain for each front, partially pooled, as the sampler calls it."""
    import xarray as xr

    from bench.peers import ours, posterior
    from models import fronts as pooling
    from models.fronts_sampler import density

    each = [ours.panel(posterior.counts(MONTHS, REGIMES, STREAMS, seed=f)) for f in range(fronts)]
    y = xr.concat(each, dim=xr.DataArray([f"front-{f}" for f in range(fronts)], dims="front", name="front"))
    given, priors = ours.setting(REGIMES, STREAMS), ours.beliefs(REGIMES, STREAMS, fronts)
    held = pooling.pooled(y, ours.MODEL, priors, given)
    at, call = ours.native(density(held, y, ours.MODEL, priors, given))
    at(point(pooling.draw(held, np.random.default_rng(0), 1)))
    return call


def point(drawn: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sampler's coordinates of one draw from the prior."""
    from models.variables import unconstrain

    return np.concatenate([unconstrain(name, value[0]).ravel() for name, value in drawn.items()])


def gradient(axis: str, size: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return this engine's gradient at one size of an axis, and the bare recursion of that size."""
    at = {"months": MONTHS, "regimes": REGIMES, "streams": STREAMS, "fronts": 1} | {axis: size}
    own = many_chains(size) if axis == "fronts" else one_chain(at["months"], at["regimes"], at["streams"])
    return own, bare(at["months"], at["regimes"], at["fronts"])


def growth(burst: float) -> None:
    """Print every axis."""
    from bench.peers.measuring import microseconds

    print(f"\n{'gradient by hand':18}{'us':>10}{'bare us':>10}{'x bare':>8}")
    for axis, sizes in AXES.items():
        times, limits = [], []
        for size in sizes:
            own, limit = gradient(axis, size)
            times.append(microseconds(own, burst))
            limits.append(microseconds(limit, burst))
            print(
                f"{f'{size} {axis}':18}{times[-1]:10.1f}{limits[-1]:10.1f}{times[-1] / limits[-1]:8.1f}",
                flush=True,
            )
        print(f"{f'  {axis} to the power':18}{exponent(sizes, times):10.2f}{exponent(sizes, limits):10.2f}")
