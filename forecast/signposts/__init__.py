"""What to watch: how far each headline would move if the next figure of a stream turned out so or so.

The futures already hold the answer. With X the count of an unseen month and S the scenario a quarter resolves to, both
of the same simulated path,

    P(S = k | X in a band) = share of the paths with X in the band that resolve to k

so bands of a month average to the headline exactly, and what a month can tell of a scenario is their mutual
information, Σ P(band) KL(P(k | band) ‖ P(k)), in bits. A signpost is the whole number at which parting the months tells
most. All is conditional on the quarter being resolved, and on the model's beliefs: it says how the forecast would
move, not what causes what.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecast.signposts.month import RARE, Month, tallied, unseen
from forecast.tallies import Array, Chance, combined
from reports.words import BANDS, EDGES

if TYPE_CHECKING:
    import xarray as xr

SURE = 2.0  # Monte Carlo errors by which a threshold must cross the edge of a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Months from ``low`` to ``high``, both included; the last band is open, and the first begins at the least value."""

    low: float
    high: float | None
    chance: float  # that the month falls in it
    mean: float  # of the headline then
    mcse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The mildest figure, less likely than not, at which the headline earns another likelihood word."""

    side: Literal["at least", "at most"]
    count: float
    chance: float  # that the month is so
    mean: float  # of the headline then
    mcse: float
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signpost:
    """What the next figure of one stream would do to one headline."""

    stream: str
    month: str
    scenario: str
    quarter: str
    now: float
    word: str  # of the band that `now` lies in
    side: Literal["at least", "at most"]  # of the two, the less likely
    count: float  # the figure that parts the months best
    chance: float  # that the month is so
    then: float  # the headline if it is
    then_mcse: float
    otherwise: float  # the headline if it is not
    otherwise_mcse: float
    shift: float  # then − now
    shift_mcse: float
    expected_shift: float  # mean over bands of |P(k | band) − P(k)|
    information: float  # bits, of the bands about this scenario
    bands: tuple[Band, ...]
    rises: Crossing | None  # to a more likely word
    falls: Crossing | None  # to a less likely one


def signposts(
    futures: Mapping[str, "xr.Dataset"],
    outcomes: Mapping[str, "xr.DataArray"],
    weights: Mapping[str, float],
    *,
    panel: "xr.DataArray",
    scenarios: Sequence[str],
    quarter: str,
    chains: int,
    ahead: int = 1,
) -> tuple[Signpost, ...]:
    """Every stream's unseen months up to so many after the origin, the most telling first.

    Args:
        futures: by model, as ``forecast.simulate`` returns them: ``count`` (draw, path, stream, month), ``tail``.
        outcomes: by model (draw, path, quarter), positions of scenarios, negative where the rules cannot tell.
        weights: by model.
        panel: observed (stream, month) up to the origin: a missing month at a stream's end is unseen.
        scenarios: ids in their order.
        quarter: the one whose headline is watched.
        chains: the draws are this many chains, one after the other.
        ahead: months after the origin that are looked at.

    Returns:
        By stream, unseen month and scenario; a month that is all but certain has none.
    """
    found = [
        post
        for stream, name in unseen(panel, ahead)
        for post in _of_month(
            tallied(
                futures,
                outcomes,
                weights,
                stream=stream,
                name=name,
                quarter=quarter,
                scenarios=len(scenarios),
                chains=chains,
            ),
            stream=stream,
            name=name,
            quarter=quarter,
            scenarios=scenarios,
        )
    ]
    return tuple(sorted(found, key=lambda post: -post.information))


def _of_month(
    months: Month, *, stream: str, name: str, quarter: str, scenarios: Sequence[str]
) -> Iterator[Signpost]:
    V = len(months.low)
    mass = months.mass()
    reach = np.append(np.cumsum(mass[::-1])[::-1], 0.0)  # P(at least low[v])
    usable = [v for v in range(1, V) if reach[v] >= RARE and 1 - reach[v] >= RARE]
    if not usable:
        return
    now = months.within(0, V)
    parted = {v: (months.within(v, V), months.within(0, v)) for v in usable}
    bands = [(a, b, months.within(a, b)) for a, b in months.bands()]
    shares = np.array([mass[a:b].sum() for a, b, _ in bands])
    means = np.array([one.mean for *_, one in bands])  # [band, K]
    for k, scenario in enumerate(scenarios):
        p = float(now.mean[k])
        told = [
            reach[v] * _divergence(float(up.mean[k]), p) + (1 - reach[v]) * _divergence(float(low.mean[k]), p)
            for v, (up, low) in parted.items()
        ]
        best = usable[int(np.argmax(told))]
        above = bool(reach[best] <= 0.5)
        then, otherwise = (one.at(k) for one in (parted[best] if above else parted[best][::-1]))
        shift = combined([(1.0, then), (-1.0, now.at(k))])
        yield Signpost(
            stream=stream,
            month=name,
            scenario=scenario,
            quarter=quarter,
            now=p,
            word=BANDS[bisect_right(EDGES, p)],
            side="at least" if above else "at most",
            count=float(months.low[best]) if above else months.below(best),
            chance=float(reach[best] if above else 1 - reach[best]),
            then=float(then.mean),
            then_mcse=float(then.error),
            otherwise=float(otherwise.mean),
            otherwise_mcse=float(otherwise.error),
            shift=float(shift.mean),
            shift_mcse=float(shift.error),
            expected_shift=float(shares @ abs(means[:, k] - p)),
            information=float(
                sum(c * _divergence(float(q), p) for c, q in zip(shares, means[:, k], strict=True))
            ),
            bands=tuple(
                _band(months, a, b, one.at(k), float(c)) for (a, b, one), c in zip(bands, shares, strict=True)
            ),
            rises=_crossing(months, parted, reach, p, k, up=True),
            falls=_crossing(months, parted, reach, p, k, up=False),
        )


def _band(months: Month, first: int, end: int, found: Chance, share: float) -> Band:
    return Band(
        low=float(months.low[first]),
        high=None if end == len(months.low) else months.below(end),
        chance=share,
        mean=float(found.mean),
        mcse=float(found.error),
    )


def _crossing(
    months: Month, parted: Mapping[int, tuple[Chance, Chance]], reach: Array, p: float, k: int, *, up: bool
) -> Crossing | None:
    """The mildest unexpected figure at which P(k) lies in another word's band, by more than its Monte Carlo error."""
    here = bisect_right(EDGES, p)
    edge = EDGES[here] if up and here < len(EDGES) else EDGES[here - 1] if not up and here > 0 else None
    if edge is None:
        return None
    sides: tuple[tuple[Literal["at least", "at most"], list[int]], ...] = (
        ("at least", sorted(v for v in parted if reach[v] <= 0.5)),
        ("at most", sorted((v for v in parted if reach[v] >= 0.5), reverse=True)),
    )
    found = []
    for side, order in sides:
        above = side == "at least"
        for v in order:
            one = parted[v][0 if above else 1].at(k)
            beyond = float(one.mean) - edge if up else edge - float(one.mean)
            if beyond > 0 and beyond >= SURE * float(one.error):
                found.append(
                    Crossing(
                        side=side,
                        count=float(months.low[v]) if above else months.below(v),
                        chance=float(reach[v] if above else 1 - reach[v]),
                        mean=float(one.mean),
                        mcse=float(one.error),
                        word=BANDS[bisect_right(EDGES, float(one.mean))],
                    )
                )
                break
    return max(found, key=lambda one: one.chance, default=None)


def _divergence(q: float, p: float) -> float:
    """KL(Bernoulli(q) ‖ Bernoulli(p)) in bits."""
    terms = ((q, p), (1 - q, 1 - p))
    return sum(a * float(np.log2(a / b)) for a, b in terms if a > 0 and b > 0)
