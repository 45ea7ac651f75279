"""The notebook runs, derives the recorded headline from stored draws, notices a wrong one, and executes no text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import xarray as xr

from forecast.scenarios.nested import combine, estimate
from reports.document import Document
from reports.notebook import code_cells, escaped, render_notebook
from reports.spec import Figure

NAMES = ["frontier", "refused", "second", "grown", "hostile"]
CHAINS, DRAWS, PATHS = 2, 60, 40
WEIGHTS = {"switching-level": 0.62, "local-level": 0.38}


@pytest.fixture(scope="module")
def notebooks(
    documents: Mapping[str, Document], drawn: Mapping[str, Mapping[str, Figure]]
) -> Mapping[str, str]:
    return {name: render_notebook(document, drawn[name]) for name, document in documents.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_valid_notebook_with_ids_of_its_own(notebooks: Mapping[str, str], name: str) -> None:
    notebook = nbformat.reads(notebooks[name], as_version=4)
    nbformat.validate(notebook)
    ids = [cell["id"] for cell in notebook.cells]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_code_is_the_same_in_every_notebook(notebooks: Mapping[str, str], name: str) -> None:
    """So no text of anybody's file can stand in it."""
    cells = json.loads(notebooks[name])["cells"]
    assert ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"] == code_cells()


def test_two_notebooks_of_one_brief_are_one(
    notebooks: Mapping[str, str], documents: Mapping[str, Document], drawn: Mapping[str, Mapping[str, Figure]]
) -> None:
    assert render_notebook(documents["frontier"], drawn["frontier"]) == notebooks["frontier"]


def test_it_tells_the_numbers_of_the_page(
    notebooks: Mapping[str, str], documents: Mapping[str, Document]
) -> None:
    text = "".join("".join(cell["source"]) for cell in json.loads(notebooks["frontier"])["cells"])
    for bar in documents["frontier"].front.bars:
        assert f"| {bar.title} | {bar.percent.text} | {''.join(span.text for span in bar.interval)} |" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("a | b", r"a \| b"),
        ("$x$ `y` *z*", r"\$x\$ \`y\` \*z\*"),
        ("- no list", r"\- no list"),
        ("1. no list", r"\1. no list"),
        ("# no title", r"\# no title"),
        ("https://evil.example", r"https\://evil.example"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.fixture
def run(tmp_path: Path, notebooks: Mapping[str, str], record: Mapping[str, Any]) -> Path:
    """A run's directory whose record was computed by the engine from the draws stored beside it."""
    rng = np.random.default_rng(20260630)
    scenarios = [scenario["id"] for scenario in record["scenarios"]]
    entries = [record["current_quarter"], *record["quarters"]]
    quarters = [entry["quarter"] for entry in entries]
    shape = (len(WEIGHTS), CHAINS * DRAWS, len(quarters))
    hits = np.zeros((*shape, len(scenarios)), dtype=np.int64)
    trials = np.zeros(shape, dtype=np.int64)
    resolved: dict[str, dict[str, dict[str, float]]] = {}
    for q, name in enumerate(quarters):
        parts: dict[str, list[Any]] = {scenario: [] for scenario in scenarios}
        for m in range(len(WEIGHTS)):
            chances = rng.dirichlet([3.0, 14.0, 0.6], size=CHAINS * DRAWS)
            outcome = np.array([rng.choice(3, size=PATHS, p=p) for p in chances])
            known = rng.random(outcome.shape) > 0.1 * q
            trials[m, :, q] = known.sum(1)
            for k, scenario in enumerate(scenarios):
                hit = (outcome == k) & known
                hits[m, :, q, k] = hit.sum(1)
                parts[scenario].append(estimate(hit, known, chains=CHAINS))
        mixed = {scenario: combine(found, list(WEIGHTS.values())) for scenario, found in parts.items()}
        resolved[name] = {
            s: {k: getattr(e, k) for k in ("mean", "q05", "q95", "mcse")} for s, e in mixed.items()
        }
    stored = {**record, "current_quarter": {**entries[0], "resolved": resolved[quarters[0]]}}
    stored["quarters"] = [{**entry, "resolved": resolved[entry["quarter"]]} for entry in record["quarters"]]
    (tmp_path / "forecast.json").write_text(json.dumps(stored), encoding="utf-8")
    (tmp_path / "posterior").mkdir()
    xr.Dataset(
        {
            "hits": (("model", "draw", "quarter", "scenario"), hits),
            "trials": (("model", "draw", "quarter"), trials),
            "weight": ("model", list(WEIGHTS.values())),
        },
        coords={"model": list(WEIGHTS), "quarter": quarters, "scenario": scenarios},
        attrs={"chains": CHAINS, "paths": PATHS},
    ).to_netcdf(tmp_path / "posterior" / "headline.nc", engine="h5netcdf")
    for model in WEIGHTS:
        draws = xr.Dataset(
            {"stay": (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS)))},
            coords={"chain": range(CHAINS), "draw": range(DRAWS)},
        )
        xr.DataTree.from_dict({"posterior": draws}).to_netcdf(
            tmp_path / "posterior" / f"{model}.nc", engine="h5netcdf"
        )
    (tmp_path / "report.ipynb").write_text(notebooks["frontier"], encoding="utf-8")
    return tmp_path


def executed(run: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The namespace after the notebook's code, run cell by cell in the run's directory."""
    monkeypatch.chdir(run)
    space: dict[str, Any] = {}
    for cell in json.loads((run / "report.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "cell", "exec"), space)
    return space


def test_it_derives_the_recorded_headline(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = executed(run, monkeypatch)
    table = space["table"]
    assert table.shape == (15, 8)
    assert abs(table["derived here"] - table["forecast.json"]).max().max() < 1e-9
    assert set(space["worst"]) == set(WEIGHTS)


def test_it_notices_a_number_that_the_draws_do_not_give(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = json.loads((run / "forecast.json").read_text("utf-8"))
    stored["quarters"][0]["resolved"]["contained"]["q95"] += 1e-6
    (run / "forecast.json").write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        executed(run, monkeypatch)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client.*")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the kernel's sockets, closed when it ends
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_runs_in_a_kernel(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONWARNINGS", "default")
    notebook = nbformat.read(run / "report.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(run)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert "forecast.json" in json.dumps(outputs)
