"""The web page: one file that opens from a disk, makes no request, runs only its own scripts, reads without them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reports.colours import FAINT, INK, MUTED, NIGHT, PAPER, for_text
from reports.document import Document
from reports.spec import Figure

TEMPLATES = Path(__file__).parent / "templates"
NIGHT_GREYS = {INK: "#E6E6E6", MUTED: "#A3A3A3", FAINT: "#3B4048", PAPER: NIGHT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Text of an inline script and its hash, by which the page's policy knows it."""

    text: str
    sha256: str  # base64, as a content security policy wants it


def render_html(document: Document, figures: Mapping[str, Figure]) -> str:
    """The report as one HTML page.

    Args:
        document: the report in words.
        figures: the drawn charts, by the keys that the document's exhibits name.

    Returns:
        A complete page; the same bytes for the same document and figures.
    """
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
    scripts = (chart_library(), _script((TEMPLATES / "report.js").read_text("utf-8")))
    return environment.get_template("report.html.j2").render(
        document=document,
        figures=figures,
        kind=lambda block: type(block).__name__,
        drawing=lambda figure: Markup(figure.svg),
        style=Markup((TEMPLATES / "report.css").read_text("utf-8") + _night(document)),
        policy=_policy(scripts),
        scripts=[Markup(script.text) for script in scripts],
        specs=Markup(_data({key: figure.spec for key, figure in figures.items()})),
    )


def _policy(scripts: tuple[Script, ...]) -> str:
    allowed = " ".join(f"'sha256-{script.sha256}'" for script in scripts)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"


def _script(text: str) -> Script:
    return Script(text=text, sha256=base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


@cache
def chart_library() -> Script:
    """The chart library, as the drawing package carries it."""
    import vl_convert

    text = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("the chart library holds text that would end its script element")
    return _script(text)


def _data(specs: Mapping[str, Any]) -> str:
    """JSON that no text in it can break out of: a script element ends only at a less-than sign."""
    return json.dumps(specs, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")


def _night(document: Document) -> str:
    """Rules that recolour drawings, bars and swatches on a dark page, still or live."""
    rules = [
        f'.chart [fill="{day}"]{{fill:{night}}}.chart [stroke="{day}"]{{stroke:{night}}}'
        for day, night in NIGHT_GREYS.items()
    ]
    for bar in document.front.bars:
        night = for_text(bar.colour, NIGHT)
        rules.append(
            f'.chart [stroke="{bar.colour}"]{{stroke:{night}}}.chart [fill="{bar.colour}"]{{fill:{night}}}'
        )
        rules.append(f'.chart text[fill="{for_text(bar.colour)}"]{{fill:{night}}}')
        rules.append(f'[style*="{bar.colour}"]{{background:{night}!important}}')
    return f"@media screen and (prefers-color-scheme: dark) {{\n{'\n'.join(rules)}\n}}\n"
