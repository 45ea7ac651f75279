"""The house, executable: imports only ever point one way."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "priors": set(),
    "reports": set(),
    "models": {"priors"},
    "forecast": {"priors", "models", "reports"},
}
ARROW = (
    "months", "streams", "rules", "config", "workspace", "clock", "formats", "incidents", "panel", "reporting",
    "ingest", "theatres", "setting", "sampling", "fitting", "simulation", "latent", "fronts", "scenarios", "tallies", "history", "checks", "predictive",
    "watching", "terminal", "elicited", "particles", "ensemble", "signposts", "sensitivity", "score", "ledger", "skill", "publish", "layout", "archive", "question", "processes", "executors", "sidebyside", "fitted", "frontwise", "moved",
    "weighing", "foretelling", "provenance", "notes", "record", "tables", "fronts_brief", "briefing", "whatif", "assembly", "enquiries", "pipeline", "explain",
    "comparison", "replay", "doctor", "accounts", "exports", "arguments", "commands", "bookkeeping", "recordkeeping", "backtest", "cli",
)  # fmt: skip
SOURCES = [path for name in MAY_IMPORT for path in sorted((ROOT / name).rglob("*.py"))]
FORECAST = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == "forecast"]


def imported(path: Path) -> set[str]:
    """Dotted names of every module that ``path`` imports, wherever the statement stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(path: Path) -> str:
    """The module of ``forecast`` that ``path`` belongs to; a folder is one room."""
    return path.relative_to(ROOT / "forecast").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_packages_import_only_what_the_rule_names(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.partition(".")[0] for name in imported(path)} & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[package] | {package}


@pytest.mark.parametrize("path", FORECAST, ids=lambda p: str(p.relative_to(ROOT)))
def test_inside_forecast_a_module_imports_from_its_left(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    assert here in ARROW, f"{here} has no place in the arrow"
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("forecast.")} & set(ARROW)
    right = {name for name in rooms if ARROW.index(name) > ARROW.index(here)}
    assert not right, f"{here} imports {right}, which stand to its right"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_short_and_opens_with_its_claim(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 350
    assert ast.get_docstring(ast.parse(text))


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    modules = {path for path in SOURCES if path.name != "__init__.py" and path.parent.name in MAY_IMPORT}
    missing = {f"{p.parent.name}/{p.name}" for p in modules if f"`{p.name}`" not in page}
    assert not missing


def test_the_engine_never_reaches_for_the_network() -> None:
    banned = {"socket", "urllib.request", "http.client", "requests", "httpx", "ftplib", "smtplib"}
    guilty = {str(path.relative_to(ROOT)) for path in SOURCES if imported(path) & banned}
    assert not guilty
