"""Charts say their message with numbers, survive any text, keep labels and colours apart, and repeat byte for byte."""

import re
from collections.abc import Mapping
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import colours
from reports.brief import Brief
from reports.figures import figures
from reports.spec import Figure, spaced

NAMES = ["frontier", "refused", "second", "grown", "hostile"]


@pytest.mark.parametrize("name", NAMES)
def test_every_drawing_is_well_formed_and_holds_nothing_that_runs_or_loads(
    drawn: Mapping[str, Mapping[str, Figure]], name: str
) -> None:
    for figure in drawn[name].values():
        root = ElementTree.fromstring(figure.svg)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "g", "path", "text", "tspan", "line", "rect", "title", "defs"}
        attributes = {key for element in root.iter() for key in element.attrib}
        assert not any(key.startswith("on") or key.endswith("href") for key in attributes)


def test_titles_and_alternatives_carry_numbers(drawn: Mapping[str, Mapping[str, Figure]]) -> None:
    for figure in drawn["frontier"].values():
        assert re.search(r"\d|\b(no|one|two|three|four)\b", figure.title), figure.title
        assert figure.alt.startswith(figure.title)
        assert re.search(r"\d", figure.alt)


def test_titles_of_the_frontier(drawn: Mapping[str, Mapping[str, Figure]]) -> None:
    titles = {key: figure.title.replace("\u00a0", " ") for key, figure in drawn["frontier"].items()}
    assert (
        titles["quarters"]
        == "Contained conflict leads in all four quarters: 74 % in 2026 Q3, 70 % in 2027 Q2"
    )
    assert titles["history"] == (
        "The model calls five of 56 months escalation to regional war, the rules two quarters"
    )
    assert titles["coverage"] == "Three streams of five end before May 2026"
    assert titles["rules"] == (
        "The rules resolve 17 quarters: one as managed de-escalation, 14 as contained conflict and two as escalation to regional war; one unresolved"
    )


def test_the_same_brief_gives_the_same_bytes(
    frontier: Brief, drawn: Mapping[str, Mapping[str, Figure]]
) -> None:
    again = figures(frontier)
    assert {key: figure.svg for key, figure in again.items()} == {
        key: figure.svg for key, figure in drawn["frontier"].items()
    }


def test_drawings_share_no_ids(drawn: Mapping[str, Mapping[str, Figure]]) -> None:
    ids = [
        name for figure in drawn["frontier"].values() for name in re.findall(r'\bid="([^"]+)"', figure.svg)
    ]
    assert len(ids) == len(set(ids))


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.12)), min_size=1, max_size=7))
def test_labels_never_overlap_and_stay_in_the_frame(labels: list[tuple[float, float]]) -> None:
    places, heights = [place for place, _ in labels], [height for _, height in labels]
    moved = spaced(places, heights, low=0, high=1)
    spans = sorted((y - h / 2, y + h / 2) for y, h in zip(moved, heights, strict=True))
    assert all(upper[0] >= lower[1] - 1e-9 for lower, upper in pairwise(spans))
    assert spans[0][0] >= -1e-9
    assert spans[-1][1] <= 1 + 1e-9


@pytest.mark.parametrize("count", [2, 4, 5, 6])
def test_other_numbers_of_scenarios_stay_apart_in_grey(count: int) -> None:
    greys = [colours.grey(colour) for colour in colours.palette(count)]
    assert all(a - b > 12 for a, b in pairwise(greys))


def test_three_scenarios_take_the_declared_colours() -> None:
    assert colours.palette(3) == ("#3B6EA5", "#C08A2B", "#8C2226")
    greys = sorted(colours.grey(colour) for colour in colours.palette(3))
    assert all(b - a > 30 for a, b in pairwise(greys)), "a grey print keeps the three apart"


@pytest.mark.parametrize("ground", [colours.PAPER, colours.NIGHT])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_coloured_text_is_readable(count: int, ground: str) -> None:
    for colour in colours.palette(count):
        assert colours.contrast(colours.for_text(colour, ground), ground) >= 4.5
