"""This engine's two roads, by the density written by hand and by the operation inside a PyMC model; and its own statement."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from bench.peers import posterior
from bench.peers.measuring import ACCEPT, CHAINS, Peer, Sampled, clocked, microseconds
from bench.peers.posterior import DWELL, EFFECT, LEVEL, NORMAL, SHARES, SPREAD, WORTH, Floats, Problem
from forecast.fitting import TARGET_ACCEPT, compile_model, fit
from models import CATALOGUE, Setting, Stream
from models.variables import draw, unconstrain
from priors import PriorSet, loads

MODEL = CATALOGUE["regimes"]
WHY = 'because = "A bench."\nauthor = "bench"\ndate = 2026-01-01\nsource = "simulated"\n'
POINTS = 5


def names(regimes: int) -> tuple[str, ...]:
    return tuple(f"regime-{k}" for k in range(regimes))


def setting(regimes: int, streams: int) -> Setting:
    ids = [f"s{s}" for s in range(streams)]
    seen = tuple(Stream(id=i, family="negative-binomial", level="constant", effect="free") for i in ids)
    return Setting(scenarios=names(regimes), reference=names(regimes)[regimes // 2], streams=seen, horizon=1)


def beliefs(regimes: int, streams: int, fronts: int = 1) -> PriorSet:
    """State the beliefs of `posterior` as an analyst would; fronts share a level and resemble one another."""
    text = ['schema = 1\nname = "peers"\n']

    def interval(key: str, bounds: tuple[float, float], unit: str) -> None:
        low, high = bounds
        text.append(
            f'[{key}]\n{WHY}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        )

    known, middle = names(regimes), regimes // 2
    for k, name in enumerate(known):
        interval(f"dwell.{name}", DWELL[k % len(DWELL)], "months")
        if regimes > 2:
            weights = np.resize(SHARES, regimes - 1)
            others = (other for other in known if other != name)
            to = ", ".join(
                f"{o} = {float(w)!r}" for o, w in zip(others, weights / weights.sum(), strict=True)
            )
            text.append(f'[exits.{name}]\n{WHY}kind = "shares"\nto = {{ {to} }}\nworth = {WORTH}\n')
    for s in range(streams):
        interval(f"level.s{s}", (fronts * LEVEL[0], fronts * LEVEL[1]), "events per month")
        interval(f"spread.s{s}", SPREAD, "percent")
        for k in range(regimes):
            if k != middle:
                interval(f"effect.s{s}.{known[k]}", EFFECT[k > middle], "times")
    if fronts > 1:
        interval("pooling.fronts", (10.0, 60.0), "percent")
        interval("pooling.levels", (40.0, 500.0), "percent")
    return loads("".join(text), "peers.toml")


def panel(y: Floats) -> xr.DataArray:
    """Give ``[month, stream]`` counts as the engine takes them."""
    coords = {"stream": [f"s{s}" for s in range(y.shape[1])], "month": np.arange(y.shape[0])}
    return xr.DataArray(y.T, dims=("stream", "month"), coords=coords)


def places(priors: PriorSet, given: Setting) -> list[int]:
    """Where the normal coordinates lie among ours; the turns of the exits come after them."""
    held = MODEL.beliefs(priors, MODEL.view(given))
    keys = [key for members in held.families.values() for key in members]
    ids, known = [s.id for s in given.streams], given.scenarios
    wanted = [f"dwell.{k}" for k in known]
    wanted += [f"{role}.{s}" for role in ("level", "spread") for s in ids]
    wanted += [f"effect.{s}.{k}" for s in ids for k in known if k != given.reference]
    return [keys.index(key) for key in wanted]


def native(density: Any) -> tuple[Callable[[Floats], tuple[float, Floats]], Callable[[], object]]:
    """Return a compiled density as a function of a point, and the bare call that the sampler makes."""
    x, slope, value = np.zeros(density.n_dim), np.zeros(density.n_dim), np.zeros(1)
    double = ctypes.POINTER(ctypes.c_double)
    where = [array.ctypes.data_as(double) for array in (x, slope, value)]
    function, data = density.compiled_logp_func.ctypes, density.user_data.ctypes.data

    def call() -> object:  # holds on to the density: nothing else keeps the arrays behind its pointers
        return function(density.n_dim, *where, data)

    def at(point: Floats) -> tuple[float, Floats]:
        x[:] = point
        call()
        return float(value[0]), slope.copy()

    return at, call


def split(
    at: Callable[[Floats], tuple[float, Floats]], normal_at: list[int], turns_at: list[int]
) -> Callable[[Floats, Floats], tuple[float, Floats, Floats]]:
    """Let a density of one long point take the normal coordinates and the turns that all roads share."""

    def log_density(normal: Floats, turns: Floats) -> tuple[float, Floats, Floats]:
        point = np.empty(normal.size + turns.size)
        point[normal_at], point[turns_at] = normal, turns
        value, slope = at(point)
        return value, slope[normal_at], slope[turns_at]

    return log_density


def road(problem: Problem, *, fused: bool) -> Peer:
    given, priors, y = (
        setting(posterior.K, posterior.M),
        beliefs(posterior.K, posterior.M),
        panel(problem.counts),
    )
    compiled = compile_model(y, MODEL, priors, given, fused=fused)
    at, call = native(compiled.density)
    order = places(priors, given)
    if TARGET_ACCEPT != ACCEPT:
        raise SystemExit(
            f"this engine adapts to an acceptance of {TARGET_ACCEPT}, the other roads to {ACCEPT}"
        )

    def run(draws: int) -> tuple[Floats, int]:
        found = fit(
            y, MODEL, priors, given, seed=1, chains=CHAINS, tune=draws, draws=draws, compiled=compiled
        )
        return found.draws["stated"].values, int(found.statistics["diverging"].sum())

    def sample(draws: int) -> Sampled:
        run(5)
        return clocked(lambda: run(draws))

    return Peer(
        name="scenariocast, by hand" if fused else "scenariocast, operation in PyMC",
        log_density=split(at, order, list(range(len(order), compiled.density.n_dim))),
        microseconds=lambda burst: microseconds(call, burst),
        sample=sample,
    )


def by_hand(problem: Problem) -> Peer:
    return road(problem, fused=True)


def operation(problem: Problem) -> Peer:
    return road(problem, fused=False)


def problem(months: int) -> Problem:
    """Simulate the counts and evaluate our density at draws from the prior."""
    given, priors, y = (
        setting(posterior.K, posterior.M),
        beliefs(posterior.K, posterior.M),
        posterior.counts(months),
    )
    held = MODEL.beliefs(priors, MODEL.view(given))
    points = []
    for seed in range(POINTS):
        drawn = draw(held, np.random.default_rng(seed), 1)
        points.append(np.concatenate([unconstrain(name, value[0]).ravel() for name, value in drawn.items()]))
    at, _ = native(compile_model(panel(y), MODEL, priors, given).density)
    order = places(priors, given)
    values, slopes = zip(*(at(point) for point in points), strict=True)
    x, slope = np.array(points), np.array(slopes)
    mean, sd = posterior.coordinates()
    if sum(mean[name].size for name in NORMAL) != len(order):
        raise SystemExit("the shared coordinates are not all that this engine has")
    return Problem(
        counts=y,
        mean=mean,
        sd=sd,
        worth=np.tile(np.array(SHARES) * WORTH, (posterior.K, 1)),
        normal=x[:, order],
        turns=x[:, len(order) :],
        value=np.array(values),
        d_normal=slope[:, order],
        d_turns=slope[:, len(order) :],
    )
