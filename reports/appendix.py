"""Pages six and nine, for the sceptic: priors in use, data and method."""

from reports.annex import annex
from reports.beliefs import in_use
from reports.brief import Brief
from reports.cells import NOTHING, contraction, figures, measured, measured_range, texts
from reports.document import Block, Exhibit, Heading, Listing, Paragraph, Section, Table
from reports.grounds import grounds
from reports.parts import Prior, Quantiles
from reports.text import Sentence, Span, joined, sentence
from reports.words import date, listed, moment, month, plural

AGAINST = Span(text="The data contradict it. ", strong=True)


def priors(brief: Brief) -> Section:
    """Every belief with its reason, and what the data made of it."""
    named = f" The set is called {brief.priors_name}." if brief.priors_name else ""
    lead = f"To disagree, edit the statement, say why, and run again.{named}"
    blocks: list[Block] = [Paragraph(spans=sentence(lead))]
    if against := [prior.key for prior in brief.priors if prior.contradicted]:
        told = f"The data contradict {listed(against)}: the median after the data lies outside the interval that was stated."
        blocks.append(Paragraph(spans=sentence(told), tone="warning"))
    if any(prior.prior is not None for prior in in_use(brief)):
        blocks.append(Exhibit(key="priors"))
    blocks.append(
        Table(
            key="priors",
            caption="Statements in use: median and 90 % interval before and after the data",
            columns=(
                *texts("Statement"),
                *figures("Before", "After", "Contraction"),
                *texts("Because"),
            ),
            rows=tuple(_belief(prior) for prior in in_use(brief)),
        )
    )
    if idle := len(brief.priors) - len(in_use(brief)):
        told = (
            f"The set holds {plural(idle, 'statement')} besides, for models that this forecast does not use."
        )
        blocks.append(Paragraph(spans=sentence(told), tone="note"))
    blocks += grounds(brief)
    return Section(key="priors", number=6, title="Priors in use", blocks=tuple(blocks))


def method(brief: Brief) -> Section:
    """Sources, coverage, hashes, versions, and how to replay."""
    blocks: list[Block] = []
    if brief.notes:
        items = tuple(sentence(note) for note in brief.notes)
        blocks.append(Listing(lead="What a reader must know:", items=items))
    if brief.coverage is not None:
        blocks.append(Exhibit(key="coverage"))
    if brief.sources:
        blocks.append(_sources(brief))
        notes = tuple(sentence(f"{source.id}: {note}") for source in brief.sources for note in source.notes)
        blocks += [Listing(lead="On the sources:", items=notes)] if notes else []
    blocks += annex(brief)
    blocks += [Heading(text="To replay"), _provenance(brief)]
    text = f"forecast replay {brief.run} runs it again from the same files and compares every number."
    blocks.append(Paragraph(spans=sentence(text)))
    return Section(key="method", number=9, title="Data and method", blocks=tuple(blocks))


def _belief(prior: Prior) -> tuple[Sentence, ...]:
    says = f"{prior.says} ({prior.unit})" if prior.unit else prior.says
    who = ", ".join(part for part in (prior.author, prior.date and date(prior.date), prior.source) if part)
    return (
        sentence(Span(text=prior.key, strong=True), f": {says}"),
        _quantiles(prior.prior),
        _quantiles(prior.posterior),
        contraction(prior.contraction),
        sentence(*((AGAINST,) if prior.contradicted else ()), prior.because, f" ({who})" if who else ""),
    )


def _quantiles(q: Quantiles | None) -> Sentence:
    return NOTHING if q is None else sentence(measured(q.q50), " (", measured_range(q.q05, q.q95), ")")


def _sources(brief: Brief) -> Table:
    rows = tuple(
        (
            sentence(source.id),
            _linked(source.citation or "–"),
            sentence(source.licence or "–"),
            sentence(source.coverage or "–"),
            sentence(source.file or "–"),
            sentence(source.sha256[:12] if source.sha256 else "–"),
        )
        for source in brief.sources
    )
    columns = texts("Source", "Citation", "Licence", "Coverage", "File", "SHA-256, first 12")
    return Table(key="sources", caption="Sources", columns=columns, rows=rows)


def _linked(text: str) -> Sentence:
    """The text with its web addresses as links; nothing but http and https becomes one."""
    words = text.split(" ")
    linked = (
        (Span(text=word, href=word.rstrip(".,;)")),)
        if word.startswith(("https://", "http://"))
        else sentence(word)
        for word in words
    )
    return joined(linked, " ")


def _provenance(brief: Brief) -> Table:
    made = brief.provenance
    versions = ", ".join(f"{name} {version}" for name, version in made.versions)
    ledger = brief.ledger
    before = (
        "empty" if ledger is None or ledger.head is None else f"{plural(ledger.count, 'row')}, {ledger.head}"
    )
    window = f"{month(brief.window[0])} to {month(brief.window[1])}"
    facts: tuple[tuple[str, str | None], ...] = (
        ("Run", brief.run),
        ("Issued", moment(brief.issued_at)),
        ("As known", date(brief.as_of)),
        ("Window the models learn from", window),
        ("Latent regimes from", brief.latent_from),
        ("Seed", None if made.seed is None else str(made.seed)),
        ("Data, SHA-256", made.data_sha256),
        ("Priors, SHA-256", made.priors_sha256),
        ("Scenarios, SHA-256", made.scenarios_sha256),
        ("Lock, SHA-256", made.lock_sha256),
        ("Engine", made.engine),
        ("Python", made.python),
        ("Versions", versions or None),
        ("Ledger before this run", before),
        ("Licence", brief.licence),
        ("Cite as", brief.citation),
    )
    rows = tuple((sentence(name), _linked(value)) for name, value in facts if value)
    return Table(key="provenance", caption="What a replay needs", columns=texts("What", "Value"), rows=rows)
