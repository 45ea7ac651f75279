"""What a command shows, as text: tables and sentences made from records, never printed here."""

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports import words

NONE = "–"  # in a table, where there is no number
HARMLESS = "\n\u200c\u200d"  # a line feed, and the joiners that Persian, Urdu and Pashto are written with


def clean(text: str) -> str:
    """``text`` without characters that could move a terminal's cursor or change its colours."""
    return "".join(
        c if c in HARMLESS or unicodedata.category(c)[0] != "C" else f"\\x{ord(c):02x}" for c in text
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns padded to their widest cell; the first is left-aligned, the others right."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return "  ".join(
            [first, *(cell.rjust(w) for cell, w in zip(cells[1:], widths[1:], strict=True))]
        ).rstrip()

    return "\n".join([line(lines[0]), "-" * (sum(widths) + 2 * (len(widths) - 1)), *map(line, lines[1:])])


def headline(record: Mapping[str, Any]) -> str:
    """The four quarters by scenario: mean and 90 % interval, in whole percents.

    Args:
        record: a ``forecast.json`` as parsed.
    """
    titles = [(scenario["id"], scenario["title"]) for scenario in record["scenarios"]]
    rows = []
    for quarter in record["quarters"]:
        told = [quarter["resolved"][key] for key, _ in titles]
        means = words.percents([e["mean"] for e in told], [e["mcse"] for e in told]).spans
        spreads = [words.interval(e["q05"], e["q95"], e["mcse"]) for e in told]
        cells = [f"{mean.text} ({spread})" for mean, spread in zip(means, spreads, strict=True)]
        rows.append((words.quarter(quarter["quarter"]), *cells))
    return table(("quarter", *(title for _, title in titles)), rows)


def verdict(record: Mapping[str, Any]) -> str:
    """One line when every check holds; otherwise the failed checks, each with its advice."""
    outcome = record["verdict"]
    failed = [check for check in outcome["checks"] if not check["ok"]]
    if not failed:
        return f"checks: all {len(outcome['checks'])} hold"
    lines = [f"  {c['name']}: {c['value']} (wanted {c['limit']}); {c['advice']}" for c in failed]
    word = "ISSUED ALL THE SAME (--force)" if outcome["forced"] else "REFUSED"
    return "\n".join([f"checks: {word}, {len(failed)} of {len(outcome['checks'])} failed", *lines])


def stands(record: Mapping[str, Any]) -> str:
    """That the same inputs were run before, and what became of that run."""
    outcome = record["verdict"]
    issued = outcome["ok"] or outcome["forced"]
    told = (
        "it was issued"
        if issued
        else "its checks failed and it was not issued; mend what they name, or use --force"
    )
    return f"the same inputs were run before: {told}; nothing was done again"


def past_table(record: Mapping[str, Any]) -> str:
    """Every quarter of the past with what decided it, how often each rule fires at rest, and what would flip it."""
    titles = {scenario["id"]: scenario["title"] for scenario in record["scenarios"]}
    lines = [record["title"], ""]
    for scenario in record["scenarios"]:
        lines.append(
            f"{scenario['title']} ({words.plural(scenario['precedents'], 'quarter')}): {scenario['rule']}"
        )
    lines += [""]
    for quarter in record["quarters"]:
        flip = next(iter(quarter["flips"]), None)
        change = (
            f"; {flip['stream']} × {flip['factor']:.2f} would make it {titles[flip['to']]}" if flip else ""
        )
        resolved = titles.get(quarter["resolved"], "unresolved")
        lines.append(f"{words.quarter(quarter['quarter'])}  {resolved}: {quarter['decided_by']}{change}")
    lines += [""]
    for name, rate in record["noise"].items():
        lines.append(
            f"{titles[name]} fires in {words.percent(rate['nothing_changes'])} of quarters when nothing changes, "
            f"in {words.percent(rate['level_walks'])} when only levels walk, by the priors"
        )
    lines += [f"warning: {sentence}" for sentence in record["warnings"]]
    lines += [f"no precedent: {titles[name]}" for name in record["without_precedent"]]
    return "\n".join(lines)


def points(shift: float | None) -> str:
    """A signed difference in percentage points, to a tenth."""
    if shift is None:
        return NONE
    tenths = round(1000 * shift)
    return f"{'+' if tenths > 0 else '−' if tenths < 0 else ''}{abs(tenths) / 10:.1f}"


def place(path: Path) -> str:
    """A path as the reader would type it: relative to where they stand, when it lies below."""
    here = Path.cwd()
    return os.path.relpath(path, here) if path.resolve().is_relative_to(here) else str(path)
