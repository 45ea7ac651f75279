"""What to watch: a figure still to come, told as a condition, and what it would do to one probability."""

from reports.brief import Brief
from reports.cells import as_told, chance, figures, scenario_title, stream_title, swatch, texts
from reports.document import Table
from reports.parts import Signpost
from reports.text import Sentence, Span, capitalised, lowered, read, sentence
from reports.words import month, number, quarter

WATCHED = 3  # on page one
LISTED = 8  # in the table
SURE = 2.0  # Monte Carlo errors by which a shift must stand out


def telling(brief: Brief) -> tuple[Signpost, ...]:
    """One signpost for each month of a stream, the most telling first.

    Of a scenario with a rule of its own, where there is one: the remainder moves because the others do. A shift that
    is noise, or that printed percents would not show, is none.
    """
    remainder = {scenario.id for scenario in brief.scenarios if scenario.is_remainder}
    found: dict[tuple[str, str], Signpost] = {}
    for sign in brief.signposts:
        sure = abs(sign.after - sign.before) >= SURE * (sign.shift_mcse or 0.0)
        shown = read(as_told(brief, sign.before)) != read(chance(sign.after, sign.mcse))
        if sign.scenario not in remainder and sure and shown:
            found.setdefault((sign.stream, sign.month), sign)
    return tuple(found.values())


def watched(brief: Brief) -> tuple[Sentence, ...]:
    """The most telling signposts, one for each stream, as sentences."""
    by_stream: dict[str, Signpost] = {}
    for sign in telling(brief):
        by_stream.setdefault(sign.stream, sign)
    return tuple(_told(brief, sign) for sign in list(by_stream.values())[:WATCHED])


def signposts(brief: Brief) -> Table:
    """The most telling months, a row each."""
    rows = tuple(
        (
            capitalised_first(_condition(brief, sign)),
            chance(sign.chance),
            swatch(brief, sign.scenario),
            as_told(brief, sign.before),
            chance(sign.after, sign.mcse),
            chance(sign.otherwise),
        )
        for sign in telling(brief)[:LISTED]
    )
    return Table(
        key="signposts",
        caption=f"What would move a probability of {quarter(brief.signposts[0].quarter)}, the most telling first",
        columns=(
            *texts("If"),
            *figures("Chance of that"),
            *texts("Scenario"),
            *figures("Now", "Then", "Otherwise"),
        ),
        rows=rows,
        note="How the forecast would move, not what causes what. Of each month, the scenario that it tells most of.",
    )


def capitalised_first(spans: Sentence) -> Sentence:
    """A sentence that begins with a capital."""
    return sentence(capitalised(spans[0].text), spans[1:])


def _told(brief: Brief, sign: Signpost) -> Sentence:
    """Such as ``If June 2026 brings at least 6 days of war, war in 2026 Q3 rises from 16 % to about 41 %``."""
    return sentence(
        "If ",
        _condition(brief, sign),
        f", {lowered(scenario_title(brief, sign.scenario))} in {quarter(sign.quarter)} "
        f"{'rises' if sign.after > sign.before else 'falls'} from ",
        as_told(brief, sign.before),
        " to about ",
        chance(sign.after, sign.mcse),
        ".",
    )


def _condition(brief: Brief, sign: Signpost) -> Sentence:
    """What the month would have to be; one that is over, but not yet known, turns out so."""
    family = next((stream.family for stream in brief.streams if stream.id == sign.stream), "")
    over = sign.month <= brief.origin
    title = lowered(stream_title(brief, sign.stream))
    count = Span(text=number(sign.count), value=sign.count)
    if family == "bernoulli":
        verb = "turns out to have seen" if over else "sees"
        return sentence(f"{month(sign.month)} {verb} {'no ' if sign.side == 'at most' else ''}{title}")
    verb = "turns out to have brought" if over else "brings"
    if family == "gaussian":
        return sentence(f"{month(sign.month)} {verb} {title} of {sign.side} ", count)
    if (sign.side, sign.count) in (("at least", 1), ("at most", 0)):
        return sentence(f"{month(sign.month)} {verb} {'any' if sign.count else 'no'} {title}")
    return sentence(f"{month(sign.month)} {verb} {sign.side} ", count, f" {title}")
