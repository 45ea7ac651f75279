"""Pages four and five: what the data say, what moved, what to watch, what if."""

from reports.brief import Brief
from reports.cells import as_told, figures, stream_title, swatch, texts
from reports.document import Block, Exhibit, Heading, Listing, Paragraph, Section, Table
from reports.front import before_change, moved, rule_in_full, still
from reports.levers import what_if
from reports.parts import Change, Gap, Stream
from reports.signs import signposts, telling
from reports.text import Sentence, Span, capitalised, sentence
from reports.words import date, month, months, points, quarter

LEGEND = (
    "Dots are observations, hollow where provisional; the bands hold 50 % and 90 % of what the model expects; the "
    "ribbon beneath is the latent regime. A cross marks a month taken out, a tick at the foot a month without data."
)


def data(brief: Brief) -> Section:
    """Every stream with its fan, and what is known about its months."""
    blocks: list[Block] = [Paragraph(spans=sentence(LEGEND), tone="note")] if brief.streams else []
    for stream in brief.streams:
        blocks += [Exhibit(key=f"stream-{stream.id}"), Paragraph(spans=sentence(_about(stream)), tone="note")]
    if brief.masks:
        blocks.append(Listing(lead="Taken out:", items=tuple(_gap(brief, gap) for gap in brief.masks)))
    if brief.drawn:
        lead = f"Missing up to {month(brief.origin)} and drawn with the future, given the regime:"
        blocks.append(Listing(lead=lead, items=tuple(_gap(brief, gap) for gap in brief.drawn)))
    if not blocks:
        blocks.append(Paragraph(spans=sentence("The record of this run holds no stream."), tone="note"))
    return Section(key="data", number=4, title="What the data say", blocks=tuple(blocks))


def movement(brief: Brief) -> Section:
    """What moved, what to watch, what could be done."""
    blocks: list[Block] = [Heading(text="What moved")]
    blocks += [Paragraph(spans=spans) for spans in moved(brief)]
    if brief.change is not None and not still(brief.change):
        blocks.append(_shifts(brief, brief.change))
    blocks.append(Heading(text="What to watch"))
    if telling(brief):
        blocks.append(signposts(brief))
    else:
        blocks.append(Paragraph(spans=rule_in_full(brief)))
        none = (
            "No figure still to come would move" if brief.signposts else "No signpost tells what would move"
        )
        blocks.append(Paragraph(spans=sentence(f"{none} a probability beyond the noise."), tone="note"))
    blocks += [Heading(text="What if"), *what_if(brief)]
    return Section(key="movement", number=5, title="What moved, what to watch, what if", blocks=tuple(blocks))


def _about(stream: Stream) -> str:
    level = f"level {stream.level}" if stream.level else ""
    effect = f"effect {stream.effect}" if stream.effect else ""
    text = capitalised(", ".join(part for part in (stream.unit, stream.family, level, effect) if part)) + "."
    if stream.first and stream.last:
        origin = f" from {stream.source}" if stream.source else ""
        text += f" {month(stream.first)} to {month(stream.last)}{origin}."
    if stream.splice:
        splice = stream.splice
        text += f" From {month(splice.month)} the figures are {splice.after}, before that {splice.before}."
    return text


def _gap(brief: Brief, gap: Gap) -> Sentence:
    reason = f". {gap.because}" if gap.because else ""
    known = f" (known from {date(gap.known_from)})" if gap.known_from else ""
    return sentence(f"{stream_title(brief, gap.stream)}: {months(gap.months)}{reason}{known}")


def _shifts(brief: Brief, change: Change) -> Table:
    quarters = dict.fromkeys(shift.quarter for shift in change.shifts)
    befores = [share for name in quarters for share in before_change(change, name)]
    return Table(
        key="shifts",
        caption=f"Every probability since run {change.run}",
        columns=(*texts("Quarter and scenario"), *figures("Before", "Now", "Points")),
        rows=tuple(
            (
                sentence(f"{quarter(shift.quarter)} ", swatch(brief, shift.scenario)),
                before,
                as_told(brief, shift.after),
                (Span(text=points(shift.after - shift.before), value=shift.after - shift.before),),
            )
            for shift, before in zip(change.shifts, befores, strict=True)
        ),
        note=None
        if change.moves
        else f"“forecast compare” of {change.run} and {brief.run} divides them among causes.",
    )
