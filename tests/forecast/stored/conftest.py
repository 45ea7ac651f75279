"""Runs to ask about: two of the small theatre, the second with another seed, their fits drawn from the priors."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forecast import archive
from forecast.archive import Stored
from forecast.pipeline import run
from forecast.workspace import Workspace, load

SMALL = Path(__file__).parents[2] / "workspaces" / "small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A workspace with two runs; tests that change anything work on a copy."""

    root: Path
    first: Stored
    second: Stored  # another seed; the ledger was not empty before it

    @property
    def workspace(self) -> Workspace:
        """The workspace as its files are now."""
        return load(self.root)

    def copied(self, to: Path) -> "Shelf":
        """The same in another folder, to be changed."""
        shutil.copytree(self.root, to)
        paths = [to / "runs" / stored.id for stored in (self.first, self.second)]
        first, second = map(archive.read, paths)
        return Shelf(root=to, first=first, second=second)


@pytest.fixture(scope="session")
def shelf(quickly: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    root = tmp_path_factory.mktemp("shelf") / "small"
    shutil.copytree(SMALL, root)
    with quickly():
        first, second = (run(root, seed=seed).path for seed in (11, 12))
    return Shelf(root=root, first=archive.read(first), second=archive.read(second))


@pytest.fixture
def edited() -> Callable[[Path, str, str], None]:
    """Replaces a text in a file that must hold it."""

    def edit(file: Path, old: str, new: str) -> None:
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8", newline="")

    return edit
