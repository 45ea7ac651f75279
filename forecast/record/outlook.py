"""What the first quarter's headline hangs on, as the record holds it: the next figures to come, and the priors behind it."""

from math import isfinite
from typing import Any

from forecast.record.material import Material
from forecast.sensitivity import SENSITIVE, Reach, Scaled, Tipping
from forecast.signposts import Crossing, Signpost

type Json = dict[str, Any]


def signposts(material: Material) -> list[Json]:
    """What each unseen month would do to each scenario, the most telling first.

    ``before`` is the published probability. The shift comes from fewer futures than that, and ``after`` is their sum, as
    ``otherwise`` is for months on the other side.
    """
    return [_signpost(material, post) for post in material.signposts]


def sensitivity(material: Material) -> Json | None:
    """How far each group of priors carries each probability, and where a single prior would change its word.

    How much of its uncertainty the data took away stands beside each probability (``contraction``, ``prior_driven``).
    """
    found = material.sensitivity
    if found is None:
        return None
    return {
        "quarter": material.quarters[0],
        "limit": SENSITIVE,
        "groups": [_scaled(one) for one in found.groups],
        "tipping": [_tipping(material, one) for one in found.tipping],
    }


def _signpost(material: Material, post: Signpost) -> Json:
    before = _published(material, post.quarter, post.scenario)

    def moved(to: float) -> float:
        return min(max(before + to - post.now, 0.0), 1.0)

    return {
        **{key: getattr(post, key) for key in ("stream", "month", "quarter", "scenario")},
        **{key: getattr(post, key) for key in ("side", "count", "chance")},
        "before": before,
        "after": moved(post.then),
        "mcse": post.then_mcse,
        "otherwise": moved(post.otherwise),
        "otherwise_mcse": post.otherwise_mcse,
        "shift": post.shift,
        "shift_mcse": post.shift_mcse,
        "information": post.information,
        "rises": _crossing(post.rises),
        "falls": _crossing(post.falls),
    }


def _published(material: Material, quarter: str, scenario: str) -> float:
    found = material.ensemble.resolved[quarter][scenario]
    assert found is not None  # of a quarter that no future decides neither is computed
    return float(found.mean)


def _crossing(at: Crossing | None) -> Json | None:
    if at is None:
        return None
    return {key: getattr(at, key) for key in ("side", "count", "chance", "mean", "mcse", "word")}


def _scaled(one: Scaled) -> Json:
    return {
        **{key: getattr(one, key) for key in ("group", "scenario", "sensitive", "trusted")},
        **{key: _number(getattr(one, key)) for key in ("sensitivity", "shift", "shift_mcse", "k")},
    }


def _tipping(material: Material, one: Tipping) -> Json:
    return {
        **{key: getattr(one, key) for key in ("key", "scenario", "word", "to_word")},
        **{key: _number(getattr(one, key)) for key in ("stated", "tips_at", "to_mcse")},
        "now": _published(material, one.quarter, one.scenario),
        "lowest": _reach(one.lowest),
        "highest": _reach(one.highest),
    }


def _reach(end: Reach) -> Json:
    return {
        **{key: _number(getattr(end, key)) for key in ("median", "mean", "mcse")},
        "refused": end.refused,
    }


def _number(x: float | None) -> float | None:
    """A number that JSON has; a Pareto k without a tail, or a median beyond all bounds, is none."""
    return x if x is not None and isfinite(x) else None
