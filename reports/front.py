"""Page one: what a board member takes away in a minute, from the brief alone."""

from reports.brief import Brief
from reports.cells import scenario_title, shares
from reports.colours import hues
from reports.document import Bar, Exhibit, Front, Line
from reports.headline import failures, headline, refused
from reports.parts import Scenario
from reports.text import Sentence, Span, capitalised, joined, lowered, sentence
from reports.trust import Track
from reports.words import (
    date,
    listed,
    month,
    number,
    percent,
    percents,
    plural,
    points,
    quarter,
    spelled,
    spread,
)

RESERVATIONS = 4  # what `_confidence` looks at
WATCHED = 3  # signposts on page one
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
    """What changed since the last run, by cause."""
    change = brief.change
    if change is None:
        return (sentence("First run: nothing to compare with yet."),)
    if all(abs(shift.after - shift.before) < QUIET for shift in change.shifts):
        return (sentence(f"No change since {date(change.as_of)}: no probability moved by half a point."),)
    if not change.moves:
        largest = max(change.shifts, key=lambda shift: abs(shift.after - shift.before))
        title = scenario_title(brief, largest.scenario)
        text = f"Largest shift since {date(change.as_of)}: {lowered(title)} in {quarter(largest.quarter)} "
        return (sentence(text, _from_to(largest.before, largest.after), "; not decomposed."),)
    parts = (
        sentence(f"{move.cause} ", Span(text=points(move.shift), value=move.shift)) for move in change.moves
    )
    return (sentence(f"Since {date(change.as_of)}, in points: ", joined(parts, " · "), "."),)


def watch(brief: Brief) -> tuple[Sentence, ...]:
    """The signposts that would move a probability most; without any, the shortest way to the severest scenario."""
    if brief.signposts:
        strongest = sorted(brief.signposts, key=lambda sign: -abs(sign.after - sign.before))[:WATCHED]
        return tuple(
            sentence(
                f"If {sign.condition}: {lowered(scenario_title(brief, sign.scenario))} ",
                _from_to(sign.before, sign.after),
                ".",
            )
            for sign in strongest
        )
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


def skill(track: Track | None) -> tuple[Sentence, ...]:
    """The record so far, and how little a short one can show."""
    if track is None or track.resolved == 0:
        return (
            sentence("No issued forecast has been resolved yet."),
            sentence(
                "Even a forecaster who knew the truth would need about 36 quarters to show a gain over past "
                "frequencies at one quarter ahead."
            ),
        )
    told = [sentence(f"{capitalised(plural(track.resolved, 'forecast'))} resolved.")]
    for score in track.scores[:1]:
        side = "better" if score.bits >= 0 else "worse"
        margin = (score.high - score.low) / 2
        clear = score.low > 0 or score.high < 0
        more = f" (about {track.needed} more quarters)" if track.needed else ""
        bits = Span(text=number(abs(score.bits)), value=score.bits)
        text = sentence(f"{capitalised(side)} than {score.baseline} by ", bits, f" bit ± {number(margin)}")
        told.append(sentence(text, "." if clear else f": too few to tell{more}."))
    return tuple(told)


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
    driven = [e for e in first.resolved if e is not None and e.prior_driven]
    unseen = [lowered(s.title) for s in brief.scenarios if s.precedents == 0]
    failed = failures(brief)
    late = [(lowered(s.title), s.last) for s in brief.streams if s.last and s.last < brief.origin]
    reasons: list[str] = []
    if driven:
        count = f"{len(driven)} of the {len(first.resolved)} probabilities"
        reasons.append(f"the priors drive {count} of {quarter(first.quarter)}")
    if unseen:
        reasons.append(f"no precedent for {listed(unseen)}")
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


def _from_to(before: float, after: float) -> Sentence:
    start = Span(text=percent(before).removesuffix("\u00a0%"), value=before)
    return sentence(start, " → ", Span(text=percent(after), value=after))


def _dateline(brief: Brief) -> str:
    provisional = [c.month for s in brief.streams for c in s.cells if c.state == "provisional"]
    data = f"Data to {month(brief.origin)}"
    if provisional:
        data += f" (provisional since {month(min(provisional))})"
    return f"{data} · as known {date(brief.as_of)} · run {brief.run}"


def _watched(brief: Brief) -> Scenario:
    """The severest scenario that has a rule."""
    return next((s for s in reversed(brief.scenarios) if not s.is_remainder), brief.scenarios[-1])
