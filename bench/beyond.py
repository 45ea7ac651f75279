"""What stands in for a joint fit of many fronts, beside that fit: NUTS, ADVI, Laplace, on the same counts.

``compare(F, T)`` prints for each method what a reader of a forecast would see of the difference. All of them work on one
density, that of ``models.fronts_density``; ADVI is PyMC's, told it as one operation.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.executors import executor
from forecast.fitting import fit
from forecast.fronts import Joint, each, fit_fronts, shared
from forecast.latent import view
from models import CATALOGUE, Setting, fronts, fronts_density, fronts_plan, sampler
from models.variables import Stated, unconstrain
from priors import PriorSet, loads

type Floats = NDArray[np.float64]
type World = tuple[xr.DataArray, PriorSet, Setting]

WHY = 'because = "A bench."\nauthor = "bench"\ndate = 2026-01-01\nsource = "simulated"\n'

MODEL = CATALOGUE["regimes"]
DRAWS = 1000  # of an approximation
STEPS, RATE = 20_000, 0.01  # of ADVI
CHAINS, TUNE, KEPT = 4, 500, 500  # of NUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The log density of a panel of fronts and how its coordinates are read."""

    held: fronts.Pooled
    panel: xr.DataArray
    priors: PriorSet
    setting: Setting
    arguments: dict[str, NDArray[Any]]
    start: Floats  # the mean of the prior

    @property
    def size(self) -> int:
        """How many coordinates there are."""
        return self.start.size

    def at(self, x: Floats) -> tuple[float, Floats]:
        """The log density at a point and its slopes."""
        slope = np.empty(self.size)
        value = fronts_density.density(np.ascontiguousarray(x), slope, *self.arguments.values())
        return float(value), slope

    def joint(self, draws: Floats) -> Joint:
        """Draws ``[D, size]`` in the shape of a posterior of one chain."""
        keys, shares = self.arguments["keys"], self.arguments["shares"]
        out = np.empty((len(draws), self.size + len(shares)))
        for row, x in zip(out, np.ascontiguousarray(draws), strict=True):
            sampler.expand(x, row, keys, shares)
        beliefs, free, at = self.held.all, {}, 0
        shapes = {family: (len(members),) for family, members in beliefs.families.items()}
        shapes |= {name: beliefs.concentrations(name).shape for name in beliefs.shares}
        shapes |= {**beliefs.latent, **{name: (n,) for name, n in self.held.sizes.items()}}
        for name, shape in shapes.items():
            end = at + int(np.prod(shape))
            free[name] = out[None, :, at:end].reshape(1, len(out), *shape)
            at = end
        return Joint(
            model=MODEL, held=self.held, free=free, panel=self.panel,
            statistics=xr.Dataset({"diverging": (("chain", "draw"), np.zeros((1, len(draws)), dtype=bool))}),
            setting=MODEL.view(self.setting), priors=self.priors,
        )  # fmt: skip


def stating(said: Iterable[tuple[str, float, float, str]]) -> PriorSet:
    """A prior set of 90 % intervals: key, low, high, unit."""
    text = 'schema = 1\nname = "bench"\n' + "".join(
        f'[{key}]\n{WHY}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        for key, low, high, unit in said
    )
    return loads(text, "bench.toml")


def target(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> Target:
    held = fronts.pooled(panel, MODEL, priors, setting)
    free = fronts.draw(held, np.random.default_rng(0), 500)
    points = [unconstrain(name, value).reshape(500, -1) for name, value in free.items()]
    return Target(
        held=held, panel=panel, priors=priors, setting=setting,
        arguments=dict(fronts_plan.arguments(held, panel, MODEL, priors, setting)),
        start=np.concatenate(points, axis=1).mean(axis=0),
    )  # fmt: skip


def laplace(of: Target) -> Joint:
    """The normal law whose mode and curvature are the density's, from the best of three climbs."""
    rng = np.random.default_rng(1)

    def fall(x: Floats) -> tuple[float, Floats]:
        value, slope = of.at(x)
        return -value, -slope

    climbs = [
        minimize(fall, of.start + 0.2 * n * rng.standard_normal(of.size), jac=True, method="L-BFGS-B",
                 options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-14, "gtol": 1e-6})
        for n in range(3)
    ]  # fmt: skip
    best = min(climbs, key=lambda climb: float(climb.fun))
    step = 1e-4
    rows = [
        (of.at(best.x + along)[1] - of.at(best.x - along)[1]) / (2.0 * step)
        for along in step * np.eye(of.size)
    ]
    curvature, axes = np.linalg.eigh(-(np.array(rows) + np.array(rows).T) / 2.0)
    print(
        f"    climbs end at {[round(-float(c.fun), 2) for c in climbs]}; curvatures {curvature[0]:.3g} to {curvature[-1]:.3g}"
    )
    z = rng.standard_normal((DRAWS, of.size))
    return of.joint(best.x + (z / np.sqrt(np.maximum(curvature, 1e-3))) @ axes.T)


def advi(of: Target, *, method: str) -> Joint:
    """PyMC's ADVI on the coordinates, its factors independent (``advi``) or one normal law (``fullrank_advi``)."""
    import pymc as pm

    with pm.Model():
        x = pm.Flat("x", shape=of.size, initval=of.start)
        pm.Potential("density", _operation(of)(x))
        found = pm.fit(
            STEPS, method=method, random_seed=3, progressbar=False, obj_optimizer=pm.adam(learning_rate=RATE),
            compile_kwargs={"mode": "FAST_COMPILE"},
        )  # fmt: skip
        drawn = found.sample(DRAWS, random_seed=4, return_inferencedata=False)
    ends = [float(np.mean(part)) for part in np.array_split(np.asarray(found.hist), 10)[-2:]]
    print(f"    loss in the last two tenths of {STEPS:,} steps: {ends[0]:.2f}, {ends[1]:.2f}")
    return of.joint(np.asarray(drawn["x"]))


def _operation(of: Target) -> Callable[[Any], Any]:
    """The density as an operation of PyTensor: value and slopes in one call, the pull-back scales the slopes."""
    import pytensor.tensor as pt
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    class Density(Op):
        def make_node(self, x: Any) -> Any:
            x = pt.as_tensor_variable(x)
            return Apply(self, [x], [pt.dscalar(), pt.dvector()])

        def perform(self, node: Any, inputs: Any, output_storage: Any) -> None:
            value, slope = of.at(inputs[0])
            output_storage[0][0], output_storage[1][0] = np.asarray(value), slope

        def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
            return [cotangents[0] * outputs[1]]

    return lambda x: Density()(x)[0]


def compare(made: World) -> dict[str, Floats]:
    """Print each method beside NUTS; return what NUTS told."""
    of = target(*made)
    F, _, T = of.panel.shape

    def nuts(seed: int) -> Joint:
        return fit_fronts(
            of.panel, MODEL, of.priors, of.setting, seed=seed, chains=CHAINS, tune=TUNE, draws=KEPT
        )

    print(f"{F} fronts × {T} months, {of.size} coordinates")
    methods = {
        "NUTS": lambda: nuts(1), "NUTS, another seed": lambda: nuts(2), "Laplace": lambda: laplace(of),
        "ADVI, mean field": lambda: advi(of, method="advi"), "ADVI, full rank": lambda: advi(of, method="fullrank_advi"),
    }  # fmt: skip
    first: dict[str, Floats] = {}
    for name, method in methods.items():
        begin = time.process_time()
        joint = method()
        took = time.process_time() - begin
        told = _told(joint)
        first = first or told
        print(f"  {name}: {took:.1f} s of CPU")
        for line in _beside(first, told):
            print("    " + line, flush=True)
    return first


def _told(joint: Joint) -> dict[str, Floats]:
    """What a reader sees, by draw: chances of war now and in three months, spells, levels, effects, pooling."""
    size = joint.free[next(iter(joint.free))].shape[1]
    thin = max(1, size * joint.free[next(iter(joint.free))].shape[0] // DRAWS)
    views = [one.latent for _, one in each(joint, months=3, thin=thin)]
    dwell, apart = shared(joint)
    return {
        "war now": np.stack([v.filtered[..., 1].ravel() for v in views]),
        "war in three months": np.stack([v.ahead[:, :, 2, 1].ravel() for v in views]),
        "spell": np.stack([1.0 / v.hazard[..., 1].ravel() for v in views]),
        "level": np.moveaxis(joint.free["level"], -1, 0).reshape(len(views), -1),
        "effect": np.moveaxis(joint.free["effect"], -1, 0).reshape(len(views), -1),
        **{f"common spell of {name}": values.reshape(1, -1) for name, values in dwell.items()},
        **{key: values.reshape(1, -1) for key, values in apart.items()},
    }


def _beside(first: dict[str, Floats], told: dict[str, Floats]) -> Iterator[str]:
    for name, draws in told.items():
        mean, sd = draws.mean(axis=1), draws.std(axis=1)
        was, spread = first[name].mean(axis=1), first[name].std(axis=1)
        if len(mean) == 1:
            yield f"{name}: {mean[0]:.3g} ± {sd[0]:.3g}"
            continue
        gap = np.abs(mean - was) if name.startswith("war") else np.abs(mean - was) / spread
        ratio = sd / spread
        yield (
            f"{name}: mean off by at most {gap.max():.3f}, {gap.mean():.3f} on average"
            f"{'' if name.startswith('war') else ' sd'}; sd ratio {ratio.min():.2f} to {ratio.max():.2f}"
        )


def in_two_stages(made: World, first: dict[str, Floats], *, workers: int, cluster: str | None) -> None:
    """Half of the fronts jointly, each of the others a task of its own under what a new front is then expected to be."""
    panel, priors, setting = made
    half = panel.sizes["front"] // 2
    begin = time.process_time()
    joint = fit_fronts(panel[:half], MODEL, priors, setting, seed=1, chains=CHAINS, tune=TUNE, draws=KEPT)
    took = time.process_time() - begin
    names = [str(name) for name in panel["front"].values[half:]]
    piece = partial(_one, panel=panel, priors=expected(joint), setting=setting)
    wall = time.perf_counter()
    found = dict(executor(workers=workers, cluster=cluster).map(piece, names))
    wall = time.perf_counter() - wall
    cpu = [seconds for seconds, _ in found.values()]
    place = "dask" if cluster else f"{workers} processes"
    print(
        f"  two stages: {half} jointly {took:.1f} s of CPU, {len(found)} alone {np.mean(cpu):.2f} s each, {wall:.0f} s on {place}"
    )
    told = {
        key: np.stack([found[name][1][key] for name in names]) for key in ("war now", "war in three months")
    }
    for line in _beside({key: values[half:] for key, values in first.items() if key in told}, told):
        print("    " + line)


def expected(joint: Joint) -> PriorSet:
    """What a new front is expected to be, as the intervals of a plain prior set."""
    rng, held = np.random.default_rng(5), joint.held
    stated = Stated(np, held.beliefs, joint.free)
    drawn = {"spread.deaths": stated.of(["spread.deaths"])[..., 0]}
    for entries in held.roles.values():
        mine = tuple(entry for entry in entries if entry.front == 0)
        centre, scale = fronts.about(stated, mine)
        u = centre + scale * rng.standard_normal(centre.shape)
        for n, entry in enumerate(mine):
            role = entry.key.split(".")[0]
            natural = {
                "dwell": lambda u: 1.0 + np.exp(u),
                "effect": lambda u: np.exp(np.exp(u)),
                "level": np.exp,
            }
            drawn[entry.key] = natural[role](u[..., n])
    units = {"dwell": "months", "effect": "times", "level": "deaths per month", "spread": "percent"}
    return stating(
        (key, *np.quantile(values, (0.05, 0.95)), units[key.split(".")[0]]) for key, values in drawn.items()
    )


def _one(
    name: str, *, panel: xr.DataArray, priors: PriorSet, setting: Setting
) -> tuple[str, tuple[float, dict[str, Floats]]]:
    """One front alone: its name, the CPU it took, and its chances of war by draw."""
    begin = time.process_time()
    one = fit(panel.sel(front=name, drop=True), MODEL, priors, setting, seed=1, chains=2, tune=500, draws=500)
    told = view(one, months=3)
    chances = {
        "war now": told.filtered[..., 1].ravel(),
        "war in three months": told.ahead[:, :, 2, 1].ravel(),
    }
    return name, (time.process_time() - begin, chances)
