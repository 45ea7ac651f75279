"""The same work gives the same results here, in processes and on a cluster; a worker that dies costs nothing."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from forecast.executors import ONE_CORE, Cluster, Here, Processes, executor
from priors import Refusal

WORKERS = Path(__file__).parent / "workers"


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of `workers`, under a name that other processes can import too."""
    monkeypatch.syspath_prepend(WORKERS)
    import rehearsal

    return rehearsal


def test_processes_do_what_this_one_does() -> None:
    items = list(range(-4, 5))
    assert sorted(Processes(workers=2).map(abs, items)) == sorted(Here().map(abs, items))


def test_a_killed_worker_costs_nothing(rehearsal: Any, tmp_path: Path) -> None:
    items = [(number, tmp_path / "killed") for number in range(6)]
    found = sorted(Processes(workers=2).map(rehearsal.square_once_killed, items))
    assert (tmp_path / "killed").exists()
    assert found == [0, 1, 4, 9, 16, 25]


def test_work_that_kills_every_worker_is_given_up(rehearsal: Any) -> None:
    with pytest.raises(RuntimeError, match="2 pieces of work: their workers died 3 times over"):
        list(Processes(workers=1).map(rehearsal.die, [0, 1]))


def test_a_mistake_in_a_worker_arrives_as_it_was_made() -> None:
    with pytest.raises(TypeError, match="bad operand"):
        list(Processes(workers=1).map(abs, ["no number"]))  # type: ignore[arg-type]


def test_workers_keep_to_one_core_and_this_process_does_not_change() -> None:
    before = dict(os.environ)
    told = list(Processes(workers=1).map(os.getenv, list(ONE_CORE)))
    assert told == ["1"] * len(ONE_CORE)
    assert dict(os.environ) == before


def test_options_choose_the_executor() -> None:
    assert executor(workers=1, cluster=None) == Here()
    assert executor(workers=3, cluster=None) == Processes(workers=3)
    with pytest.raises(Refusal, match="--workers: got 0"):
        executor(workers=0, cluster=None)


def test_a_cluster_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.executors.find_spec", lambda name: None)
    with pytest.raises(Refusal, match='install "distributed"'):
        executor(workers=1, cluster="tcp://10.0.0.5:8786")


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The few names of dask.distributed that are called, played in this process; what was done is listed."""
    log: list[str] = []

    class Job:
        def __init__(self, value: object) -> None:
            self.value = value

        def result(self) -> object:
            return self.value

    class Client:
        def __init__(self, address: str, timeout: str) -> None:
            if "nobody" in address:
                raise OSError("timed out")
            if ":" not in address:
                raise ValueError("missing port number in address")
            log.append(f"connected to {address}")

        def __enter__(self) -> "Client":
            return self

        def __exit__(self, *error: object) -> None:
            log.append("closed")

        def map(
            self, function: Callable[[Any], Any], items: list[Any], *, pure: bool, batch_size: int
        ) -> list[Job]:
            assert not pure  # equal tasks are different work: dask would do them once
            return [Job(function(item)) for item in items]

    module = ModuleType("distributed")
    module.Client = Client  # type: ignore[attr-defined]
    module.as_completed = lambda jobs: reversed(jobs)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", module)
    monkeypatch.setattr("forecast.executors.find_spec", lambda name: True)
    return log


def test_a_cluster_is_asked_through_its_client(scheduler: list[str]) -> None:
    chosen = executor(workers=8, cluster="tcp://there:8786")
    assert chosen == Cluster(address="tcp://there:8786")
    assert list(chosen.map(abs, [-1, 2, -3])) == [3, 2, 1]
    assert scheduler == ["connected to tcp://there:8786", "closed"]


@pytest.mark.parametrize("address", ["tcp://nobody:1", "there"])
def test_a_scheduler_that_does_not_answer_is_refused(address: str, scheduler: list[str]) -> None:
    with pytest.raises(Refusal, match="the address of a running scheduler"):
        list(Cluster(address=address).map(abs, [1]))
