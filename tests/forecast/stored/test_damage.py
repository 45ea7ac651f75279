"""A run whose files are damaged is refused in one line by every command that needs them, and left as it is."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.archive import posterior, read
from forecast.cli import main
from priors.refusal import Refusal

type Harm = Callable[[Path], None]


def put(data: bytes | str) -> Harm:
    return lambda file: file.write_bytes(data.encode() if isinstance(data, str) else data) and None


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def gone(file: Path) -> None:
    file.unlink()


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def keyed(**values: Any) -> Harm:
    """Sets keys, or removes those set to None."""

    def harm(file: Path) -> None:
        told = json.loads(file.read_text("utf-8")) | values
        file.write_text(json.dumps({k: v for k, v in told.items() if v is not None}), encoding="utf-8")

    return harm


def unequal(file: Path) -> None:
    """A quarter without a probability for one of the scenarios."""
    told = json.loads(file.read_text("utf-8"))
    del told["quarters"][1]["resolved"]["war"]
    file.write_text(json.dumps(told), encoding="utf-8")


TEXTS: dict[str, Harm] = {
    "absent": gone,
    "a folder": folder,
    "empty": put(""),
    "a table of nothing": put("{}"),
    "a list": put("[1, 2]"),
    "cut short": cut,
    "binary": put(bytes(range(256))),
    "of another encoding": put('{"title": "é"}'.encode("latin-1")),
    "nested without end": put("[" * 100_000),
    "with a number that is none": put('{"schema": NaN}'),
    "of another schema": keyed(schema="scenariocast/brief/1"),
    "of a newer schema": keyed(schema="scenariocast/forecast/2"),
    "without its schema": keyed(schema=None),
}
RECORDS = TEXTS | {
    "without quarters": keyed(quarters=[]),
    "without its verdict": keyed(verdict=None),
    "with a verdict that is none": keyed(verdict="ok"),
    "with a day that is none": keyed(as_of="2021-02-31"),
    "with a moment that is none": keyed(issued_at="yesterday"),
    "with a month that is none": keyed(origin="May 2026"),
    "of other scenarios": keyed(last_resolved={"quarter": "2020Q4", "scenario": "peace"}),
    "without a probability": unequal,
}
MANIFESTS = TEXTS | {"without its outputs": keyed(outputs=None), "with a list of inputs": keyed(inputs=[])}
BINARIES: dict[str, Harm] = {
    "absent": gone,
    "empty": put(""),
    "cut short": cut,
    "flipped": flipped,
    "text": put("{}"),
}
CASES = [
    *(("forecast.json", name, harm) for name, harm in RECORDS.items()),
    *(("manifest.json", name, harm) for name, harm in MANIFESTS.items()),
    *(("posterior/headline.nc", name, harm) for name, harm in BINARIES.items()),
    *(("posterior/switching-level.nc", name, harm) for name, harm in BINARIES.items()),
    ("manifest.json", "another run's", keyed(outputs={"posterior/headline.nc": "0" * 64})),
]
COMMANDS: dict[str, tuple[str, ...]] = {
    "report": (),
    "explain": ("calm",),
    "whatif": ("--set", "talks=1"),
    "replay": (),
}
NEEDS = {  # netCDF files that a command reads; all read the two texts
    "explain": ("posterior/headline.nc",),
    "whatif": ("posterior/headline.nc", "posterior/switching-level.nc"),
}


@pytest.fixture(scope="module")
def run(shelf: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = shelf.copied(tmp_path_factory.mktemp("damaged") / "small").first.path
    return path


@pytest.fixture
def harmed(run: Path) -> Iterator[Callable[[str, Harm], None]]:
    """Damages a file of the run for the length of a test."""
    kept: dict[Path, bytes] = {}

    def damage(name: str, harm: Harm) -> None:
        kept[run / name] = (run / name).read_bytes()
        harm(run / name)

    yield damage
    for file, data in kept.items():
        if file.is_dir():
            shutil.rmtree(file)
        file.write_bytes(data)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("file", "name", "harm"), CASES, ids=[f"{file} {name}" for file, name, _ in CASES])
def test_a_damaged_file_is_named_in_one_line(
    run: Path, harmed: Any, capsys: Any, command: str, file: str, name: str, harm: Harm
) -> None:
    if file.endswith(".nc") and file not in NEEDS.get(command, ()):
        return
    if name == "another run's" and command not in NEEDS:
        return
    harmed(file, harm)
    before = {path: path.read_bytes() for path in run.parents[1].rglob("*") if path.is_file()}
    assert main([command, str(run), *COMMANDS[command]]) == 2
    told = capsys.readouterr()
    lines = [line for line in told.err.splitlines() if not line.lstrip()[:1].isdigit()]  # stages of the work
    assert len(lines) == 1, told.err
    assert lines[0].startswith("forecast: ")
    assert (Path(file).name in lines[0]) or name == "another run's"
    assert len(lines[0]) < 600
    assert told.out == ""
    assert {path: path.read_bytes() for path in run.parents[1].rglob("*") if path.is_file()} == before


def test_draws_of_a_model_that_the_run_lacks_are_refused(run: Path) -> None:
    with pytest.raises(Refusal, match=r"absent\.nc: wanted the file that the run left"):
        posterior(read(run), "absent")


def test_a_run_at_the_root_of_a_disk_has_a_folder_above_it(shelf: Any) -> None:
    root = Path(Path.cwd().anchor)
    assert type(shelf.first)(path=root / "run", record={}, manifest={}).output == root
