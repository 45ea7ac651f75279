"""How the density of many fronts grows with fronts and months: microseconds a gradient, and the exponent fitted to them.

``python bench/fronts.py`` prints a table. ``--sample F T`` fits one panel and prints what a run of it costs; ``--beyond F T`` holds
what could stand in for that fit beside it, and ``--cluster ADDRESS`` sends fronts that are fitted alone to dask.
"""

import argparse
import resource
import time
from collections.abc import Mapping

import numpy as np
import xarray as xr
from beyond import compare, in_two_stages, stating

from forecast.fronts import each, fit_fronts
from models import CATALOGUE, Setting, Stream, fronts, fronts_density, fronts_plan
from models.contract import Level
from models.variables import unconstrain
from priors import PriorSet

SAID = (
    ("dwell.calm", 6, 24, "months"),
    ("dwell.war", 2, 8, "months"),
    ("effect.deaths.war", 2, 6, "times"),
    ("pooling.fronts", 10, 60, "percent"),
    ("pooling.levels", 40, 500, "percent"),
    ("spread.deaths", 20, 70, "percent"),
)
FRONTS, MONTHS = (1, 8, 32, 256), (60, 400)
LEVELS: Mapping[str, Level] = {"regimes": "constant", "switching-level": "walk"}
TAU, APART, SPREAD = 0.3, 0.8, 0.4


def world(F: int, T: int, *, level: Level, seed: int) -> tuple[xr.DataArray, PriorSet, Setting]:
    """A simulated panel of one stream and two regimes, and beliefs around what made it."""
    rng = np.random.default_rng(seed)
    y = np.empty((F, 1, T))
    for f in range(F):
        leave = 1.0 / (1.0 + np.array([11.0, 3.0]) * np.exp(TAU * rng.standard_normal(2)))
        effect = np.log(3.5) * np.exp(TAU * rng.standard_normal())
        log_level = np.log(10.0) + APART * rng.standard_normal() - APART**2 / 2.0
        z = np.zeros(T, dtype=int)
        for t in range(1, T):
            z[t] = z[t - 1] ^ (rng.random() < leave[z[t - 1]])
        walk = np.cumsum(0.05 * rng.standard_normal(T)) if level == "walk" else 0.0
        mean, phi = np.exp(log_level + walk + effect * z), 1.0 / SPREAD**2
        y[f, 0] = rng.negative_binomial(phi, phi / (phi + mean))
    said = [*SAID, ("level.deaths", 5 * F, 20 * F, "deaths per month")]
    said += [("wander.deaths", 2, 10, "percent per month")] if level == "walk" else []
    stream = Stream(id="deaths", family="negative-binomial", level=level, effect="increasing")
    names = {"front": [f"front-{f}" for f in range(F)], "stream": ["deaths"], "month": np.arange(T)}
    # a plain table of reporting factors, for settings that travel to other processes
    setting = Setting(
        scenarios=("calm", "war"), reference="calm", streams=(stream,), horizon=12, reporting={}
    )
    return xr.DataArray(y, dims=tuple(names), coords=names), stating(said), setting


def gradient(model: str, F: int, T: int, *, level: Level) -> float:
    """Seconds of CPU a gradient takes, the least of several rounds."""
    panel, priors, setting = world(F, T, level=level, seed=0)
    held = fronts.pooled(panel, CATALOGUE[model], priors, setting)
    given = tuple(fronts_plan.arguments(held, panel, CATALOGUE[model], priors, setting).values())
    free = fronts.draw(held, np.random.default_rng(1), 1)
    x = np.concatenate([unconstrain(name, value[0]).ravel() for name, value in free.items()])
    slope = np.empty(x.size)
    fronts_density.density(x, slope, *given)
    times = max(3, 2_000_000 // (F * T * 100))
    rounds = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(times):
            fronts_density.density(x, slope, *given)
        rounds.append((time.process_time() - begin) / times)
    return min(rounds)


def growth() -> None:
    for model, level in LEVELS.items():
        took = {(F, T): gradient(model, F, T, level=level) for F in FRONTS for T in MONTHS}
        for (F, T), seconds in took.items():
            print(f"{model:16s} {F:4d} fronts {T:4d} months {1e6 * seconds:10.1f} µs a gradient")
        for T in MONTHS:
            slope = np.polyfit(np.log(FRONTS), np.log([took[F, T] for F in FRONTS]), 1)[0]
            print(f"{model:16s} {T} months: grows with fronts to the power {slope:.2f}")
        for F in FRONTS:
            slope = np.log(took[F, MONTHS[1]] / took[F, MONTHS[0]]) / np.log(MONTHS[1] / MONTHS[0])
            print(f"{model:16s} {F} fronts: grows with months to the power {slope:.2f}")


def sampled(F: int, T: int, *, model: str, chains: int, tune: int, draws: int) -> None:
    panel, priors, setting = world(F, T, level=LEVELS[model], seed=0)
    wall, cpu = time.perf_counter(), time.process_time()
    joint = fit_fronts(
        panel, CATALOGUE[model], priors, setting, seed=1, chains=chains, tune=tune, draws=draws
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    steps = joint.statistics["n_steps"]
    print(f"{model} {F} × {T}: {chains} × ({tune} + {draws}) in {wall:.0f} s, {cpu:.0f} s of CPU")
    print(
        f"  {float(steps.mean()):.1f} gradients a draw, {int(joint.statistics.diverging.sum())} divergences"
    )
    begin = time.perf_counter()
    for _ in each(joint, months=3, thin=max(1, chains * draws // 400)):
        pass
    print(f"  the regimes of every front in {time.perf_counter() - begin:.0f} s")
    print(f"  at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    worst = {}
    for name, values in joint.free.items():
        flat = values.reshape(*values.shape[:2], -1)
        worst[name] = max(_r_hat(flat[..., n]) for n in range(flat.shape[-1]))
    print("  R-hat at most " + ", ".join(f"{name} {value:.3f}" for name, value in worst.items()))


def _r_hat(draws: np.ndarray) -> float:
    """The plain split R-hat of draws ``[chain, draw]``."""
    half = draws.shape[1] // 2
    parts = np.concatenate([draws[:, :half], draws[:, half : 2 * half]])
    within = parts.var(axis=1, ddof=1).mean()
    return float(np.sqrt(((half - 1) / half * within + parts.mean(axis=1).var(ddof=1)) / within))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sample", nargs=2, type=int, metavar=("F", "T"))
    asked.add_argument("--beyond", nargs=2, type=int, metavar=("F", "T"))
    asked.add_argument("--workers", default=2, type=int)
    asked.add_argument("--cluster")
    asked.add_argument("--model", default="regimes")
    asked.add_argument("--chains", default=2, type=int)
    asked.add_argument("--tune", default=500, type=int)
    asked.add_argument("--draws", default=500, type=int)
    options = asked.parse_args()
    if options.sample:
        F, T = options.sample
        sampled(F, T, model=options.model, chains=options.chains, tune=options.tune, draws=options.draws)
    elif options.beyond:
        made = world(*options.beyond, level="constant", seed=0)
        in_two_stages(made, compare(made), workers=options.workers, cluster=options.cluster)
    else:
        growth()
