"""In a real browser: one request, no error, live charts, readable by assistive technology, page one fits a phone."""

import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on this machine: the page was not opened in a browser"
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # playwright's pipe to the browser
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


class Visit:
    """A page opened from a file, with everything it asked for and complained about."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:  # noqa: D107
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_context(**context).new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        self.page.wait_for_function("document.documentElement.dataset.live !== undefined", timeout=60_000)


@pytest.fixture(scope="module")
def files_of(pages: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("a page with spaces and ä")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8", newline="")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("name", ["frontier", "hostile"])
def test_it_opens_from_a_disk_alone_and_its_charts_come_alive(
    browser: Any, files_of: Mapping[str, Path], name: str
) -> None:
    visit = Visit(browser, files_of[name])
    assert visit.requests == [files_of[name].as_uri()]
    assert visit.complaints == []
    charts = visit.page.locator(".chart").count()
    assert int(visit.page.evaluate("document.documentElement.dataset.live")) == charts > 0
    assert visit.page.locator(".chart .vega-embed svg").count() == charts
    assert "owned" not in visit.page.title().split(":")[-1]
    assert visit.page.evaluate("document.querySelectorAll('img, iframe').length") == 0


@pytest.mark.parametrize(("name", "scheme"), [("frontier", "dark"), ("refused", "light")])
def test_assistive_technology_finds_no_fault(
    browser: Any, files_of: Mapping[str, Path], name: str, scheme: str
) -> None:
    visit = Visit(browser, files_of[name], color_scheme=scheme)
    visit.page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = visit.page.evaluate("axe.run()")
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found["violations"]] == []


@pytest.mark.parametrize("name", ["frontier", "hostile"])
def test_page_one_fits_a_phone(browser: Any, files_of: Mapping[str, Path], name: str) -> None:
    visit = Visit(browser, files_of[name], viewport={"width": 360, "height": 800})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    wide = visit.page.evaluate(
        "[...document.querySelectorAll('.front *')].filter(e => e.getBoundingClientRect().right > 361).length"
    )
    assert wide == 0


def test_no_table_is_cut_off_on_a_phone(browser: Any, files_of: Mapping[str, Path]) -> None:
    visit = Visit(browser, files_of["frontier"], viewport={"width": 360, "height": 800})
    cut = visit.page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.querySelector('table') && e.scrollWidth > e.clientWidth)"
        ".map(e => e.getAttribute('aria-label'))"
    )
    assert cut == []


def test_without_scripts_the_page_reads_the_same(browser: Any, files_of: Mapping[str, Path]) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(files_of["frontier"].as_uri())
    assert page.locator(".chart svg").count() == page.locator(".chart").count() > 10
    assert "Contained conflict is rated likely to very likely" in page.locator(".headline").inner_text()


def test_page_one_prints_on_one_sheet(browser: Any, files_of: Mapping[str, Path], tmp_path: Path) -> None:
    from pypdf import PdfReader

    visit = Visit(browser, files_of["frontier"])
    visit.page.pdf(path=tmp_path / "print.pdf", prefer_css_page_size=True)
    first_two = PdfReader(tmp_path / "print.pdf").pages[:2]
    sheets = [unicodedata.normalize("NFKC", sheet.extract_text()) for sheet in first_two]
    assert "Confidence" in sheets[0]
    assert "Managed de-escalation" in sheets[1].partition("Resolves")[0]


def test_a_foreign_script_does_not_run(browser: Any, files_of: Mapping[str, Path], tmp_path: Path) -> None:
    text = (
        files_of["frontier"]
        .read_text("utf-8")
        .replace("</footer>", "</footer><script>document.title='owned'</script>")
    )
    path = tmp_path / "tampered.html"
    path.write_text(text, encoding="utf-8", newline="")
    visit = Visit(browser, path)
    assert visit.page.title() != "owned"
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)
