"""A very long title is cut where there is no room for it, and stands in full where there is."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from reports.brief import Brief
from reports.compose import compose
from reports.figures import figures
from reports.fitting import LABEL, fitting
from reports.text import read, shortened

LONG = "Managed de-escalation by a mediated arrangement between two governments that holds through one winter"


@given(st.text(max_size=200), st.integers(5, 80))
def test_a_shortened_text_fits_and_is_the_beginning_of_its_own(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_titles_that_fit_are_left_alone(frontier: Brief, second: Brief) -> None:
    assert fitting(frontier) == frontier
    assert fitting(second) == second


def test_page_one_and_charts_cut_what_section_two_tells_in_full(
    frontier: Brief, edit: Callable[..., Brief]
) -> None:
    named = [
        {**s.model_dump(), "title": LONG if s.id == "contained" else s.title} for s in frontier.scenarios
    ]
    brief = edit(frontier, scenarios=named, title="A theatre " * 40)
    document = compose(brief)
    cut = shortened(LONG, LABEL)
    assert document.front.bars[1].title == cut
    assert len(document.front.kicker) < 300
    assert read(document.front.headline[0]).startswith(cut)
    assert document.title == brief.title
    assert any(getattr(block, "text", "") == LONG for block in document.sections[0].blocks)
    assert LONG not in figures(brief)["history"].alt
