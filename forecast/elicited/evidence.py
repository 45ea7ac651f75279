"""Whether the streams could tell a regime from the reference: the expected log Bayes factor of one spell of it.

A counted stream is taken on the log scale, where a month's noise has variance v and the level is a walk with steps
of sd σ that starts anywhere. A spell of L months that moves it by δ then has

    Λ = ½ δ² a'V⁻¹(a − 1 (1'V⁻¹a)/(1'V⁻¹1))        V = σ² min(s, t) + v I,   v = 1/φ + 1/μ

with a the indicator of the spell, in the middle of the window (a share of zeros of their own informs of nothing: v is
divided by the rest). A yes-or-no stream adds L · KL(chance in the regime ‖ chance in the reference). Streams are
independent given the regime, so their Λ add up. Below 3 (odds of 20 to 1) the data cannot carry the regime.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import rel_entr

from forecast.fitting import Posterior
from models import streams
from models.contract import Model, Setting, Stream
from models.variables import NORMAL
from priors import PriorSet

type Floats = NDArray[np.float64]
type Json = dict[str, Any]

LENGTHS = (1, 2, 3, 6, 10)  # months of a spell
NEEDED = 3.0  # log Bayes factor
USED = ("level", "wander", "effect", "dispersion", "zero", "chance")
LONGEST = 24  # months within which a regime is looked for
ROOM = 3  # a spell is seen against what lies around it: the window is this many spells long at least
UNSEEN = "not visible in the streams; its probability is the prior's"


def at_medians(panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting) -> Posterior:
    """One draw with every belief at its median, shares at their mean and no wander; the panel lends its coordinates."""
    beliefs = model.beliefs(priors, setting)
    middle: dict[str, Floats] = {}
    for family, keys in beliefs.families.items():
        middle[family] = (
            beliefs.parameters(family, "mu")
            if family in NORMAL
            else np.array([float(beliefs.laws[key].ppf(0.5)) for key in keys])
        )
    for name in beliefs.shares:
        alpha = beliefs.concentrations(name)
        middle[name] = alpha / alpha.sum(axis=-1, keepdims=True)
    if beliefs.walks:
        middle["shape"] = np.zeros((beliefs.walks, beliefs.waves))
    variables = {name: value[None, None] for name, value in middle.items()}
    return Posterior(
        model=model.name,
        draws=model.derive(variables, panel, priors, setting),
        statistics=xr.Dataset(),
        panel=panel,
        setting=model.view(setting),
        priors=priors,
    )


def visibility(posterior: Posterior) -> dict[str, Json | None]:
    """What each regime would show in the streams, at the medians of the draws; None for the reference.

    Args:
        posterior: ``at_medians`` for what the priors say, a fit for what became of it. Of a model without regimes the
            answer is empty.

    Returns:
        By regime ``expected_log_bayes_factor`` at some lengths, the median of its average spell, Λ there (rounded to
        whole months) and by stream, the months after which Λ reaches 3 (None if neither within two years nor at that median), whether it
        does at the median, and the sentence to print.
    """
    setting = posterior.setting
    if len(setting.scenarios) == 1:
        return {}
    used = [name for name in USED if name in posterior.draws]
    middle = posterior.draws[used].median(("chain", "draw"), skipna=False)
    dwell = (1.0 / posterior.draws["hazard"]).median(("chain", "draw"))
    window = posterior.panel.sizes["month"]
    told: dict[str, Json | None] = {}
    for regime in setting.scenarios:
        if regime == setting.reference:
            told[regime] = None
            continue
        usual = float(dwell.sel(regime=regime))
        told[regime] = _told(usual, partial(_by_stream, regime, middle, setting, window))
    return told


def spell_evidence(length: int, *, effect: float, step: float, noise: float, months: int) -> float:
    """Λ of a spell in the middle of a window of ``months`` months.

    Args:
        length: of the spell in months; a longer spell than the window fills it.
        effect: δ, log points.
        step: σ, sd of the level's monthly steps, log points.
        noise: v, variance of a month's logarithm around its level.
        months: of the window.
    """
    spell = np.zeros(months)
    first = max(months - length, 0) // 2
    spell[first : first + length] = 1.0
    walked = np.minimum.outer(np.arange(1.0, months + 1.0), np.arange(1.0, months + 1.0))
    right = np.stack([spell, np.ones(months)], axis=-1)
    solved = np.linalg.solve(step**2 * walked + noise * np.eye(months), right)
    (aa, a1), (_, ones) = right.T @ solved
    return float(0.5 * effect**2 * (aa - a1**2 / ones))


def _told(usual: float, by_stream: Callable[[int], Mapping[str, float]]) -> Json:
    at = max(1, round(usual))
    total = {L: sum(by_stream(L).values()) for L in range(1, max(LONGEST, at) + 1)}
    seen_after = next((L for L, value in total.items() if value >= NEEDED), None)
    visible = total[at] >= NEEDED
    return {
        "expected_log_bayes_factor": [{"months": L, "value": total[L]} for L in LENGTHS],
        "visible": visible,
        "median_dwell_months": usual,
        "at_median_dwell": total[at],
        "by_stream": dict(by_stream(at)),
        "seen_after_months": seen_after,
        "sentence": f"visible in the streams within {_in_words(seen_after)}" if visible else UNSEEN,
    }


def _in_words(number: int | None) -> str:
    return "a month" if number == 1 else f"{number} months"


def _by_stream(
    regime: str, middle: xr.Dataset, setting: Setting, window: int, length: int
) -> Mapping[str, float]:
    chanced = streams.chanced(setting)
    return {
        stream.id: _of_chances(stream, regime, middle, setting) * length
        if stream in chanced
        else _of_counts(length, stream, regime, middle, window)
        for stream in (*streams.counted(setting), *chanced)
    }


def _of_counts(length: int, stream: Stream, regime: str, middle: xr.Dataset, window: int) -> float:
    own = middle.sel(stream=stream.id)
    noise = 0.0
    if streams.spreads(stream):
        noise += 1.0 / float(own["dispersion"])
    if stream.family != "gaussian":
        noise += float(np.exp(-own["level"].mean()))
    if streams.zeroed(stream):
        noise /= 1.0 - float(own["zero"])
    effect = float(own["effect"].sel(regime=regime))
    return spell_evidence(
        length, effect=effect, step=float(own["wander"]), noise=noise, months=max(window, ROOM * length)
    )


def _of_chances(stream: Stream, regime: str, middle: xr.Dataset, setting: Setting) -> float:
    own = middle["chance"].sel(stream=stream.id)
    p, q = float(own.sel(regime=regime)), float(own.sel(regime=setting.reference))
    return float(rel_entr(p, q) + rel_entr(1.0 - p, 1.0 - q))
