"""One call renders every format, equal briefs give equal bytes, and importing the package costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from reports import prepare, render
from reports.brief import Brief
from reports.html import chart_library


def test_it_writes_what_was_asked_in_that_order(second: Brief, tmp_path: Path) -> None:
    first = render(second, formats=("notebook", "html"), to=tmp_path / "a")
    again = render(second, formats=("notebook", "html"), to=tmp_path / "b")
    assert [path.name for path in first] == ["report.ipynb", "report.html"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert all(b"\r" not in path.read_bytes() for path in first)


def test_an_unknown_format_is_refused_before_anything_is_written(second: Brief, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no report format 'docx'; there are html, pdf, notebook"):
        render(second, formats=("html", "docx"), to=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_importing_reports_imports_no_library() -> None:
    code = "import sys, reports; heavy = {'pydantic', 'jinja2', 'numpy', 'vl_convert', 'typst'} & set(sys.modules); sys.exit(repr(heavy) if heavy else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_chart_library_is_at_hand_once_it_was_prepared() -> None:
    chart_library.cache_clear()
    prepare().join()
    assert chart_library.cache_info().currsize == 1
    assert "vegaEmbed" in chart_library().text
    assert chart_library.cache_info().misses == 1
