"""What was added by hand or released in parts: labels, drivers and releases, listed for whoever wants to object."""

from reports.brief import Brief
from reports.cells import figures, measured, swatch, texts
from reports.document import Block, Heading, Table
from reports.given import Belief, Driver, Label
from reports.parts import Release
from reports.text import Sentence, Span, joined, sentence
from reports.words import date, month, months, number

LAGS = ("acts in the same month", "acts in the next month")


def annex(brief: Brief) -> list[Block]:
    """The tables that the brief has rows for."""
    blocks: list[Block] = []
    releases = [(source.id, release) for source in brief.sources for release in source.releases]
    if releases:
        blocks.append(
            Table(
                key="releases",
                caption="Releases of the sources",
                columns=texts("Source", "Release", "Months", "How far it reached, and since when"),
                rows=tuple(_release(name, release) for name, release in releases),
            )
        )
    if brief.labels:
        blocks += [Heading(text="Labels"), _labels(brief)]
    if brief.drivers:
        blocks += [Heading(text="Drivers"), _drivers(brief)]
    return blocks


def _release(source: str, release: Release) -> tuple[Sentence, ...]:
    start = month(release.first) if release.first else "the first month"
    end = month(release.last) if release.last else "the last month"
    reached = [f"to {month(name)} since {date(day)}" for name, day in release.published]
    told = (source, release.name, f"{start} to {end}", "; ".join(reached) or "–")
    return tuple(sentence(text) for text in told)


def _labels(brief: Brief) -> Table:
    return Table(
        key="labels",
        caption="Months that an analyst vouches for, apart from what the streams show",
        columns=(*texts("Months", "Regime"), *figures("Times likelier"), *texts("Because")),
        rows=tuple(_label(brief, label) for label in brief.labels),
        note="Times likelier: than each alternative regime. The fits know of no label that was written later.",
    )


def _label(brief: Brief, label: Label) -> tuple[Sentence, ...]:
    known = f"; known from {date(label.known_from)}" if label.known_from[:10] != label.date[:10] else ""
    who = f"{label.author}, {date(label.date)}; {label.source}{known}"
    return (
        sentence(months(label.months)),
        swatch(brief, label.scenario),
        measured(label.ratio),
        sentence(f"{label.because} ({who})"),
    )


def _drivers(brief: Brief) -> Table:
    return Table(
        key="drivers",
        caption="What moves the odds of leaving a regime, beside the streams",
        columns=(
            *texts("Driver"),
            *figures("Reference"),
            *texts("Last known value", "Ahead", "Odds that are believed"),
        ),
        rows=tuple(_driver(driver) for driver in brief.drivers),
    )


def _driver(driver: Driver) -> tuple[Sentence, ...]:
    last = "no history"
    if driver.last is not None:
        read = driver.last
        last = f"{number(read.value)} since {month(read.month)} (known {date(read.known_from)})"
    told = joined((_odds(said) for said in driver.odds), "; ") or sentence("none")
    kind = f" ({driver.id}): {driver.kind}, {LAGS[driver.lag]}"
    return (
        sentence(Span(text=driver.title, strong=True), kind),
        measured(driver.reference),
        sentence(last),
        sentence(driver.ahead),
        told,
    )


def _odds(said: Belief) -> Sentence:
    """A statement without its reason, which stands with the priors."""
    return sentence(f"{said.key}: {said.says}, {said.unit} ({said.author}, {said.source})")
