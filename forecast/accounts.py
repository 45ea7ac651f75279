"""What commands about stored runs show, as text made from their records; never printed here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecast.terminal import NONE, points, table
from reports import words

if TYPE_CHECKING:
    from forecast.doctor import Finding
    from forecast.ledger import Entry
    from forecast.replay import Replay

type Json = Mapping[str, Any]


def ledger_list(rows: Sequence[Json]) -> str:
    """One line for each forecast, oldest first."""
    if not rows:
        return "no forecast has been issued yet"
    header = ("run", "as of", "timing", "issued at", "forced", "headline")
    cells = [
        (
            row["run"],
            row["as_of"],
            row["timing"],
            row["issued_at"],
            "forced" if row["forced"] else "",
            row["headline"],
        )
        for row in rows
    ]
    return table(header, cells)


def leading(record: Json) -> str:
    """The first quarter's likeliest scenario, in a few words."""
    first = record["quarters"][0]
    titles = {scenario["id"]: scenario["title"] for scenario in record["scenarios"]}
    known = {key: e for key, e in first["resolved"].items() if e["mean"] is not None}
    if not known:
        return f"{words.quarter(first['quarter'])}: unresolved"
    best = max(known, key=lambda key: known[key]["mean"])
    column = words.percents([e["mean"] for e in known.values()], [e["mcse"] for e in known.values()])
    shown = dict(zip(known, column.spans, strict=True))
    return f"{words.quarter(first['quarter'])}: {titles[best]} {shown[best].text}"


def ledger_entry(entries: "Sequence[Entry]") -> str:
    """Everything the ledger holds of a run or a question, each entry whole."""
    parts = []
    for entry in entries:
        regards = f", regards entry {entry.regards}" if entry.regards is not None else ""
        parts += [
            f"entry {entry.seq}: {entry.kind} {entry.subject}, {entry.created_at}{regards}",
            f"hash {entry.hash}",
            f"previous {entry.previous}",
            entry.payload.rstrip("\n"),
        ]
    return "\n".join(parts)


def whatif(record: Json) -> str:
    """The quarters with and without what is set, the difference in points, and the beliefs behind it."""
    titles = {scenario["id"]: scenario["title"] for scenario in record["scenarios"]}
    lines = [f"{record['title']}: what if, from run {record['run']}"]
    lines += [f"lever {lever['title']}: {lever['because']}" for lever in record["levers"]]
    lines += [f"set {_course(move)} ({move['title']})" for move in record["moves"]]
    rows = []
    for entry in record["quarters"]:
        row = entry["resolved"]
        stands, given = (
            _column([cell[told] for cell in row.values()]) for told in ("unconditional", "conditional")
        )
        for (key, cell), before, after in zip(row.items(), stands, given, strict=True):
            shift = cell["difference"]
            error = NONE if shift["mcse"] is None else f"{100 * shift['mcse']:.1f}"
            name = f"{words.quarter(entry['quarter'])}  {titles[key]}"
            rows.append((name, before, after, points(shift["mean"]), _span(shift), error))
    header = ("quarter and scenario", "as it stands", "what if", "points", "90 % interval", "MC error")
    lines += ["", table(header, rows), ""]
    first, *others = record["notes"]
    lines.append(first)
    for belief in record["beliefs"]:
        fitted = belief["fitted"]
        after = (
            f"; with the data {fitted['q50']:.2g} ({fitted['q05']:.2g}–{fitted['q95']:.2g})" if fitted else ""
        )
        lines += [
            f"{belief['key']}: {belief['says']}, times the odds{after}. "
            f"{belief['because']} ({belief['author']}, {belief['date']})"
        ]
    return "\n".join([*lines, *(f"note: {note}" for note in others)])


def comparison(record: Json) -> str:
    """Each quarter that both runs speak of, before and after, and, where the change was divided, among which causes."""
    before, after, divided = record["before"], record["after"], record["moved"]
    lines = [
        f"{before['run']} (data to {before['origin']}) against {after['run']} (data to {after['origin']})",
        f"what differs: {words.listed(record['differs']) if record['differs'] else 'nothing'}",
    ]
    if not record["same_rules"]:
        lines.append(
            "THE RULES DIFFER: the same words ask another question, and a shift may come from that alone."
        )
    lines += ["", shifts(record["quarters"], record["scenarios"])]
    if divided is not None:
        tables = (_bars(entry, divided["bars"], record["scenarios"]) for entry in divided["quarters"])
        lines += [line for text in tables for line in ("", text)]
        lines.append(
            "( ) within two Monte Carlo errors, or next to nothing; ~ depends on the order in which the causes come"
        )
    return "\n".join(lines)


def shifts(quarters: Sequence[Json], scenarios: Sequence[Json]) -> str:
    """A table of shifts in points; an asterisk where one exceeds two Monte Carlo errors."""
    titles = {scenario["id"]: scenario["title"] for scenario in scenarios}
    rows = [
        (
            f"{words.quarter(entry['quarter'])}  {titles[key]}",
            then,
            now,
            points(cell["shift"]),
            NONE if cell["mcse"] is None else f"{100 * cell['mcse']:.1f}",
            "*" if cell["beyond_noise"] else "",
        )
        for entry in quarters
        for (key, cell), then, now in zip(
            entry["resolved"].items(),
            *(_column([cell[side] for cell in entry["resolved"].values()]) for side in ("before", "after")),
            strict=True,
        )
    ]
    header = ("quarter and scenario", "before", "after", "points", "MC error", "")
    return f"{table(header, rows)}\n* more than two Monte Carlo errors"


def prior_changes(changes: Sequence[Json]) -> str:
    """What one prior set says otherwise than another."""
    if not changes:
        return "the two sets say the same"
    return "\n".join(_change(change) for change in changes)


def prior_impact(record: Json) -> str:
    """What an edit changes, and what that does to the headline."""
    parts = [prior_changes(record["changes"])]
    parts.append("before any data\n" + shifts(record["prior"], record["scenarios"]))
    if "posterior" in record:
        parts.append("with the data\n" + shifts(record["posterior"], record["scenarios"]))
    return "\n\n".join(parts)


def replayed(found: "Replay") -> str:
    """Identical, or what differs and what may be the reason."""
    lines = [f"altered since the run wrote it: {name}" for name in found.altered]
    if not found.differing:
        return "\n".join(
            [*lines, f"{found.run}: identical, {words.plural(len(found.identical), 'file')} to the byte"]
        )
    verdict = "reproduced elsewhere, not to the byte" if found.ok else "NOT REPRODUCED"
    lines.append(
        f"{found.run}: {verdict}, {words.plural(len(found.differing), 'file')} of "
        f"{len(found.differing) + len(found.identical)} differ"
    )
    lines += [f"  {name}" for name in found.differing]
    if found.largest is not None:
        errors = "" if found.errors is None else f", {found.errors:.1f} Monte Carlo errors"
        lines.append(
            f"largest difference of a headline probability: {100 * found.largest:.2g} points{errors}"
        )
    return "\n".join([*lines, *(f"possible cause: {cause}" for cause in found.causes)])


def diagnosis(findings: "Iterable[Finding]") -> str:
    """A line for each thing looked at: ok, or what to do."""
    return "\n".join(
        f"{'ok  ' if one.ok else 'FAIL'}  {one.name}: {one.found}" + (f"; {one.remedy}" if one.remedy else "")
        for one in findings
    )


def _span(difference: Json) -> str:
    if difference["mean"] is None:
        return NONE
    return f"{points(difference['q05'])} to {points(difference['q95'])}"


def _bars(entry: Json, bars: Sequence[Json], scenarios: Sequence[Json]) -> str:
    """One quarter: a line for each cause, a column for each scenario, points with their Monte Carlo errors."""
    cells = [entry["resolved"][scenario["id"]] for scenario in scenarios]
    rows = [(bar["title"], *(_bar(cell["bars"][bar["name"]]) for cell in cells)) for bar in bars]
    total = ("together", *(points(cell["shift"]) for cell in cells))
    header = (f"{words.quarter(entry['quarter'])}, points", *(scenario["title"] for scenario in scenarios))
    return table(header, [*rows, total])


def _bar(bar: Json) -> str:
    if bar["shift"] is None:
        return NONE
    text = f"{points(bar['shift'])} ± {100 * bar['mcse']:.1f}"
    return f"{text}{' ~' if bar['depends_on_order'] else ''}" if bar["told"] else f"({text})"


def _column(estimates: Sequence[Json | None]) -> list[str]:
    """Chances of one quarter in percents that add up as the reports have them, with their intervals."""
    known = [one for one in estimates if one is not None and one["mean"] is not None]
    if len(known) < len(estimates):
        return [NONE] * len(estimates)
    means = words.percents([one["mean"] for one in known], [one["mcse"] for one in known]).spans
    return [
        f"{mean.text} ({words.interval(one['q05'], one['q95'], one['mcse'])})"
        for mean, one in zip(means, known, strict=True)
    ]


def _course(move: Json) -> str:
    """``mediation = 0 in June 2026, 1 from July 2026 to June 2027``."""
    runs: list[tuple[float, list[str]]] = []
    for month, value in move["months"].items():
        if runs and runs[-1][0] == value:
            runs[-1][1].append(month)
        else:
            runs.append((value, [month]))
    return f"{move['driver']} = " + ", ".join(f"{value:g} in {words.months(span)}" for value, span in runs)


def _change(change: Json) -> str:
    match change["change"]:
        case "added":
            return f"+ {change['key']}: {change['after']}. {change['because']}"
        case "removed":
            return f"- {change['key']}: {change['before']}"
    if change["before"] == change["after"]:
        return f"~ {change['key']}: the same numbers; {words.listed(change['fields'])} rewritten"
    return f"~ {change['key']}: {change['before']} → {change['after']}. {change['because']}"
