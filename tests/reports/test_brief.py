"""A brief reads back as itself and refuses what cannot be."""

from collections.abc import Callable, Mapping

import pytest
from pydantic import ValidationError

from reports.brief import Brief
from reports.compose import compose
from reports.document import Exhibit, Paragraph, Table
from reports.figures import charts
from reports.text import Sentence, read


@pytest.mark.parametrize("name", ["frontier", "refused", "second", "grown", "hostile"])
def test_a_brief_reads_back_from_its_json_as_itself(every_brief: Mapping[str, Brief], name: str) -> None:
    brief = every_brief[name]
    text = brief.model_dump_json(by_alias=True, indent=2)
    assert '"schema": "scenariocast/brief/1"' in text
    again = Brief.model_validate_json(text)
    assert again == brief
    assert again.model_dump_json(by_alias=True, indent=2) == text


def test_a_row_of_another_length_is_refused(frontier: Brief, edit: Callable[..., Brief]) -> None:
    with pytest.raises(ValidationError, match="one entry for each of the 3 scenarios"):
        edit(frontier, now=frontier.model_dump()["now"][:2])


@pytest.mark.parametrize(
    ("part", "match"),
    [
        ({"surprise": 1}, "Extra inputs"),
        ({"quarters": []}, "at least 1 item"),
        ({"timing": "late"}, "'live' or"),
    ],
)
def test_what_cannot_be_is_refused(
    frontier: Brief, edit: Callable[..., Brief], part: dict[str, object], match: str
) -> None:
    with pytest.raises(ValidationError, match=match):
        edit(frontier, **part)


def test_a_nan_is_refused(frontier: Brief, edit: Callable[..., Brief]) -> None:
    row = [{"mean": float("nan"), "q05": 0.1, "q95": 0.2}] * 3
    with pytest.raises(ValidationError, match="finite number"):
        edit(frontier, now=row)


def test_no_text_of_a_brief_can_command_a_terminal(hostile: Brief) -> None:
    text = hostile.model_dump_json()
    assert not any(sign in text for sign in ("\x1b", "\\u001b", "\\u0000", "\u202e", "\u2066"))
    assert "x1b[31mred" in text


@pytest.mark.parametrize("name", ["frontier", "refused", "second", "grown", "hostile"])
def test_every_exhibit_has_its_figure_and_every_table_is_rectangular(
    every_brief: Mapping[str, Brief], name: str
) -> None:
    document = compose(every_brief[name])
    blocks = [*document.front.exhibits, *(block for section in document.sections for block in section.blocks)]
    keys = [block.key for block in blocks if isinstance(block, Exhibit)]
    assert set(keys) == {chart.key for chart in charts(every_brief[name])}
    assert len(keys) == len(set(keys))
    for table in (block for block in blocks if isinstance(block, Table)):
        assert {len(row) for row in table.rows} <= {len(table.columns)}


def test_what_is_printed_twice_is_printed_alike(frontier: Brief) -> None:
    """15.47 % is 16 % in its column by largest remainder, and so wherever else the forecast's number stands."""
    document = compose(frontier)
    sentences: list[Sentence] = [(bar.percent,) for bar in document.front.bars]
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table) and block.key in {"probabilities", "first-passage"}:
                sentences += [cell for row in block.rows for cell in row]
    texts = {span.text for spans in sentences for span in spans if span.value == 0.1547}
    assert texts == {"16\u00a0%"}


def test_pages_stand_in_the_order_of_the_readers_doubts(frontier: Brief) -> None:
    titles = [(section.number, section.key) for section in compose(frontier).sections]
    assert titles == [
        (2, "scenarios"), (3, "transitions"), (4, "data"), (5, "movement"), (6, "priors"), (7, "record"), (8, "checks"), (9, "method"),
    ]  # fmt: skip


def test_a_failed_check_tells_its_number_and_what_to_do(refused: Brief) -> None:
    checks = next(section for section in compose(refused).sections if section.key == "checks")
    gate = next(block for block in checks.blocks if isinstance(block, Table) and block.key == "gate")
    assert [read(cell) for cell in gate.rows[0]] == [
        "R-hat, worst",
        "1.04",
        "< 1.01",
        "FAILED",
        "Run longer chains.",
    ]


def test_the_skill_process_is_told_at_every_horizon_with_its_own_alarm(grown: Brief) -> None:
    record = next(section for section in compose(grown).sections if section.key == "record")
    told = " ".join(read(block.spans) for block in record.blocks if isinstance(block, Paragraph)).replace(
        "\u00a0", " "
    )
    assert "one quarter ahead, against the Markov chain: 1.31; it has not reached 20" in told
    assert "2 quarters ahead 0.84 (has not reached 40); 4 quarters ahead 93 (has reached 80)." in told
