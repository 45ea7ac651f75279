"""Page three: from where to where, of resolved scenarios and of latent regimes, kept apart."""

from reports.brief import Brief
from reports.cells import (
    NOTHING,
    measured,
    scenario_title,
    shares_with_interval,
    swatch,
    texts,
    toward,
    with_interval,
)
from reports.document import Block, Column, Exhibit, Heading, Paragraph, Section, Table
from reports.parts import Crosswalk, Matrix, Row
from reports.text import Sentence, joined, lowered, sentence
from reports.words import month, percents, quarter

UNVISITED = "A dash: no simulated future visits this row."
NO_REGIME = "A dash: {} has no regime for that scenario."
NOISY = "Noisy: few simulated futures visit the row, so its intervals rest on a large correction for the simulation's own noise."


def transitions(brief: Brief) -> Section:
    """The transition matrices, as diagrams and tables."""
    blocks: list[Block] = []
    if brief.scenario_transitions is not None:
        told = "From one resolved quarter to the next, over all simulated futures"
        blocks += _matrix(
            brief, brief.scenario_transitions, "scenario-transitions", "Resolved scenarios", told
        )
        blocks += _from_now(brief, brief.scenario_transitions)
    for matrix, key, span in (
        (brief.transitions, "transitions", "one month"),
        (brief.transitions_quarter, "transitions-quarter", "three months"),
    ):
        if matrix is not None:
            told = f"Latent regimes of {brief.latent_from}, over {span}"
            blocks += _matrix(brief, matrix, key, f"Latent regimes, {span}", told)
    if brief.now is not None:
        blocks.append(_regimes(brief, brief.now))
    if brief.crosswalk is not None:
        blocks += _crosswalk(brief, brief.crosswalk)
    if not blocks:
        blocks.append(Paragraph(spans=sentence("No transition could be estimated in this run."), tone="note"))
    return Section(key="transitions", number=3, title="Transitions", blocks=tuple(blocks))


def _matrix(brief: Brief, matrix: Matrix, key: str, title: str, told: str) -> list[Block]:
    rows: list[tuple[Sentence, ...]] = []
    for place, (origin, cells) in enumerate(zip(matrix.rows, matrix.cells, strict=True)):
        row = shares_with_interval(cells)
        noisy = ", noisy" if matrix.noisy and matrix.noisy[place] else ""
        paths = (sentence(measured(matrix.paths[place]), noisy),) if matrix.paths else ()
        rows.append((swatch(brief, origin), *row, *paths))
    visits = (Column(title="Simulated visits", numeric=True),) if matrix.paths else ()
    columns = (*texts("From"), *toward(brief, "to", matrix.columns), *visits)
    dashed = UNVISITED if matrix.paths else NO_REGIME.format(brief.latent_from)
    notes = [dashed] if any(None in row for row in matrix.cells) else []
    notes += [NOISY] if matrix.noisy and any(matrix.noisy) else []
    table = Table(key=key, caption=told, columns=columns, rows=tuple(rows), note=" ".join(notes) or None)
    return [Heading(text=title), Exhibit(key=key), table]


def _from_now(brief: Brief, matrix: Matrix) -> list[Block]:
    if matrix.from_now is None or brief.last_resolved is None:
        return []
    last, resolved = brief.last_resolved
    named = zip(brief.scenarios, shares_with_interval(matrix.from_now), strict=True)
    odds = joined((sentence(f"{lowered(scenario.title)} ", share) for scenario, share in named), ", ")
    title = lowered(scenario_title(brief, resolved))
    text = f"The last resolved quarter, {quarter(last)}, was {title}. From where things stand: "
    return [Paragraph(spans=sentence(text, odds, "."))]


def _regimes(brief: Brief, now: Row) -> Table:
    rows = [(sentence(f"{month(brief.origin)}, the last month with data"), *shares_with_interval(now))]
    rows += [
        (sentence(f"end of {quarter(entry.quarter)}"), *shares_with_interval(entry.regime))
        for entry in brief.quarters
        if entry.regime is not None
    ]
    names = tuple(scenario.id for scenario in brief.scenarios)
    caption = f"Probability of each latent regime of {brief.latent_from}"
    columns = (*texts("Month"), *toward(brief, "in", names))
    return Table(key="regimes", caption=caption, columns=columns, rows=tuple(rows))


def _crosswalk(brief: Brief, walk: Crosswalk) -> list[Block]:
    rows: list[tuple[Sentence, ...]] = []
    for origin, means in zip(walk.rows, walk.mean, strict=True):
        shown = iter(percents([mean for mean in means if mean is not None]).spans)
        rows.append((swatch(brief, origin), *(NOTHING if mean is None else (next(shown),) for mean in means)))
    table = Table(
        key="crosswalk",
        caption="What the rule resolves, given the regime that holds most of the quarter",
        columns=(*texts("Latent majority"), *toward(brief, "resolved", walk.columns)),
        rows=tuple(rows),
    )
    share = sentence(
        "The latent regime and the written rule name different scenarios in ", with_interval(walk.differ)
    )
    return [
        Heading(text="Latent regime against written rule"),
        Paragraph(spans=sentence(share, " of quarters. Only the rule is scored.")),
        table,
    ]
