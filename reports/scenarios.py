"""Page two: what each scenario means, when it may first come, how long it lasts, how the past resolved."""

from reports.brief import Brief
from reports.cells import (
    NOTHING,
    chance,
    contraction,
    figures,
    measured,
    measured_range,
    scenario_title,
    stream_title,
    swatch,
    texts,
    told_with_interval,
)
from reports.document import Block, Exhibit, Heading, Listing, Paragraph, Section, Table
from reports.parts import Quarter, Row, Scenario
from reports.text import Sentence, Span, capitalised, lowered, sentence
from reports.track import thin
from reports.words import listed, months, number, percents, quarter, spread


def scenarios(brief: Brief) -> Section:
    """The scenarios and their probabilities in full."""
    blocks: list[Block] = [block for scenario in brief.scenarios for block in _scenario(scenario)]
    blocks += [Heading(text="Quarter by quarter"), _probabilities(brief)]
    if brief.current_quarter is not None:
        blocks += _running(brief, brief.current_quarter)
    blocks += _silent(brief)
    if brief.first_passage:
        blocks += [Exhibit(key="first-passage"), _passage(brief)]
    if brief.dwell_months is not None:
        blocks.append(_dwell(brief, brief.dwell_months))
    if brief.resolved_history:
        blocks += [Heading(text="How the rules resolve the past"), Exhibit(key="rules"), _resolutions(brief)]
    if brief.rule_noise:
        blocks.append(_noise(brief))
    blocks += [Paragraph(spans=sentence(warning), tone="warning") for warning in brief.rule_warnings]
    return Section(key="scenarios", number=2, title="Scenarios", blocks=tuple(blocks))


def _scenario(scenario: Scenario) -> list[Block]:
    blocks: list[Block] = [Heading(text=scenario.title)]
    if scenario.narrative:
        blocks.append(Paragraph(spans=sentence(scenario.narrative)))
    blocks.append(Paragraph(spans=sentence(Span(text="Resolves: ", strong=True), scenario.rule)))
    if scenario.because:
        blocks.append(Paragraph(spans=sentence(Span(text="Why this rule: ", strong=True), scenario.because)))
    facts = [f"{scenario.precedents} of the quarters in the window resolved to it"]
    if scenario.precedents == 0:
        facts = ["no precedent in the data: its probability rests on the priors"]
    if scenario.support_months is not None:
        support = number(round(scenario.support_months, 1))
        belief = ": what is said of it is mostly belief" if thin(scenario.support_months) else ""
        facts.append(f"{support} months of the window are expected in its latent regime{belief}")
    if scenario.visibility is not None and not scenario.visibility.visible:
        facts.append("not visible in the streams: its probability is the prior's")
    blocks.append(Paragraph(spans=sentence(capitalised("; ".join(facts)), "."), tone="note"))
    return blocks


def _probabilities(brief: Brief) -> Table:
    rows: list[tuple[Sentence, ...]] = []
    notes = ["Contraction: spread after the data over spread before; above 0.8 the priors drive the answer."]
    running = (brief.current_quarter,) if brief.current_quarter else ()
    for entry in (*running, *brief.quarters):
        known = [estimate for estimate in entry.resolved if estimate is not None]
        column = percents([e.mean for e in known], [e.mcse for e in known])
        notes += [f"{quarter(entry.quarter)}: {lowered(column.note)}"] if column.note else []
        shown = iter(column.spans)
        for scenario, estimate in zip(brief.scenarios, entry.resolved, strict=True):
            if estimate is None:
                continue
            driven = " prior-driven" if estimate.prior_driven else ""
            rows.append(
                (
                    sentence(f"{quarter(entry.quarter)} ", swatch(brief, scenario.id)),
                    (next(shown),),
                    spread(estimate),
                    sentence(estimate.words or "–"),
                    sentence(contraction(estimate.contraction), driven),
                )
            )
    return Table(
        key="probabilities",
        caption="Probability that the rules resolve the quarter to the scenario",
        columns=(
            *texts("Quarter and scenario"),
            *figures("Probability", "90 % interval"),
            *texts("In words", "Contraction"),
        ),
        rows=tuple(rows),
        note=" ".join(notes),
    )


def _running(brief: Brief, entry: Quarter) -> list[Block]:
    """What each stream of the rules knows of the running quarter; all else of it is simulated."""
    lead = f"{quarter(entry.quarter)} is running. What is observed of it is fixed and the rest simulated."
    if not entry.streams:
        return [Paragraph(spans=sentence(lead), tone="note")]
    items = tuple(
        sentence(
            f"{stream_title(brief, known.stream)}: {months(known.observed) if known.observed else 'nothing'} observed"
        )
        for known in entry.streams
    )
    return [Listing(lead=f"{lead} By the streams that the rules look at:", items=items)]


def _silent(brief: Brief) -> list[Block]:
    """Where the rules stay silent in whole percents of the futures, that is said."""
    silent = [entry for entry in brief.quarters if entry.unresolved >= 0.01]
    if not silent:
        return []
    told = [f"{quarter(entry.quarter)} {chance(entry.unresolved)[0].text}" for entry in silent]
    text = (
        f"Simulated futures in which no rule decides: {listed(told)}. The probabilities are over the others."
    )
    return [Paragraph(spans=sentence(text), tone="note")]


def _passage(brief: Brief) -> Table:
    missing = any(e is None for p in brief.first_passage for e in p.estimates)
    return Table(
        key="first-passage",
        caption="Probability that some quarter up to this one resolves to the scenario",
        columns=(
            *texts("Scenario"),
            *figures(*(f"by {quarter(name)}" for name in brief.first_passage[0].quarters)),
        ),
        rows=tuple(
            (swatch(brief, p.scenario), *(told_with_interval(brief, e) for e in p.estimates))
            for p in brief.first_passage
        ),
        note="A dash: the last resolved quarter is that scenario." if missing else None,
    )


def _dwell(brief: Brief, row: Row) -> Table:
    rows = tuple(
        (
            swatch(brief, scenario.id),
            measured(estimate.mean) if estimate else NOTHING,
            measured_range(estimate.q05, estimate.q95) if estimate else NOTHING,
        )
        for scenario, estimate in zip(brief.scenarios, row, strict=True)
    )
    return Table(
        key="dwell",
        caption=f"How long a latent regime of {brief.latent_from} lasts once begun, in months",
        columns=(*texts("Regime"), *figures("Average spell", "90 % interval")),
        rows=rows,
    )


def _resolutions(brief: Brief) -> Table:
    rows: list[tuple[Sentence, ...]] = []
    for entry in brief.resolved_history:
        flip = "–"
        if entry.flip is not None:
            stream = lowered(stream_title(brief, entry.flip.stream))
            goal = lowered(scenario_title(brief, entry.flip.to))
            flip = f"{stream} × {number(entry.flip.factor)}: {goal}"
        name = sentence("unresolved") if entry.resolved is None else swatch(brief, entry.resolved)
        rows.append(
            (
                sentence(quarter(entry.quarter)),
                name,
                sentence(capitalised(entry.decided_by or "–")),
                sentence(flip),
            )
        )
    return Table(
        key="rules",
        caption="Every quarter of the window under the written rules",
        columns=texts("Quarter", "Resolved to", "Decided by", "Smallest revision that flips it"),
        rows=tuple(rows),
    )


def _noise(brief: Brief) -> Table:
    return Table(
        key="noise",
        caption="How often a rule fires by noise alone, share of quarters",
        columns=(*texts("Rule"), *figures("Nothing changes", "Level walks")),
        rows=tuple(
            (swatch(brief, n.scenario), chance(n.nothing_changes), chance(n.level_walks))
            for n in brief.rule_noise
        ),
    )
