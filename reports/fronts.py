"""The page of fronts: where each stands, where it goes, and what it owes to the others."""

from collections.abc import Iterable
from typing import Any

from reports.brief import Brief
from reports.cells import (
    NOTHING,
    measured,
    measured_range,
    shares,
    shares_with_interval,
    texts,
    toward,
)
from reports.colours import INK, MUTED, for_text, hues
from reports.document import Block, Exhibit, Heading, Paragraph, Section, Table
from reports.parts import Estimate, Front, Pooling, Row
from reports.series import along_months, stacked, steps
from reports.spec import (
    LINE,
    Chart,
    Spec,
    along,
    chart_spec,
    fixed,
    layer,
    raised,
    share_axis,
    told,
    up,
    wrapped,
)
from reports.text import Sentence, capitalised, joined, lowered, read, sentence
from reports.words import month, number, plural, quarter

READING = (
    "One strip a front, all on one scale. In every month the colours share out 100 % among the regimes, the most severe at "
    "the foot, as that month's figures and the earlier ones have it. A regime is judged beside the front's own level, which "
    "may drift: the same count can be out of the ordinary on a quiet front and a common month on a busy one."
)
BORROWED = (
    "A front alone sees few spells, so it borrows from the others: the less its own months tell, the nearer it stands to all "
    "fronts together."
)
APART = {
    "pooling.fronts": "in how long regimes last, where they go and what they do to a count",
    "pooling.levels": "in their usual level, from an even share",
}
TOGETHER = "All fronts together"
WIDE, TALL, SHORT, MOST = (
    400,
    44,
    16,
    640,
)  # pixels: of the strips, of one of them at most and at least, of all
ROW, PANEL, BESIDE = (
    22,
    420,
    26,
)  # pixels of a front's row of spells, of all panels; letters of a name at the side


def fronts(brief: Brief) -> Section:
    """Every front: its regimes now, over time and at the end of the next quarter, and what partial pooling did."""
    here = f"Where each front stands in {month(brief.origin)}"
    soon = _soon(brief)
    then = f"Where it will stand at the end of {quarter(soon)}"
    blocks: list[Block] = [
        Paragraph(spans=_summary(brief)),
        Exhibit(key="fronts"),
        Paragraph(spans=sentence(READING), tone="note"),
        _laws(brief, "fronts-now", here, [(front, front.now) for front in brief.fronts]),
        _laws(brief, "fronts-next", then, [(front, _at(front, soon)) for front in brief.fronts]),
    ]
    if brief.pooling is not None:
        blocks += [
            Heading(text="What the fronts lend one another"),
            Paragraph(spans=_lent(brief.pooling)),
            Exhibit(key="fronts-dwell"),
            _spells(brief, brief.pooling),
        ]
    return Section(key="fronts", number=5, title="Front by front", blocks=tuple(blocks))


def strips(brief: Brief) -> Chart:
    """The regimes of every front over time, as small multiples."""
    leading = [
        f"“{brief.scenarios[place].title}” on {front.title} ({read(shares(front.now)[place])})"
        for front, place in _leading(brief)
    ]
    title = f"Likeliest fronts in {month(brief.origin)}: {', '.join(leading)}"
    rows = "; ".join(f"{front.title}: {_law(brief, front.now)}" for front in brief.fronts)
    alt = (
        f"{title}. Probability of each regime by month on {plural(len(brief.fronts), 'front')}. Now: {rows}."
    )
    return Chart(key="fronts", title=title, alt=alt, spec=_strips(brief))


def spells(brief: Brief, pooling: Pooling) -> Chart:
    """How long regimes last on each front, beside all fronts together."""
    severe = len(brief.scenarios) - 1
    own = [e.mean for front in brief.fronts if (e := front.dwell_months[severe]) is not None]
    common = pooling.dwell_months[severe]
    title = "How long regimes last on each front, in months"
    if own and common is not None:
        title = (
            f"{brief.scenarios[-1].title}: {number(min(own), decimals=1)} to {number(max(own), decimals=1)} months on "
            f"average by front, {number(common.mean, decimals=1)} on all together"
        )
    rows = []
    for place, scenario in enumerate(brief.scenarios):
        each = [
            f"{name} {read(_months(row[place]))}"
            for name, row in _rows(brief, pooling)
            if row[place] is not None
        ]
        rows.append(f"{scenario.title}: {', '.join(each)}")
    alt = f"{title}. Average spells in months with 90 % intervals. {'. '.join(rows)}."
    return Chart(key="fronts-dwell", title=title, alt=alt, spec=_panels(brief, pooling))


def _soon(brief: Brief) -> str:
    """The first quarter ahead."""
    return brief.quarters[0].quarter


def _at(front: Front, name: str) -> Row:
    return next(entry.regime for entry in front.quarters if entry.quarter == name)


def _leading(brief: Brief) -> list[tuple[Front, int]]:
    """The front where the most severe scenario is likeliest now, and where the least severe is; with their places."""
    found = []
    for place in (len(brief.scenarios) - 1, 0):
        likely = [
            (now.mean, n) for n, front in enumerate(brief.fronts) if (now := front.now[place]) is not None
        ]
        if likely:
            _, n = max(likely)
            found.append((brief.fronts[n], place))
    return found


def _summary(brief: Brief) -> Sentence:
    said = sentence(
        f"{capitalised(plural(len(brief.fronts), 'front'))}, each with regimes of its own and each beside its usual level. "
    )
    parts = [
        sentence(
            f"“{brief.scenarios[place].title}” is likeliest on the front {front.title}: ",
            shares_with_interval(front.now)[place],
            f" in {month(brief.origin)}, ",
            shares_with_interval(_at(front, _soon(brief)))[place],
            f" at the end of {quarter(_soon(brief))}.",
        )
        for front, place in _leading(brief)
    ]
    return sentence(said, joined(parts, " "))


def _laws(brief: Brief, key: str, caption: str, rows: Iterable[tuple[Front, Row]]) -> Table:
    names = tuple(scenario.id for scenario in brief.scenarios)
    return Table(
        key=key,
        caption=caption,
        columns=(*texts("Front"), *toward(brief, "in", names)),
        rows=tuple((sentence(front.title), *shares_with_interval(row)) for front, row in rows),
    )


def _law(brief: Brief, row: Row) -> str:
    return ", ".join(
        f"{lowered(scenario.title)} {read(share)}"
        for scenario, share, one in zip(brief.scenarios, shares(row), row, strict=True)
        if one is not None
    )


def _lent(pooling: Pooling) -> Sentence:
    how_far = [
        sentence(
            "by ",
            measured(one.mean, decimals=0),
            " percent (",
            measured_range(one.q05, one.q95),
            f") {APART[key]}",
        )
        for key, one in pooling.apart
        if key in APART
    ]
    return sentence(f"{BORROWED} As fitted, they differ ", joined(how_far, ", ", ", and "), ".")


def _rows(brief: Brief, pooling: Pooling) -> list[tuple[str, Row]]:
    return [(TOGETHER, pooling.dwell_months), *((front.title, front.dwell_months) for front in brief.fronts)]


def _months(one: Estimate | None) -> Sentence:
    """``3.4 (2.1–5.6)``, all three still numbers."""
    if one is None:
        return NOTHING
    low, high = (measured(end, decimals=1) for end in (one.q05, one.q95))
    return sentence(measured(one.mean, decimals=1), " (", low, "–", high, ")")


def _spells(brief: Brief, pooling: Pooling) -> Table:
    names = tuple(scenario.id for scenario in brief.scenarios)
    return Table(
        key="fronts-dwell",
        caption="How long a regime lasts on average, in months, with 90 % intervals",
        columns=(*texts("Front"), *toward(brief, "in", names)),
        rows=tuple((sentence(name), *map(_months, row)) for name, row in _rows(brief, pooling)),
    )


def _strips(brief: Brief) -> Spec:
    """One stacked strip a front, the axis of months under the last."""
    height = max(SHORT, min(TALL, MOST // len(brief.fronts)))
    last = len(brief.fronts) - 1
    parts = [_strip(brief, front, height, axis=place == last) for place, front in enumerate(brief.fronts)]
    return chart_spec({"vconcat": parts, "spacing": 8, "bounds": "flush"})


def _strip(brief: Brief, front: Front, height: int, *, axis: bool) -> Spec:
    months, ends = [entry.month for entry in front.history], {**share_axis(), "values": [0, 1]}
    rows = stacked(brief, front.history, {name: place for place, name in enumerate(months)})
    x, y = along_months(months, axis=axis), up("low", domain=(0, 1), axis=ends if axis else None)
    _, place = max((one.mean, n) for n, one in enumerate(front.now) if one is not None)
    scenario = brief.scenarios[place]
    ink = for_text(hues(brief.scenarios)[scenario.id])
    name, now = wrapped(front.title, BESIDE), [*wrapped(scenario.title, 20), read(shares(front.now)[place])]
    fits = height // LINE
    text = {"field": "lines", "type": "nominal"}
    side: dict[str, Any] = {"type": "text", "baseline": "middle", "lineHeight": LINE}
    left = [{"x": 0, "low": 0.5 + raised(name[:fits], height), "lines": name[:fits]}]
    right = [{"x": len(months), "low": 0.5 + raised(now[-fits:], height), "lines": now[-fits:], "ink": ink}]
    return {
        "width": WIDE,
        "height": height,
        "layer": [
            *steps(rows, x=x, y=y),
            layer({**side, "align": "right", "dx": -38}, left, x=x, y=y, text=text),
            layer({**side, "align": "left", "dx": 6}, right, x=x, y=y, text=text, color=fixed("ink")),
        ],
    }


def _panels(brief: Brief, pooling: Pooling) -> Spec:
    """One panel a regime: a row a front, over the band of all together."""
    known = [place for place, one in enumerate(pooling.dwell_months) if one is not None]
    parts = [
        _panel(brief, pooling, place, width=PANEL // len(known), named=place == known[0]) for place in known
    ]
    return chart_spec({"hconcat": parts, "spacing": 24, "bounds": "flush"})


def _panel(brief: Brief, pooling: Pooling, place: int, *, width: int, named: bool) -> Spec:
    scenario, common = brief.scenarios[place], pooling.dwell_months[place]
    assert common is not None
    own = [
        (n, front, one)
        for n, front in enumerate(brief.fronts)
        if (one := front.dwell_months[place]) is not None
    ]
    rows = [
        {"y": n + 0.5, "low": one.q05, "mid": one.mean, "high": one.q95, "tell": f"{front.title}: {read(_months(one))} months"}
        for n, front, one in own
    ]  # fmt: skip
    most = max([common.q95, *(one.q95 for _, _, one in own)])
    axis = {"tickCount": 4, "grid": False, "domain": False}
    x, count = along("low", domain=(0, 1.05 * most), axis=axis), len(brief.fronts)
    y = up("y", domain=(count, 0), axis=None)
    x2, colour = {"field": "high"}, hues(brief.scenarios)[scenario.id]
    tell = f"{TOGETHER}: {read(_months(common))} months"
    band = [{"low": common.q05, "mid": common.mean, "high": common.q95, "y": 0, "y2": count, "tell": tell}]
    head = [{"low": 0, "y": 0, "lines": (title := wrapped(scenario.title, 20))}]
    above = {
        "type": "text",
        "align": "left",
        "baseline": "bottom",
        "dy": -6 - LINE * (len(title) - 1),
        "lineHeight": LINE,
    }
    text = {"field": "lines", "type": "nominal"}
    layers = [
        layer({"type": "rect", "color": MUTED, "opacity": 0.2}, band, x=x, x2=x2, y=y, y2={"field": "y2"}, tooltip=told()),
        layer({"type": "rule", "color": MUTED, "strokeWidth": 1}, band, x={**x, "field": "mid"}),
        layer({"type": "rule", "color": colour, "strokeWidth": 2}, rows, x=x, x2=x2, y=y, tooltip=told()),
        layer({"type": "point", "filled": True, "size": 36, "color": colour, "opacity": 1}, rows, x={**x, "field": "mid"}, y=y, tooltip=told()),
        layer(above, head, x=x, y=y, text=text),
    ]  # fmt: skip
    if named:
        names = [wrapped(front.title, BESIDE)[:2] for front in brief.fronts]
        side = [{"low": 0, "y": n + 0.5 - raised(name, ROW), "lines": name} for n, name in enumerate(names)]
        mark = {
            "type": "text",
            "align": "right",
            "baseline": "middle",
            "dx": -8,
            "lineHeight": LINE,
            "color": INK,
        }
        layers.append(layer(mark, side, x=x, y=y, text=text))
    return {"width": width, "height": (ROW + 8) * count, "layer": layers}
