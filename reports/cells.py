"""Cells and column heads that several pages share."""

from reports.brief import Brief
from reports.colours import hues
from reports.document import Column
from reports.parts import Estimate, Row
from reports.text import Sentence, Span, lowered, sentence
from reports.words import number, percent, percents, spread

NOTHING: Sentence = (Span(text="–"),)
WIDER = 1.05  # a spread so much above another is no noise of the draws


def texts(*titles: str) -> tuple[Column, ...]:
    """Heads of columns that hold words."""
    return tuple(Column(title=title) for title in titles)


def figures(*titles: str) -> tuple[Column, ...]:
    """Heads of columns that hold numbers."""
    return tuple(Column(title=title, numeric=True) for title in titles)


def measured(x: float | None, *, decimals: int | None = None) -> Sentence:
    """A quantity that is no probability."""
    return NOTHING if x is None else (Span(text=number(x, decimals=decimals), value=x),)


def measured_range(low: float, high: float) -> Sentence:
    """``3.4–12.6``, both ends still numbers."""
    return sentence(measured(low), "–", measured(high))


def contraction(x: float | None) -> Sentence:
    """Spread after the data over spread before; where the data took nothing away, in words."""
    if x is None or x <= 1:
        return measured(x)
    return sentence("wider than the prior" if x > WIDER else "as wide as the prior")


def chance(p: float | None, mcse: float | None = None) -> Sentence:
    """A probability without an interval."""
    return NOTHING if p is None else (Span(text=percent(p, mcse), value=p),)


def shares(row: Row) -> tuple[Sentence, ...]:
    """One distribution, its percents adding to 100."""
    known = [estimate for estimate in row if estimate is not None]
    shown = iter(percents([e.mean for e in known], [e.mcse for e in known]).spans)
    return tuple(NOTHING if estimate is None else (next(shown),) for estimate in row)


def shares_with_interval(row: Row) -> tuple[Sentence, ...]:
    """One distribution with its intervals, ``74 % (57–87 %)``, the percents adding to 100."""
    return tuple(
        share if estimate is None else sentence(share, " (", spread(estimate), ")")
        for share, estimate in zip(shares(row), row, strict=True)
    )


def as_told(brief: Brief, p: float) -> Sentence:
    """A probability of the forecast as its own column prints it, so that 15.5 is 16 everywhere or nowhere."""
    for entry in brief.quarters:
        for estimate, share in zip(entry.resolved, shares(entry.resolved), strict=True):
            if estimate is not None and estimate.mean == p:
                return share
    return chance(p)


def with_interval(estimate: Estimate | None) -> Sentence:
    """``74 % (57–87 %)``, all three still numbers."""
    if estimate is None:
        return NOTHING
    return sentence(chance(estimate.mean, estimate.mcse), " (", spread(estimate), ")")


def told_with_interval(brief: Brief, estimate: Estimate | None) -> Sentence:
    """As `with_interval`, for a probability that the forecast may print elsewhere."""
    return (
        NOTHING if estimate is None else sentence(as_told(brief, estimate.mean), " (", spread(estimate), ")")
    )


def swatch(brief: Brief, scenario: str) -> Sentence:
    """The title of a scenario with its colour beside it."""
    return (Span(text=scenario_title(brief, scenario), colour=hues(brief.scenarios).get(scenario)),)


def scenario_title(brief: Brief, scenario: str) -> str:
    """The title of a scenario, or its id where the brief does not know it."""
    return next((entry.title for entry in brief.scenarios if entry.id == scenario), scenario)


def stream_title(brief: Brief, stream: str) -> str:
    """The title of a stream, or its id where the brief does not know it."""
    return next((entry.title for entry in brief.streams if entry.id == stream), stream)


def toward(brief: Brief, prefix: str, scenarios: tuple[str, ...]) -> tuple[Column, ...]:
    """Numeric heads such as ``to regional war``, one per scenario."""
    return figures(*(f"{prefix} {lowered(scenario_title(brief, name))}" for name in scenarios))
