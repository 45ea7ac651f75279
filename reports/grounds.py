"""What the headline rests on: how far each group of priors carries it, and which single statement would change its word."""

from dataclasses import replace

from reports.brief import Brief
from reports.cells import NOTHING, as_told, figures, measured, swatch, texts
from reports.document import Block, Heading, Paragraph, Table
from reports.parts import Prior
from reports.text import Sentence, capitalised, sentence
from reports.trust import Carried, Sensitivity, Tipping
from reports.words import number, plural, quarter

ALL = "all"  # every group of priors together
GROUPS, STATEMENTS = 5, 6  # as many as are shown


def grounds(brief: Brief) -> list[Block]:
    """Two small tables; nothing where the record of the run has no such numbers."""
    found = brief.sensitivity
    if found is None or not found.groups:
        return []
    blocks: list[Block] = [Heading(text=f"What {quarter(found.quarter)} rests on"), _carried(brief, found)]
    near = _nearest(brief, found)
    if not near:
        text = (
            "No single statement, moved as far as the draws can speak for it, would change a likelihood word of "
            f"{quarter(found.quarter)}."
        )
        return [*blocks, Paragraph(spans=sentence(text), tone="note")]
    return [*blocks, _tipping(brief, near)]


def _carried(brief: Brief, found: Sensitivity) -> Table:
    """All groups together, then those that carry most."""
    by_group: dict[str, dict[str, Carried]] = {}
    for one in found.groups:
        by_group.setdefault(one.group, {})[one.scenario] = one
    order = sorted(by_group, key=lambda group: (group != ALL, -_most(by_group[group])))
    shown, rest = order[: GROUPS + 1], order[GROUPS + 1 :]
    rows = tuple(
        (
            sentence("All priors together" if group == ALL else capitalised(group)),
            *(_cell(by_group[group].get(scenario.id)) for scenario in brief.scenarios),
        )
        for group in shown
    )
    note = (
        "How far apart the laws of a probability lie (0 alike, 1 apart) as the group counts for a quarter more or a "
        f"fifth less. From {number(found.limit)}, in bold, the probability is sensitive to it."
    )
    if rest:
        most = max(_most(by_group[group]) for group in rest)
        note += f" {capitalised(plural(len(rest), 'other group'))}: {number(most)} at most."
    if any(not one.trusted for group in shown for one in by_group[group].values()):
        note += " In brackets: more than the draws can speak for."
    return Table(
        key="sensitivity",
        caption="How far each group of priors carries each probability",
        columns=(*texts("Priors"), *figures(*(scenario.title for scenario in brief.scenarios))),
        rows=rows,
        note=note,
    )


def _most(row: dict[str, Carried]) -> float:
    return max((one.sensitivity or 0.0) for one in row.values())


def _cell(one: Carried | None) -> Sentence:
    if one is None or one.sensitivity is None:
        return NOTHING
    told = tuple(replace(span, strong=one.sensitive) for span in measured(one.sensitivity))
    return told if one.trusted else sentence("(", told, ")")


def _nearest(brief: Brief, found: Sensitivity) -> list[tuple[Prior, Tipping]]:
    """Each statement that would change a word by itself, once, from the least departure: in widths of its own interval.

    The remainder's word changes because another probability does, and is left to that.
    """
    remainder = {scenario.id for scenario in brief.scenarios if scenario.is_remainder}
    priors = {prior.key: prior for prior in brief.priors}
    nearest: dict[str, tuple[float, Prior, Tipping]] = {}
    for one in found.tipping:
        prior = priors.get(one.key)
        if one.scenario in remainder or prior is None or prior.prior is None:
            continue
        if None in (one.tips_at, one.stated, one.to_word):
            continue
        away = abs((one.tips_at or 0.0) - (one.stated or 0.0)) / (prior.prior.q95 - prior.prior.q05)
        if one.key not in nearest or away < nearest[one.key][0]:
            nearest[one.key] = (away, prior, one)
    return [(prior, one) for _, prior, one in sorted(nearest.values(), key=lambda entry: entry[0])]


def _tipping(brief: Brief, near: list[tuple[Prior, Tipping]]) -> Table:
    rows = tuple(
        (
            sentence(f"{prior.key}, {prior.unit}" if prior.unit else prior.key),
            measured(one.stated),
            measured(one.tips_at),
            swatch(brief, one.scenario),
            NOTHING if one.now is None else as_told(brief, one.now),
            sentence(one.to_word or "–"),
        )
        for prior, one in near[:STATEMENTS]
    )
    return Table(
        key="tipping",
        caption="If you disagree: the median of a statement at which a probability falls into another word's band",
        columns=(
            *texts("Statement"),
            *figures("Stated", "Would be"),
            *texts("Scenario"),
            *figures("Now"),
            *texts("Then"),
        ),
        rows=rows,
        note=f"{capitalised(plural(len(near), 'statement'))} could do so alone; the least departures first.",
    )
