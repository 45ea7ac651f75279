"""Page seven, the track record: what past forecasts were worth, and what a record this short can show at all."""

from reports.brief import Brief
from reports.cells import NOTHING, chance, figures, measured, swatch, texts
from reports.document import Block, Paragraph, Section, Table
from reports.text import Sentence, Span, capitalised, joined, lowered, sentence
from reports.trust import Calibrated, Gain, Process, Track
from reports.words import date, number, percents, plural, points, quarter, spelled

CLAIM = (
    "A quarterly record alone cannot show skill for about a decade. In a world of three scenarios that tend to stay, a "
    "forecaster who knew the truth would need 36 quarterly forecasts to show a gain over past frequencies one "
    "quarter ahead and 72 to show one over persistence; over the Markov chain of past quarters the expected gain "
    "is only what that chain has still to learn: 0.21 bits at 11 quarters, 0.11 at 72."
)
CHAIN = "markov-chain"  # the reference to beat
SUPPORT = 6.0  # months of a regime in the window, below which what is said of it is mostly belief
UNITS = {"ign": "Bits gained", "rps": "RPS gained", "brier": "Brier gained"}


def record(brief: Brief) -> Section:
    """What past forecasts were worth, and what a record this short can show."""
    blocks: list[Block] = [Paragraph(spans=spans) for spans in skill(brief.track)]
    blocks.append(Paragraph(spans=sentence(CLAIM), tone="note"))
    blocks += [Paragraph(spans=spans) for spans in _support(brief)]
    track = brief.track
    if track is not None and track.gains:
        blocks.append(_gains(track))
    if track is not None:
        blocks += [Paragraph(spans=spans, tone="note") for spans in _process(track)]
    if track is not None and track.calibration:
        blocks.append(_calibration(brief, track))
    if track is not None and track.past:
        blocks.append(_past(brief, track))
    return Section(key="record", number=7, title="Track record", blocks=tuple(blocks))


def skill(track: Track | None) -> tuple[Sentence, ...]:
    """The record so far, and how little a short one can show."""
    if track is None:
        return (
            sentence("No issued forecast has been resolved yet."),
            sentence(
                "Even a forecaster who knew the truth would need about 36 quarters to show a gain over past "
                "frequencies at one quarter ahead."
            ),
        )
    if not track.resolved or track.first is None or track.last is None:
        return (sentence(track.sentence),)
    span = quarter(track.first) if track.resolved == 1 else f"{quarter(track.first)} to {quarter(track.last)}"
    told = [sentence(f"{capitalised(plural(track.resolved, 'quarter'))} resolved, {span}.")]
    told += [_against(gain) for gain in track.gains if (gain.reference, gain.score) == (CHAIN, "ign")][:1]
    return (*told, sentence(track.sentence))


def thin(support_months: float | None) -> bool:
    """Whether so few months of a regime were seen that what is said of it is mostly belief."""
    return support_months is not None and support_months < SUPPORT


def _against(gain: Gain) -> Sentence:
    """Such as ``One quarter ahead: +0.1 bits a forecast over the Markov chain (−0.3 to +0.5): better``."""
    ahead = f"{capitalised(spelled(gain.horizon))} quarter{'' if gain.horizon == 1 else 's'} ahead"
    few = gain.low is None or gain.high is None
    verdict = "too few to tell" if few else gain.sentence
    return sentence(
        f"{ahead}: ",
        signed(gain.gain),
        " bits a forecast over the Markov chain",
        _range(gain),
        f": {verdict}.",
    )


def signed(x: float) -> Span:
    """``+0.1``, ``−0.3``."""
    return Span(text=f"{'+' if x > 0 else ''}{number(x)}", value=x)


def _range(gain: Gain) -> Sentence:
    if gain.low is None or gain.high is None:
        return ()
    return sentence(" (", signed(gain.low), " to ", signed(gain.high), ")")


def _support(brief: Brief) -> list[Sentence]:
    known = [scenario for scenario in brief.scenarios if scenario.support_months is not None]
    if not known:
        return []
    parts = [
        sentence(
            f"{lowered(scenario.title)} ",
            measured(scenario.support_months and round(scenario.support_months, 1)),
            " (mostly belief)" if thin(scenario.support_months) else "",
        )
        for scenario in known
    ]
    lead = (
        f"Months of the window that support each latent regime, mostly belief below {spelled(int(SUPPORT))}: "
    )
    return [sentence(lead, joined(parts, ", "), ".")]


def _gains(track: Track) -> Table:
    """Every reference at the nearest horizon, and the Markov chain at all."""
    nearest = min(gain.horizon for gain in track.gains)
    lines: dict[tuple[int, str], dict[str, Gain]] = {}
    for gain in track.gains:
        if gain.horizon == nearest or gain.reference == CHAIN:
            lines.setdefault((gain.horizon, gain.reference), {})[gain.score] = gain
    scores = [score for score in UNITS if any(score in line for line in lines.values())]
    rows = tuple(
        (
            sentence(capitalised(reference.replace("-", " "))),
            measured(horizon),
            measured(next(iter(line.values())).n),
            *(_gained(line.get(score)) for score in scores),
        )
        for (horizon, reference), line in lines.items()
    )
    return Table(
        key="scores",
        caption="Gained per forecast over each reference, with its 90 % interval; above nought is better than the reference",
        columns=(
            *texts("Against"),
            *figures("Quarters ahead", "Quarters", *(UNITS[score] for score in scores)),
        ),
        rows=rows,
        note="Without an interval: too few to say. The other horizons stand in forecast.json.",
    )


def _gained(gain: Gain | None) -> Sentence:
    return NOTHING if gain is None else sentence(signed(gain.gain), _range(gain))


def _process(track: Track) -> list[Sentence]:
    """The skill process, the test that is none of skill, and what is not counted."""
    told: list[Sentence] = []
    if track.skill_process is not None and track.alarm is not None:
        reached = "it has reached" if track.alarmed else "it has not reached"
        told.append(
            sentence(
                "Skill process, one quarter ahead, against the Markov chain: ",
                measured(track.skill_process),
                f"; {reached} {number(track.alarm)}, which forecasts that are no better do once in twenty records at most.",
            )
        )
    further = [one for one in track.processes if one.horizon > 1]
    if further:
        each = [
            sentence(f"{number(one.horizon)} quarters ahead ", measured(one.value), _reached(one))
            for one in further
        ]
        told.append(sentence("The same further on: ", joined(each, "; "), "."))
    if track.reference_test is not None:
        test = measured(track.reference_test)
        told.append(
            sentence("Test of “the Markov chain is exactly right”: ", test, "; it is no test of skill.")
        )
    if track.set_aside or track.begun:
        text = (
            f"Not counted, as an earlier forecast speaks of the same quarter and horizon: {track.set_aside}. "
        )
        told.append(sentence(f"{text}Counted, though issued when their quarter had begun: {track.begun}."))
    return told


def _reached(process: Process) -> str:
    return f" ({'has' if process.alarmed else 'has not'} reached {number(process.alarm)})"


def _calibration(brief: Brief, track: Track) -> Table:
    return Table(
        key="calibration",
        caption="How often each scenario was said, one quarter ahead, and how often it came",
        columns=(*texts("Scenario"), *figures("Said", "Came", "Points", "90 % interval", "Quarters")),
        rows=tuple(_calibrated(brief, row) for row in track.calibration),
    )


def _calibrated(brief: Brief, row: Calibrated) -> tuple[Sentence, ...]:
    gap, low, high = (Span(text=points(x), value=x) for x in (row.difference, row.low, row.high))
    return (
        swatch(brief, row.scenario),
        chance(row.said),
        chance(row.came),
        (gap,),
        sentence(low, " to ", high),
        measured(row.n),
    )


def _past(brief: Brief, track: Track) -> Table:
    rows: list[tuple[Sentence, ...]] = []
    for entry in track.past:
        name = sentence("open") if entry.resolved is None else swatch(brief, entry.resolved)
        shares = ((span,) for span in percents(entry.probabilities).spans)
        rows.append((sentence(f"{quarter(entry.quarter)}, as known {date(entry.as_of)}"), *shares, name))
    titles = tuple(scenario.title for scenario in brief.scenarios)
    columns = (*texts("Forecast"), *figures(*titles), *texts("Resolved to"))
    return Table(
        key="past",
        caption="Every live forecast one quarter ahead, and what came",
        columns=columns,
        rows=tuple(rows),
    )
