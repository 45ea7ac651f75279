"""What the record holds, in the plain text of a terminal."""

from collections.abc import Sequence

from forecast.ledger import Answer, Question
from forecast.ledger.settling import Settled
from forecast.skill import Against, Comparison, Honesty, Passage, Running
from forecast.terminal import table
from reports.words import percent, plural

NAMES = {"ign": "IGN, bits", "rps": "RPS", "brier": "Brier"}


def settled(found: Sequence[Settled]) -> str:
    """A line for each closed question and release, then what became of them."""
    if not found:
        return "no question has closed yet"
    rows = [
        (
            one.quarter,
            one.release,
            one.outcome or "waits",
            one.as_of or "",
            "new" if one.new else "",
            one.reason,
        )
        for one in found
    ]
    lines = [_left(("quarter", "release", "outcome", "as of", "", "because"), rows)]
    lines += [
        f"note: {one.quarter} stands as {one.outcome} ({one.release}); the figures of {one.as_of} now read {one.contested}. "
        f"If they were mended, correct it: --question {one.question} --outcome {one.contested} --supersedes …"
        for one in found
        if one.contested
    ]
    return "\n".join(lines)


def standing(
    found: Honesty, passed: Sequence[Passage], asked: Sequence[Question], answers: Sequence[Answer]
) -> str:
    """The track record: what it shows, what it could show, and every answer behind it."""
    lines = [found.sentence]
    if found.scored:
        span = found.first if found.first == found.last else f"{found.first} to {found.last}"
        counted = f"{plural(found.scored, 'forecast')} of {plural(found.resolved, 'quarter')} ({span})"
        aside = (
            f"; set aside, as an earlier one speaks of the same quarter and horizon: {found.set_aside}"
            if found.set_aside
            else ""
        )
        begun = f"; issued when their quarter had begun: {found.begun}" if found.begun else ""
        lines += [
            "",
            counted + aside + begun,
            "",
            _scores(found),
            "",
            *_process(found),
            "",
            _calibration(found),
        ]
    if passed:
        lines += ["", _passages(passed)]
    if rows := _answers(asked, answers):
        header = ("entry", "quarter", "release", "outcome", "as of", "recorded", "", "because")
        lines += ["", _left(header, rows)]
    return "\n".join(lines)


def _scores(found: Honesty) -> str:
    header = (
        "quarters ahead",
        "score",
        "against",
        "n",
        "forecasts",
        "reference",
        "gain",
        "90 % interval",
        "skill",
        "verdict",
    )
    return table(header, [_line(one) for one in found.against])  # fmt: skip


def _line(one: Against) -> tuple[str, ...]:
    c = one.comparison
    return (
        str(one.horizon),
        NAMES[one.score],
        one.reference,
        str(c.n),
        f"{c.model:.3f}",
        f"{c.reference:.3f}",
        f"{c.gain:+.3f}",
        _interval(c),
        "" if c.skill is None else f"{c.skill:+.2f}",
        c.sentence,
    )


def _interval(c: Comparison) -> str:
    return "too few" if c.low is None or c.high is None else f"{c.low:+.3f} to {c.high:+.3f}"


def _process(found: Honesty) -> list[str]:
    if found.skill_process is None or found.reference_test is None:
        return ["skill process: no forecast one quarter ahead has a Markov chain beside it yet"]
    return [
        "skill process against the Markov chain; forecasts that are no better reach the bound once in twenty records at most:",
        *map(_running, found.processes),
        f'test of "the Markov chain is exactly right": {found.reference_test:.2f}; it is no test of skill',
    ]


def _running(one: Running) -> str:
    reached = "has" if one.alarmed else "has not"
    return f"  {plural(one.horizon, 'quarter')} ahead: {one.value:.2f}, {reached} reached {one.alarm:.0f}"


def _calibration(found: Honesty) -> str:
    if not found.calibration:
        return "calibration: no forecast one quarter ahead has resolved yet"
    rows = [
        (
            name,
            percent(one.mean),
            f"{one.frequency * one.n:.0f} of {one.n}",
            f"{100 * one.difference:+.0f}",
            f"{100 * one.low:+.0f} to {100 * one.high:+.0f}",
        )
        for name, one in found.calibration.items()
    ]
    return table(("one quarter ahead", "said", "came", "points", "90 % interval"), rows)


def _passages(passed: Sequence[Passage]) -> str:
    """Mean Brier scores of first passages, one line for each scenario and horizon."""
    rows = []
    for name, horizon in dict.fromkeys((one.scenario, one.horizon) for one in passed):
        these = [one for one in passed if (one.scenario, one.horizon) == (name, horizon)]
        both = [one.reference for one in these if one.reference is not None]
        brier = f"{sum(one.brier for one in these) / len(these):.3f}"
        chain = f"{sum(both) / len(both):.3f}" if len(both) == len(these) else ""
        came = str(sum(one.came for one in these))
        rows.append((f"{name} within {plural(horizon, 'quarter')}", str(len(these)), came, brier, chain))
    return table(("first passage", "n", "came", "Brier", "Markov chain"), rows)


def _answers(asked: Sequence[Question], answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    quarters = {question.id: question.quarter for question in asked}
    return [
        (
            str(one.seq),
            quarters[one.question],
            one.release or "",
            one.outcome,
            one.as_of,
            one.recorded_at[:10],
            "" if one.stands else "superseded",
            one.reason,
        )
        for one in answers
    ]


def _left(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of words: every column flush left."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
