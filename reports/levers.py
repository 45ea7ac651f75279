"""What if: each lever beside no lever, quarter by quarter, and the beliefs that it rests on."""

from itertools import chain

from reports.brief import Brief
from reports.cells import NOTHING, figures, shares, texts
from reports.document import Block, Heading, Listing, Paragraph, Table
from reports.given import Belief, Course, Lever
from reports.parts import Estimate
from reports.text import Sentence, Span, sentence
from reports.words import date, listed, percents, points, quarter

HOW = (
    "Differences come from pairs of simulated futures that differ in the lever alone, and are rounded by themselves: "
    "they are better known than the probabilities on either side. They show what follows from a belief, and are no "
    "evidence that a measure works. “forecast whatif” draws as many futures of a lever as the forecast has."
)


def what_if(brief: Brief) -> list[Block]:
    """Every lever of the workspace; where none was computed, its reason alone."""
    if not brief.levers:
        return [Paragraph(spans=sentence("The workspace names no lever."), tone="note")]
    notes = [HOW] if any(lever.courses for lever in brief.levers) else []
    if brief.unmoved:
        notes.append(f"No lever moves {listed(brief.unmoved)}, without regimes.")
    blocks: list[Block] = [Paragraph(spans=sentence(" ".join(notes)), tone="note")] if notes else []
    return [*blocks, *chain.from_iterable(_lever(brief, lever) for lever in brief.levers)]


def belief(said: Belief) -> Sentence:
    """A statement about odds with its reason and its author."""
    who = f"{said.author}, {date(said.date)}, {said.source}"
    return sentence(Span(text=said.key, strong=True), f": {said.says}, {said.unit}. {said.because} ({who})")


def _lever(brief: Brief, lever: Lever) -> list[Block]:
    blocks: list[Block] = [Heading(text=lever.title)]
    blocks += [Paragraph(spans=sentence(lever.because))] if lever.because else []
    if not lever.courses:
        return [*blocks, Paragraph(spans=sentence("Its effect is not computed in this run."), tone="note")]
    blocks.append(
        Table(
            key=f"lever-{lever.id}",
            caption="Without the lever → with it, and the difference in points with its 90 % interval",
            columns=(*texts("Quarter"), *figures(*(scenario.title for scenario in brief.scenarios))),
            rows=tuple(_course(course) for course in lever.courses),
        )
    )
    if lever.beliefs:
        lead = "A belief, not a finding:" if len(lever.beliefs) == 1 else "Beliefs, not findings:"
        blocks.append(Listing(lead=lead, items=tuple(belief(said) for said in lever.beliefs)))
    return blocks


def _course(course: Course) -> tuple[Sentence, ...]:
    after = iter(percents([p for p in course.after if p is not None]).spans)
    cells = zip(shares(course.before), course.after, course.shift, strict=True)
    return (
        sentence(quarter(course.quarter)),
        *(
            NOTHING if p is None or shift is None else _moved(before, next(after), shift)
            for before, p, shift in cells
        ),
    )


def _moved(before: Sentence, after: Span, shift: Estimate) -> Sentence:
    """``16 → 15 % (−1, −4 to 0)``; a share without a gap keeps its sign."""
    start = Span(text=before[0].text.removesuffix("\u00a0%"), value=before[0].value)
    ends = [Span(text=points(x), value=x) for x in (shift.mean, shift.q05, shift.q95)]
    return sentence(start, " → ", after, " (", ends[0], ", ", ends[1], " to ", ends[2], ")")
