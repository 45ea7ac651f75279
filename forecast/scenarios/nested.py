"""A simulated probability and its interval, with the noise of the inner simulation taken out of the interval.

Per parameter draw d, R paths give p̂_d = hits / trials. Its spread over draws is that of the true p_d plus binomial
noise, so the quantiles of p̂_d are too wide. With S² the sample variance and v_d the noise variance of p̂_d,

    σ̂² = S² − mean v_d          p̃_d = p̄ + √(σ̂²/S²) (p̂_d − p̄)          MCSE² = S² / ESS(p̂_d)

and the interval is that of p̃_d; where p̄R < 5 it is that of the Beta with mean p̄ and variance σ̂². A conditional
probability (trials differ between draws) is the ratio of means, with weights by trials. After STATISTICS F12 and A8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

type Array = np.ndarray[Any, np.dtype[Any]]

LOW, HIGH = 0.05, 0.95  # the interval that is published
FEW = 5.0  # expected hits per draw below which p̂_d is too coarse to be shrunk
TOO_NOISY = 1.5  # S²/σ̂² beyond which more paths are needed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """A probability with its 90 % interval and its Monte Carlo error."""

    mean: float
    q05: float
    q95: float
    mcse: float
    ess: float
    inflation: float  # S²/σ̂²: 1 without inner noise, infinite where the noise explains all the spread
    share: float  # trials per path: the share of paths in which the question arose
    draws: Array  # p̃_d, one per parameter draw in which the question arose
    weights: Array  # of the draws; sum to one

    @property
    def needs_more_paths(self) -> bool:
        """Whether inner noise is too large a part of the spread for the interval to be trusted."""
        return self.inflation > TOO_NOISY


def estimate(hits: Array, trials: Array | None = None, *, chains: int) -> Estimate | None:
    """The probability of a hit in a trial; None if the question never arose.

    Args:
        hits: (draw, path) number of hits; at most the trials.
        trials: (draw, path) number of trials, which need not be independent within a path; absent: one per path.
        chains: the draws are this many chains of equal length, one after the other.

    Raises:
        ValueError: if the draws are not whole chains.
    """
    draws, paths = hits.shape
    if draws % chains:
        raise ValueError(f"{draws} draws are not {chains} chains of equal length")
    h = hits.astype(np.float64)
    n = np.ones_like(h) if trials is None else trials.astype(np.float64)
    asked = n.sum(axis=1)
    if not asked.any():
        return None
    weight = asked / asked.sum()
    mean = float(h.sum() / asked.sum())
    each = np.where(asked > 0, h.sum(axis=1) / np.maximum(asked, 1), mean)
    noise = _noise_variance(h, n, each, mean)
    between = 1.0 - float((weight**2).sum())  # (D − 1)/D where the trials are equal
    scatter = float((weight * (each - mean) ** 2).sum())
    spread = scatter / between if between > 0 else 0.0
    signal = (scatter - float((weight * (1 - weight) * noise).sum())) / between if between > 0 else 0.0
    influence = draws * weight * (each - mean)
    used = asked > 0
    values = _denoised(each[used], mean, spread, signal, hits_per_draw=min(mean, 1 - mean) * asked.mean())
    size = effective(influence, chains)
    low, high = quantiles(values, weight[used], (LOW, HIGH))
    return Estimate(
        mean=mean,
        q05=float(low),
        q95=float(high),
        mcse=float(np.sqrt(influence.var(ddof=1) / size)) if draws > 1 else 0.0,
        ess=size,
        inflation=spread / signal if signal > 0 else (np.inf if spread > 0 else 1.0),
        share=float(asked.sum() / (draws * paths)),
        draws=values,
        weights=weight[used],
    )


def combine(estimates: Sequence[Estimate | None], weights: Sequence[float]) -> Estimate | None:
    """The estimate of an ensemble: a draw comes from model m with probability `weights[m]`.

    The mean is the weighted mean and the interval that of the weighted union of draws, so it holds the models'
    disagreement. A conditional probability weighs a model also by how often the question arose in it.
    """
    parts = [
        (e, w * e.share) for e, w in zip(estimates, weights, strict=True) if e is not None and w * e.share > 0
    ]
    if not parts:
        return None
    total = sum(weight for _, weight in parts)
    shares = [weight / total for _, weight in parts]
    draws = np.concatenate([e.draws for e, _ in parts])
    union = np.concatenate([share * e.weights for (e, _), share in zip(parts, shares, strict=True)])
    low, high = quantiles(draws, union, (LOW, HIGH))
    used = [(e, share) for (e, _), share in zip(parts, shares, strict=True)]
    return Estimate(
        mean=sum(share * e.mean for e, share in used),
        q05=float(low),
        q95=float(high),
        mcse=float(np.sqrt(sum((share * e.mcse) ** 2 for e, share in used))),
        ess=min(e.ess for e, _ in used),
        inflation=max(e.inflation for e, _ in used),
        share=total / sum(weights),
        draws=draws,
        weights=union,
    )


def quantiles(values: Array, weights: Array, at: Sequence[float]) -> Array:
    """Weighted quantiles; with equal weights those of `np.quantile`."""
    order = np.argsort(values, kind="stable")
    ranked, weight = values[order], weights[order]
    place: Array = np.cumsum(weight) - weight / 2
    if len(ranked) == 1 or place[-1] <= place[0]:
        return np.full(len(at), ranked[0])
    found: Array = np.interp(at, (place - place[0]) / (place[-1] - place[0]), ranked)
    return found


def _noise_variance(h: Array, n: Array, each: Array, mean: float) -> Array:
    """Variance of p̂_d given d, from the paths' residuals; p̂(1 − p̂)/(R − 1) with one trial per path."""
    asked = n.sum(axis=1)
    used = (n > 0).sum(axis=1)
    residual = ((h - each[:, None] * n) ** 2).sum(axis=1)
    empirical = residual / np.maximum(asked, 1) ** 2 * used / np.maximum(used - 1, 1)
    noise: Array = np.where(used > 1, empirical, mean * (1 - mean) / np.maximum(asked, 1))
    return noise


def _denoised(each: Array, mean: float, spread: float, signal: float, *, hits_per_draw: float) -> Array:
    """p̃_d. Where the noise explains all the spread there is nothing to shrink to: p̂_d, which is too wide."""
    if signal <= 0:
        return each
    if hits_per_draw >= FEW:
        shrunk: Array = np.clip(mean + np.sqrt(signal / spread) * (each - mean), 0.0, 1.0)
        return shrunk
    from scipy.stats import beta

    worth = mean * (1 - mean) / signal - 1
    if worth <= 0:  # as wide as a coin that is always or never
        return each
    rank = np.argsort(np.argsort(each, kind="stable"), kind="stable")
    law: Array = beta.ppf((rank + 0.5) / len(each), mean * worth, (1 - mean) * worth)
    return law


def effective(influence: Array, chains: int) -> float:
    """Effective number of draws behind a mean; all of them where every draw says the same."""
    if np.ptp(influence) == 0 or influence.size < 4 * chains:
        return float(influence.size)
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    by_chain = influence.reshape(chains, -1)
    return float(array_stats.ess(by_chain, method="mean"))  # type: ignore[no-untyped-call]
