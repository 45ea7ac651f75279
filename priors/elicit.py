"""A statement becomes the distribution that honours it, and shows what it could not honour.

An interval fixes a two-parameter family exactly. Three values or more (quartiles, chips, pools) are met by
least squares on quantiles, on the scale where the family is normal, log or logit: what was asked and what the
family gives stand side by side in ``asked`` and ``achieved``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from priors import families
from priors.fitting import fit, one_spell
from priors.quantities import quantity_of
from priors.refusal import Refusal
from priors.statement import (
    Chips,
    ExpertChips,
    ExpertInterval,
    ExpertQuartiles,
    Explicit,
    Interval,
    Pool,
    Quartiles,
    Shares,
    Statement,
)
from priors.validity import numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from priors.families import Array

Side = Literal["above", "below"]
Pairs = tuple[tuple[float, float], ...]  # (quantile level, value)

SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)  # levels at which pools are fitted and spells are told
ENDS_SEEN = 10.0  # what a statement about one spell is worth unless it says: ten observed ends (a + b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What a statement stands for, on the quantity's own scale (months, times, percent, probability).

    ``scale`` is "hazard" where a dwell is stated about one spell: the law is then that of the monthly
    probability of leaving, while ``asked`` and ``achieved`` stay in months of one spell.
    """

    quantity: str
    family: str
    parameters: Mapping[str, float]  # of a dirichlet: alpha by name
    scale: Literal["own", "hazard"] = "own"
    asked: Pairs = ()
    achieved: Pairs = ()

    def ppf(self, q: ArrayLike) -> Array:
        """Quantiles, shaped as ``q``; of a dirichlet the marginals', with a last axis over its names."""
        import numpy as np

        if self.family == "dirichlet":
            alpha = np.array(list(self.parameters.values()))
            marginal = {"alpha": alpha, "beta": alpha.sum() - alpha}
            return families.ppf("beta", marginal, np.asarray(q)[..., None])
        return families.ppf(self.family, self.parameters, q)

    def cdf(self, x: ArrayLike) -> Array:
        """P(X ≤ x), shaped as ``x``; not defined for a dirichlet."""
        return families.cdf(self.family, self.parameters, x)

    def logpdf(self, x: ArrayLike) -> Array:
        """Log density, shaped as ``x``; a dirichlet takes a last axis over its names."""
        import numpy as np

        if self.family == "dirichlet":
            from scipy import special

            alpha, shares = np.array(list(self.parameters.values())), np.asarray(x, dtype=np.float64)
            constant = special.gammaln(alpha.sum()) - special.gammaln(alpha).sum()
            return np.asarray(constant + special.xlogy(alpha - 1, shares).sum(axis=-1))
        return families.logpdf(self.family, self.parameters, x)

    def rvs(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> Array:
        """Draws of shape ``size``; of a dirichlet with a last axis over its names."""
        if self.family == "dirichlet":
            return rng.dirichlet(list(self.parameters.values()), size)
        return families.rvs(self.family, self.parameters, rng, size)


def side_of(effect: str, scenario: str, *, scenarios: Sequence[str], reference: str) -> Side | None:
    """On which side of one a stream's declared direction puts a scenario's effect; None where it is free.

    ``scenarios`` are in their order, calmest first; ``effect`` is the stream's: increasing, decreasing, free.
    """
    if effect not in ("increasing", "decreasing"):
        return None
    worse = scenarios.index(scenario) > scenarios.index(reference)
    return "above" if worse == (effect == "increasing") else "below"


def distribution(statement: Statement, *, side: Side | None = None) -> Distribution:
    """The distribution a statement stands for.

    Args:
        statement: what was said.
        side: where an effect's direction is declared, the side of one it must lie on: |ln effect| is
            then lognormal.

    Raises:
        Refusal: a value on the wrong side of one, or values that no member of the family can honour.
    """
    key = statement.quantity
    if isinstance(statement, Shares):
        alpha = {name: statement.worth * share for name, share in statement.to.items()}
        return Distribution(quantity=key, family="dirichlet", parameters=alpha)
    if side is not None:
        check_side(statement, side)
    if isinstance(statement, Explicit):
        return Distribution(quantity=key, family=statement.family, parameters=dict(statement.parameters))
    if isinstance(statement, Interval) and statement.about == "one spell":
        return _one_spell(statement)
    family = statement.family or quantity_of(key).families[0]
    fixed = {"shift": 1.0} if family == "shifted-lognormal" else {}
    if side is not None:
        family, fixed = "signed-lognormal", {"sign": 1.0 if side == "above" else -1.0}
    asked = _asked(statement, family, fixed)
    parameters = fit(key, family, fixed, asked)
    achieved = tuple((q, float(families.ppf(family, parameters, q))) for q, _ in asked)
    return Distribution(quantity=key, family=family, parameters=parameters, asked=asked, achieved=achieved)


def check_side(statement: Statement, side: Side) -> None:
    """Refuse an effect with a value at or beyond one, against the stream's declared direction."""
    sign = 1 if side == "above" else -1
    if isinstance(statement, Explicit):
        if statement.family != "signed-lognormal" or statement.parameters["sign"] != sign:
            raise Refusal(
                where=f"{statement.quantity}.family",
                got=statement.family,
                wanted=f'family "signed-lognormal" with sign = {sign}: {side} 1 throughout',
                remedy='or declare the stream\'s effect = "free"',
            )
        return
    for field, value, outermost in numbers(statement):
        if sign * (value - 1) < 0 or (value == 1 and not outermost):
            raise Refusal(
                where=f"{statement.quantity}.{field}",
                got=value,
                wanted=f"a number {side} 1, the side the stream's direction declares",
                remedy='or declare the stream\'s effect = "free"',
            )


def _asked(
    said: Interval | Quartiles | Chips | Pool | ExpertInterval | ExpertQuartiles | ExpertChips,
    family: str,
    fixed: Mapping[str, float],
) -> Pairs:
    """What a statement fixes: values at quantile levels."""
    if isinstance(said, Interval | ExpertInterval):
        tail = (1 - said.mass) / 2
        return ((tail, said.low), (1 - tail, said.high))
    if isinstance(said, Quartiles | ExpertQuartiles):
        return tuple(zip((0.25, 0.5, 0.75), said.quartiles, strict=True))
    if isinstance(said, Chips | ExpertChips):
        return _histogram(said.edges, said.chips)
    voices = [
        (expert.weight, fit(f"{said.quantity}: {expert.name}", family, fixed, _asked(expert, family, fixed)))
        for expert in said.experts
    ]
    return tuple((q, _mixture_quantile(q, family, voices)) for q in SHOWN)


def _histogram(edges: tuple[float, ...], chips: tuple[float, ...]) -> Pairs:
    """The inner edges with the share of chips below them; with fewer than two, the quartiles within bins."""
    import numpy as np

    below = [0.0, *(heap / sum(chips) for heap in accumulate(chips))]
    inner = tuple((q, edge) for q, edge in zip(below, edges, strict=True) if 1e-12 < q < 1 - 1e-12)
    if len(inner) > 1:
        return inner
    return tuple((q, float(np.interp(q, below, edges))) for q in (0.25, 0.5, 0.75))


def _mixture_quantile(q: float, family: str, voices: Sequence[tuple[float, Mapping[str, float]]]) -> float:
    from scipy.optimize import brentq

    total = sum(weight for weight, _ in voices)
    ends = [float(families.ppf(family, parameters, q)) for _, parameters in voices]
    if min(ends) == max(ends):
        return ends[0]

    def excess(x: float) -> float:
        return sum(w / total * float(families.cdf(family, p, x)) for w, p in voices) - q

    return float(brentq(excess, min(ends), max(ends), xtol=1e-14, rtol=1e-14))


def _one_spell(said: Interval) -> Distribution:
    """Hazard of leaving ~ Beta(a, b) with P(one spell > high) as stated; the low end gives way.

    P(L > x) = B(a, b + x)/B(a, b). A geometric spell lasts one month more often than any other, so a low end
    is hardly ever honoured: ``achieved`` says what stands there instead.
    """
    tail = (1 - said.mass) / 2
    parameters = one_spell(said.high, tail, said.worth or ENDS_SEEN)
    hazard = Distribution(
        quantity=said.quantity,
        family="beta",
        parameters=parameters,
        scale="hazard",
        asked=((tail, said.low), (1 - tail, said.high)),
    )
    achieved = ((tail, _spell_quantile(hazard, tail)), (1 - tail, said.high))
    return replace(hazard, achieved=achieved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """The two readings of a dwell, in months."""

    average: Pairs  # quantiles of the average spell 1/h
    one: Pairs  # quantiles of one spell, the average's uncertainty included
    one_month: float  # probability that a spell is over within its first month


def spell(dwell: Distribution, levels: Sequence[float] = SHOWN) -> Spell:
    """Both readings of a dwell's distribution, whichever of them was stated."""
    if dwell.scale == "hazard":
        average = tuple((q, 1 / float(dwell.ppf(1 - q))) for q in levels)
    else:
        average = tuple((q, float(dwell.ppf(q))) for q in levels)
    one = tuple((q, _spell_quantile(dwell, q)) for q in levels)
    return Spell(average=average, one=one, one_month=1 - outlasts(dwell, 1))


def outlasts(dwell: Distribution, months: float) -> float:
    """P(one spell > months) = E[(1 − h)^months], the hazard's uncertainty integrated out."""
    import numpy as np

    if dwell.scale == "hazard":
        from scipy import special

        a, b = dwell.parameters["alpha"], dwell.parameters["beta"]
        return float(np.exp(special.betaln(a, b + months) - special.betaln(a, b)))
    average = dwell.ppf((np.arange(4000) + 0.5) / 4000)
    return float(np.mean((1 - 1 / average) ** months))


def _spell_quantile(dwell: Distribution, q: float) -> float:
    """The smallest whole number of months within which a share ``q`` of spells is over."""
    above = 1
    while outlasts(dwell, above) > 1 - q:
        above *= 2
    return float(bisect_left(range(above + 1), q, lo=1, key=lambda months: 1 - outlasts(dwell, months)))
