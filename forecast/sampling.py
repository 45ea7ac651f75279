"""Draws from a log density in machine code: the same for the same seed, on any number of cores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import xarray as xr
from numpy.typing import NDArray

from models.contract import Draws

KEPT = {
    "diverging": "diverging",
    "energy": "energy",
    "depth": "tree_depth",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
}

type Adaptation = Literal["draw_diag", "low_rank"]  # how the sampler learns the posterior's scales
type Progress = Callable[[Sequence[Any]], None]  # called with one record for each chain, from another thread


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """What the sampler brought home."""

    free: Draws  # [chain, draw, …] of every variable
    statistics: xr.Dataset  # (chain, draw): diverging, energy, tree_depth, …


def sample(
    density: Any,
    start: Callable[..., NDArray[Any]],
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    target_accept: float,
    adaptation: Adaptation,
    cores: int | None = None,
    progress: Progress | None = None,
) -> Sampled:
    """Run chains of the no-U-turn sampler (Hoffman and Gelman 2014) from starting points of their own.

    Args:
        density: nutpie's, with its data.
        start: what gives a chain its first point, in the sampler's coordinates, from a seed.
        seed: decides everything random.
        chains: run side by side.
        tune: steps that adapt the sampler, thrown away.
        draws: kept from each chain.
        target_accept: the mean acceptance that the step size is adapted to.
        adaptation: of the mass matrix, to the variances of the draws or to their strongest correlations as well.
        cores: how many chains run at once; as many as the machine has cores unless stated.
        progress: called now and then with one record for each chain.
    """
    import nutpie  # late: it brings all of ArviZ and its plots, and a process that only reads posteriors needs none

    sampler = nutpie.sample(
        replace(density, initial_point_func=start),
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        target_accept=target_accept,
        adaptation=adaptation,
        save_warmup=False,
        progress_bar=False,
        progress_callback=progress,
        progress_rate=200,
        blocking=False,
    )
    try:
        trace = sampler.wait()
    except BaseException:  # an interrupt must stop the chains, not leave a short posterior
        sampler.cancel()
        raise
    return Sampled(
        free={str(name): value.values for name, value in trace["posterior"].data_vars.items()},
        statistics=xr.Dataset(
            {kept: (("chain", "draw"), trace["sample_stats"][name].values) for name, kept in KEPT.items()}
        ),
    )
