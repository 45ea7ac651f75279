"""Models are compiled and sampled side by side, a process each: starting is the cost of a run, and it needs no order.

The draws do not depend on it: each model has its own seed, and one model alone is fitted where it is asked for.
"""

import queue
import zlib
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue
from typing import Any

import numpy as np
import xarray as xr

from forecast import checks, predictive
from forecast.ensemble import Foresight, foresee
from forecast.fitting import Posterior, compile_model, fit
from forecast.processes import context, end_with_parent
from forecast.watching import Progress
from models import CATALOGUE, Setting
from priors import PriorSet

CHAINS = 4
DRAWS, LONGER = 1000, 4  # kept of each chain; how much longer chains run that agree but say too little
NEARLY = 1.05  # R-hat below which chains are short rather than apart
AMPLE = 600.0  # effective draws below which probabilities made of them may be coarser than is published
OFTEN = 0.2  # seconds between looks at the progress of other processes

type Event = tuple[str, int, int, str]

_events: "Queue[Event] | None" = None  # in a worker: where its progress goes; set once, when it starts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """What one model made of the panel."""

    posterior: Posterior
    verdict: checks.Verdict  # whether its chains agree, and it could have produced its data
    foresight: Foresight | None  # what it foresaw of each three months; None for a model that stands alone


def fits(
    panel: xr.DataArray,
    settings: dict[str, Setting],
    priors: PriorSet,
    *,
    seed: int,
    workers: int,
    progress: Progress,
    times: int = 1,
) -> list[Fit]:
    """Fit and check every model, in the order of `settings`; several are also scored on months they had not seen.

    Args:
        panel: (stream, month).
        settings: by model.
        priors: the beliefs of all.
        seed: of the run; each model draws its own from it.
        workers: processes; one means this one.
        progress: called with the stage and how far it is.
        times: how much longer chains are than usual; as many of their draws are kept.

    Raises:
        Refusal: for beliefs that a model cannot use.
    """
    several = len(settings) > 1
    jobs = [
        (panel, name, priors, setting, own_seed(seed, name), several, times)
        for name, setting in settings.items()
    ]
    if min(len(jobs), workers) == 1:
        return [_fitted(*job, progress=progress) for job in jobs]
    started = context()
    events: Queue[Event] = started.Queue()
    with ProcessPoolExecutor(
        min(len(jobs), workers), mp_context=started, initializer=_begin, initargs=(events,)
    ) as pool:
        waiting = [pool.submit(_worker, *job) for job in jobs]
        _follow(waiting, events, progress)
        return [job.result() for job in waiting]


def own_seed(seed: int, model: str) -> int:
    """A model's seed: its own, whatever other models stand beside it."""
    return int(np.random.SeedSequence([seed, zlib.crc32(model.encode())]).generate_state(1)[0])


def _follow(jobs: Sequence[Future[Fit]], events: "Queue[Event]", progress: Progress) -> None:
    """Pass the workers' progress on until all are done, or one has failed and the others are not worth waiting for."""
    open_ = set(jobs)
    while open_:
        done, open_ = wait(open_, timeout=OFTEN, return_when=FIRST_COMPLETED)
        while True:
            try:
                stage, at, total, note = events.get_nowait()
            except queue.Empty:
                break
            progress(stage, done=at, total=total, note=note)
        if any(job.exception() is not None for job in done):
            for job in open_:
                job.cancel()
            return


def _begin(events: "Queue[Event]") -> None:
    global _events
    _events = events
    end_with_parent()


def _worker(*job: Any) -> Fit:
    def tell(stage: str, /, done: int = 0, total: int = 0, note: str = "") -> None:
        assert _events is not None
        _events.put((stage, done, total, note))

    return _fitted(*job, progress=tell)


def _fitted(
    panel: xr.DataArray,
    name: str,
    priors: PriorSet,
    setting: Setting,
    seed: int,
    scored: bool,
    times: int,
    *,
    progress: Progress,
) -> Fit:
    progress(f"compiling {name}")
    compiled = compile_model(panel, CATALOGUE[name], priors, setting)
    stage = _stage(name, times)

    def watch(chains: Sequence[Any]) -> None:
        done, total = sum(c.finished_draws for c in chains), sum(c.total_draws for c in chains)
        progress(stage, done=done, total=total, note=f"{sum(c.divergences for c in chains)} divergences")

    def sampled(times: int) -> Posterior:
        return fit(
            panel,
            CATALOGUE[name],
            priors,
            setting,
            seed=seed,
            chains=CHAINS,
            tune=DRAWS * times,
            draws=DRAWS * times,
            progress=watch,
            compiled=compiled,
        )

    whole = sampled(times)
    agreed = agreement(whole)
    if times == 1 and short(agreed):
        stage, times = _stage(name, LONGER), LONGER
        whole = sampled(times)
        agreed = agreement(whole)
    verdict = checks.Verdict(checks=(*agreed, *predictive.checks(whole, seed=seed)))
    every = {"draw": slice(None, None, times)}  # a longer chain is judged whole, and thinned to be kept
    posterior = replace(whole, draws=whole.draws.isel(every), statistics=whole.statistics.isel(every))
    foresight = None
    if scored:
        progress(f"scoring {name} on months it had not seen")
        foresight = foresee(posterior, seed=seed, compiled=compiled)
    return Fit(posterior=posterior, verdict=verdict, foresight=foresight)


def _stage(name: str, times: int) -> str:
    return f"sampling {name}" if times == 1 else f"sampling {name} {times} times as long"


def short(agreed: Sequence[checks.Check]) -> bool:
    """Whether chains found one answer, but not often enough to be sure of its digits."""
    value = {check.name: np.inf if check.value is None else check.value for check in agreed}
    converged = value["R-hat"] < checks.R_HAT and min(value["bulk ESS"], value["tail ESS"]) > AMPLE
    return not converged and value["R-hat"] < NEARLY and not value["divergences"]


def agreement(posterior: Posterior) -> tuple[checks.Check, ...]:
    """Whether the chains of a fit agree on every parameter."""
    parameters = [str(name) for name, value in posterior.draws.data_vars.items() if "month" not in value.dims]
    return checks.convergence(posterior.draws, posterior.statistics, reported=parameters)
