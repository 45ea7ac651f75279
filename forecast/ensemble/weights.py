"""How much each model counts: what the data say about weights, held near equality by a prior, with its uncertainty.

With p[m,t] a model's joint density of the h months after origin t, which overlap those of its neighbours,

    p(w | data) ∝ Π_m w[m]^(a-1) · Π_t (Σ_m w[m] p[m,t])^(1/h)

A weight is its posterior mean, by quadrature: its own axis on a fine grid, those of the other models by Gauss-Jacobi
nodes of their sticks. The most probable w would hang on one month. Models are told apart by the mean difference of
ln p[m,t] / h, nats a month, over circular blocks of origins. Yao, Vehtari, Simpson and Gelman, Using stacking to
average Bayesian predictive distributions, Bayesian Analysis 13 (2018).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from math import isqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_jacobi
from scipy.stats import beta, norm, t

type Floats = NDArray[np.float64]

CONCENTRATION = 2.0  # of the Dirichlet prior: pulls toward equal weights
CELLS = 500  # of a weight's grid
NODES = 512  # over the weights of the other models
RESAMPLED = 4000
LOW, HIGH = 0.05, 0.95
FEWEST = 10  # stretches that do not overlap, below which models are not told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number with its 90 % interval."""

    mean: float
    q05: float
    q95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each model counts for, and how clearly the data say so."""

    weights: Mapping[str, Range]  # of the models used; means sum to one
    elpd: Mapping[str, float]  # of every model: log density, nats a month
    best: str  # the used model of the largest
    lead: Mapping[str, Range]  # of the best over each other model, nats a month
    origins: int
    told_apart: bool  # the best leads every other used model, or every compared one if it is alone, at 90 %
    sentence: str


def weigh(
    densities: Mapping[str, ArrayLike],
    *,
    seed: int,
    compared: Collection[str] = (),
    concentration: float = CONCENTRATION,
    overlap: int = 3,
) -> Weights:
    """Weigh models by their log densities of the same stretches of months.

    Args:
        densities: by model, joint log density of each stretch ``[n]``, one origin after the other.
        seed: of the bootstrap.
        compared: models that are scored and have no weight.
        concentration: a of the Dirichlet prior, the same for all models.
        overlap: h, months of a stretch; neighbouring origins are a month apart.

    Raises:
        ValueError: if no model is used, or lengths differ.
    """
    used = [name for name in densities if name not in compared]
    scores = {name: np.asarray(values, dtype=np.float64) for name, values in densities.items()}
    sizes = {values.size for values in scores.values()}
    if not used or len(sizes) != 1:
        raise ValueError(
            f"densities: got {used} over {sorted(sizes)} origins; wanted models over the same ones"
        )
    n = sizes.pop()
    elpd = {name: float(values.mean()) / overlap if n else 0.0 for name, values in scores.items()}
    best = max(used, key=lambda name: elpd[name])
    others = [name for name in scores if name != best]
    block = max(overlap, isqrt(n))
    lead = {name: _mean((scores[best] - scores[name]) / overlap, block, seed) for name in others if n}
    posterior = _weights(np.array([scores[name] for name in used]), concentration, overlap)
    enough = n >= FEWEST * overlap
    rivals = [name for name in used if name != best] or others
    told = enough and all(lead[name].q05 > 0.0 for name in rivals)
    return Weights(
        weights=dict(zip(used, posterior, strict=True)),
        elpd=elpd,
        best=best,
        lead=lead,
        origins=n,
        told_apart=told,
        sentence=_sentence(best, others, lead, told, enough),
    )


def _weights(scores: Floats, a: float, overlap: int) -> list[Range]:
    """Return the posterior of each weight under scores ``[M, n]``."""
    M, n = scores.shape
    if M == 1:
        return [Range(mean=1.0, q05=1.0, q95=1.0)]
    p = np.exp(scores - scores.max(axis=0)) if n else np.ones((M, 0))
    shares, mass = _simplex(M - 1, a)
    edges = np.linspace(0.0, 1.0, CELLS + 1)
    w = (edges[1:] + edges[:-1]) / 2.0
    log_prior = beta.logpdf(w, a, a * (M - 1))
    found = []
    for m in range(M):
        others = shares @ np.delete(p, m, axis=0)
        log_likelihood = np.array(
            [np.log(x * p[m] + (1.0 - x) * others).sum(axis=1) / overlap for x in w]
        )  # [CELLS, nodes]
        density = np.exp(log_likelihood - log_likelihood.max()) @ mass * np.exp(log_prior)
        density /= density.sum()
        low, high = np.interp((LOW, HIGH), np.concatenate([[0.0], density.cumsum()]), edges)
        found.append(Range(mean=float(w @ density), q05=float(low), q95=float(high)))
    total = sum(weight.mean for weight in found)  # one, but for the error of the quadratures
    return [Range(mean=x.mean / total, q05=x.q05, q95=x.q95) for x in found]


def _simplex(models: int, a: float) -> tuple[Floats, Floats]:
    """Return nodes ``[Q, models]`` and masses ``[Q]`` of a symmetric Dirichlet, stick by stick."""
    if models == 1:
        return np.ones((1, 1)), np.ones(1)
    each = max(4, int(NODES ** (1.0 / (models - 1))))
    sticks = []
    for left in range(models - 1, 0, -1):
        x, mass = roots_jacobi(each, a * left - 1.0, a - 1.0)
        sticks.append([((1.0 + at) / 2.0, m) for at, m in zip(x, mass / mass.sum(), strict=True)])
    nodes = np.array([[at for at, _ in path] for path in product(*sticks)])
    masses = np.array([np.prod([m for _, m in path]) for path in product(*sticks)])
    rest = np.cumprod(1.0 - nodes, axis=1)
    before = np.concatenate([np.ones((len(nodes), 1)), rest[:, :-1]], axis=1)
    return np.concatenate([nodes * before, rest[:, -1:]], axis=1), masses


def _mean(values: Floats, block: int, seed: int) -> Range:
    """Return the mean of a series and its interval, over blocks that wrap around its ends.

    Few blocks make a bootstrap too sure: its deviations are widened as those of a mean of n/block numbers are when
    their spread must be estimated too, by √(n/(n - block)) and by Student's t over the normal.
    """
    n = values.size
    rng = np.random.default_rng(seed)
    starts = rng.integers(n, size=(RESAMPLED, -(-n // block), 1))
    chosen = ((starts + np.arange(block)) % n).reshape(RESAMPLED, -1)[:, :n]
    mean = float(values.mean())
    low, high = np.quantile(values[chosen].mean(axis=1), (LOW, HIGH)) - mean
    free = max(n / block - 1.0, 1.0)
    wider = np.sqrt((free + 1.0) / free) * t.ppf(HIGH, free) / norm.ppf(HIGH)
    return Range(mean=mean, q05=float(mean + wider * low), q95=float(mean + wider * high))


def _sentence(best: str, others: list[str], lead: Mapping[str, Range], told: bool, enough: bool) -> str:
    """Say in words whether the data can tell the models apart."""
    if not others:
        return f"{best} is the only model, so nothing is weighed."
    if not enough:
        return "There are too few months to tell the models apart."
    gains = (
        f"{name} by {_said(gain.mean)} ({_said(gain.q05)} to {_said(gain.q95)})"
        for name, gain in lead.items()
    )
    verdict = "can" if told else "cannot"
    return (
        f"The data {verdict} tell the models apart: in nats a month, with 90 % intervals, {best} leads "
        + ", ".join(gains)
        + "."
    )


def _said(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")
