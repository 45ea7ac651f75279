"""The same posterior in PyMC without this engine: a scan in logs, and the marginalised chain of pymc-extras; both under nutpie."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bench.peers.measuring import ACCEPT, CHAINS, Peer, Sampled, clocked, microseconds
from bench.peers.ours import native, split
from bench.peers.posterior import NORMAL, Floats, Problem, start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stated:
    """What both models hold, as PyMC's variables."""

    P: Any  # [regime, regime]
    law: Any  # [regime], of the first month
    mean: Any  # [stream, regime]
    phi: Any  # [stream]


def stated(problem: Problem) -> Stated:
    """State the beliefs in the model that is open."""
    K, M = len(problem.worth), problem.counts.shape[1]
    normal = {
        name: pm.Normal(name, problem.mean[name], problem.sd[name], shape=problem.mean[name].shape)
        for name in NORMAL
    }
    exits = pm.Dirichlet("exits", a=problem.worth, shape=problem.worth.shape)
    hazard = 1.0 / (1.0 + pt.exp(normal["dwell"]))
    P = pt.diag(1.0 - hazard)
    for i in range(K):
        others = np.array([j for j in range(K) if j != i])
        P = pt.set_subtensor(P[i, others], hazard[i] * exits[i])
    effect = normal["effect"].reshape((M, K - 1))
    steps = pt.stack([effect[:, 0], pt.zeros(M), effect[:, 1]], axis=1)
    return Stated(
        P=P,
        law=pt.linalg.solve((pt.eye(K) - P + 1.0).T, pt.ones(K)),
        mean=pt.exp(normal["level"][:, None] + steps),
        phi=(100.0 / pt.exp(normal["spread"])) ** 2,
    )


def scan_model(problem: Problem) -> pm.Model:
    """The forward recursion in logs as a scan, its result a Potential."""
    y, seen = np.nan_to_num(problem.counts), ~np.isnan(problem.counts)
    with pm.Model() as model:
        held = stated(problem)
        counts = pm.NegativeBinomial.dist(mu=held.mean[None], alpha=held.phi[None, :, None])
        cells = pt.where(seen[:, :, None], pm.logp(counts, y[:, :, None]), 0.0)
        emission = cells.sum(axis=1)

        def step(e: Any, before: Any, log_P: Any) -> Any:
            return e + pt.logsumexp(before[:, None] + log_P, axis=0)

        path = pytensor.scan(
            step,
            sequences=[emission[1:]],
            outputs_info=[pt.log(held.law) + emission[0]],
            non_sequences=[pt.log(held.P)],
            return_updates=False,
        )
        pm.Potential("likelihood", pt.logsumexp(path[-1]))
    return model


def chain_model(problem: Problem) -> pm.Model:
    """A categorical chain that pymc-extras sums out.

    It cannot leave a cell out: a masked array, or an index of the months seen, is refused below a chain. So a missing
    cell is a count of nothing at mean and dispersion one, whose density is one half whatever the regime.
    """
    from pymc_extras import DiscreteMarkovChain, marginalize

    y, seen = np.nan_to_num(problem.counts), ~np.isnan(problem.counts)
    with pm.Model() as model:
        held = stated(problem)
        first = pm.Categorical.dist(p=held.law)
        regime = DiscreteMarkovChain("regime", P=held.P, init_dist=first, shape=(len(y),))
        pm.NegativeBinomial(
            "counts",
            mu=pt.where(seen, held.mean.T[regime], 1.0),
            alpha=pt.where(seen, held.phi, 1.0),
            observed=y,
        )
    return marginalize(model, ["regime"])


def places(model: pm.Model) -> tuple[list[int], list[int]]:
    """Where the normal coordinates and the turns lie in the point that nutpie makes of a model's variables."""
    shapes, at, first = model.eval_rv_shapes(), {}, 0
    for variable in model.free_RVs:
        end = first + int(np.prod(shapes[model.rvs_to_values[variable].name]))
        at[variable.name], first = list(range(first, end)), end
    return [n for name in NORMAL for n in at[name]], at["exits"]


def road(
    name: str,
    problem: Problem,
    compiled: Any,
    held: tuple[list[int], list[int]],
    at: Callable[[Floats], tuple[float, Floats]],
    call: Callable[[], object],
) -> Peer:
    """A compiled model, sampled by nutpie."""

    def run(draws: int) -> tuple[Floats, int]:
        trace = nutpie.sample(
            compiled,
            draws=draws,
            tune=draws,
            chains=CHAINS,
            seed=1,
            target_accept=ACCEPT,
            save_warmup=False,
            progress_bar=False,
        )
        parts = [trace["posterior"][name].values for name in (*NORMAL, "exits")]
        flat = [part.reshape(*part.shape[:2], -1) for part in parts]
        return np.concatenate(flat, axis=-1), int(trace["sample_stats"]["diverging"].sum())

    def sample(draws: int) -> Sampled:
        run(5)
        return clocked(lambda: run(draws))

    return Peer(
        name=name,
        log_density=split(at, *held),
        microseconds=lambda burst: microseconds(call, burst),
        sample=sample,
    )


def beginning(problem: Problem, held: tuple[list[int], list[int]]) -> Callable[[Any], Floats]:
    """Return what gives a chain its first point, a draw from the prior, from a seed of nutpie's."""

    def first(seed: Any) -> Floats:
        normal, turns = start(problem, seed)
        point = np.empty(normal.size + turns.size)
        point[held[0]], point[held[1]] = normal, turns
        return point

    return first


def by_numba(name: str, model: pm.Model, problem: Problem) -> Peer:
    held = places(model)
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    compiled = replace(compiled, initial_point_func=beginning(problem, held))
    return road(name, problem, compiled, held, *native(compiled))


def scan_numba(problem: Problem) -> Peer:
    return by_numba("PyMC scan, nutpie numba", scan_model(problem), problem)


def chain(problem: Problem) -> Peer:
    return by_numba("pymc-extras marginal chain", chain_model(problem), problem)


def scan_jax(problem: Problem) -> Peer:
    model = scan_model(problem)
    held = places(model)
    compiled = nutpie.compile_pymc_model(model, backend="jax", gradient_backend="jax", freeze_model=False)
    compiled = replace(compiled, _make_initial_points=beginning(problem, held))
    logp = compiled._make_logp_func()

    def at(point: Floats) -> tuple[float, Floats]:
        value, slope = logp(point, **compiled._shared_data)
        return value, slope

    middle = beginning(problem, held)(0)
    return road("PyMC scan, nutpie jax", problem, compiled, held, at, lambda: at(middle))
