"""A plain brief in, pages out: HTML, PDF and notebook with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reports.brief import Brief

Format = Literal["html", "pdf", "notebook"]
FILES: dict[str, str] = {"html": "report.html", "pdf": "report.pdf", "notebook": "report.ipynb"}

__all__ = ["FILES", "Format", "prepare", "render"]


def prepare() -> Thread:
    """Starts what draws charts, which takes a second or two in which the caller can do other work.

    Returns:
        The thread that does it; to be joined before `render`, which would begin it a second time.
    """
    from reports.html import chart_library
    from reports.spec import start_drawing

    def start() -> None:
        start_drawing()
        chart_library()

    thread = Thread(target=start)
    thread.start()
    return thread


def render(brief: Brief, *, formats: Sequence[str], to: Path) -> tuple[Path, ...]:
    """Writes the report of a brief in each format; equal briefs give equal bytes.

    Args:
        brief: what the report says.
        formats: any of ``html``, ``pdf``, ``notebook``.
        to: the directory for ``report.html``, ``report.pdf``, ``report.ipynb``; made if absent.

    Returns:
        The files, in the order of `formats`.

    Raises:
        ValueError: for a format that is not one of these.
    """
    from reports.compose import compose
    from reports.figures import figures

    if unknown := [name for name in formats if name not in FILES]:
        raise ValueError(f"no report format {unknown[0]!r}; there are {', '.join(FILES)}")
    document, drawn = compose(brief), figures(brief)
    to.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in formats:
        path = to / FILES[name]
        if name == "pdf":
            from reports.pdf import render_pdf

            render_pdf(brief, drawn, path)
        elif name == "html":
            from reports.html import render_html

            path.write_text(render_html(document, drawn), encoding="utf-8", newline="")
        else:
            from reports.notebook import render_notebook

            path.write_text(render_notebook(document, drawn), encoding="utf-8", newline="")
        written.append(path)
    return tuple(written)
