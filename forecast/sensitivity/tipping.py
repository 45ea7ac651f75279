"""What one would have to believe for the headline to earn another likelihood word: the prior's median at which it does.

A prior is moved along the scale where its family is normal, its width held; a beta keeps what it is worth in cases. It
goes outward a quarter of its own standard deviation at a time, as far as the draws can speak for it: from a Pareto k of
0.7 on they cannot, and only a new fit could tell.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.special import expit, logit

from forecast.sensitivity.reweighing import Model, Reweighed, reweighed
from models.variables import NORMAL
from priors import Distribution
from reports.words import BANDS, EDGES

STEP, FARTHEST = 0.25, 3.0  # standard deviations of the prior


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a prior's median can be moved one way, and what the headline then is."""

    median: float
    mean: float
    mcse: float
    refused: bool  # beyond it the draws cannot tell; otherwise three standard deviations were reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Tipping:
    """Where one prior tips one headline into another word."""

    key: str
    quarter: str
    scenario: str
    stated: float  # the prior's median as it is, in its own unit
    now: float  # the headline
    word: str  # of the band it lies in
    tips_at: float | None  # median at which the word changes; None within reach either way
    to_word: str | None
    to_mcse: float | None  # Monte Carlo error of the headline there
    lowest: Reach
    highest: Reach


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """The headline with a prior moved by so many of its standard deviations."""

    z: float
    median: float
    found: Reweighed


def tipping(
    models: Mapping[str, Model],
    *,
    quarters: Sequence[str],
    scenarios: Sequence[str],
    chains: int,
    keys: Sequence[str] | None = None,
) -> tuple[Tipping, ...]:
    """For every prior and headline, the nearer median that changes the word.

    Args:
        models: of a run.
        quarters: of their tallies, in order.
        scenarios: of their tallies, in order.
        chains: the draws of each are this many chains, one after the other.
        keys: priors to move; all that can be moved if absent.
    """
    laws = {key: law for model in models.values() for key, law in model.laws.items()}
    found = []
    for key, law in laws.items():
        if (keys is not None and key not in keys) or moved(law, 0.0) is None:
            continue
        below, above = (_outward(models, key, law, sign, chains) for sign in (-1.0, 1.0))
        found += [
            _tipped(key, law, quarter, scenario, below, above, (q, j))
            for q, quarter in enumerate(quarters)
            for j, scenario in enumerate(scenarios)
        ]
    return tuple(found)


def moved(law: Distribution, z: float) -> Distribution | None:
    """A prior with its median moved by z of its standard deviations; None for a family that is not moved."""
    given = law.parameters
    if law.family in (*NORMAL, "studentt"):
        return replace(law, parameters={**given, "mu": given["mu"] + z * given["sigma"]})
    if law.family == "beta":
        worth = given["alpha"] + given["beta"]
        share = given["alpha"] / worth
        share = float(expit(logit(share) + z / np.sqrt((worth + 1) * share * (1 - share))))
        return replace(law, parameters={**given, "alpha": worth * share, "beta": worth * (1 - share)})
    return None


def median(law: Distribution) -> float:
    """The median in the unit that was asked for: months where a dwell is stated about one spell."""
    middle = float(law.ppf(0.5))
    return 1 / middle if law.scale == "hazard" else middle


def _outward(
    models: Mapping[str, Model], key: str, law: Distribution, sign: float, chains: int
) -> list[_Step]:
    """Steps from the prior as it is to the last that the draws can speak for, and one more where they cannot."""
    steps = [_Step(z=0.0, median=median(law), found=reweighed(models, {}, chains=chains))]
    for n in range(1, int(FARTHEST / STEP) + 1):
        z = sign * STEP * n
        other = moved(law, z)
        assert other is not None  # the caller asks only for families that can be moved
        ratios = {
            name: other.logpdf(model.stated[key]) - law.logpdf(model.stated[key])
            for name, model in models.items()
            if key in model.laws
        }
        steps.append(_Step(z=z, median=median(other), found=reweighed(models, ratios, chains=chains)))
        if not steps[-1].found.trusted:
            break
    return steps


def _tipped(
    key: str,
    law: Distribution,
    quarter: str,
    scenario: str,
    below: Sequence[_Step],
    above: Sequence[_Step],
    place: tuple[int, int],
) -> Tipping:
    now = float(below[0].found.chance.mean[place])
    crossings = [
        crossing
        for steps in (below, above)
        for crossing in _crossing(law, steps, place, bisect_right(EDGES, now))
    ]
    nearest = min(crossings, key=lambda one: abs(one[0]), default=None)
    ends = sorted((_reach(below, place), _reach(above, place)), key=lambda end: end.median)
    shifted = None if nearest is None else moved(law, nearest[0])
    return Tipping(
        key=key,
        quarter=quarter,
        scenario=scenario,
        stated=median(law),
        now=now,
        word=BANDS[bisect_right(EDGES, now)],
        tips_at=None if shifted is None else median(shifted),
        to_word=None if nearest is None else nearest[1],
        to_mcse=None if nearest is None else nearest[2],
        lowest=ends[0],
        highest=ends[1],
    )


def _crossing(
    law: Distribution, steps: Sequence[_Step], place: tuple[int, int], here: int
) -> Iterator[tuple[float, str, float]]:
    """The first place at which the headline leaves its band, between the two steps around it: z, word, error."""
    trusted = [step for step in steps if step.found.trusted]
    for was, now in pairwise(trusted):
        p, q = (float(step.found.chance.mean[place]) for step in (was, now))
        band = bisect_right(EDGES, q)
        if band != here:
            up = band > here
            edge = EDGES[here] if up else EDGES[here - 1]
            z = was.z + (now.z - was.z) * (edge - p) / (q - p)
            yield z, BANDS[here + (1 if up else -1)], float(now.found.chance.at(*place).error)
            return


def _reach(steps: Sequence[_Step], place: tuple[int, int]) -> Reach:
    last = [step for step in steps if step.found.trusted][-1]
    return Reach(
        median=last.median,
        mean=float(last.found.chance.mean[place]),
        mcse=float(last.found.chance.at(*place).error),
        refused=not steps[-1].found.trusted,
    )
