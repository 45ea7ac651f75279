"""The page of a backtest says what it is given, escapes it, and runs nothing."""

from reports.backtest import BacktestPage, render_backtest
from reports.document import Banner, Column, Heading, Listing, Paragraph, Section, Table
from reports.text import Span, sentence

HOSTILE = "<script>alert(1)</script>"
TABLE = Table(
    key="gains",
    caption=f"Gains {HOSTILE}",
    columns=(Column(title="Reference"), Column(title="3 months", numeric=True)),
    rows=((sentence("climatology"), sentence(Span(text="+0.12", value=0.123, strong=True))),),
    note="Two targets.",
)
PAGE = BacktestPage(
    language="en-GB",
    title=f"Theatre {HOSTILE}",
    dateline="2 quarterly origins",
    banners=(Banner(kind="retrospective", title="Made afterwards", sentences=(sentence(HOSTILE),)),),
    headline=(sentence("Too few."),),
    sections=(
        Section(
            key="part-1",
            number=1,
            title="What to know first",
            blocks=(
                Listing(lead="", items=(sentence("in-sample in the rules"),)),
                Heading(text="Fits"),
                Paragraph(spans=sentence("Short."), tone="note"),
                TABLE,
            ),
        ),
    ),
    footer=sentence("90 %"),
)


def test_everything_given_is_on_the_page_and_nothing_runs() -> None:
    page = render_backtest(PAGE)
    for text in (
        "in-sample in the rules",
        '<strong><data value="0.123">+0.12</data></strong>',
        "Two targets.",
        '<p class="note">Short.</p>',
        '<a href="#part-1">',
    ):
        assert text in page
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5  # title twice, banner, caption and its label
    assert "default-src 'none'" in page


def test_equal_pages_give_equal_bytes() -> None:
    assert render_backtest(PAGE) == render_backtest(PAGE)
