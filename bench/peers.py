"""One posterior by every road there is in Python, side by side: gradient time, and effective draws per CPU-second.

Run it with `make bench-peers`, on a machine that does nothing else; quote the ratios. The posterior is that of
`regimes` with three regimes and four negative-binomial streams over T months, 5 % of the cells missing: each peer states
the same priors and likelihood, and its log density must differ from ours by one constant, or it is not timed.
"""

import argparse
import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import CATALOGUE, Setting, Stream, kernels
from models.variables import draw, unconstrain
from priors import PriorSet, loads

K, M = 3, 4
Z = 1.6448536269514722  # of the 95th percentile: an interval of mass 0.9 lies so many sd from its middle
NAMES = ("calm", "tense", "war")
DWELL = ((3, 18), (6, 36), (1.5, 8))
LEVEL, SPREAD, EFFECT = (4, 20), (20, 70), ((0.3, 0.9), (1.3, 5))
SHARES = (0.7, 0.3)
WORTH = 6.0

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peer:
    """One way to the posterior."""

    name: str
    log_density: Callable[[Floats], tuple[float, Floats]]  # at our coordinates, up to a constant
    gradient: Callable[[], object]  # one evaluation, as its sampler pays for it
    sample: Callable[
        [int], tuple[Floats, float]
    ]  # draws [chain, draw, quantity] and the CPU seconds of a warm run


def world(T: int) -> tuple[xr.DataArray, PriorSet, Setting]:
    """Simulated counts, the beliefs that every peer states, and the setting."""
    rng = np.random.default_rng(20)
    P = np.array([[0.88, 0.09, 0.03], [0.05, 0.92, 0.03], [0.09, 0.21, 0.7]])
    z = [1]
    for _ in range(T - 1):
        z.append(int(rng.choice(K, p=P[z[-1]])))
    means = np.array([10.0, 6.0, 15.0, 8.0])[:, None] * np.array([0.5, 1.0, 2.5])[z]
    y = rng.poisson(rng.gamma(5.0, means / 5.0)).astype(float)
    y[rng.random(y.shape) < 0.05] = np.nan
    why = 'because = "A bench."\nauthor = "t"\ndate = 2026-01-01\nsource = "none"\n'
    text = 'schema = 1\nname = "peers"\n'

    def interval(key: str, low: float, high: float, unit: str) -> str:
        return f'[{key}]\n{why}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'

    for k, (low, high) in zip(NAMES, DWELL, strict=True):
        text += interval(f"dwell.{k}", low, high, "months")
        to = ", ".join(f"{j} = {s}" for j, s in zip((j for j in NAMES if j != k), SHARES, strict=True))
        text += f'[exits.{k}]\n{why}kind = "shares"\nto = {{ {to} }}\nworth = {WORTH}\n'
    for s in range(M):
        text += interval(f"level.s{s}", *LEVEL, "events per month")
        text += interval(f"spread.s{s}", *SPREAD, "percent")
        for k, (low, high) in zip(("calm", "war"), EFFECT, strict=True):
            text += interval(f"effect.s{s}.{k}", low, high, "times")
    streams = tuple(
        Stream(id=f"s{s}", family="negative-binomial", level="constant", effect="free") for s in range(M)
    )
    setting = Setting(scenarios=NAMES, reference="tense", streams=streams, horizon=1)
    coords = {"stream": [s.id for s in streams], "month": np.arange(T)}
    return xr.DataArray(y, dims=("stream", "month"), coords=coords), loads(text, "peers.toml"), setting


def priors() -> dict[str, tuple[Floats, Floats]]:
    """The normal coordinates of everything positive: mean and sd, in the order in which all peers hold them."""

    def normal(pairs: Any, shift: float = 0.0) -> tuple[Floats, Floats]:
        low, high = np.log(np.array(pairs, dtype=float) - shift).T
        return (low + high) / 2.0, (high - low) / (2.0 * Z)

    return {
        "dwell": normal(DWELL, 1.0),
        "level": normal([LEVEL] * M),
        "spread": normal([SPREAD] * M),
        "effect": normal([list(EFFECT)[k] for _ in range(M) for k in range(2)]),
    }


def order(priors_: PriorSet, setting: Setting) -> tuple[list[int], int]:
    """Where dwell, level, spread and effect lie among our coordinates, and where the exits' logits begin."""
    beliefs = CATALOGUE["regimes"].beliefs(priors_, CATALOGUE["regimes"].view(setting))
    keys = [key for members in beliefs.families.values() for key in members]
    wanted = [f"dwell.{k}" for k in NAMES]
    wanted += [f"{role}.s{s}" for role in ("level", "spread") for s in range(M)]
    wanted += [f"effect.s{s}.{k}" for s in range(M) for k in ("calm", "war")]
    return [keys.index(key) for key in wanted], len(keys)


def ours(panel: xr.DataArray, beliefs: PriorSet, setting: Setting, *, fused: bool) -> Peer:
    """This engine, by the density written by hand or by the operation inside a PyMC model."""
    from forecast.fitting import compile_model, fit

    model = CATALOGUE["regimes"]
    compiled = compile_model(panel, model, beliefs, setting, fused=fused)
    density = compiled.density
    dimension = density.n_dim
    x, slope, value = np.zeros(dimension), np.zeros(dimension), np.zeros(1)
    double = ctypes.POINTER(ctypes.c_double)
    where = [array.ctypes.data_as(double) for array in (x, slope, value)]
    call, data = density.compiled_logp_func.ctypes, density.user_data.ctypes.data

    def log_density(at: Floats) -> tuple[float, Floats]:
        x[:] = at
        call(dimension, *where, data)
        return float(value[0]), slope.copy()

    def sample(draws: int) -> tuple[Floats, float]:
        began = process_time()
        posterior = fit(
            panel, model, beliefs, setting, seed=1, chains=4, tune=draws, draws=draws, compiled=compiled
        )
        return np.log(posterior.draws["stated"].values), process_time() - began

    name = "scenariocast, by hand" if fused else "scenariocast, operation in PyMC"
    return Peer(
        name=name, log_density=log_density, gradient=lambda: call(dimension, *where, data), sample=sample
    )


def pymc_scan(panel: xr.DataArray, places: list[int], backend: str) -> Peer:
    """The forward recursion in logs as a PyMC scan, sampled by nutpie."""
    import nutpie
    import pymc as pm
    import pytensor
    import pytensor.tensor as pt

    y = panel.values.T
    seen = ~np.isnan(y)
    prior = priors()
    with pm.Model() as model:
        normal = {name: pm.Normal(name, mu, sigma, shape=mu.shape) for name, (mu, sigma) in prior.items()}
        exits = pm.Dirichlet("exits", a=np.tile(np.array(SHARES) * WORTH, (K, 1)), shape=(K, K - 1))
        hazard = 1.0 / (1.0 + pt.exp(normal["dwell"]))
        P = pt.zeros((K, K))
        for i in range(K):
            others = [j for j in range(K) if j != i]
            P = pt.set_subtensor(P[i, i], 1.0 - hazard[i])
            for n, j in enumerate(others):
                P = pt.set_subtensor(P[i, j], hazard[i] * exits[i, n])
        law = pt.linalg.solve((pt.eye(K) - P + 1.0).T, pt.ones(K))
        effect = normal["effect"].reshape((M, 2))
        log_effect = pt.stack([effect[:, 0], pt.zeros(M), effect[:, 1]], axis=1)
        mean = pt.exp(normal["level"][:, None] + log_effect)
        phi = (100.0 / pt.exp(normal["spread"])) ** 2
        cells = pm.logp(
            pm.NegativeBinomial.dist(mu=mean[None], alpha=phi[None, :, None]), np.nan_to_num(y)[:, :, None]
        )
        emission = pt.where(seen[:, :, None], cells, 0.0).sum(axis=1)

        def step(e: Any, before: Any, log_P: Any) -> Any:
            return e + pt.logsumexp(before[:, None] + log_P, axis=0)

        first = pt.log(law) + emission[0]
        path = pytensor.scan(
            step,
            sequences=[emission[1:]],
            outputs_info=[first],
            non_sequences=[pt.log(P)],
            return_updates=False,
        )
        pm.Potential("likelihood", pt.logsumexp(path[-1]))
    point = [model.rvs_to_values[v] for v in model.free_RVs]
    flat = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    flat.set_extra_values({})
    options = {"backend": "jax", "gradient_backend": "jax"} if backend == "jax" else {"backend": "numba"}
    compiled = nutpie.compile_pymc_model(model, **options)

    def log_density(at: Floats) -> tuple[float, Floats]:
        moved = np.concatenate([at[places], at[len(places) :]])
        value, slope = flat(moved)
        back = np.empty_like(slope)
        back[places], back[len(places) :] = slope[: len(places)], slope[len(places) :]
        return float(value), back

    at = np.zeros(sum(int(np.prod(v.type.shape)) for v in point))

    def sample(draws: int) -> tuple[Floats, float]:
        nutpie.sample(compiled, draws=5, tune=5, chains=1, seed=1, progress_bar=False)
        began = process_time()
        trace = nutpie.sample(
            compiled, draws=draws, tune=draws, chains=4, seed=1, target_accept=0.95, progress_bar=False
        )
        spent = process_time() - began
        return np.concatenate([trace["posterior"][name].values for name in prior], axis=-1), spent

    return Peer(
        name=f"PyMC scan, nutpie {backend}", log_density=log_density, gradient=lambda: flat(at), sample=sample
    )


def numpyro_scan(panel: xr.DataArray, places: list[int]) -> Peer:
    """The same recursion in NumPyro, chains one after another on one core."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from jax.scipy.special import gammaln
    from numpyro.infer import MCMC, NUTS
    from numpyro.infer.util import initialize_model

    jax.config.update("jax_enable_x64", True)
    y = panel.values.T
    seen = jnp.asarray(~np.isnan(y))
    counts = jnp.asarray(np.nan_to_num(y))
    prior = priors()
    place = np.array([[j for j in range(K) if j != i] for i in range(K)])

    def likelihood(normal: Any, exits: Any) -> Any:
        hazard = 1.0 / (1.0 + jnp.exp(normal["dwell"]))
        P = jnp.diag(1.0 - hazard).at[jnp.arange(K)[:, None], place].set(hazard[:, None] * exits)
        law = jnp.linalg.solve((jnp.eye(K) - P + 1.0).T, jnp.ones(K))
        effect = normal["effect"].reshape((M, 2))
        mean = jnp.exp(
            normal["level"][:, None] + jnp.stack([effect[:, 0], jnp.zeros(M), effect[:, 1]], axis=1)
        )
        phi = (100.0 / jnp.exp(normal["spread"])) ** 2
        # NumPyro's own density of these counts is off by 1e-8 of its size; written with log gammas it is exact
        n, f, m = counts[:, :, None], phi[None, :, None], mean[None]
        cells = gammaln(n + f) - gammaln(f) - gammaln(n + 1.0)
        cells = cells + n * jnp.log(m / (f + m)) + f * jnp.log(f / (f + m))
        emission = jnp.where(seen[:, :, None], cells, 0.0).sum(axis=1)

        def step(before: Any, e: Any) -> Any:
            after = e + jax.nn.logsumexp(before[:, None] + jnp.log(P), axis=0)
            return after, None

        last, _ = jax.lax.scan(step, jnp.log(law) + emission[0], emission[1:])
        return jax.nn.logsumexp(last)

    def model() -> None:
        normal = {
            name: numpyro.sample(name, dist.Normal(mu, sigma).to_event(1))
            for name, (mu, sigma) in prior.items()
        }
        exits = numpyro.sample(
            "exits", dist.Dirichlet(jnp.tile(jnp.array(SHARES) * WORTH, (K, 1))).to_event(1)
        )
        numpyro.factor("likelihood", likelihood(normal, exits))

    start = initialize_model(jax.random.key(0), model)
    potential = jax.jit(jax.value_and_grad(start.potential_fn))
    at = start.param_info.z

    def gradient() -> object:
        return jax.block_until_ready(potential(at))

    def log_density(x: Floats) -> tuple[float, Floats]:
        """Of two exits one breaks the stick at sigmoid(u) there and sigmoid(2 y) here, so u = 2 y."""
        values = {"exits": jnp.asarray(2.0 * x[len(places) :]).reshape(K, 1)}
        ends = np.cumsum([len(mu) for mu, _ in prior.values()])
        for name, part in zip(prior, np.split(x[places], ends[:-1]), strict=True):
            values[name] = jnp.asarray(part)
        value, slopes = potential(values)
        back = np.empty(x.size)
        back[places] = -np.concatenate([np.asarray(slopes[name]) for name in prior])
        back[len(places) :] = -2.0 * np.asarray(slopes["exits"]).ravel()
        return -float(value), back

    def sample(draws: int) -> tuple[Floats, float]:
        chains = MCMC(
            NUTS(model, target_accept_prob=0.95),
            num_warmup=draws,
            num_samples=draws,
            num_chains=4,
            chain_method="sequential",
            progress_bar=False,
        )
        chains.run(jax.random.key(1))
        began = process_time()
        chains.run(jax.random.key(2))
        found = chains.get_samples(group_by_chain=True)
        jax.block_until_ready(found)
        spent = process_time() - began
        return np.concatenate([np.asarray(found[name]) for name in prior], axis=-1), spent

    return Peer(name="NumPyro, lax.scan", log_density=log_density, gradient=gradient, sample=sample)


def bare(T: int) -> Callable[[], object]:
    """The recursion alone with all its slopes, called from Python."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=(1, T, K))
    P = rng.dirichlet(np.ones(K), size=(1, 1, K))
    law = np.full((1, K), 1.0 / K)
    return lambda: kernels.gradients(e, P, law, 1)


def microseconds(call: Callable[[], object]) -> float:
    """Least mean time of a call over five bursts."""
    call()
    found = []
    for _ in range(5):
        began, n = perf_counter(), 0
        while perf_counter() - began < 0.2:
            call()
            n += 1
        found.append((perf_counter() - began) / n * 1e6)
    return min(found)


def effective(draws: Floats) -> float:
    """Least bulk effective sample size over the quantities of ``[chain, draw, quantity]``."""
    from arviz_stats.base.array import array_stats

    of: Any = array_stats
    return min(float(of.ess(draws[..., n], method="bulk")) for n in range(draws.shape[-1]))


def peers(T: int) -> Iterator[Peer]:
    """Every way that this environment has, ours first."""
    panel, beliefs, setting = world(T)
    places, _ = order(beliefs, setting)
    yield ours(panel, beliefs, setting, fused=True)
    yield ours(panel, beliefs, setting, fused=False)
    yield pymc_scan(panel, places, "numba")
    yield pymc_scan(panel, places, "jax")
    yield numpyro_scan(panel, places)


def agree(peer: Peer, first: Peer, T: int) -> None:
    """Stop if a peer states another posterior: its density may differ from the first one's by a constant only."""
    _, beliefs, setting = world(T)
    held = CATALOGUE["regimes"].beliefs(beliefs, CATALOGUE["regimes"].view(setting))
    apart = []
    for seed in range(3):
        drawn = draw(held, np.random.default_rng(seed), 1)
        at = np.concatenate([unconstrain(name, value[0]).ravel() for name, value in drawn.items()])
        one, two = first.log_density(at), peer.log_density(at)
        apart.append(one[0] - two[0])
        if not np.allclose(one[1], two[1], rtol=1e-5, atol=1e-5 * np.abs(one[1]).max()):
            raise SystemExit(f"{peer.name}: its gradient is not ours")
    if np.ptp(apart) > 1e-5 * (1.0 + np.abs(apart).max()):
        raise SystemExit(f"{peer.name}: its density is not ours")


def growth() -> None:
    """How a gradient grows: with T and with K, and the fitted exponents."""
    print(f"\n{'gradient by hand':34}{'us':>9}")
    lengths = (240, 1000, 4000)
    times = [microseconds(ours(*world(T), fused=True).gradient) for T in lengths]
    for T, time in zip(lengths, times, strict=True):
        print(f"{f'T = {T}':34}{time:9.1f}   {time / microseconds(bare(T)):.1f} x the bare recursion")
    print(f"{'exponent in T':34}{np.polyfit(np.log(lengths), np.log(times), 1)[0]:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--months", type=int, default=240)
    parser.add_argument("--draws", type=int, default=1000, help="of each chain, after as many to adapt")
    given = parser.parse_args()
    kernel = microseconds(bare(given.months))
    print(f"T = {given.months}, {K} regimes, {M} streams; the bare recursion takes {kernel:.1f} us")
    print(f"{'':34}{'us/gradient':>12}{'x bare':>8}{'min ESS':>9}{'CPU s':>8}{'ESS/CPU s':>11}{'ours is':>9}")
    first: Peer | None = None
    best = 0.0
    for peer in peers(given.months):
        first = first or peer
        agree(peer, first, given.months)
        time = microseconds(peer.gradient)
        draws, spent = peer.sample(given.draws)
        rate = effective(draws) / spent
        best = best or rate
        print(
            f"{peer.name:34}{time:12.1f}{time / kernel:8.1f}{effective(draws):9.0f}{spent:8.2f}{rate:11.0f}"
            f"{best / rate:8.1f}x",
            flush=True,
        )
    growth()


if __name__ == "__main__":
    main()
