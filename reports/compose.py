"""A brief is put into words once: the document that HTML, PDF and notebook lay out."""

from dataclasses import replace

from reports.appendix import method, priors
from reports.brief import Brief
from reports.document import Document
from reports.evidence import data, movement
from reports.fitting import fitting
from reports.front import front
from reports.fronts import fronts
from reports.gate import checks
from reports.headline import banners
from reports.scenarios import scenarios
from reports.text import sentence
from reports.track import record
from reports.transitions import transitions
from reports.words import date


def compose(brief: Brief) -> Document:
    """The whole report in words, pages in the order of the reader's doubts."""
    ledger = brief.ledger
    head = "" if ledger is None or ledger.head is None else f" · ledger {ledger.count} · {ledger.head[:16]}"
    by_front = (fronts,) if brief.fronts else ()
    pages = (scenarios, transitions, data, *by_front, movement, priors, record, checks, method)
    return Document(
        language=brief.language,
        title=brief.title,
        banners=banners(brief),
        front=front(fitting(brief)),
        sections=tuple(replace(page(brief), number=place) for place, page in enumerate(pages, start=2)),
        footer=sentence(f"Run {brief.run} · issued {date(brief.issued_at)}{head}"),
    )
