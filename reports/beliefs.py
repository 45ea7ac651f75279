"""The chart of the priors: what every statement allowed, and what the data left of it."""

import math

from reports.brief import Brief
from reports.cells import contraction
from reports.colours import INK, MUTED
from reports.parts import Prior
from reports.spec import Chart, Spec, along, chart_spec, layer, told
from reports.text import read
from reports.words import number, plural

DRIVEN = 0.8  # contraction above which the priors drive an answer
ROW = 17  # pixels


def in_use(brief: Brief) -> tuple[Prior, ...]:
    """The statements that this report rests on: those of its models, and the odds that its levers pull."""
    return tuple(prior for prior in brief.priors if prior.used_by or prior.key.startswith("odds."))


def priors(brief: Brief) -> Chart:
    """Each prior interval over its posterior, as multiples of the prior median on a logarithmic scale.

    Statements without an interval, or whose interval reaches nought, have no place on such a scale; the
    table holds them.
    """
    shown = [
        prior
        for prior in in_use(brief)
        if prior.prior is not None and prior.prior.q05 > 0 and _reaches(prior)
    ]
    known = [prior.contraction for prior in brief.priors if prior.contraction is not None]
    moved = sum(spread <= DRIVEN for spread in known)
    title = f"The data narrowed {moved} of {plural(len(known), 'statement')} to under {DRIVEN:g} of their prior spread"
    if not known:
        title = f"What {plural(len(shown), 'statement')} allowed before the data"
    rows = [f"{p.key} {read(contraction(p.contraction))}" for p in shown if p.contraction is not None]
    alt = f"{title}. Spread after the data over spread before: {', '.join(rows) or 'not computed'}."
    return Chart(key="priors", title=title, alt=alt, spec=_intervals(shown))


def _reaches(prior: Prior) -> bool:
    return prior.posterior is None or prior.posterior.q05 > 0


def _intervals(shown: list[Prior]) -> Spec:
    before: list[dict[str, object]] = []
    after: list[dict[str, object]] = []
    for prior in shown:
        if prior.prior is None:
            continue
        middle = prior.prior.q50
        for rows, q in ((before, prior.prior), (after, prior.posterior)):
            if q is not None:
                word = "before" if rows is before else "after"
                tell = f"{prior.key}, {word}: {number(q.q50)} ({number(q.q05)}–{number(q.q95)})"
                rows.append({"key": prior.key, "low": q.q05 / middle, "mid": q.q50 / middle, "high": q.q95 / middle, "tell": tell})  # fmt: skip
    ends = [float(str(row[end])) for row in before + after for end in ("low", "high")] or [0.5, 2.0]
    low, high = _power(min(ends), down=True), _power(max(ends), down=False)
    powers = range(round(math.log2(low)), round(math.log2(high)) + 1)
    every = -(-len(powers) // 8)
    ticks = [2.0**p for p in powers if p % every == 0]
    axis = {"values": ticks, "labelExpr": "datum.value < 1 ? '1/' + (1 / datum.value) : '' + datum.value", "grid": True, "domain": False, "ticks": False, "title": "times the prior median"}  # fmt: skip
    x = {
        **along("low", domain=(low, high), axis=axis),
        "scale": {"type": "log", "base": 2, "domain": [low, high], "nice": False},
    }
    keys = [prior.key for prior in shown]
    y = {
        "field": "key",
        "type": "nominal",
        "sort": keys,
        "title": None,
        "axis": {"domain": False, "ticks": False, "labelLimit": 0},
    }
    return chart_spec(
        {
            "width": 360,
            "height": max(1, len(keys)) * ROW,
            "layer": [
                layer(
                    {"type": "rule", "strokeWidth": 7, "color": MUTED, "opacity": 0.35, "strokeCap": "round"},
                    before,
                    x=x,
                    x2={"field": "high"},
                    y=y,
                    tooltip=told(),
                ),
                layer(
                    {"type": "rule", "strokeWidth": 2, "color": INK},
                    after,
                    x=x,
                    x2={"field": "high"},
                    y=y,
                    tooltip=told(),
                ),
                layer(
                    {"type": "point", "filled": True, "size": 30, "color": INK, "opacity": 1},
                    after,
                    x={**x, "field": "mid"},
                    y=y,
                    tooltip=told(),
                ),
            ],
        }
    )


def _power(x: float, *, down: bool) -> float:
    """The power of two at or beyond x."""
    exponent = math.log2(x)
    return 2.0 ** (math.floor(exponent) if down else math.ceil(exponent))
