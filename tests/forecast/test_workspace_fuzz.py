"""Whatever an editor does to a workspace, it loads or is refused in one line; nothing else ever comes out."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.workspace import load
from priors import Refusal

SMALL = Path(__file__).parents[1] / "workspaces" / "small"
FILES = ("forecast.toml", "scenarios.toml", "labels.toml", "priors.toml")
STRANGE: tuple[Any, ...] = (
    "",
    " ",
    "x",
    "2020-01",
    0,
    -1,
    1.5,
    10**30,
    float("nan"),
    float("inf"),
    True,
    [],
    [1, "a", []],
    {},
    {"from": "2019-01"},
    {"x": {"y": [{}]}},
)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to every value of a document, tables included."""
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield (*path, key)
        yield from leaves(node[key], (*path, key))


PLACES = [
    (file, path)
    for file in FILES
    for path in leaves(tomlkit.parse((SMALL / file).read_text("utf-8")).unwrap())
]


def told(folder: Path) -> str:
    """What `load` says: nothing, or its refusal."""
    try:
        load(folder)
    except Refusal as mistake:
        return str(mistake)
    return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(SMALL, tmp_path_factory.mktemp("fuzz") / "small"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=st.sampled_from(STRANGE) | st.just("delete"))
def test_any_value_in_any_place(folder: Path, place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    file, path = place
    original = (SMALL / file).read_text("utf-8")
    document = tomlkit.parse(original).unwrap()
    node = document
    for key in path[:-1]:
        node = node[key]
    if value == "delete":
        del node[path[-1]]
    else:
        node[path[-1]] = value
    (folder / file).write_text(tomlkit.dumps(document), "utf-8", newline="")
    said = told(folder)
    (folder / file).write_text(original, "utf-8", newline="")
    assert "\n" not in said
    assert len(said) < 1000


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from((*FILES, "drivers.csv")),
    at=st.floats(0, 1),
    cut=st.integers(0, 40),
    put=st.binary(max_size=6)
    | st.sampled_from([b"\n", b'"', b"[", b"]]", b"=", b"\0", b"\xff", b"\r", b",", b"{"]),
)
def test_any_bytes_in_any_place(folder: Path, file: str, at: float, cut: int, put: bytes) -> None:
    original = (SMALL / file).read_bytes()
    start = round(at * len(original))
    (folder / file).write_bytes(original[:start] + put + original[start + cut :])
    said = told(folder)
    (folder / file).write_bytes(original)
    assert "\n" not in said
    assert len(said) < 1000
