"""Page one: what a board member takes away in a minute, from the brief alone."""

from dataclasses import replace

from reports.brief import Brief
from reports.cells import as_told, scenario_title, shares
from reports.colours import hues
from reports.document import Bar, Exhibit, Front, Line
from reports.headline import failures, headline, refused
from reports.parts import Change, Scenario
from reports.signs import watched
from reports.text import Sentence, Span, capitalised, joined, lowered, sentence
from reports.track import skill, thin
from reports.words import (
    date,
    listed,
    month,
    percents,
    plural,
    points,
    quarter,
    spelled,
    spread,
)

RESERVATIONS = 4  # what `_confidence` looks at
SURE = 2.0  # Monte Carlo errors that a shift must exceed to be called one
QUIET = 0.005  # a shift below half a point is no movement in whole percents


def front(brief: Brief) -> Front:
    """Everything on page one, in the order of reading."""
    first, last = brief.quarters[0].quarter, brief.quarters[-1].quarter
    span = quarter(first) if first == last else f"{quarter(first)} – {quarter(last)}"
    kicker = [brief.organisation, brief.title, f"forecast of {span}"]
    column = percents(
        [e.mean for e in brief.quarters[0].resolved if e], [e.mcse for e in brief.quarters[0].resolved if e]
    )
    note = "Thin line: 90 % interval, here and everywhere."
    return Front(
        kicker=" · ".join(part for part in kicker if part),
        dateline=_dateline(brief),
        question=brief.question,
        headline=headline(brief),
        bars_title=f"Probability that {quarter(first)} resolves to each scenario",
        bars=_bars(brief),
        bars_note=f"{note} {column.note}" if column.note else note,
        exhibits=(Exhibit(key="quarters"), Exhibit(key="history"))
        if brief.history
        else (Exhibit(key="quarters"),),
        lines=(
            Line(label="What moved", sentences=moved(brief)),
            Line(label="What to watch", sentences=watch(brief)),
            Line(label="How good are we", sentences=skill(brief.track)),
            Line(label="Confidence", sentences=confidence(brief)),
        ),
    )


def moved(brief: Brief) -> tuple[Sentence, ...]:
    """What changed since the last report, by cause where that is known."""
    change = brief.change
    if change is None:
        return (sentence("First run: nothing to compare with yet."),)
    same_day = change.as_of[:10] == brief.as_of[:10]
    since = f"run {change.run} of the same date" if same_day else f"the report of {date(change.as_of)}"
    edited = (
        ()
        if change.same_rules
        else (sentence("The rules were edited: the same words ask another question."),)
    )
    if still(change):
        return (sentence(f"No change since {since}: no probability moved by half a point."), *edited)
    if not change.moves:
        first = change.shifts[0].quarter
        row = [shift for shift in change.shifts if shift.quarter == first]
        parts = (
            sentence(
                f"{lowered(scenario_title(brief, shift.scenario))} ",
                _from_to(before, as_told(brief, shift.after)),
            )
            for shift, before in zip(row, before_change(change, first), strict=True)
        )
        return (
            sentence(f"Since {since}, {quarter(first)}: ", joined(parts, ", "), "."),
            *_noise(change),
            *edited,
        )
    parts = (
        sentence(f"{move.cause} ", Span(text=points(move.shift), value=move.shift)) for move in change.moves
    )
    return (sentence(f"Since {since}, in points: ", joined(parts, " · "), "."), *edited)


def still(change: Change) -> bool:
    """Whether no probability moved so far that whole percents would show it."""
    return all(abs(shift.after - shift.before) < QUIET for shift in change.shifts)


def before_change(change: Change, name: str) -> tuple[Sentence, ...]:
    """The probabilities of a quarter as the earlier report told them, adding to 100 as they did there."""
    column = percents([shift.before for shift in change.shifts if shift.quarter == name])
    return tuple((span,) for span in column.spans)


def _noise(change: Change) -> tuple[Sentence, ...]:
    if any(s.mcse is None or abs(s.after - s.before) > SURE * s.mcse for s in change.shifts):
        return ()
    return (sentence("All of it is within the noise of the simulation."),)


def watch(brief: Brief) -> tuple[Sentence, ...]:
    """The figures to come that would tell most; without any, the shortest way to the severest scenario."""
    if signs := watched(brief):
        return signs
    severe = _watched(brief)
    told = severe.watch or severe.rule.rstrip(".")
    return (
        sentence(f"{capitalised(told)}."),
        sentence(f"That alone is {lowered(severe.title)}; section 2 has the rule in full."),
    )


def rule_in_full(brief: Brief) -> Sentence:
    """The whole rule that declares the severest scenario."""
    severe = _watched(brief)
    return sentence(f"{capitalised(severe.title)} is declared when: {severe.rule.rstrip('.')}.")


def confidence(brief: Brief) -> tuple[Sentence, ...]:
    """How far the answer can be trusted, counted from four reservations; a sentence apart from any likelihood.

    None held is high, one or two moderate, more (or a failed check) low.
    """
    reasons = _reservations(brief)
    level = "low" if failures(brief) or len(reasons) > 2 else "moderate" if reasons else "high"
    held = len(reasons)
    count = spelled(held) if held else "none"
    text = f"{capitalised(level)}: {count} of {spelled(RESERVATIONS)} reservations {'hold' if held > 1 else 'holds'}."
    return (sentence(text), *(sentence(f"{capitalised(reason)}.") for reason in reasons))


def _reservations(brief: Brief) -> list[str]:
    first = brief.quarters[0]
    row = zip(brief.scenarios, first.resolved, strict=True)
    driven = [lowered(s.title) for s, e in row if e is not None and e.prior_driven]
    unseen = [lowered(s.title) for s in brief.scenarios if s.precedents == 0]
    belief = [lowered(s.title) for s in brief.scenarios if s.precedents and thin(s.support_months)]
    failed = failures(brief)
    late = [(lowered(s.title), s.last) for s in brief.streams if s.last and s.last < brief.origin]
    reasons: list[str] = []
    if driven:
        reasons.append(f"prior-driven in {quarter(first.quarter)}: {listed(driven)}")
    if unseen or belief:
        told = [f"no precedent for {listed(unseen)}"] if unseen else []
        told += [f"mostly belief, with under six months of data: {listed(belief)}"] if belief else []
        reasons.append("; ".join(told))
    if late:
        ends = sorted({end for _, end in late})
        told = [
            f"after {month(end)} on {listed([name for name, last in late if last == end])}" for end in ends
        ]
        reasons.append(f"no data {', nor '.join(told)}")
    if failed:
        reasons.append(f"{plural(len(failed), 'check')} failed")
    return reasons


def _bars(brief: Brief) -> tuple[Bar, ...]:
    colour = hues(brief.scenarios)
    first = brief.quarters[0]
    shifts = {
        s.scenario: s for s in (brief.change.shifts if brief.change else ()) if s.quarter == first.quarter
    }
    bars: list[Bar] = []
    for scenario, estimate, share in zip(
        brief.scenarios, first.resolved, shares(first.resolved), strict=True
    ):
        if estimate is None:
            continue  # no simulated future decides the question
        shift = shifts.get(scenario.id)
        bars.append(
            Bar(
                scenario=scenario.id,
                title=scenario.title,
                colour=colour[scenario.id],
                mean=estimate.mean,
                q05=estimate.q05,
                q95=estimate.q95,
                percent=share[0],
                interval=spread(estimate),
                words="" if refused(brief) else estimate.words or "",
                change=None if shift is None else _arrow(shift.after - shift.before),
            )
        )
    return tuple(bars)


def _arrow(shift: float) -> Span:
    sign = "▲ " if shift >= QUIET else "▼ " if shift <= -QUIET else ""
    return Span(text=f"{sign}{points(shift)}", value=shift)


def _from_to(before: Sentence, after: Sentence) -> Sentence:
    """``14 → 16 %``."""
    start = tuple(replace(span, text=span.text.removesuffix("\u00a0%")) for span in before)
    return sentence(start, " → ", after)


def _dateline(brief: Brief) -> str:
    provisional = [c.month for s in brief.streams for c in s.cells if c.state == "provisional"]
    data = f"Data to {month(brief.origin)}"
    if provisional:
        data += f" (provisional since {month(min(provisional))})"
    return f"{data} · as known {date(brief.as_of)} · run {brief.run}"


def _watched(brief: Brief) -> Scenario:
    """The severest scenario that has a rule."""
    return next((s for s in reversed(brief.scenarios) if not s.is_remainder), brief.scenarios[-1])
