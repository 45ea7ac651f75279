"""What `compare` prints: both forecasts side by side, and under each quarter the bars between them; never printed here."""

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.moved import NOISE, points
from forecast.terminal import table
from reports import words

type Json = Mapping[str, Any]

NONE = "–"


def comparison_table(record: Json) -> str:
    """Each quarter that both runs speak of, before and after, and, where the change was divided, among which causes.

    Args:
        record: as ``forecast.comparison.compare`` returns it.
    """
    before, after = record["before"], record["after"]
    lines = [
        f"{before['run']} (data to {before['origin']}) against {after['run']} (data to {after['origin']})",
        f"what differs: {words.listed(record['differs']) if record['differs'] else 'nothing'}",
    ]
    divided = record["moved"]
    if not record["same_rules"]:
        asks = "THE RULES DIFFER: the same words ask another question, and a shift may come from that alone"
        lines.append(f"{asks}." if divided is None else f"{asks}: the bar of edited rules.")
    lines += ["", _sides(record["quarters"], record["scenarios"])]
    if divided is not None:
        for entry in divided["quarters"]:
            lines += ["", _bars(entry, divided["bars"], record["scenarios"])]
        lines += ["( ) within two Monte Carlo errors; ~ depends on the order in which the causes come"]
    return "\n".join(lines)


def _sides(quarters: Sequence[Json], scenarios: Sequence[Json]) -> str:
    """Both forecasts in percents that add up as the reports have them, and the shift in points."""
    titles = {scenario["id"]: scenario["title"] for scenario in scenarios}
    rows = []
    for entry in quarters:
        row = entry["resolved"]
        then, now = (_column([row[key][side] for key in titles]) for side in ("before", "after"))
        for at, (key, title) in enumerate(titles.items()):
            cell = row[key]
            rows.append(
                (
                    f"{words.quarter(entry['quarter'])}  {title}",
                    then[at],
                    now[at],
                    NONE if cell["shift"] is None else points(cell["shift"]),
                    NONE if cell["mcse"] is None else words.number(100 * cell["mcse"], decimals=1),
                    "*" if cell["beyond_noise"] else "",
                )
            )
    header = ("quarter and scenario", "before", "after", "points", "MC error", "")
    return f"{table(header, rows)}\n* more than {NOISE:g} Monte Carlo errors"


def _column(estimates: Sequence[Json | None]) -> list[str]:
    known = [one for one in estimates if one is not None and one["mean"] is not None]
    if len(known) < len(estimates):
        return [NONE] * len(estimates)
    means = words.percents([one["mean"] for one in known], [one["mcse"] for one in known]).spans
    return [
        f"{mean.text} ({words.interval(one['q05'], one['q95'], one['mcse'])})"
        for mean, one in zip(means, known, strict=True)
    ]


def _bars(entry: Json, bars: Sequence[Json], scenarios: Sequence[Json]) -> str:
    """One quarter: a line for each cause, a column for each scenario, points with their Monte Carlo errors."""
    cells = [entry["resolved"][scenario["id"]] for scenario in scenarios]
    rows = [(bar["title"], *(_bar(cell["bars"][bar["name"]]) for cell in cells)) for bar in bars]
    total = ("together", *(NONE if cell["shift"] is None else points(cell["shift"]) for cell in cells))
    header = (f"{words.quarter(entry['quarter'])}, points", *(scenario["title"] for scenario in scenarios))
    return table(header, [*rows, total])


def _bar(bar: Json) -> str:
    if bar["shift"] is None:
        return NONE
    text = f"{points(bar['shift'])} ± {words.number(100 * bar['mcse'], decimals=1)}"
    return f"{text}{' ~' if bar['depends_on_order'] else ''}" if bar["told"] else f"({text})"
