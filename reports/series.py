"""Charts along the months: each stream with its fan and the regimes beneath, and the history of the regimes."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from reports.brief import Brief
from reports.colours import INK, MUTED, for_text, hues
from reports.parts import Cell, Month, Stream
from reports.spec import (
    Chart,
    Spec,
    along,
    beside,
    chart_spec,
    fixed,
    layer,
    share_axis,
    told,
    up,
    wrapped,
    year_axis,
)
from reports.text import lowered
from reports.words import month, number, percent, plural, spelled

LIKELIER = 0.5  # a regime holds a month when its posterior mean exceeds this
BANDS = (("q05", "q95", 0.18), ("q25", "q75", 0.32))
RIBBON = 12  # pixels


def history(brief: Brief) -> Chart:
    """The latent regimes month by month, stacked, the most severe at the foot."""
    severe = brief.scenarios[-1]
    held = [entry.month for entry in brief.history if entry.regime[-1] > LIKELIER]
    called = f"{spelled(len(held))} of {plural(len(brief.history), 'month')}"
    title = f"The model calls {called} {lowered(severe.title)}"
    if brief.resolved_history:
        resolved = sum(entry.resolved == severe.id for entry in brief.resolved_history)
        title += f", the rules {plural(resolved, 'quarter')}"
    last = brief.history[-1]
    now = ", ".join(
        f"{lowered(scenario.title)} {percent(p)}"
        for scenario, p in zip(brief.scenarios, last.regime, strict=True)
    )
    months = f" Likelier than not in {', '.join(month(name) for name in held)}." if held else ""
    alt = f"{title}. Probability of each latent regime by month since {month(brief.history[0].month)}.{months} In {month(last.month)}: {now}."
    return Chart(
        key="history", title=title, alt=alt, spec=chart_spec(_stack(brief, width=222, height=190, wrap=17))
    )


def stream(brief: Brief, series: Stream) -> Chart:
    """One stream: observations, fan, what is known about its months, and the ribbon of regimes."""
    seen = [cell for cell in series.cells if cell.observed is not None and cell.state != "future"]
    title = f"{series.title}: {_message(series, seen)}"
    gaps = {
        state: sum(cell.state == state for cell in series.cells)
        for state in ("provisional", "masked", "missing")
    }
    told_gaps = (
        "; ".join(f"{plural(count, 'month')} {state}" for state, count in gaps.items() if count) or "no gaps"
    )
    span = (
        f"{month(series.cells[0].month)} to {month(series.cells[-1].month)}" if series.cells else "no months"
    )
    alt = f"{title}. {series.unit or 'Per month'}, {span}: {told_gaps}."
    months = [cell.month for cell in series.cells]
    axis = not brief.history  # the axis of months stands under the ribbon, if there is one
    layers = _binary(series, months, axis=axis) if _is_binary(series) else _counts(series, months, axis=axis)
    top = {"width": 560, "height": 150, "layer": layers}
    parts = [top, _ribbon(brief, months)] if brief.history else [top]
    spec = chart_spec({"vconcat": parts, "spacing": 6, "bounds": "flush"})
    return Chart(key=f"stream-{series.id}", title=title, alt=alt, spec=spec)


def _message(series: Stream, seen: list[Cell]) -> str:
    if not seen:
        return "never observed"
    last = seen[-1]
    if _is_binary(series):
        return f"in {sum(cell.observed == 1 for cell in seen)} of {plural(len(seen), 'month')}"
    ahead = [
        cell
        for cell in series.cells
        if cell.state == "future" and cell.q05 is not None and cell.q95 is not None
    ]
    told_last = f"{number(last.observed or 0.0)} in {month(last.month)}"
    if not ahead:
        return told_last
    end = ahead[min(3, len(ahead) - 1)]
    low, high = end.q05 or 0.0, end.q95 or 0.0
    return f"{told_last}; 90 % of futures between {number(round(low))} and {number(round(high))} in {month(end.month)}"


def _is_binary(series: Stream) -> bool:
    return series.family == "bernoulli"


def along_months(months: Sequence[str], *, axis: bool = True, field: str = "x") -> Spec:
    """A horizontal position along the months, with the years beneath."""
    return along(field, domain=(0, len(months)), axis=year_axis(months) if axis else None)


def _counts(series: Stream, months: Sequence[str], *, axis: bool) -> list[Spec]:
    numbers = [x for cell in series.cells for x in (cell.observed, cell.q95) if x is not None]
    top = max(numbers, default=1.0) or 1.0
    grid = {"tickCount": 4, "grid": True, "domain": False, "ticks": False}
    x = along_months(months, axis=axis)
    place = {cell.month: i + 0.5 for i, cell in enumerate(series.cells)}

    def y(field: str) -> Spec:
        return up(field, domain=(min(0.0, *numbers) if numbers else 0.0, top * 1.04), axis=grid)

    fan = [
        {"x": place[c.month], **{q: getattr(c, q) for q in ("q05", "q25", "q50", "q75", "q95")}}
        for c in series.cells
        if c.q05 is not None and c.q95 is not None
    ]
    layers = [
        layer({"type": "area", "color": MUTED, "opacity": opacity}, fan, x=x, y=y(low), y2={"field": high})
        for low, high, opacity in BANDS
    ]
    layers.append(layer({"type": "line", "color": MUTED, "strokeWidth": 1}, fan, x=x, y=y("q50")))
    return [*layers, *_marks(series, x, place, y, top)]


def _binary(series: Stream, months: Sequence[str], *, axis: bool) -> list[Spec]:
    place = {cell.month: i + 0.5 for i, cell in enumerate(series.cells)}

    def y(field: str) -> Spec:
        return up(field, domain=(-0.06, 1.06), axis=share_axis())

    mean = [{"x": place[c.month], "mean": c.mean} for c in series.cells if c.mean is not None]
    x = along_months(months, axis=axis)
    line = layer({"type": "line", "color": MUTED, "strokeWidth": 1.2}, mean, x=x, y=y("mean"))
    return [line, *_marks(series, x, place, y, 1.0)]


def _marks(series: Stream, x: Spec, place: dict[str, float], y: Any, top: float) -> list[Spec]:
    """Observations, their gaps, the splice, and where the forecast begins."""
    rows: list[dict[str, object]] = []
    for run, cells in enumerate(_runs(series.cells)):
        for c in cells:
            sure = c.state != "provisional"
            tell = f"{month(c.month)}: {number(c.observed or 0.0)}{'' if sure else ' (provisional)'}"
            rows.append(
                {
                    "x": place[c.month],
                    "y": c.observed,
                    "run": run,
                    "fill": INK if sure else "#FFFFFF",
                    "tell": tell,
                }
            )
    crosses = [
        {"x": place[c.month], "y": 0, "tell": f"{month(c.month)}: taken out"}
        for c in series.cells
        if c.state == "masked"
    ]
    ticks = [
        {"x": place[c.month], "y": 0, "tell": f"{month(c.month)}: no data"}
        for c in series.cells
        if c.state == "missing"
    ]
    layers = [
        layer({"type": "line", "color": INK, "strokeWidth": 0.8}, rows, x=x, y=y("y"), detail={"field": "run", "type": "nominal"}),
        layer({"type": "point", "filled": True, "size": 16, "stroke": INK, "strokeWidth": 0.8, "opacity": 1}, rows, x=x, y=y("y"), fill=fixed("fill"), tooltip=told()),
        layer({"type": "point", "shape": "cross", "angle": 45, "size": 60, "color": INK, "filled": True}, crosses, x=x, y=y("y"), tooltip=told()),
        layer({"type": "tick", "orient": "vertical", "size": 8, "thickness": 1, "color": INK}, ticks, x=x, y=y("y"), tooltip=told()),
    ]  # fmt: skip
    ahead = [i for i, c in enumerate(series.cells) if c.state == "future"]
    if ahead:
        layers += _line_at(x, y, ahead[0], "forecast", top)
    if series.splice is not None and series.splice.month in place:
        layers += _line_at(x, y, place[series.splice.month] - 0.5, f"{series.splice.after} figures", top)
    return layers


def _line_at(x: Spec, y: Any, position: float, text: str, top: float) -> list[Spec]:
    """A dashed line with a word at its head."""
    row = [{"x": position, "y": top, "text": text}]
    mark = {
        "type": "text",
        "align": "left",
        "baseline": "top",
        "dx": 4,
        "dy": -2,
        "color": MUTED,
        "fontSize": 10,
    }
    return [
        layer({"type": "rule", "strokeDash": [3, 3], "color": MUTED, "strokeWidth": 0.8}, row, x=x),
        layer(mark, row, x=x, y=y("y"), text={"field": "text", "type": "nominal"}),
    ]


def _runs(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Unbroken stretches of observed months; a line never bridges a gap."""
    kept = groupby(cells, key=lambda cell: cell.observed is not None and cell.state != "future")
    return [list(run) for held, run in kept if held]


def _ribbon(brief: Brief, months: Sequence[str]) -> Spec:
    """Regime probabilities under a stream, month by month."""
    place = {name: i for i, name in enumerate(months)}
    rows = stacked(brief, [entry for entry in brief.history if entry.month in place], place)
    mark = {"type": "rect", "stroke": None}
    y = up("low", domain=(0, 1), axis=None)
    ends = {"x2": {"field": "x2"}, "y2": {"field": "high"}}
    side = {"type": "text", "align": "right", "baseline": "middle", "dx": -6, "fontSize": 10, "color": MUTED}
    label = layer(
        side,
        [{"x": 0, "low": 0.5, "text": "regime"}],
        x=along_months(months),
        y=y,
        text={"field": "text", "type": "nominal"},
    )
    strip = layer(mark, rows, x=along_months(months), y=y, color=fixed("hue"), tooltip=told(), **ends)
    return {"width": 560, "height": RIBBON, "layer": [strip, label]}


def _stack(brief: Brief, *, width: int, height: int, wrap: int) -> Spec:
    """The history as steps, one colour per regime, each named beside its last value."""
    months = [entry.month for entry in brief.history]
    place = {name: i for i, name in enumerate(months)}
    rows = stacked(brief, brief.history, place)
    x, y = along_months(months), up("low", domain=(0, 1), axis=share_axis())
    hue, last = hues(brief.scenarios), brief.history[-1]
    middles = {row["scenario"]: (row["low"] + row["high"]) / 2 for row in rows if row["x2"] == len(months)}
    side = []
    for scenario, p in zip(brief.scenarios, last.regime, strict=True):
        lines = wrapped(scenario.title, wrap)
        named = [*lines[:-1], f"{lines[-1]} {percent(p)}"]
        side.append((named, middles[scenario.id], for_text(hue[scenario.id])))
    named_beside = beside(side, at=1.03 * len(months), x=x, y=y, height=height)
    return {"width": width, "height": height, "layer": [*steps(rows, x=x, y=y), named_beside]}


def steps(rows: Sequence[Mapping[str, Any]], *, x: Spec, y: Spec) -> list[Spec]:
    """The rows of `stacked` as areas in steps, and over them, unseen, what each month tells when it is pointed at."""
    end = max(row["x2"] for row in rows)
    closing = [{**row, "x": row["x2"]} for row in rows if row["x2"] == end]
    area = {"type": "area", "interpolate": "step-after", "line": False}
    over = {"type": "rect", "opacity": 0}
    head = {"field": "high"}
    shares = {"color": fixed("hue"), "detail": {"field": "scenario", "type": "nominal"}}
    return [
        layer(area, [*rows, *closing], x=x, y=y, y2=head, **shares),
        layer(over, rows, x=x, x2={"field": "x2"}, y=y, y2=head, tooltip=told()),
    ]


def stacked(brief: Brief, entries: Sequence[Month], place: dict[str, int]) -> list[dict[str, Any]]:
    """Rows with the foot and head of each regime in each month, the most severe at the foot."""
    hue = hues(brief.scenarios)
    rows: list[dict[str, Any]] = []
    for entry in entries:
        foot = 0.0
        for scenario, p in reversed(list(zip(brief.scenarios, entry.regime, strict=True))):
            tell = f"{month(entry.month)}: {lowered(scenario.title)} {percent(p)}"
            start = place[entry.month]
            rows.append(
                {
                    "x": start,
                    "x2": start + 1,
                    "low": foot,
                    "high": min(foot + p, 1.0),
                    "scenario": scenario.id,
                    "hue": hue[scenario.id],
                    "tell": tell,
                }
            )
            foot = min(foot + p, 1.0)
    return rows
