"""What is measured of a road, in a process of its own: agreement first, then time, then effective draws."""

import resource
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from bench.peers.posterior import Floats, Problem

ACCEPT = 0.95  # the mean acceptance that every sampler adapts its steps to
CHAINS = 4
NEAR = 1e-6  # of the largest slope; densities may differ by one constant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """What a warm run brought home, and what it cost."""

    draws: Floats  # [chain, draw, parameter]: everything that is stated
    divergences: int
    cpu: float  # seconds, of this process and of those it started
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peer:
    """One road to the posterior."""

    name: str
    log_density: Callable[
        [Floats, Floats], tuple[float, Floats, Floats]
    ]  # at normal coordinates and turns, with its slopes in both; up to a constant
    microseconds: Callable[[float], float]  # of a gradient as its sampler pays for it, from bursts so long
    sample: Callable[[int], Sampled]  # so many steps to adapt and as many draws, in each of four chains


def cpu() -> float:
    """Return the CPU seconds that this process and its ended children have used."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def clocked(run: Callable[[], tuple[Floats, int]]) -> Sampled:
    """Run a sampler that is ready to start."""
    began, at = cpu(), perf_counter()
    draws, divergences = run()
    return Sampled(draws=draws, divergences=divergences, cpu=cpu() - began, wall=perf_counter() - at)


def microseconds(call: Callable[[], object], burst: float) -> float:
    """Return the least mean time of a call over five bursts of so many seconds."""
    call()
    found = []
    for _ in range(5):
        began, n = perf_counter(), 0
        while perf_counter() - began < burst:
            call()
            n += 1
        found.append((perf_counter() - began) / n * 1e6)
    return min(found)


def effective(draws: Floats) -> float:
    """Return the least bulk effective sample size over the parameters of ``[chain, draw, parameter]``."""
    from arviz_stats.base.array import array_stats

    of: Any = array_stats
    return float(np.min([of.ess(draws[..., n], method="bulk") for n in range(draws.shape[-1])]))


def agree(peer: Peer, problem: Problem) -> float:
    """Return how far a road's density is from this engine's; stop if it states another posterior."""
    apart, gaps = [], []
    for point in range(len(problem.value)):
        value, d_normal, d_turns = peer.log_density(problem.normal[point], problem.turns[point])
        ours = np.concatenate([problem.d_normal[point], problem.d_turns[point]])
        theirs = np.concatenate([d_normal, d_turns])
        gaps.append(np.abs(ours - theirs).max() / np.abs(ours).max())
        apart.append(value - problem.value[point])
    gaps.append(np.ptp(apart) / (1.0 + np.abs(problem.value).max()))
    worst = float(np.max(gaps))
    if not worst < NEAR:
        raise SystemExit(
            f"{peer.name} states another posterior: {worst:.1e} of the density or its slopes apart"
        )
    return worst


def measured(
    open_road: Callable[[Problem], Peer], problem: Problem, draws: int, burst: float
) -> dict[str, Any]:
    """Open a road and measure it."""
    began = cpu()
    peer = open_road(problem)
    started = cpu() - began
    apart = agree(peer, problem)
    each = peer.microseconds(burst)
    found = peer.sample(draws)
    return {
        "name": peer.name,
        "start": started,
        "apart": apart,
        "microseconds": each,
        "ess": effective(found.draws),
        "divergences": found.divergences,
        "cpu": found.cpu,
        "wall": found.wall,
    }
