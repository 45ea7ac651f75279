"""Numbers and likelihoods are put into words here and nowhere else, so no two pages can differ.

Percents are whole (or coarser where the Monte Carlo error forbids whole ones), a column of them adds to
100, and a likelihood word is printed only when at least 80 % of the draws of that probability lie in its
band. Bands and words: ICD 203, *Analytic Standards*, first row of each band.
"""

import datetime
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from reports.text import Sentence, Span

if TYPE_CHECKING:  # a record's checks take longer to load than a command may take to answer
    from reports.parts import Estimate

BANDS = (
    "almost no chance",
    "very unlikely",
    "unlikely",
    "roughly even chance",
    "likely",
    "very likely",
    "almost certain",
)
EDGES = (0.05, 0.20, 0.45, 0.55, 0.80, 0.95)  # between the bands; a probability on an edge belongs above it
EARNED = 0.80  # share of the draws that a printed word must hold
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
SMALL = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
GAP = "\u00a0"  # keeps a number and its sign on one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Rounded percents of one distribution; `note` says when they cannot add to 100."""

    spans: tuple[Span, ...]
    note: str | None


def phrase(draws: Iterable[float]) -> str:
    """The likelihood word that the draws of one probability earn, or the run of bands that holds them.

    The shortest run of neighbouring bands with at least 80 % of the draws; of equally short ones, the one
    with most.

    Raises:
        ValueError: without a single draw, or with one outside [0, 1].
    """
    held = [0] * len(BANDS)
    for p in draws:
        if not 0 <= p <= 1:
            raise ValueError(f"a probability lies in [0, 1], got {p!r}")
        held[bisect_right(EDGES, p)] += 1
    total = sum(held)
    if total == 0:
        raise ValueError("no draws: a likelihood word has to be earned by some")
    for length in range(1, len(BANDS) + 1):
        runs = [(sum(held[start : start + length]), -start) for start in range(len(BANDS) - length + 1)]
        most, start = max(runs)
        if most >= EARNED * total:
            return _named(-start, -start + length - 1)
    raise AssertionError("the run of all bands holds every draw")


def rated(words: str) -> str:
    """The phrase as a predicate: ``is likely``, ``has almost no chance``, ``is rated likely to very likely``."""
    if " to " in words:
        return f"is rated {words}"
    return f"has {'a ' if words.startswith('roughly') else ''}{words}" if "chance" in words else f"is {words}"


def unit(mcse: float | None) -> int:
    """Percentage points that a printed percent is rounded to, so that its last digit is not noise."""
    if mcse is None or mcse <= 0.005:
        return 1
    return 5 if mcse <= 0.025 else 10


def percent(p: float, mcse: float | None = None) -> str:
    """``74 %``; ``under 1 %`` below one percent, ``over 99 %`` above ninety-nine."""
    return f"{_digits(p, unit(mcse))}{GAP}%"


def percents(column: Sequence[float], mcse: Sequence[float | None] | None = None) -> Column:
    """A distribution in percents that add to 100, by largest remainder; each stays within one unit of its own.

    Entries under one unit are printed as such and count as nothing.
    """
    step = max((unit(error) for error in mcse or ()), default=1)
    whole = abs(sum(column) - 1) < 1e-6
    low, high = step / 100, 1 - step / 100
    middle = [i for i, p in enumerate(column) if low <= p <= high]
    exact = {i: 100 * column[i] / step for i in middle}
    shown = {i: floor(exact[i] + 1e-9) if whole else round(exact[i]) for i in middle}
    if whole:
        lacking = 100 // step - sum(shown.values()) if not any(p > high for p in column) else 0
        rising = sorted(
            (i for i in middle if shown[i] * step < 100 - step), key=lambda i: shown[i] - exact[i]
        )
        for i in rising[: max(lacking, 0)]:
            shown[i] += 1
    texts = [f"{shown[i] * step if i in shown else _digits(p, step)}{GAP}%" for i, p in enumerate(column)]
    total = sum(shown.values()) * step + 100 * sum(p > high for p in column)
    note = None if total == 100 else "The rounded percents do not add to 100."
    spans = tuple(Span(text=text, value=p) for text, p in zip(texts, column, strict=True))
    return Column(spans=spans, note=note)


def interval(q05: float, q95: float, mcse: float | None = None) -> str:
    """``5–18 %``: a 90 % interval of a probability; one number where both ends print alike."""
    low, high = _digits(q05, unit(mcse)), _digits(q95, unit(mcse))
    return f"{low}{GAP}%" if low == high else f"{low}–{high}{GAP}%"


def spread(estimate: "Estimate") -> Sentence:
    """The interval of an estimated probability as `interval` prints it, both ends still numbers."""
    low, dash, high = interval(estimate.q05, estimate.q95, estimate.mcse).partition("–")
    if not dash:
        return (Span(text=low, value=estimate.q05),)
    return (Span(text=low, value=estimate.q05), Span(text=dash), Span(text=high, value=estimate.q95))


def moment(iso: str) -> str:
    """``24 November 2026, 10:24 UTC`` from an ISO moment; one without a zone is universal time, a date stays a date."""
    if len(iso) <= 10:
        return date(iso)
    read = datetime.datetime.fromisoformat(iso)
    utc = read.astimezone(datetime.UTC) if read.tzinfo else read
    return f"{date(utc.isoformat())}, {utc:%H:%M} UTC"


def points(shift: float) -> str:
    """A change of a probability in whole points, signed: ``+3``, ``−5``, ``0``."""
    whole = round(100 * shift)
    return f"{'+' if whole > 0 else '−' if whole < 0 else ''}{abs(whole)}"


def number(x: float, *, decimals: int | None = None) -> str:
    """Three significant digits, no exponent, a true minus: ``0.012``, ``4.56``, ``1,235``; or as many decimals as asked."""
    size = abs(x)
    if decimals is not None and size < 100:
        return f"{'−' if x < 0 else ''}{size:.{decimals}f}".rstrip("0").rstrip(".")
    if size >= 100 or size == round(size):
        digits = f"{size:,.0f}"
    elif size >= 0.001:
        digits = f"{size:.{2 if size >= 1 and size < 10 else 1 if size >= 10 else 3}f}".rstrip("0").rstrip(
            "."
        )
    else:
        digits = "under 0.001" if x > 0 else "above −0.001"
        return digits
    return f"−{digits}" if x < 0 and digits != "0" else digits


def spelled(count: int) -> str:
    """Whole numbers up to twelve as words, larger ones as digits; nought is ``no``."""
    return SMALL[count] if count < len(SMALL) else str(count)


def plural(count: int, noun: str) -> str:
    """``no quarters``, ``one quarter``, ``two quarters``, ``13 quarters``."""
    return f"{spelled(count)} {noun}{'' if count == 1 else 's'}"


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def quarter(name: str) -> str:
    """``2026 Q3`` from ``2026Q3``, held together."""
    return f"{name[:4]}{GAP}{name[4:]}"


def month(name: str) -> str:
    """``May 2026`` from ``2026-05``."""
    return f"{MONTHS[int(name[5:7]) - 1]} {name[:4]}"


def months(names: Sequence[str]) -> str:
    """``March 2026``, ``April to June 2026``: consecutive months as a range."""
    if len(names) == 1:
        return month(names[0])
    first = MONTHS[int(names[0][5:7]) - 1] if names[0][:4] == names[-1][:4] else month(names[0])
    return f"{first} {'and' if len(names) == 2 else 'to'} {month(names[-1])}"


def date(iso: str) -> str:
    """``30 June 2026`` from an ISO date, with or without a time of day."""
    day = datetime.date.fromisoformat(iso[:10])
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _named(first: int, last: int) -> str:
    if first == last:
        return BANDS[first]
    return " to ".join(BANDS[i].removesuffix(" chance") if i == 3 else BANDS[i] for i in (first, last))


def _digits(p: float, step: int) -> str:
    if p < step / 100:
        return f"under {step}"
    if p > 1 - step / 100:
        return f"over {100 - step}"
    return str(round(100 * p / step) * step)
