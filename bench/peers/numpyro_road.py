"""The same posterior in NumPyro: the recursion by lax.scan, its chains one after another on one core."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.infer import MCMC, NUTS
from numpyro.infer.util import initialize_model

from bench.peers.measuring import ACCEPT, CHAINS, Peer, Sampled, clocked, microseconds
from bench.peers.posterior import NORMAL, Floats, Problem, start


def likelihood(problem: Problem, normal: Any, exits: Any) -> Any:
    K, M = len(problem.worth), problem.counts.shape[1]
    seen, y = jnp.asarray(~np.isnan(problem.counts)), jnp.asarray(np.nan_to_num(problem.counts))
    place = np.array([[j for j in range(K) if j != i] for i in range(K)])
    hazard = 1.0 / (1.0 + jnp.exp(normal["dwell"]))
    P = jnp.diag(1.0 - hazard).at[jnp.arange(K)[:, None], place].set(hazard[:, None] * exits)
    law = jnp.linalg.solve((jnp.eye(K) - P + 1.0).T, jnp.ones(K))
    effect = normal["effect"].reshape((M, K - 1))
    steps = jnp.stack([effect[:, 0], jnp.zeros(M), effect[:, 1]], axis=1)
    mean = jnp.exp(normal["level"][:, None] + steps)
    # NumPyro's own density of these counts is off by 1e-8 of its size; written with log gammas it is exact
    n, f, m = y[:, :, None], ((100.0 / jnp.exp(normal["spread"])) ** 2)[None, :, None], mean[None]
    cells = gammaln(n + f) - gammaln(f) - gammaln(n + 1.0)
    cells = cells + n * jnp.log(m / (f + m)) + f * jnp.log(f / (f + m))
    emission = jnp.where(seen[:, :, None], cells, 0.0).sum(axis=1)

    def step(before: Any, e: Any) -> Any:
        return e + jax.nn.logsumexp(before[:, None] + jnp.log(P), axis=0), None

    last, _ = jax.lax.scan(step, jnp.log(law) + emission[0], emission[1:])
    return jax.nn.logsumexp(last)


def road(problem: Problem) -> Peer:
    jax.config.update("jax_enable_x64", True)

    def model() -> None:
        normal = {
            name: numpyro.sample(name, dist.Normal(problem.mean[name], problem.sd[name]).to_event(1))
            for name in NORMAL
        }
        exits = numpyro.sample("exits", dist.Dirichlet(jnp.asarray(problem.worth)).to_event(1))
        numpyro.factor("likelihood", likelihood(problem, normal, exits))

    ready = initialize_model(jax.random.key(0), model)
    potential = jax.jit(jax.value_and_grad(ready.potential_fn))
    somewhere = ready.param_info.z

    def coordinates(normal: Floats, turns: Floats) -> dict[str, Any]:
        """Of two exits one breaks the stick at sigmoid(u) there and sigmoid(2 y) here, so u = 2 y."""
        values = {name: jnp.asarray(part) for name, part in problem.blocks(normal).items()}
        return values | {"exits": jnp.asarray(2.0 * turns)[:, None]}

    def log_density(normal: Floats, turns: Floats) -> tuple[float, Floats, Floats]:
        value, slopes = potential(coordinates(normal, turns))
        back = np.concatenate([np.asarray(slopes[name]) for name in NORMAL])
        return -float(value), -back, -2.0 * np.asarray(slopes["exits"]).ravel()

    def sample(draws: int) -> Sampled:
        chains = MCMC(
            NUTS(model, target_accept_prob=ACCEPT),
            num_warmup=draws,
            num_samples=draws,
            num_chains=CHAINS,
            chain_method="sequential",
            progress_bar=False,
        )

        begun = [coordinates(*start(problem, number)) for number in range(CHAINS)]
        first = {name: jnp.stack([one[name] for one in begun]) for name in begun[0]}

        def run(seed: int) -> tuple[Floats, int]:
            chains.run(jax.random.key(seed), init_params=first, extra_fields=("diverging",))
            found = chains.get_samples(group_by_chain=True)
            parts = [np.asarray(found[name]) for name in (*NORMAL, "exits")]
            flat = [part.reshape(*part.shape[:2], -1) for part in parts]
            return np.concatenate(flat, axis=-1), int(chains.get_extra_fields()["diverging"].sum())

        run(1)  # compiles: nothing shorter would, since the number of draws is part of what is compiled
        return clocked(lambda: run(2))

    return Peer(
        name="NumPyro, lax.scan",
        log_density=log_density,
        microseconds=lambda burst: microseconds(lambda: jax.block_until_ready(potential(somewhere)), burst),
        sample=sample,
    )
