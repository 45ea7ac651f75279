"""The PDF is typeset by typst, which refuses to write one that is not accessible and archivable.

Words reach the template as JSON and never as source, so nothing in them is interpreted. Fonts come from
packages, never from the machine, and the only clock is the brief's: the same brief gives the same bytes.
"""

import datetime
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from reports.brief import Brief
from reports.colours import FAINT, INK, MUTED
from reports.compose import compose
from reports.document import Exhibit, Table
from reports.spec import Figure
from reports.text import KEPT, read

FAMILIES = ("Source Sans Pro", "DejaVu Sans")  # the second for scripts that the first does not know
CUTS = ("Regular", "Semibold")
WIDE = 5  # a table of so many columns has no room for prose beside its numbers
LINE = 105  # characters of small print that a line holds, the space between columns taken off
LETTER, NARROWEST, WIDEST = 1.7, 24.0, 56.0  # mm: a letter of small print, a column of row heads
FEW, SHORT = 12, 1200  # rows and characters of a table that no page break divides
LONG = 600  # characters: a longer cell may break across pages
PROSE = 40  # characters: a column whose cells are longer on average is prose


def render_pdf(brief: Brief, figures: Mapping[str, Figure], to: Path) -> Path:
    """Writes the report as tagged PDF/A-2a and PDF/UA-1.

    Args:
        brief: what the report says.
        figures: its charts, by the keys that the document names.
        to: the file to write.

    Returns:
        `to`.

    Raises:
        typst.TypstError: where typst finds the result inaccessible or unfit for an archive.
    """
    import typst

    words = json.dumps(payload(brief, figures), ensure_ascii=False)
    with TemporaryDirectory() as cuts:  # typst takes folders only, and the package holds every cut twice
        for font in _fonts():
            copyfile(font, Path(cuts) / font.name)
        page = typst.compile(
            str(files("reports") / "templates" / "report.typ"),
            sys_inputs={"report": words},
            font_paths=[cuts],
            ignore_system_fonts=True,
            pdf_standards=["a-2a", "ua-1"],
            timestamp=_moment(brief.issued_at),
        )
    to.write_bytes(page)
    return to


def payload(brief: Brief, figures: Mapping[str, Figure]) -> dict[str, Any]:
    """What the template is given: the document as plain JSON, its figures in place, its tables laid out."""
    document = compose(brief)
    language, *subtags = document.language.split("-")
    return {
        **_plain(document, figures),
        "lang": language,
        "region": next((tag.upper() for tag in subtags if len(tag) == 2), None),
        "author": brief.organisation or "",
        "fonts": list(FAMILIES),
        "ink": INK,
        "muted": MUTED,
        "faint": FAINT,
    }


def _plain(node: object, figures: Mapping[str, Figure]) -> Any:
    if is_dataclass(node):
        entry = {field.name: _plain(getattr(node, field.name), figures) for field in fields(node)}
        entry["is"] = type(node).__name__
        if isinstance(node, Exhibit):
            figure = figures[node.key]
            entry |= {"title": drawable(figure.title), "alt": figure.alt, "svg": drawable(figure.svg)}
        if isinstance(node, Table):
            entry |= _layout(node)
        return entry
    if isinstance(node, tuple):
        return [_plain(part, figures) for part in node]
    return drawable(node) if isinstance(node, str) else node


def _layout(table: Table) -> dict[str, Any]:
    """How a table fits the page.

    A wide one tells its prose beneath each row. One whose heads ask for more than the line lets its numbers
    share what the words leave. A small one is kept on one page, and any row that is not very long.
    """
    every = range(len(table.columns))
    sizes = {i: [len(drawable(read(row[i]))) for row in table.rows] or [0] for i in every}
    numeric = {i for i in every if table.columns[i].numeric}
    prose = {i for i in every[1:] if i not in numeric and sum(sizes[i]) > PROSE * len(table.rows)}
    long = sorted(prose) if len(every) >= WIDE and len(prose) < len(every) - 1 else []
    short = [i for i in every if i not in long]
    asked = {i: max(len(table.columns[i].title), *sizes[i]) for i in short}
    crowded = sum(asked.values()) > LINE > 2 * sum(asked[i] for i in short if i not in numeric)
    widths: list[str | float] = ["equal" if crowded and i in numeric else "natural" for i in short]
    if long:
        head = min(max(asked[short[0]] * LETTER, NARROWEST), WIDEST)
        widths = [head, *("natural" for _ in short[1:-1]), "equal"]
    return {
        "short": short,
        "long": long,
        "widths": widths,
        "right": [i in numeric and not (long and i == short[-1]) for i in short],
        "kept": len(table.rows) <= FEW and sum(map(sum, sizes.values())) < SHORT,
        "whole": max(map(max, sizes.values())) < LONG,
    }


def drawable(text: str) -> str:
    """The text with every letter that none of the fonts holds shown escaped, as unprintable ones are."""
    if text.isascii():
        return text
    unknown = {c for c in set(text) if not c.isascii()} - _letters()
    return text.translate({ord(c): ascii(c)[1:-1] for c in unknown})


@cache
def _fonts() -> tuple[Path, ...]:
    sans = Path(str(files("font_source_sans_pro"))) / "files"
    plots = find_spec("matplotlib")  # found, not imported: that would take a second
    if plots is None or plots.origin is None:
        raise ModuleNotFoundError("matplotlib, whose fonts draw what Source Sans Pro does not know")
    wider = Path(plots.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return (*(sans / f"SourceSansPro-{cut}.otf" for cut in CUTS), wider)


@cache
def _letters() -> frozenset[str]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    codes = {ord(joiner) for joiner in KEPT}
    for path in _fonts():
        with TTFont(path, lazy=True) as font:
            codes |= font.getBestCmap().keys()
    return frozenset(map(chr, codes))


def _moment(iso: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(iso)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
