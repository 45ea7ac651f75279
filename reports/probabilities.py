"""Charts of the scenarios' probabilities over the quarters ahead, with whiskers and a label beside each line."""

from collections.abc import Sequence

from reports.brief import Brief
from reports.cells import as_told, scenario_title
from reports.colours import SHAPES, for_text, hues
from reports.parts import Estimate
from reports.spec import (
    Chart,
    Spec,
    along,
    beside,
    chart_spec,
    fixed,
    layer,
    named_axis,
    share_axis,
    told,
    up,
    wrapped,
)
from reports.text import capitalised, lowered, read
from reports.words import GAP, interval, plural, quarter

Lines = Sequence[tuple[str, Sequence[Estimate | None]]]


def quarters(brief: Brief) -> Chart:
    """The four quarters on page one."""
    rows = {s.id: [entry.resolved[k] for entry in brief.quarters] for k, s in enumerate(brief.scenarios)}
    names = [entry.quarter for entry in brief.quarters]
    title = _lead(brief, names, rows)
    alt = _alt(brief, names, list(rows.items()), "Probability of each scenario by quarter")
    spec = _lines(brief, names, list(rows.items()), width=222, height=190, wrap=17)
    return Chart(key="quarters", title=title, alt=f"{title}. {alt}", spec=spec)


def first_passage(brief: Brief) -> Chart:
    """The probability that a scenario has come by each quarter."""
    names = list(brief.first_passage[0].quarters)
    rows = [(p.scenario, p.estimates) for p in brief.first_passage]
    open_rows = [(name, row) for name, row in rows if row[-1] is not None]
    title = "When a scenario may first come"
    written = {scenario.id for scenario in brief.scenarios if not scenario.is_remainder}
    open_rows = [(name, row) for name, row in open_rows if name in written] or open_rows
    if open_rows:
        name, row = open_rows[-1]
        last = row[-1]
        if last is not None:
            by = f"{scenario_title(brief, name)} by {quarter(names[-1])}"
            title = f"{by}: {read(as_told(brief, last.mean))} ({interval(last.q05, last.q95, last.mcse)})"
    alt = _alt(brief, names, rows, "Probability that some quarter up to this one resolves to the scenario")
    return Chart(
        key="first-passage",
        title=title,
        alt=f"{title}. {alt}",
        spec=_lines(brief, names, rows, width=440, height=200, wrap=26),
    )


def _lead(brief: Brief, names: Sequence[str], rows: dict[str, list[Estimate | None]]) -> str:
    """Who leads, from the first quarter to the last."""
    known = [{name: row[i] for name, row in rows.items()} for i in range(len(names))]
    means = [{name: e.mean for name, e in entry.items() if e is not None} for entry in known]
    leaders = [max(entry, key=entry.__getitem__) for entry in means if entry]
    if len(leaders) < len(names):
        return "In some quarters no rule decides in any simulated future"
    first, start, end = leaders[0], means[0][leaders[0]], means[-1][leaders[-1]]
    if len(names) == 1:
        return f"{scenario_title(brief, first)} leads in {quarter(names[0])}: {read(as_told(brief, start))}"
    if set(leaders) == {first}:
        span = f"{read(as_told(brief, start))} in {quarter(names[0])}, {read(as_told(brief, end))} in {quarter(names[-1])}"
        return f"{scenario_title(brief, first)} leads in all {plural(len(names), 'quarter')}: {span}"
    turn = next(i for i, leader in enumerate(leaders) if leader != first)
    goal = lowered(scenario_title(brief, leaders[turn]))
    return f"The lead passes from {lowered(scenario_title(brief, first))} to {goal} in {quarter(names[turn])}"


def _alt(brief: Brief, names: Sequence[str], rows: Lines, lead: str) -> str:
    told_rows = []
    for name, row in rows:
        points = [
            f"{quarter(q)} {read(as_told(brief, e.mean))} ({interval(e.q05, e.q95, e.mcse)})"
            for q, e in zip(names, row, strict=True)
            if e is not None
        ]
        told_rows.append(
            f"{capitalised(scenario_title(brief, name))}: {', '.join(points) or 'already there'}"
        )
    return f"{lead}, with 90{GAP}% intervals. {'. '.join(told_rows)}."


def _lines(brief: Brief, names: Sequence[str], rows: Lines, *, width: int, height: int, wrap: int) -> Spec:
    colour = hues(brief.scenarios)
    known = [(name, [(i, e) for i, e in enumerate(row) if e is not None]) for name, row in rows]
    known = [(name, row) for name, row in known if row]
    domain = (-0.3, len(names) - 0.7)
    x = along("x", domain=domain, axis=named_axis([quarter(name) for name in names]))
    y = up("mean", domain=(0, 1), axis=share_axis())
    points: list[dict[str, object]] = []
    ends: list[tuple[list[str], float, str]] = []
    for k, (name, row) in enumerate(known):
        aside = (k - (len(known) - 1) / 2) * 0.09  # beside each other, so that no whisker hides another
        for i, e in row:
            text = read(as_told(brief, e.mean))
            tell = f"{scenario_title(brief, name)}, {quarter(names[i])}: {text} ({interval(e.q05, e.q95, e.mcse)})"
            shape = SHAPES[k % len(SHAPES)]
            points.append(
                {
                    "x": i + aside,
                    "mean": e.mean,
                    "low": e.q05,
                    "high": e.q95,
                    "hue": colour[name],
                    "shape": shape,
                    "tell": tell,
                }
            )
        lines = wrapped(scenario_title(brief, name), wrap)
        last = row[-1][1].mean
        ends.append(
            ([*lines[:-1], f"{lines[-1]} {read(as_told(brief, last))}"], last, for_text(colour[name]))
        )
    hue = fixed("hue")
    return chart_spec(
        {
            "width": width,
            "height": height,
            "layer": [
                layer({"type": "line", "strokeWidth": 1.2, "opacity": 0.6}, points, x=x, y=y, color=hue),
                layer(
                    {"type": "rule", "strokeWidth": 1.6},
                    points,
                    x=x,
                    y={**y, "field": "low"},
                    y2={"field": "high"},
                    color=hue,
                ),
                layer(
                    {"type": "point", "filled": True, "size": 46, "opacity": 1},
                    points,
                    x=x,
                    y=y,
                    color=hue,
                    shape={"field": "shape", "type": "nominal", "scale": None, "legend": None},
                    tooltip=told(),
                ),
                beside(ends, at=domain[1] + 0.05, x=x, y=y, height=height),
            ],
        }
    )
