"""A document is a brief in words: every sentence, cell and caption that all formats print alike.

HTML, PDF and notebook only lay it out. `Exhibit` names a figure of `reports.figures` by its key.
"""

from dataclasses import dataclass
from typing import Literal

from reports.text import Sentence, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One paragraph."""

    spans: Sentence
    tone: Literal["plain", "note", "warning"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of short sentences, after a lead-in that may be empty."""

    lead: str
    items: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A title inside a section."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The head of one column; numbers stand right, in tabular figures."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption; the first cell of a row is its head."""

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Sentence, ...], ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """The place of a figure."""

    key: str


Block = Paragraph | Listing | Heading | Table | Exhibit


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A numbered part of the report, after page one."""

    key: str
    number: int
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """What a reader must know before anything else."""

    kind: Literal["refused", "forced", "retrospective"]
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One scenario in the first quarter: a bar with its interval, the number, the word, the change."""

    scenario: str
    title: str
    colour: str
    mean: float
    q05: float
    q95: float
    percent: Span
    interval: Sentence
    words: str
    change: Span | None  # None: nothing to compare with


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line at the foot of page one: a label and what it says."""

    label: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Page one."""

    kicker: str  # organisation · theatre · span of the forecast
    dateline: str
    question: str | None
    headline: tuple[Sentence, ...]
    bars_title: str
    bars: tuple[Bar, ...]
    bars_note: str
    exhibits: tuple[Exhibit, ...]  # two, side by side
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report in words."""

    language: str
    title: str
    banners: tuple[Banner, ...]
    front: Front
    sections: tuple[Section, ...]
    footer: Sentence
