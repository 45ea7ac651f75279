"""The publish gate: one figure, one limit and one piece of advice per check; nothing is widened or substituted.

Limits are those of the method: R-hat < 1.01, effective sample sizes > 400, no divergence, E-BFMI > 0.2, Monte Carlo
error of each reported probability at most .005, inner noise at most half of the between-draw variance, predictive
checks inside their bands, data fresh at the date of the forecast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from reports.words import percent

R_HAT, ESS, E_BFMI, MCSE, INFLATION = 1.01, 400.0, 0.2, 0.005, 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the verdict."""

    name: str
    value: float | None
    limit: str  # as printed, e.g. "< 1.01"
    ok: bool
    advice: str  # what to do when it does not hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a forecast may be published, and by which figures."""

    checks: tuple[Check, ...]
    forced: bool = False

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)

    def record(self) -> dict[str, Any]:
        """As it stands in ``forecast.json``."""
        return {"ok": self.ok, "forced": self.forced, "checks": [asdict(check) for check in self.checks]}


def below(name: str, value: float, limit: float, advice: str, *, strictly: bool = True) -> Check:
    """``value`` must lie below ``limit``; a value that is not a number fails."""
    ok = value < limit if strictly else value <= limit
    sign = "<" if strictly else "≤"
    return Check(name=name, value=_number(value), limit=f"{sign} {limit:g}", ok=bool(ok), advice=advice)


def above(name: str, value: float, limit: float, advice: str) -> Check:
    """``value`` must lie above ``limit``; a value that is not a number fails."""
    return Check(name=name, value=_number(value), limit=f"> {limit:g}", ok=bool(value > limit), advice=advice)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def convergence(draws: xr.Dataset, statistics: xr.Dataset, *, reported: Sequence[str]) -> tuple[Check, ...]:
    """Whether the chains agree on every reported parameter.

    Args:
        draws: posterior draws, dims (chain, draw, …).
        statistics: per draw, dims (chain, draw): ``diverging`` and ``energy``.
        reported: the variables of ``draws`` that a report shows. A component that never moves (a probability that
            an analyst ruled out) has no error to estimate and is passed over, and so is one that does not exist (NaN
            in every draw); one that is NaN in some draws fails.
    """
    from arviz_stats.base.array import array_stats

    of: Any = array_stats  # its methods carry no types
    flat = [draws[name].transpose("chain", "draw", ...).values for name in reported]
    columns = np.concatenate([values.reshape(*values.shape[:2], -1) for values in flat], axis=2)
    columns = columns[..., ~(np.isnan(columns).all(axis=(0, 1)) | (np.ptp(columns, axis=(0, 1)) == 0))]
    axes = {"chain_axis": 0, "draw_axis": 1}
    energy = statistics["energy"].transpose("chain", "draw").values
    again = "raise tune and draws, or look for two answers that fit alike"
    return (
        below("R-hat", float(np.max(of.rhat(columns, **axes))), R_HAT, again),
        above("bulk ESS", float(np.min(of.ess(columns, method="bulk", **axes))), ESS, again),
        above(
            "tail ESS", float(np.min(of.ess(columns, method="tail", prob=(0.05, 0.95), **axes))), ESS, again
        ),
        below(
            "divergences",
            float(statistics["diverging"].sum()),
            0,
            "the posterior has a corner the sampler cannot enter: look at spreads and levels that are near zero",
            strictly=False,
        ),
        above(
            "E-BFMI",
            float(np.min(of.bfmi(energy))),
            E_BFMI,
            "heavy tails: tighten the vaguest scale prior",
        ),
    )


def precision(errors: Iterable[float], inflations: Iterable[float]) -> tuple[Check, ...]:
    """Whether the reported probabilities are exact enough to print.

    Args:
        errors: Monte Carlo standard errors of the reported probabilities.
        inflations: S²/σ̂² of each: how much inner simulation noise widens the spread between draws.
    """
    return (
        below(
            "MCSE of probabilities",
            _worst(errors),
            MCSE,
            "chains four times as long did not do: tighten the beliefs that leave this open, or issue with --force, which the reports say",
            strictly=False,
        ),
        below("inner noise S²/σ̂²", _worst(inflations), INFLATION, "raise [simulate] paths", strictly=False),
    )


def _worst(values: Iterable[float]) -> float:
    """The largest; NaN if any is, which ``max`` would overlook."""
    return float(np.max(list(values)))


def freshness(age_months: int, limit: int) -> Check:
    """Whether the last month with data is recent enough at ``as_of``."""
    advice = "fetch the newest export, or raise time.max_age_months and say why"
    return below("age of the data, months", age_months, limit, advice, strictly=False)


def predictive(inside: Mapping[str, tuple[int, int]], *, mass: float) -> tuple[Check, ...]:
    """Whether each stream's observed months fall inside their predictive intervals about as often as they should.

    Args:
        inside: per stream, how many observed months lie inside the central interval, of how many.
        mass: nominal probability of that interval.

    The bound is the lower 0.5 % point of the binomial law: intervals of a discrete law cover at least ``mass``, and
    the check is in-sample, so too many inside is no fault.
    """
    from scipy.stats import binom

    checks = []
    for stream, (hits, months) in inside.items():
        least = float(binom.ppf(0.005, months, mass)) / months
        share = hits / months
        advice = "the model does not reproduce this stream: widen its spread, let its level walk, or mask what is another war"
        name = f"inside {percent(mass)} predictive interval, {stream}"
        checks.append(Check(name=name, value=share, limit=f"≥ {least:.3f}", ok=share >= least, advice=advice))
    return tuple(checks)


def uniform(transforms: Mapping[str, np.ndarray]) -> tuple[Check, ...]:
    """Whether randomised probability integral transforms look uniform: Kolmogorov–Smirnov p-value above .001.

    Args:
        transforms: per stream, one value in (0, 1) per observed month.
    """
    from scipy.stats import kstest

    advice = (
        "forecasts of this stream are biased, or too narrow or too wide: revisit its spread and level priors"
    )
    return tuple(
        above(f"randomised PIT, p-value, {stream}", float(kstest(values, "uniform").pvalue), 0.001, advice)
        for stream, values in transforms.items()
    )


def same_regimes(before: np.ndarray, now: np.ndarray) -> Check:
    """Whether each regime still means what it meant in the previous run.

    The index is the smallest, over regimes, of the Hellinger affinity Σ_t √(γ_old γ_new) / √(Σ γ_old · Σ γ_new) over
    the months both runs share; a better match under another order of the regimes fails whatever the index.

    Args:
        before: smoothed probabilities of the previous run, (month, regime).
        now: of this run, the same months.
    """
    from itertools import permutations

    scale = np.sqrt(np.outer(before.sum(0), now.sum(0)))
    absent = np.outer(before.sum(0) == 0, now.sum(0) == 0)  # in both runs: nothing has changed
    affinity = np.where(absent, 1.0, np.sqrt(before).T @ np.sqrt(now) / np.where(scale > 0, scale, 1.0))
    order = range(len(affinity))
    best = max(permutations(order), key=lambda p: sum(affinity[i, p[i]] for i in order))
    index = float(min(affinity[i, i] for i in order)) if best == tuple(order) else 0.0
    advice = "the regimes changed their meaning since the last run: compare priors and data before publishing"
    return Check(name="identity of regimes", value=index, limit="≥ 0.8", ok=index >= 0.8, advice=advice)
