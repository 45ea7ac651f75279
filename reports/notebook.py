"""The notebook for whoever doubts: it derives the headline again from the stored draws and compares.

Texts from files stand in Markdown cells only, escaped; code cells are the same in every notebook.
"""

import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from reports.document import Block, Document, Exhibit, Heading, Listing, Paragraph, Section, Table
from reports.spec import Figure
from reports.text import Sentence, Span, read

TEMPLATES = Path(__file__).parent / "templates"
SPECIAL = re.compile(r"([\\`*_\[\]{}#|~$!])")
LEADING = re.compile(r"^(\s*)([-+]|\d+[.)])(\s)")
CUT = "# %%"  # between two cells of the code template

EXPLAINED = """\
## The headline, derived again

`posterior/headline.nc` holds, for every model, parameter draw and quarter, in how many of the simulated futures the
written rules decided the quarter (*trials*) and to which scenario (*hits*). With $\\hat p_d$ = hits / trials, $S^2$ its
variance over draws and $v_d$ the binomial noise of the simulation inside one draw,

$$\\hat\\sigma^2 = S^2 - \\overline{v_d}, \\qquad \\tilde p_d = \\bar p + \\sqrt{\\hat\\sigma^2 / S^2}\\,(\\hat p_d - \\bar p),
\\qquad \\mathrm{MCSE}^2 = S^2 / \\mathrm{ESS}(\\hat p_d).$$

The interval is that of $\\tilde p_d$ (where fewer than five hits are expected in a draw, that of the Beta with the same
mean and variance). Models are mixed by their weights. `forecast.json` is read only to compare.
"""
DIAGNOSED = "## Did the chains agree?\n\nRank-normalised R-hat and effective draws of every parameter, from the stored draws.\n"


def render_notebook(document: Document, figures: Mapping[str, Figure]) -> str:
    """The report as a notebook: the same words and tables, and code that derives the headline again.

    Args:
        document: the report in words.
        figures: the charts; the notebook tells what they show.

    Returns:
        The notebook as JSON text; it opens ``forecast.json`` and ``posterior/`` beside it.
    """
    load, derive, compare, diagnose = code_cells()
    cells = [
        _markdown(_front(document)),
        _markdown(EXPLAINED),
        _code(load),
        _code(derive),
        _code(compare),
        _markdown(DIAGNOSED),
        _code(diagnose),
        *(_markdown("\n\n".join(_section(section, figures))) for section in document.sections),
        _markdown(escaped(read(document.footer))),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [{"id": _id(place, cell), **cell} for place, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def code_cells() -> list[str]:
    """The code of every notebook, cell by cell."""
    text = (TEMPLATES / "notebook.py.txt").read_text("utf-8")
    return [part.strip() for part in text.split(CUT)[1:]]


def escaped(text: str) -> str:
    """Text as Markdown that shows exactly that text: no markup, no link, no formula."""
    shown = SPECIAL.sub(r"\\\1", html.escape(text, quote=False))
    return LEADING.sub(r"\1\\\2\3", shown).replace("://", "\\://")


def _front(document: Document) -> str:
    front = document.front
    lines = [f"**{escaped(b.title)}.** {' '.join(_spans(s) for s in b.sentences)}" for b in document.banners]
    lines += [f"# {escaped(front.kicker)}", escaped(front.dateline)]
    lines += [escaped(front.question)] if front.question else []
    lines += [" ".join(_spans(s) for s in front.headline), f"**{escaped(front.bars_title)}**"]
    changes = any(bar.change is not None for bar in front.bars)
    head = ["Scenario", "Probability", "90 % interval", "In words", *(["Change"] if changes else [])]
    rows = [
        [
            escaped(bar.title),
            _spans((bar.percent,)),
            _spans(bar.interval),
            escaped(bar.words),
            *([_spans((bar.change,)) if bar.change else ""] if changes else []),
        ]
        for bar in front.bars
    ]
    lines += [_grid(head, [False, True, True, False, True][: len(head)], rows), escaped(front.bars_note)]
    lines += [
        f"**{escaped(line.label)}.** {' '.join(_spans(s) for s in line.sentences)}" for line in front.lines
    ]
    return "\n\n".join(lines)


def _section(section: Section, figures: Mapping[str, Figure]) -> Iterator[str]:
    yield f"## {section.number} {escaped(section.title)}"
    for block in section.blocks:
        yield from _block(block, figures)


def _block(block: Block, figures: Mapping[str, Figure]) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _spans(block.spans)
        case Heading():
            yield f"### {escaped(block.text)}"
        case Listing():
            yield escaped(block.lead)
            yield "\n".join(f"- {_spans(item)}" for item in block.items)
        case Table():
            yield f"**{escaped(block.caption)}**"
            rows = [[_spans(cell) for cell in row] for row in block.rows]
            yield _grid([escaped(c.title) for c in block.columns], [c.numeric for c in block.columns], rows)
            if block.note:
                yield escaped(block.note)
        case Exhibit():
            if block.key in figures:
                yield f"Figure: {escaped(figures[block.key].alt)}"


def _grid(head: list[str], numeric: list[bool], rows: list[list[str]]) -> str:
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _spans(spans: Sentence) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    text = escaped(span.text)
    core = text.strip()
    return text.replace(core, f"**{core}**") if span.strong and core else text


def _markdown(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(source)}


def _code(source: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def _id(place: int, cell: dict[str, object]) -> str:
    content = json.dumps(cell, sort_keys=True, ensure_ascii=False)
    return f"c{place:02d}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
