"""What analysts add by hand is listed with its reason, and a lever's effect is told as the paired difference it is."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reports.brief import Brief
from reports.compose import compose
from reports.document import Block, Heading, Listing, Paragraph, Section, Table
from reports.text import read

type Edit = Callable[..., Brief]


def section(brief: Brief, key: str) -> Section:
    return next(section for section in compose(brief).sections if section.key == key)


def table(brief: Brief, of: str, key: str) -> list[list[str]]:
    found = next(b for b in section(brief, of).blocks if isinstance(b, Table) and b.key == key)
    return [[read(cell).replace("\u00a0", " ") for cell in row] for row in found.rows]


def words(blocks: tuple[Block, ...]) -> str:
    """All that stands outside tables."""
    told: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            told.append(read(block.spans))
        elif isinstance(block, Listing):
            told += [block.lead, *map(read, block.items)]
        elif isinstance(block, Heading):
            told.append(block.text)
    return " ".join(told).replace("\u00a0", " ")


def test_a_label_tells_months_regime_ratio_reason_author_source_and_since_when(frontier: Brief) -> None:
    first, second = table(frontier, "method", "labels")
    assert first[:3] == ["October 2025", "Escalation to regional war", "5"]
    assert "in no stream. (frontier desk, 15 June 2026; Chronology, 9 to 15 October 2025)" in first[3]
    assert second[0] == "February and March 2026"


def test_a_label_known_later_than_it_was_dated_says_so(frontier: Brief, edit: Edit) -> None:
    late = [{**label.model_dump(), "known_from": "2026-07-01"} for label in frontier.labels]
    assert "known from 1 July 2026" in table(edit(frontier, labels=late), "method", "labels")[0][3]


def test_a_driver_tells_its_reference_its_last_value_and_its_odds_with_their_source(frontier: Brief) -> None:
    rows = {row[0].partition(" (")[2].partition(")")[0]: row for row in table(frontier, "method", "drivers")}
    strike, mediation = rows["mass-casualty-strike"], rows["mediation"]
    assert strike[0].endswith(": event, acts in the same month")
    assert strike[1:4] == ["0", "no history", "only a lever moves it"]
    assert mediation[1:4] == ["0", "0 since May 2026 (known 31 May 2026)", "stays as it is"]
    assert "odds.mediation.leave.regional-war: 2 experts" in mediation[4]
    assert "chronology, 18 October 2025" in mediation[4]


def test_releases_and_masks_tell_their_months_and_since_when(frontier: Brief) -> None:
    final, candidate = table(frontier, "method", "releases")
    assert final[:3] == ["ucdp-countries", "final", "the first month to December 2024"]
    assert final[3].endswith("to December 2024 since 21 July 2025")
    assert candidate[2] == "January 2025 to the last month"
    told = words(section(frontier, "data").blocks)
    assert "May 2025. Clash with India: another war. (known from 1 June 2025)" in told


def test_what_was_not_added_leaves_no_trace(second: Brief) -> None:
    keys = {block.key for block in section(second, "method").blocks if isinstance(block, Table)}
    assert not keys & {"labels", "drivers", "releases"}
    assert "The workspace names no lever." in words(section(second, "movement").blocks)


def test_a_lever_shows_both_probabilities_and_their_paired_difference(
    frontier: Brief, record: Mapping[str, Any]
) -> None:
    lever = record["levers"][0]
    blocks = section(frontier, "movement").blocks
    shown = next(b for b in blocks if isinstance(b, Table) and b.key == "lever-eu-dialogue")
    for row, quarter in zip(shown.rows, lever["quarters"], strict=True):
        for cell, told in zip(row[1:], quarter["resolved"].values(), strict=True):
            gap = told["difference"]
            assert [span.value for span in cell if span.value is not None] == [
                told["unconditional"]["mean"],
                told["conditional"]["mean"],
                gap["mean"],
                gap["q05"],
                gap["q95"],
            ]
    first = read(shown.rows[0][1]).replace("\u00a0", " ")
    assert first == "16 → 16 % (0, −1 to +1)"
    assert "A belief, not a finding: odds.mediation.leave.regional-war" in words(blocks)
    assert "Mediators ended the fighting of October 2025" in words(blocks)
    assert "No lever moves local-level, without regimes." in words(blocks)


def test_both_sides_of_a_lever_add_to_a_hundred(frontier: Brief) -> None:
    blocks = section(frontier, "movement").blocks
    for row in next(b for b in blocks if isinstance(b, Table) and b.key == "lever-eu-dialogue").rows:
        for side in (0, 2):
            assert sum(int(cell[side].text.removesuffix("\u00a0%")) for cell in row[1:]) == 100


def test_a_lever_that_was_not_computed_says_so(frontier: Brief, edit: Edit) -> None:
    bare = edit(frontier, levers=[{**lever.model_dump(), "courses": []} for lever in frontier.levers])
    told = words(section(bare, "movement").blocks)
    assert "Its effect is not computed in this run." in told
    assert "pairs of simulated futures" not in told


def test_a_lever_of_another_length_is_refused(frontier: Brief, edit: Edit) -> None:
    lever = frontier.levers[0].model_dump()
    lever["courses"][0]["after"] = lever["courses"][0]["after"][:2]
    with pytest.raises(ValueError, match="one entry for each of the 3 scenarios"):
        edit(frontier, levers=[lever])


def test_what_a_stream_does_not_know_of_the_running_quarter_is_not_called_observed(frontier: Brief) -> None:
    told = words(section(frontier, "scenarios").blocks)
    assert "Days of hostilities between the two states: nothing observed" in told
    assert "Deaths in Afghanistan: April and May 2026 observed" in told


def test_a_noisy_row_of_transitions_is_marked(frontier: Brief) -> None:
    found = next(
        b
        for b in section(frontier, "transitions").blocks
        if isinstance(b, Table) and b.key == "scenario-transitions"
    )
    assert [read(row[-1]).endswith("noisy") for row in found.rows] == [True, False, False]
    assert "Noisy:" in (found.note or "")


def test_a_belief_that_the_data_contradict_is_flagged_beside_it(frontier: Brief) -> None:
    rows = {row[0].partition(":")[0]: row for row in table(frontier, "priors", "priors")}
    against = rows["effect.deaths-afghanistan.de-escalation"]
    assert against[3] == "wider than the prior"
    assert against[4].startswith("The data contradict it.")
    assert sum(row[4].startswith("The data contradict it.") for row in rows.values()) == 1
    told = words(section(frontier, "priors").blocks)
    assert "The data contradict effect.deaths-afghanistan.de-escalation:" in told


def test_beliefs_that_no_model_of_the_forecast_uses_are_counted_and_not_listed(frontier: Brief) -> None:
    first, *rest = frontier.priors
    assert first.used_by
    idle = frontier.model_copy(update={"priors": (first.model_copy(update={"used_by": ()}), *rest)})
    listed = [row[0].partition(":")[0] for row in table(frontier, "priors", "priors")]
    assert [row[0].partition(":")[0] for row in table(idle, "priors", "priors")] == listed[1:]
    assert "one statement besides, for models" in words(section(idle, "priors").blocks)
    assert "besides, for models" not in words(section(frontier, "priors").blocks)
