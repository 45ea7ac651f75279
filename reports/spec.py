"""The grammar that all charts share: a Vega-Lite specification is a plain dict, drawn to SVG without a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from reports.colours import FAINT, INK, MUTED
from reports.words import GAP, MONTHS

Spec = dict[str, Any]
FONT = "Source Sans Pro, system-ui, sans-serif"
SIZE = 11
LINE = 13  # height of one line of a label, in pixels
GUTTER = 5  # pixels between two labels
TICKS = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart: a title that is its message, the same in words for those who cannot see it, the drawing."""

    key: str
    title: str
    alt: str
    spec: Spec
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure before it is drawn."""

    key: str
    title: str
    alt: str
    spec: Spec


def draw(chart: Chart) -> Figure:
    """The chart as SVG; the same bytes for the same chart."""
    return Figure(key=chart.key, title=chart.title, alt=chart.alt, spec=chart.spec, svg=_svg(chart.spec))


def chart_spec(content: Spec) -> Spec:
    """A complete specification around `content`: no background, no grid, one family, three greys."""
    datasets: dict[str, list[Any]] = {}
    shared = _shared(content, datasets)
    return {**shared, "datasets": datasets, "background": None, "padding": 2, "config": CONFIG}


def layer(mark: Spec | str, data: Sequence[Mapping[str, Any]], **encoding: Any) -> Spec:
    """One mark with its own rows."""
    return {"mark": mark, "data": {"values": [dict(row) for row in data]}, "encoding": encoding}


def along(field: str, *, domain: tuple[float, float], axis: Spec | None) -> Spec:
    """A quantitative horizontal position on a fixed domain."""
    scale = {"domain": list(domain), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis, "title": None}


def up(field: str, *, domain: tuple[float, float], axis: Spec | None) -> Spec:
    """A quantitative vertical position on a fixed domain."""
    return along(field, domain=domain, axis=axis)


def share_axis() -> Spec:
    """An axis of probabilities in percent."""
    return {
        "values": list(TICKS),
        "labelExpr": f"datum.value * 100 + '{GAP}%'",
        "grid": True,
        "domain": False,
        "ticks": False,
    }


def named_axis(names: Sequence[str]) -> Spec:
    """An axis of positions 0, 1, … with a name each."""
    return {"values": list(range(len(names))), "labelExpr": f"{list(names)!r}[datum.value]", "ticks": False}


def year_axis(months: Sequence[str]) -> Spec:
    """An axis of month positions 0, 1, … that names every January by its year, every other one when crowded."""
    every = 1 if len(months) <= 120 else 2 if len(months) <= 240 else 5
    years = {
        i: name[:4] for i, name in enumerate(months) if name.endswith("-01") and int(name[:4]) % every == 0
    }
    if not years:
        years = {0: f"{MONTHS[int(months[0][5:7]) - 1][:3]} {months[0][:4]}"}
    first = min(years)
    return {
        "values": list(years),
        "labelExpr": f"'' + ({years[first][:4]} + (datum.value - {first}) / 12)"
        if years[first].isdigit()
        else f"'{years[first]}'",
        "labelAlign": "left",
        "labelOffset": 0,
    }


def told() -> Spec:
    """A tooltip from the field ``tell``, already in words."""
    return {"field": "tell", "type": "nominal"}


def fixed(field: str) -> Spec:
    """Colours as the rows state them."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of about `width` characters, broken at blanks; a longer word is broken by force."""
    pieces = [word[i : i + width] for word in text.split(" ") for i in range(0, max(len(word), 1), width)]
    lines = [""]
    for piece in pieces:
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > width:
            lines.append(piece)
        else:
            lines[-1] = f"{lines[-1]} {piece}".strip()
    return lines


def spaced(places: Sequence[float], needs: Sequence[float], *, low: float, high: float) -> list[float]:
    """Places moved as little as needed so that labels of the given heights do not overlap, kept within bounds.

    A pass upwards pushes each label over the one below, a pass downwards brings back what left the frame.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    floor = low
    for i in order:
        moved[i] = max(moved[i], floor + needs[i] / 2)
        floor = moved[i] + needs[i] / 2
    ceiling = high
    for i in reversed(order):
        moved[i] = min(moved[i], ceiling - needs[i] / 2)
        ceiling = moved[i] - needs[i] / 2
    return moved


def raised(lines: Sequence[str], pixels: float) -> float:
    """How far the first line stands above the middle of the block, as a share of `pixels`."""
    return (len(lines) - 1) * LINE / 2 / pixels


def beside(
    labels: Sequence[tuple[list[str], float, str]], *, at: float, x: Spec, y: Spec, height: float
) -> Spec:
    """Direct labels to the right of their places, moved apart where they would overlap.

    Args:
        labels: lines, vertical place between 0 and 1, ink.
        at: their horizontal place.
        x: the horizontal encoding of the chart.
        y: the vertical one.
        height: of the chart, in pixels.
    """
    heights = [(len(lines) * LINE + GUTTER) / height for lines, _, _ in labels]
    places = spaced([place for _, place, _ in labels], heights, low=-0.02, high=1.02)
    rows = [
        {x["field"]: at, y["field"]: place + raised(lines, height), "lines": lines, "ink": ink}
        for (lines, _, ink), place in zip(labels, places, strict=True)
    ]
    mark = {"type": "text", "align": "left", "baseline": "middle", "fontSize": SIZE, "lineHeight": LINE}
    return layer(mark, rows, x=x, y=y, text={"field": "lines", "type": "nominal"}, color=fixed("ink"))


CONFIG: Spec = {
    "font": FONT,
    "aria": False,  # the figure around a chart says it all in one sentence
    "view": {"stroke": None},
    "axis": {
        "grid": False,
        "gridColor": FAINT,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "tickSize": 4,
        "labelColor": INK,
        "labelFontSize": SIZE,
        "labelPadding": 4,
        "titleColor": INK,
        "titleFontSize": SIZE,
        "titleFontWeight": "normal",
    },
    "text": {"fontSize": SIZE, "color": INK},
    "legend": {"labelFontSize": SIZE, "labelColor": INK, "title": None, "labelLimit": 0},
}


def _shared(part: Any, datasets: dict[str, list[Any]]) -> Any:
    """The part with equal rows stored once under a name, since several marks often draw the same rows."""
    if isinstance(part, list):
        return [_shared(entry, datasets) for entry in part]
    if not isinstance(part, dict):
        return part
    if set(part) == {"values"} and isinstance(part["values"], list):
        name = next(
            (name for name, rows in datasets.items() if rows == part["values"]), f"rows{len(datasets)}"
        )
        datasets[name] = part["values"]
        return {"name": name}
    return {key: _shared(value, datasets) for key, value in part.items()}


@cache
def _fonts() -> None:
    """The family of the PDF is registered once, so that text is measured alike on every machine."""
    import vl_convert

    vl_convert.register_font_directory(str(files("font_source_sans_pro") / "files"))


def start_drawing() -> None:
    """The first chart that is drawn waits for the engine; this one is for that alone."""
    _svg({"data": {"values": [{}]}, "mark": "point"})


def _svg(spec: Spec) -> str:
    import vl_convert

    _fonts()
    return str(vl_convert.vegalite_to_svg(spec, show_warnings=False))
