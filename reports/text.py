"""A sentence is a row of spans, so that a number in it stays a number in every format."""

from collections.abc import Iterable
from dataclasses import dataclass

KEPT = "\u200c\u200d"  # joiners that Urdu, Pashto and Persian spell with


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of text; with `value`, the number it states at full precision."""

    text: str
    value: float | None = None
    href: str | None = None  # http or https only
    colour: str | None = None  # of a swatch drawn before the text
    strong: bool = False


Sentence = tuple[Span, ...]


def sentence(*parts: str | Span | Sentence) -> Sentence:
    """Spans from strings, spans and sentences, in order; empty strings vanish."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, Span):
            spans.append(part)
        elif isinstance(part, str):
            spans += [Span(text=part)] if part else []
        else:
            spans += part
    return tuple(spans)


def joined(parts: Iterable[Sentence], between: str, last: str | None = None) -> Sentence:
    """Sentences with `between` between them, and `last` before the last one when given."""
    every = list(parts)
    spans: list[Span] = []
    for position, part in enumerate(every):
        if position:
            final = last is not None and position == len(every) - 1
            spans.append(Span(text=last if final and last is not None else between))
        spans += part
    return tuple(spans)


def read(spans: Sentence) -> str:
    """The sentence as plain text."""
    return "".join(span.text for span in spans)


def capitalised(text: str) -> str:
    """The text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def lowered(title: str) -> str:
    """A title inside a sentence: a first word in title case loses its capital, an acronym keeps it."""
    first = title.split(" ", 1)[0]
    return title if len(first) < 2 or first[1:] != first[1:].lower() else title[:1].lower() + title[1:]


def shortened(text: str, limit: int) -> str:
    """The text, or as many whole words of it as the limit holds and an ellipsis; a longer word is cut."""
    if len(text) <= limit:
        return text
    kept = text[:limit]
    whole = kept.rpartition(" ")[0]
    return f"{(whole if len(whole) > limit // 2 else kept[:-1]).rstrip(' ,;:')}…"


def plain(text: str) -> str:
    r"""The text with white space as single blanks and every unprintable character shown escaped.

    A terminal sequence, a NUL or a right-to-left override from somebody's file must reach no reader as a
    command; as ``\x1b`` or ``\u202e`` it can be seen and does nothing.
    """
    blank = " ".join(text.split())
    if blank.isprintable():
        return blank
    return "".join(c if c.isprintable() or c in KEPT else repr(c)[1:-1] for c in blank)
