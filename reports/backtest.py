"""The page of a backtest: words and tables in the look of the report, one file that makes no request and runs nothing."""

from dataclasses import dataclass
from pathlib import Path

from reports.document import Banner, Section
from reports.text import Sentence

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPage:
    """What the page says."""

    language: str
    title: str
    dateline: str
    banners: tuple[Banner, ...]
    headline: tuple[Sentence, ...]
    sections: tuple[Section, ...]  # paragraphs, listings, headings and tables
    footer: Sentence


def render_backtest(page: BacktestPage) -> str:
    """The page as HTML; equal pages give equal bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("backtest.html.j2").render(
        page=page,
        kind=lambda block: type(block).__name__,
        style=Markup((TEMPLATES / "report.css").read_text("utf-8")),
    )
