"""A backtest end to end, with draws of the priors for fits: what it leaves, what it reuses, what it refuses."""

import _socket
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from forecast import publish, score
from forecast.backtest import Backtest, Plan, backtest
from forecast.backtest.pooling import ENSEMBLE, PREVIOUS
from forecast.backtest.scoring import SCENARIO
from forecast.cli import main
from forecast.executors import Cluster, Executor, Here, Processes
from forecast.workspace import Workspace, load
from models.baselines import COUNTS, SCENARIOS
from priors import Refusal

WORKERS = Path(__file__).parent / "workers"
PLAN = Plan(first="2017Q3", last="2018Q1", every="quarter", window=None)
BOTH = ("hindsight", "blank")
PATIENCE = 300  # seconds until a process of ours that does not answer fails a test


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Any]:
    """The module of `workers`, under a name that other processes can import too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(WORKERS)
        import rehearsal

        yield rehearsal


@pytest.fixture(scope="module")
def fit(rehearsal: Any) -> Any:
    """Draws of the prior in the place of the sampler."""
    return rehearsal.prior_draws


@pytest.fixture(scope="module")
def theatre(second: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second(tmp_path_factory.mktemp("theatres") / "second")


@pytest.fixture(scope="module")
def done(theatre: Path, fit: Any) -> Backtest:
    return backtest(load(theatre), PLAN, priors=BOTH, seed=3, fit=fit)


@pytest.fixture(scope="module")
def scores(done: Backtest) -> pd.DataFrame:
    return pd.read_parquet(done.path / "scores.parquet")


def test_it_leaves_scores_fits_a_summary_and_a_page(done: Backtest, theatre: Path) -> None:
    assert done.path.parent == theatre / "runs" / "backtests"
    assert {path.name for path in done.path.iterdir()} == {
        "scores.parquet",
        "fits.csv",
        "backtest.json",
        "backtest.html",
    }
    assert (done.worked, done.reused) == (6, 0)  # three origins, two prior sets
    assert len(list((done.path.parent / "origins").glob("*.nc"))) == 6
    assert json.loads((done.path / "backtest.json").read_text("utf-8")) == done.summary
    assert len(pd.read_csv(done.path / "fits.csv")) == 6


def test_every_forecaster_speaks_of_every_window(scores: pd.DataFrame) -> None:
    windows = scores[scores["target"] == SCENARIO]
    for name in BOTH:
        for model in ("regimes", ENSEMBLE, "prior-only"):
            own = windows[(windows["priors"] == name) & (windows["model"] == model)]
            assert len(own) == 12  # three origins, four quarters ahead
    references = windows[windows["priors"] == ""]
    assert set(references["model"]) == set(SCENARIOS)
    counts = scores[(scores["target"] == "incidents") & (scores["priors"] == "")]
    assert set(counts["model"]) == set(COUNTS)
    before = windows[windows["model"] == PREVIOUS]
    assert set(before["origin"]) == {"2017-12", "2018-03"}  # the first origin has none before it
    assert before["horizon"].max() == 9


def test_scores_follow_from_what_was_said_and_what_came(scores: pd.DataFrame) -> None:
    windows = scores[scores["target"] == SCENARIO]
    p = windows[["p.quiet", "p.violent"]].to_numpy()
    place = windows["outcome"].map({"quiet": 0, "violent": 1}).to_numpy()
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert windows["ign"].to_numpy() == pytest.approx(score.ign(p, place))
    assert windows["rps"].to_numpy() == pytest.approx(score.rps(p, place))
    counts = scores[scores["target"] == "incidents"]
    came = counts["outcome"].astype(float)
    inside = (counts["q0.05"] <= came) & (came <= counts["q0.95"])
    assert (inside == (counts["covered90"] == 1)).all()
    assert counts["pit"].between(0, 1).all()


def test_the_previous_forecast_is_that_of_the_quarter_before(scores: pd.DataFrame) -> None:
    own = scores[(scores["target"] == SCENARIO) & (scores["priors"] == "blank")].set_index(
        ["model", "origin", "horizon"]
    )
    now, then = own.loc[(PREVIOUS, "2018-03", 3)], own.loc[(ENSEMBLE, "2017-12", 6)]
    assert now["ends"] == then["ends"] == "2018-06"
    assert now["p.violent"] == then["p.violent"]


def test_outcomes_are_what_the_rules_say(scores: pd.DataFrame, theatre: Path) -> None:
    """Violent is a quarter with ten incidents a month or more, straight from the file."""
    counts = pd.read_csv(theatre / "data/counts.csv").set_index("month")["count"]
    windows = scores[scores["target"] == SCENARIO].drop_duplicates(["origin", "horizon"])
    for row in windows.itertuples():
        end = counts.index.get_loc(row.ends)
        mean = counts.iloc[end - 2 : end + 1].mean()
        assert row.outcome == ("violent" if mean >= 10 else "quiet")


def test_a_passage_is_asked_for_what_is_not_there_already(scores: pd.DataFrame) -> None:
    passages = scores[scores["target"].str.startswith("first passage")]
    assert set(passages["horizon"]) == {3, 12}
    now = scores[(scores["target"] == SCENARIO) & (scores["horizon"] == 3)].drop_duplicates("origin")
    came = dict(zip(now["ends"], now["outcome"], strict=True))
    asked = passages.drop_duplicates(["origin", "target"])
    for row in asked.itertuples():
        if row.origin in came:
            assert row.target == f"first passage of {'quiet' if came[row.origin] == 'violent' else 'violent'}"


def test_again_nothing_is_worked_out_and_nothing_changes(done: Backtest, theatre: Path, fit: Any) -> None:
    before = {path.name: path.read_bytes() for path in done.path.iterdir()}
    again = backtest(load(theatre), PLAN, priors=BOTH, seed=3, fit=fit)
    assert (again.worked, again.reused) == (0, 6)
    assert {path.name: path.read_bytes() for path in again.path.iterdir()} == before


def though_one_is_killed(theatre: Path, rehearsal: Any, place: Path, executor: Executor) -> Backtest:
    """The backtest elsewhere, one worker of the executor killed on its way."""
    mark = place / "killed"
    fit = partial(rehearsal.killed_once, mark=mark)
    there = backtest(load(theatre), PLAN, priors=BOTH, seed=3, fit=fit, output=place, executor=executor)
    assert mark.exists()
    return there


def test_two_workers_find_what_one_finds_though_one_is_killed(
    done: Backtest, theatre: Path, rehearsal: Any, tmp_path: Path
) -> None:
    there = though_one_is_killed(theatre, rehearsal, tmp_path, Processes(workers=2))
    assert there.path.name == done.path.name
    for name in ("scores.parquet", "backtest.json", "backtest.html"):
        assert (there.path / name).read_bytes() == (done.path / name).read_bytes()


@dataclass(frozen=True)
class Killed:
    """An executor that dies after some results."""

    after: int

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        """Yield results until it is killed."""
        for place, result in enumerate(Here().map(function, items)):
            if place == self.after:
                raise KeyboardInterrupt
            yield result


def test_a_kill_costs_the_origin_it_falls_on(done: Backtest, theatre: Path, fit: Any, tmp_path: Path) -> None:
    told = {"priors": BOTH, "seed": 3, "fit": fit, "output": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        backtest(load(theatre), PLAN, executor=Killed(after=3), **told)
    assert len(list((tmp_path / "runs/backtests/origins").iterdir())) == 3
    again = backtest(load(theatre), PLAN, **told)
    assert (again.worked, again.reused) == (3, 3)
    assert (again.path / "scores.parquet").read_bytes() == (done.path / "scores.parquet").read_bytes()


def test_a_killed_driver_takes_its_workers_along_and_the_next_one_goes_on(
    done: Backtest, theatre: Path, fit: Any, tmp_path: Path
) -> None:
    mark, origins = tmp_path / "stuck", tmp_path / "runs" / "backtests" / "origins"
    command = [sys.executable, str(WORKERS / "driver.py"), str(theatre), str(tmp_path), str(mark)]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert waited(lambda: mark.exists() and bool(mark.read_text("utf-8")))
        assert waited(lambda: len(list(origins.glob("2*"))) == 2)  # those before the one that is stuck
    finally:
        driver.kill()
        driver.wait()
    worker = int(mark.read_text("utf-8"))
    assert waited(lambda: not alive(worker))
    again = backtest(load(theatre), PLAN, priors=BOTH, seed=3, fit=fit, output=tmp_path)
    assert (again.worked, again.reused) == (4, 2)
    assert (again.path / "scores.parquet").read_bytes() == (done.path / "scores.parquet").read_bytes()


def waited(met: Callable[[], bool]) -> bool:
    """Whether something comes true before patience ends."""
    until = time.monotonic() + PATIENCE
    while not met() and time.monotonic() < until:
        time.sleep(0.05)
    return met()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler with two workers on this machine, which alone may be reached."""

    def connect(self: socket.socket, address: Any) -> None:
        assert address[0] == "127.0.0.1", f"a test reached for the network: {address}"
        _socket.socket.connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    with (
        (tmp_path / "cluster.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, str(WORKERS / "cluster.py"), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def test_a_cluster_finds_the_same_rows_though_a_worker_is_killed(
    done: Backtest, theatre: Path, rehearsal: Any, cluster: str, tmp_path: Path
) -> None:
    there = though_one_is_killed(theatre, rehearsal, tmp_path, Cluster(address=cluster))
    assert there.worked == 6
    assert (there.path / "scores.parquet").read_bytes() == (done.path / "scores.parquet").read_bytes()


def test_a_longer_backtest_reuses_the_origins_of_a_shorter_one(
    done: Backtest, theatre: Path, fit: Any
) -> None:
    found = backtest(load(theatre), replace(PLAN, last="2018Q2"), priors=("blank",), seed=3, fit=fit)
    assert (found.worked, found.reused) == (1, 3)
    assert found.path != done.path


def test_another_seed_is_other_work(theatre: Path, fit: Any, tmp_path: Path) -> None:
    shutil.copytree(theatre / "runs", tmp_path / "runs")
    short = replace(PLAN, last=PLAN.first)
    found = backtest(load(theatre), short, priors=("blank",), seed=4, fit=fit, output=tmp_path)
    assert (found.worked, found.reused) == (1, 0)


def test_configurations_are_counted(theatre: Path, fit: Any, tmp_path: Path) -> None:
    short = replace(PLAN, last=PLAN.first)

    def tried(plan: Plan) -> int:
        found = backtest(load(theatre), plan, priors=("blank",), seed=3, fit=fit, output=tmp_path)
        return int(found.summary["configurations_tried"])

    assert tried(short) == 1
    assert tried(replace(short, last="2017Q4")) == 1  # other origins are no other configuration
    assert tried(replace(short, window=24)) == 2


def test_a_damaged_result_is_worked_out_again(theatre: Path, fit: Any, tmp_path: Path) -> None:
    short = replace(PLAN, last=PLAN.first)
    notes: list[str] = []

    def watch(stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        notes.append(note)

    told = {"priors": ("blank",), "seed": 3, "fit": fit, "output": tmp_path, "progress": watch}
    first = backtest(load(theatre), short, **told)
    assert not any("damaged" in note for note in notes)
    scores = (first.path / "scores.parquet").read_bytes()
    (stored,) = (tmp_path / "runs/backtests/origins").iterdir()
    stored.write_bytes(stored.read_bytes()[:-100])
    again = backtest(load(theatre), short, **told)
    assert (again.worked, again.reused) == (1, 0)
    assert "one stored origin damaged, worked out again" in notes
    assert (again.path / "scores.parquet").read_bytes() == scores
    assert backtest(load(theatre), short, **told).reused == 1


def test_what_a_kill_left_aside_is_no_backtest_and_goes(theatre: Path, fit: Any, tmp_path: Path) -> None:
    place = tmp_path / "runs" / "backtests"
    told = {"priors": ("blank",), "seed": 3, "fit": fit, "output": tmp_path}
    short = replace(PLAN, last=PLAN.first)
    name = backtest(load(theatre), short, **told).path.name
    for left in (f".{name}", f".{name}.{os.getpid()}", ".2020q1-2020q4-month-0123abcd.77"):
        (place / left).mkdir()
        (place / left / "backtest.json").write_text("{", "utf-8")
    (place / ".mine").mkdir()
    (place / ".mine" / "backtest.json").write_text("{", "utf-8")
    again = backtest(load(theatre), short, **told)
    assert again.summary["configurations_tried"] == 1
    assert {path.name for path in place.iterdir()} == {name, "origins", ".mine"}


def test_a_folder_that_another_process_writes_to_is_left_alone(
    theatre: Path, fit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "PATIENCE", 0.1)
    told = {"priors": ("blank",), "seed": 3, "fit": fit, "output": tmp_path}
    short = replace(PLAN, last=PLAN.first)
    with publish.exclusive(tmp_path), pytest.raises(Refusal, match="another run being written"):
        backtest(load(theatre), short, **told)
    assert [path.name for path in (tmp_path / "runs" / "backtests").iterdir()] == ["origins"]
    assert backtest(load(theatre), short, **told).reused == 1


def test_a_damaged_summary_is_named_before_the_work(theatre: Path, fit: Any, tmp_path: Path) -> None:
    there = tmp_path / "runs" / "backtests" / "2017q3-2017q3-quarter-00000000"
    there.mkdir(parents=True)
    (there / "backtest.json").write_text("{", "utf-8")
    with pytest.raises(Refusal, match="a damaged summary"):
        backtest(load(theatre), PLAN, priors=("blank",), seed=3, fit=fit, output=tmp_path)
    assert not (there.parent / "origins").exists()


def test_hindsight_and_the_blank_set_are_titled_as_such(done: Backtest) -> None:
    """The beliefs of the second theatre were written in January 2020."""
    page = (done.path / "backtest.html").read_text("utf-8")
    assert done.summary["origins_with_hindsight"] == 3
    assert "3 of 3 origins are older than the priors: hindsight" in page
    assert "Scenarios, with hindsight priors" in page
    assert "Scenarios, with the blank prior set" in page
    assert "in-sample in the rules" in page
    assert "There are no vintages" in page
    assert "<script" not in page


def test_monthly_origins_look_at_the_three_months_that_end_with_a_month(
    theatre: Path, fit: Any, tmp_path: Path
) -> None:
    plan = Plan(first="2018Q1", last="2018Q1", every="month", window=36)
    found = backtest(load(theatre), plan, priors=("blank",), seed=3, fit=fit, output=tmp_path)
    scores = pd.read_parquet(found.path / "scores.parquet")
    windows = scores[scores["target"] == SCENARIO].drop_duplicates(["origin", "horizon"])
    assert sorted(set(windows["origin"])) == ["2018-01", "2018-02", "2018-03"]
    assert list(windows[windows["origin"] == "2018-02"]["ends"]) == [
        "2018-05",
        "2018-08",
        "2018-11",
        "2019-02",
    ]
    assert found.summary["plan"]["window"] == 36


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (replace(PLAN, first="2018Q3"), "--to: got '2018Q1'; wanted a quarter from 2018Q3 on"),
        (replace(PLAN, first="2014Q2"), "start with 2014Q4"),
        (replace(PLAN, last="2020Q1"), "months known by 2020-01-31"),
        (replace(PLAN, window=6), "--window: got 6"),
        (replace(PLAN, window=2401), "--window: got 2401; wanted expanding, or 12 to 2400 months"),
        (replace(PLAN, first="2017-03"), "a quarter"),
    ],
)
def test_origins_that_cannot_be_had_are_refused(plan: Plan, told: str, theatre: Path, fit: Any) -> None:
    before = set(theatre.rglob("*"))
    with pytest.raises(Refusal, match=told):
        backtest(load(theatre), plan, priors=("blank",), seed=3, fit=fit)
    assert set(theatre.rglob("*")) == before


def test_the_command(
    theatre: Path,
    fit: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("forecast.backtest.origin.sampled", lambda task, name, cores: fit(task, name))
    options = ["--from", "2017Q3", "--to", "2017Q4", "--priors", "blank", "--workers", "1", "--seed", "3"]
    there = ["--output", str(tmp_path)]
    assert main(["backtest", str(theatre), *options, *there]) == 0
    out = capsys.readouterr().out
    assert "With the blank prior set, three months ahead" in out
    assert "2 origins worked out, 0 taken from before" in out
    assert main(["backtest", str(theatre), *options, *there, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["plan"]["origins"]) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--window", "short"], "expanding, or a whole number of months"),
        (
            ["--window", "999999999999"],
            "--window: got '999999999999'; wanted expanding, or a whole number of months to 2400",
        ),
        (["--window", "9999"], "--window: got 9999; wanted expanding, or 12 to 2400 months"),
        (["--window", "9" * 5000], "--window: got "),
        (["--workers", "0"], "a whole number from 1"),
        (["--seed", "-1"], "a whole number from 0"),
        (["--every", "week"], "week"),
        (["--priors", "mine"], "mine"),
    ],
)
def test_the_command_refuses_in_one_line(
    options: list[str], told: str, theatre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", str(theatre), "--from", "2017Q3", "--to", "2017Q4", *options]) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--from: got 'nothing'; wanted the quarters of the first and of the last origin"),
        (["--from", "2017Q3"], "at most --from 2014Q4 --to 2019Q4"),
        (["--from", "2017", "--to", "2017Q4"], "--from: got '2017'; wanted a quarter, such as 2023Q3"),
        (["--from", "2017Q3", "--to", "2017-12"], "--to: got '2017-12'; wanted a quarter"),
    ],
)
def test_a_span_is_two_quarters(
    options: list[str], told: str, theatre: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", str(theatre), *options]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1


def test_energy_is_of_paths_that_came_whole(scores: pd.DataFrame) -> None:
    paths = scores[scores["target"] == "path of incidents"]
    assert len(paths) == 3 * (len(COUNTS) + 2 * 3)
    assert np.isfinite(paths[["energy", "variogram"]].to_numpy()).all()


def test_a_workspace_is_not_changed(theatre: Path, done: Backtest) -> None:
    found: Workspace = load(theatre)
    assert found.config.time.window.to is None
