"""A stored origin is what was written, by the code that there is, or it is not there at all."""

import ast
from dataclasses import asdict
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.backtest.origin import CODE, HORIZONS, ROOT, Fitness, Replayed, Said
from forecast.backtest.store import find, place, save

ORIGIN, KEY = "2020-03", "5" * 64
INPUTS = frozenset(
    {
        *("forecast/__init__", "forecast/backtest/__init__"),  # they load nothing by themselves
        *(
            "forecast/streams",
            "forecast/config",
            "forecast/clock",
            "forecast/workspace",
        ),  # a key holds what they read
        *("forecast/provenance", "forecast/processes", "forecast/watching"),  # names, processes, progress
        *("forecast/ensemble", "forecast/predictive", "forecast/ledger", "forecast/publish"),  # after the fit
        *("forecast/score", "reports"),
    }
)  # what origin.py imports, directly or not, and no number of an origin rests on


def imported(file: Path) -> set[str]:
    """Names that a module imports when it runs, at its top or later; not those for a type checker alone."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(file.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        waiting += ast.iter_child_nodes(node)
    return found


def closure(module: str, past: frozenset[str]) -> set[str]:
    """Our modules that one imports, by path without suffix; those of `past` are not gone through."""
    found: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        path = name.replace(".", "/")
        file = next((f for f in (f"{path}.py", f"{path}/__init__.py") if (ROOT / f).is_file()), None)
        if file is None or file.removesuffix(".py") in found:
            continue
        found.add(file.removesuffix(".py"))
        if not covered(file.removesuffix(".py"), past):
            waiting |= imported(ROOT / file)
        if "." in name:
            waiting.add(name.rpartition(".")[0])
    return found


def covered(path: str, parts: frozenset[str]) -> bool:
    return any(path == part or path.startswith(f"{part}/") for part in parts)


def test_every_module_behind_an_origin_is_hashed() -> None:
    """A module that origin.py comes to import is named in CODE, or here as one that moves no number."""
    behind = closure("forecast.backtest.origin", INPUTS)
    assert {"forecast/sampling", "forecast/checks", "forecast/sidebyside", "models/contract"} <= behind
    assert {path for path in behind if not covered(path, frozenset(CODE) | INPUTS)} == set()
    for part in CODE:
        assert (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file()
    assert covered("forecast/backtest/store", frozenset(CODE))


def said(seed: int) -> Said:
    rng = np.random.default_rng(seed)
    return Said(
        probabilities=rng.dirichlet(np.ones(3), 4),
        unresolved=rng.random(4),
        passages=np.where(rng.random((3, 2)) < 0.3, np.nan, rng.random((3, 2))),
        sample=rng.poisson(9.0, (1000, 1, len(HORIZONS))).astype(float),
    )


@pytest.fixture(scope="module")
def one() -> Replayed:
    fitness = Fitness(seconds=1.5, divergences=2, rhat=1.01, ess=700.0, log_density=-9.25)
    both = {"a": said(1), "prior-only a": said(2)}
    return Replayed(origin=ORIGIN, key=KEY, said=both, fitness={"a": fitness})


@pytest.fixture(scope="module")
def folder(one: Replayed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    there = tmp_path_factory.mktemp("origins")
    save(one, there)
    return there


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    return place(folder, ORIGIN, KEY).read_bytes()


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_one_bit_turned_is_not_there(folder: Path, whole: bytes, data: st.DataObject) -> None:
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    place(folder, ORIGIN, KEY).write_bytes(damaged)
    assert find(folder, ORIGIN, KEY) is None


@pytest.mark.parametrize("size", [0, 10, 32, 100, -1])
def test_a_file_cut_short_is_not_there(folder: Path, whole: bytes, size: int) -> None:
    place(folder, ORIGIN, KEY).write_bytes(whole[:size])
    assert find(folder, ORIGIN, KEY) is None


def test_a_damaged_file_is_replaced_and_others_can_read_it(folder: Path, one: Replayed, whole: bytes) -> None:
    path = place(folder, ORIGIN, KEY)
    path.write_bytes(whole[::-1])
    assert save(one, folder) == path
    again = find(folder, ORIGIN, KEY)
    assert again is not None
    assert asdict(again.fitness["a"]) == asdict(one.fitness["a"])
    for name, mine in one.said.items():
        assert np.array_equal(again.said[name].sample, mine.sample)
        assert np.array_equal(again.said[name].passages, mine.passages, equal_nan=True)
    with h5py.File(path) as opened:
        assert opened.attrs["key"] == KEY
    assert [found.name for found in folder.iterdir()] == [path.name]


def test_a_file_of_another_task_with_the_same_first_digits_is_not_taken(folder: Path, one: Replayed) -> None:
    save(one, folder)
    assert find(folder, ORIGIN, KEY[:-1] + "6") is None
