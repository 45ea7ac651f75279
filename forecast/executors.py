"""Where independent pieces of work are done: here, in processes of this machine, or on a cluster.

One line of protocol serves all three. Pieces know nothing of each other, results come as they are finished, and a
worker that dies costs its piece and no more: that is done again elsewhere.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Protocol

from forecast.processes import context, end_with_parent
from priors.refusal import Refusal

ATTEMPTS = 3  # rounds without a single result before a piece of work is held to kill its workers
BATCH = 100  # pieces in a message to a scheduler, which warns of one above ten megabytes
ONE_CORE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "PYTHON_CPU_COUNT",
        ),
        "1",
    )
)
"""What a worker's libraries read when they are loaded: as many workers as cores leave none for threads of their own."""


class Executor(Protocol):
    """Applies a function to items in any order."""

    def map[A, B](self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """Yield a result for each item, as they are finished."""


@dataclass(frozen=True, slots=True)
class Here:
    """This process, one item after the other."""

    def map[A, B](self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """Yield the results in the order of the items."""
        yield from map(function, items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Workers of this machine, one core each."""

    workers: int

    def map[A, B](self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """Yield results as they are finished; what a killed worker held is handed out again.

        Raises:
            RuntimeError: when workers die again and again without finishing anything.
        """
        waiting, rounds = dict(enumerate(items)), 0
        while waiting:
            before = len(waiting)
            with (
                _one_core(),
                ProcessPoolExecutor(
                    min(self.workers, before), mp_context=context(), initializer=end_with_parent
                ) as pool,
            ):
                jobs = {pool.submit(function, item): place for place, item in waiting.items()}
                try:
                    for place, result in _finished(jobs):
                        del waiting[place]
                        yield result
                finally:
                    pool.shutdown(wait=False, cancel_futures=True)
            rounds = 0 if len(waiting) < before else rounds + 1
            if rounds == ATTEMPTS:
                raise RuntimeError(f"{len(waiting)} pieces of work: their workers died {ATTEMPTS} times over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Workers behind a scheduler of dask.distributed, on any machines that have the same installation."""

    address: str

    def map[A, B](self, function: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """Yield results as they are finished; the scheduler hands out again what a lost worker held.

        Raises:
            Refusal: if no scheduler answers at the address.
        """
        distributed: Any = import_module("distributed")  # an option: not every installation has it
        try:
            client = distributed.Client(self.address, timeout="10s")
        except (OSError, TimeoutError, ValueError) as error:  # nobody there, or no address at all
            raise Refusal(
                where="--cluster",
                got=self.address,
                wanted="the address of a running scheduler, such as tcp://10.0.0.5:8786",
                remedy="start one with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`",
            ) from error
        with client:
            # no list of the jobs is kept: a worker holds a result for as long as somebody may ask for it
            jobs = distributed.as_completed(client.map(function, items, pure=False, batch_size=BATCH))
            for job in jobs:
                yield job.result()


def executor(*, workers: int, cluster: str | None) -> Executor:
    """Where the options of a command ask work to be done.

    Raises:
        Refusal: for fewer workers than one, or a cluster without the package that speaks to it.
    """
    if workers < 1:
        raise Refusal(where="--workers", got=workers, wanted="a whole number from 1")
    if cluster is None:
        return Here() if workers == 1 else Processes(workers=workers)
    if find_spec("distributed") is None:
        raise Refusal(
            where="--cluster",
            got=cluster,
            wanted="the package distributed, which speaks to a cluster",
            remedy='install "distributed" beside scenariocast, here and on every worker, or leave --cluster out',
        )
    return Cluster(address=cluster)


def _finished[B](jobs: Mapping[Future[B], int]) -> Iterator[tuple[int, B]]:
    """Places and results of the jobs that a living worker finished."""
    for job in as_completed(jobs):
        if not isinstance(job.exception(), BrokenProcessPool):
            yield jobs[job], job.result()


@contextmanager
def _one_core() -> Iterator[None]:
    """Let processes that start meanwhile keep to one core."""
    before = {name: os.environ.get(name) for name in ONE_CORE}
    os.environ.update(ONE_CORE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
