"""Charts made of cells: transition matrices, how the rules resolved the past, what the sources cover."""

from collections.abc import Sequence

from reports.brief import Brief
from reports.cells import scenario_title, shares, stream_title
from reports.colours import FAINT, MUTED, PAPER, contrast, hues
from reports.parts import Coverage, Matrix
from reports.spec import (
    LINE,
    Chart,
    Spec,
    along,
    chart_spec,
    fixed,
    layer,
    named_axis,
    raised,
    told,
    wrapped,
    year_axis,
)
from reports.text import capitalised, lowered, read
from reports.words import GAP, interval, listed, month, plural, quarter, spelled

WIDE = 600  # pixels of a full-width chart
HIGH = 50  # pixels of a row of cells
SILENT = "#D9D9DA"  # a quarter that no rule decides
ON_COLOUR = ("#333334", "#FFFFFE")  # text on a coloured cell, which a dark page leaves alone
STATES = {
    "#": "covered",
    "~": "provisional",
    "x": "taken out",
    ".": "missing",
    "-": "outside what the source covers",
}
SHADES = {"#": "#6B6B6B", "~": "#B9B9B9", "x": "#FFFFFF", ".": "#FFFFFF", "-": "#FFFFFF"}


def matrix(brief: Brief, table: Matrix, key: str) -> Chart:
    """A transition matrix as a labelled table: the stronger the colour of the goal, the likelier."""
    row = _foremost(brief, table)
    odds = zip(table.columns, shares(table.cells[row]), table.cells[row], strict=True)
    told_row = [
        f"{lowered(scenario_title(brief, name))} {read(text)}"
        for name, text, cell in odds
        if cell is not None
    ]
    step = "a month" if table.per == "month" else "a quarter"
    origin = lowered(scenario_title(brief, table.rows[row]))
    title = (
        f"{capitalised(step)} after {origin}: {listed(told_row)}"
        if told_row
        else f"No future visits {origin}"
    )
    lines = []
    for name, cells in zip(table.rows, table.cells, strict=True):
        told_cells = [
            f"to {lowered(scenario_title(brief, goal))} {read(text)} ({interval(cell.q05, cell.q95, cell.mcse)})"
            for goal, text, cell in zip(table.columns, shares(cells), cells, strict=True)
            if cell is not None
        ]
        lines.append(
            f"From {lowered(scenario_title(brief, name))}: {', '.join(told_cells) or 'never visited'}"
        )
    alt = f"{title}. Probabilities over {step}, with 90{GAP}% intervals. {'. '.join(lines)}."
    return Chart(key=key, title=title, alt=alt, spec=_heat(brief, table))


def rules(brief: Brief) -> Chart:
    """How the written rules resolved every quarter of the window."""
    counts = {scenario.id: 0 for scenario in brief.scenarios}
    silent = 0
    for entry in brief.resolved_history:
        if entry.resolved is None:
            silent += 1
        else:
            counts[entry.resolved] = counts.get(entry.resolved, 0) + 1
    told_counts = [
        f"{spelled(count)} as {lowered(scenario_title(brief, name))}" for name, count in counts.items()
    ]
    title = f"The rules resolve {plural(sum(counts.values()), 'quarter')}: {listed(told_counts)}"
    title += f"; {spelled(silent)} unresolved" if silent else ""
    named = [
        f"{quarter(entry.quarter)} {lowered(scenario_title(brief, entry.resolved)) if entry.resolved else 'unresolved'}"
        for entry in brief.resolved_history
    ]
    return Chart(key="rules", title=title, alt=f"{title}. {', '.join(named)}.", spec=_strip(brief))


def coverage(brief: Brief, strip: Coverage) -> Chart:
    """Which months each stream knows, provisionally or not at all."""
    titles = [stream_title(brief, name) for name, _ in strip.rows]
    short = [title for title, (_, states) in zip(titles, strip.rows, strict=True) if states[-1] in ".-"]
    last = month(strip.months[-1])
    title = f"{capitalised(plural(len(short), 'stream'))} of {spelled(len(titles))} {'ends' if len(short) == 1 else 'end'} before {last}"
    counts = []
    for name, (_, states) in zip(titles, strip.rows, strict=True):
        parts = [
            f"{plural(states.count(sign), 'month')} {word}" for sign, word in STATES.items() if sign in states
        ]
        counts.append(f"{name}: {', '.join(parts)}")
    alt = f"{title}. {month(strip.months[0])} to {last}. {'. '.join(counts)}."
    return Chart(key="coverage", title=title, alt=alt, spec=_coverage(titles, strip))


def _foremost(brief: Brief, table: Matrix) -> int:
    """The row to speak of: where things stand, else the reference scenario."""
    wanted = brief.last_resolved[1] if brief.last_resolved else None
    if wanted in table.rows and table.cells[table.rows.index(wanted)][0] is not None:
        return table.rows.index(wanted)
    reference = next((s.id for s in brief.scenarios if s.is_reference), table.rows[0])
    return table.rows.index(reference)


def _heat(brief: Brief, table: Matrix) -> Spec:
    hue = hues(brief.scenarios)
    size = WIDE / (len(table.columns) + 1.3)
    boxes: list[dict[str, object]] = []
    for i, cells in enumerate(table.cells):
        for j, (text, cell) in enumerate(zip(shares(cells), cells, strict=True)):
            ground = PAPER if cell is None else _blend(hue[table.columns[j]], cell.mean)
            ink = _ink(ground)
            span = [] if cell is None else [interval(cell.q05, cell.q95, cell.mcse)]
            boxes.append({"x": j, "x2": j + 1, "y": i, "y2": i + 1, "cx": j + 0.5, "cy": i + 0.5 - raised([""] * (1 + len(span)), HIGH), "hue": ground, "ink": ink, "lines": [read(text), *span]})  # fmt: skip
    x = along("x", domain=(-1.3, len(table.columns)), axis=None)
    y = along("y", domain=(len(table.rows), 0), axis=None)
    centre = {"type": "text", "baseline": "middle", "lineHeight": LINE}
    goals = [f"to {lowered(scenario_title(brief, name))}" for name in table.columns]
    heads = [{"x": j + 0.5, "y": 0, "lines": wrapped(name, 20)} for j, name in enumerate(goals)]
    origins = [wrapped(f"from {lowered(scenario_title(brief, name))}", 24) for name in table.rows]
    sides = [{"x": -0.05, "y": i + 0.5 - raised(name, HIGH), "lines": name} for i, name in enumerate(origins)]
    lines = {"field": "lines", "type": "nominal"}
    depth = max(len(wrapped(name, 20)) for name in goals)
    return chart_spec(
        {
            "width": round(size * (len(table.columns) + 1.3)),
            "height": HIGH * len(table.rows),
            "layer": [
                layer(
                    {"type": "rect", "stroke": FAINT, "strokeWidth": 0.5},
                    boxes,
                    x=x,
                    x2={"field": "x2"},
                    y=y,
                    y2={"field": "y2"},
                    color=fixed("hue"),
                ),
                layer(
                    centre,
                    boxes,
                    x={**x, "field": "cx"},
                    y={**y, "field": "cy"},
                    text=lines,
                    color=fixed("ink"),
                ),
                layer(
                    {**centre, "baseline": "bottom", "dy": -4 - LINE * (depth - 1)},
                    heads,
                    x=x,
                    y=y,
                    text=lines,
                ),
                layer({**centre, "align": "right"}, sides, x=x, y=y, text=lines),
            ],
        }
    )


def _strip(brief: Brief) -> Spec:
    entries = brief.resolved_history
    hue = hues(brief.scenarios)
    rows: list[dict[str, object]] = []
    for i, entry in enumerate(entries):
        name = "unresolved" if entry.resolved is None else scenario_title(brief, entry.resolved)
        colour = SILENT if entry.resolved is None else hue.get(entry.resolved, MUTED)
        ink = _ink(colour)
        rows.append({"x": i, "x2": i + 1, "cx": i + 0.5, "hue": colour, "ink": ink, "letter": "?" if entry.resolved is None else name[:1], "tell": f"{quarter(entry.quarter)}: {name}"})  # fmt: skip
    every = max(1, -(-len(entries) // 12))
    names = [quarter(entry.quarter) if i % every == 0 else "" for i, entry in enumerate(entries)]
    axis = {
        **named_axis(names),
        "labelExpr": f"{names!r}[datum.value - 0.5]",
        "values": [i + 0.5 for i in range(len(entries))],
        "domain": False,
    }
    x = along("x", domain=(0, len(entries)), axis=axis)
    boxes = layer(
        {"type": "rect", "stroke": PAPER, "strokeWidth": 1},
        rows,
        x=x,
        x2={"field": "x2"},
        color=fixed("hue"),
        tooltip=told(),
    )
    letter = {"field": "letter", "type": "nominal"}
    centre = {**x, "field": "cx"}
    letters = layer({"type": "text", "baseline": "middle"}, rows, x=centre, text=letter, color=fixed("ink"))
    return chart_spec({"width": WIDE, "height": 26, "layer": [boxes, letters]})


def _coverage(titles: Sequence[str], strip: Coverage) -> Spec:
    rows: list[dict[str, object]] = []
    for j, (title, (_, states)) in enumerate(zip(titles, strip.rows, strict=True)):
        for name, start, end, sign in _stretches(strip.months, states):
            rows.append({"x": start, "x2": end, "y": j + 0.15, "y2": j + 0.85, "hue": SHADES[sign], "tell": f"{title}, {name}: {STATES[sign]}", "sign": "×" if sign == "x" else "", "cx": (start + end) / 2, "cy": j + 0.5})  # fmt: skip
    x = along("x", domain=(0, len(strip.months)), axis=year_axis(strip.months))
    y = along("y", domain=(len(titles), 0), axis=None)
    names = [wrapped(title, 30) for title in titles]
    sides = [{"x": 0, "y": j + 0.5 - raised(lines, 30), "lines": lines} for j, lines in enumerate(names)]
    return chart_spec(
        {
            "width": WIDE - 180,
            "height": 30 * len(titles),
            "layer": [
                layer(
                    {"type": "rect", "stroke": MUTED, "strokeWidth": 0.5},
                    rows,
                    x=x,
                    x2={"field": "x2"},
                    y=y,
                    y2={"field": "y2"},
                    color=fixed("hue"),
                    tooltip=told(),
                ),
                layer(
                    {"type": "text", "baseline": "middle", "fontSize": 14},
                    [row for row in rows if row["sign"]],
                    x={**x, "field": "cx"},
                    y={**y, "field": "cy"},
                    text={"field": "sign", "type": "nominal"},
                ),
                layer(
                    {"type": "text", "align": "right", "baseline": "middle", "dx": -8, "lineHeight": 13},
                    sides,
                    x=x,
                    y=y,
                    text={"field": "lines", "type": "nominal"},
                ),
            ],
        }
    )


def _stretches(months: Sequence[str], states: str) -> list[tuple[str, int, int, str]]:
    """Runs of months in the same state: their name, start, end and sign."""
    found: list[tuple[str, int, int, str]] = []
    start = 0
    for i in range(1, len(states) + 1):
        if i == len(states) or states[i] != states[start]:
            name = (
                month(months[start])
                if i == start + 1
                else f"{month(months[start])} to {month(months[i - 1])}"
            )
            found.append((name, start, i, states[start]))
            start = i
    return found


def _ink(ground: str) -> str:
    """Dark or light text, whichever reads better on the ground."""
    return max(ON_COLOUR, key=lambda ink: contrast(ink, ground))


def _blend(colour: str, share: float) -> str:
    """The colour laid over paper at the given strength."""
    mixed = (round(255 + (int(colour[i : i + 2], 16) - 255) * share) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02X}" for part in mixed)
