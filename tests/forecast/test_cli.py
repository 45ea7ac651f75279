"""The command line: exit codes, two faces of every answer, any folder, any terminal, and nothing heavy before it is due."""

import json
import os
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cyclopts import App

from forecast.cli import app, main

type Quickly = Callable[..., AbstractContextManager[None]]
type Capture = pytest.CaptureFixture[str]

HEAVY = (
    "pymc",
    "pytensor",
    "numpy",
    "pandas",
    "xarray",
    "arviz",
    "preliz",
    "scipy",
    "numba",
    "altair",
    "pydantic",
)
ENTRY = "from forecast.cli import entry; entry()"


def commands(of: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in of:
        if not name.startswith("-"):
            yield (*path, name)
            yield from commands(of[name], (*path, name))


@pytest.fixture(scope="module")
def theatre(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a folder with a space and accents."""
    return second(tmp_path_factory.mktemp("cli") / "le théâtre çà et là")


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys; import forecast.cli; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("argv", [["--help"], ["run", "--help"], ["ledger", "verify", "--help"]])
def test_help_is_shown_without_a_reader_of_markdown(argv: list[str]) -> None:
    code = f"import sys; from forecast.cli import main; main({argv}); print('rich.markdown' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_there_are_the_commands_that_the_design_names() -> None:
    found = {" ".join(path) for path in commands(app)}
    assert found >= {
        "init", "ingest", "run", "report", "scenarios history", "priors check", "priors show", "priors diff",
        "priors impact", "whatif", "compare", "ledger list", "ledger show", "ledger verify", "ledger export", "replay",
        "schema", "doctor", "explain",
    }  # fmt: skip


@pytest.mark.parametrize("path", list(commands(app)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...], capsys: Capture) -> None:
    assert main([*path, "--help"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.startswith(f"Usage: forecast {' '.join(path)}")
    assert len(told.out.split("\n\n")[1]) > 20


def test_nothing_asked_is_answered_with_help(capsys: Capture) -> None:
    assert main([]) == 0
    assert "Usage: forecast" in capsys.readouterr().out


def test_a_run_prints_its_headline_and_where_its_reports_lie(
    theatre: Path, quickly: Quickly, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with quickly():
        assert main(["run", str(theatre), "--output", "out"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("A second theatre: run 2020-01-31-")
    assert [line.split("  ")[0] for line in lines if line.startswith("2020")] == [
        f"2020\u00a0Q{n}" for n in (1, 2, 3, 4)
    ]
    assert "checks: all 10 hold" in lines
    reports = [line.removeprefix("report: ") for line in lines if line.startswith("report: ")]
    assert [Path(file).name for file in reports] == ["report.html", "report.pdf", "report.ipynb"]
    assert all(Path(file).is_file() and not Path(file).is_absolute() for file in reports)
    stages = [line.split(" s  ")[1] for line in told.err.splitlines()]
    assert stages[0] == "sampling regimes"
    assert stages[-1] == "done"
    assert len(stages) == len(set(stages))


def test_a_gate_that_fails_is_exit_code_three_and_force_is_nought(
    theatre: Path, quickly: Quickly, tmp_path: Path, capsys: Capture
) -> None:
    arguments = ["run", str(theatre), "--output", str(tmp_path), "--seed", "9"]
    with quickly(diverging=1):
        assert main(arguments) == 3
        refused = capsys.readouterr().out
        assert main([*arguments, "--force"]) == 0
        forced = capsys.readouterr().out
    assert (
        "checks: REFUSED, 1 of 10 failed\n  regimes: divergences: 1.0 (wanted ≤ 0); the posterior" in refused
    )
    assert "checks: ISSUED ALL THE SAME (--force), 1 of 10 failed" in forced


def test_another_exception_is_a_bug_and_is_not_hidden(
    theatre: Path, quickly: Quickly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("forecast.assembly.assemble", broken)
    with quickly(), pytest.raises(ZeroDivisionError):
        main(["run", str(theatre), "--output", str(tmp_path)])


@pytest.mark.parametrize(
    "path", [("run",), ("scenarios", "history"), ("priors", "check"), ("priors", "show")], ids=" ".join
)
def test_what_a_machine_reads_is_json_alone(
    path: tuple[str, ...], theatre: Path, quickly: Quickly, tmp_path: Path, capsys: Capture
) -> None:
    more = ["--output", str(tmp_path)] if path == ("run",) else []
    with quickly():
        assert main([*path, str(theatre), *more, "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert isinstance(found, dict)


def test_the_same_answers_are_text_for_people(theatre: Path, capsys: Capture) -> None:
    assert main(["scenarios", "history", str(theatre)]) == 0
    past = capsys.readouterr().out
    assert past.startswith("A second theatre\n")
    assert (
        "2019\u00a0Q4  Violent: incidents: at least 10 on average over the three months (it was 10.67)"
        in past
    )
    assert main(["priors", "check", str(theatre)]) == 0
    assert "second" in capsys.readouterr().out


def test_a_workspace_is_written_and_the_next_step_is_told(
    theatre: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = theatre / "data" / "counts.csv"
    assert main(["init", "new one", "--theatre", "blank", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "next: forecast run new one"
    assert {line.removeprefix("wrote ") for line in lines[:-1]} == {
        str(file.relative_to(tmp_path)) for file in (tmp_path / "new one").rglob("*") if file.is_file()
    }
    assert main(["scenarios", "history", "new one"]) == 0


def test_a_panel_is_ingested_and_read_again(theatre: Path, tmp_path: Path, capsys: Capture) -> None:
    data, out = theatre / "data" / "counts.csv", tmp_path / "panel.csv"
    assert main(["ingest", str(data), "--coverage", "2014-01..2019-12", "-o", str(out)]) == 0
    told = capsys.readouterr().out
    assert "72 rows read as tidy" in told
    assert f"wrote {out}" in told
    assert main(["ingest", str(out), "--coverage", "2014-01..2019-12", "--ascii"]) == 0
    assert capsys.readouterr().out.isascii()
    assert out.read_text("utf-8").splitlines()[0] == "month,front,stream,count"


def test_schemas_go_to_files_or_to_the_screen(tmp_path: Path, capsys: Capture) -> None:
    assert main(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"forecast", "scenarios", "priors", "labels"}
    assert main(["schema", "--output", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def entry(*argv: str, encoding: str = "utf-8", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The console script as a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *argv],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, **environment},
    )


def test_a_terminal_that_lacks_characters_gets_an_answer_all_the_same(theatre: Path) -> None:
    found = entry("scenarios", "history", str(theatre), encoding="ascii", LC_ALL="C")
    assert found.returncode == 0, found.stderr
    assert "2019?Q4  Violent: incidents" in found.stdout.decode("ascii")


def test_a_windows_terminal_gets_a_coverage_strip(theatre: Path) -> None:
    found = entry("ingest", str(theatre / "data" / "counts.csv"), encoding="cp1252", LC_ALL="C")
    assert found.returncode == 0, found.stderr
    assert "72 rows read as tidy" in found.stdout.decode("cp1252")


def test_a_mistake_is_told_by_a_process_too(tmp_path: Path) -> None:
    found = entry("run", str(tmp_path / "nowhere è"), encoding="ascii", LC_ALL="C")
    assert found.returncode == 2
    assert found.stdout == b""
    assert found.stderr.count(b"\n") == 1
    assert found.stderr.startswith(b"forecast: ")


HOSTILE = "\\u001b]0;owned\\u0007\\u001b[31mred\\u009b2J\\u202Etxt"


def test_a_text_of_the_workspace_cannot_move_the_cursor(
    second: Callable[[Path], Path], tmp_path: Path, quickly: Quickly, capsys: Capture
) -> None:
    theatre = second(tmp_path / "second")
    replaced = {
        "forecast.toml": ("A second theatre", HOSTILE),
        "scenarios.toml": ('title = "Quiet"', f'title = "{HOSTILE}"'),
        "priors.toml": ("field desk", HOSTILE),
    }
    for name, (old, new) in replaced.items():
        text = (theatre / name).read_text("utf-8")
        (theatre / name).write_text(text.replace(old, new), encoding="utf-8", newline="")
    with quickly():
        for path in (["run"], ["scenarios", "history"], ["priors", "check"], ["priors", "show"]):
            assert main([*path, str(theatre)]) == 0, path
            told = capsys.readouterr()
            assert not controls(told.out), path
            assert not controls(told.err), path


def controls(text: str) -> Mapping[int, str]:
    """Characters that a terminal would obey, by their place."""
    return {i: c for i, c in enumerate(text) if c != "\n" and unicodedata.category(c)[0] == "C"}


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_no_test_reaches_the_network(host: str) -> None:
    with pytest.raises(AssertionError, match="a test reached for the network"):
        socket.create_connection((host, 80), timeout=1)
    with socket.socket() as open_, pytest.raises(AssertionError, match="a test reached for the network"):
        open_.connect_ex((host, 80))
