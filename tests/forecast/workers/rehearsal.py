"""Work that processes can import by name: fits that need no sampler, and workers that die."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from forecast.backtest.origin import Task
from forecast.fitting import Posterior, from_prior
from models import CATALOGUE

CHAINS, DRAWS = 2, 60
AT = ("2018-03", "hindsight")  # third of six: the origin and prior set at which a worker comes to grief


def prior_draws(task: Task, name: str) -> tuple[Posterior, float]:
    """Draws of the prior in the shape of a fit."""
    parts = [
        from_prior(
            task.panel,
            CATALOGUE[name],
            task.priors,
            task.settings[name],
            draws=DRAWS,
            seed=task.seed % 1000 + c,
        )
        for c in range(CHAINS)
    ]
    statistics = {
        "diverging": np.zeros((CHAINS, DRAWS), bool),
        "energy": np.random.default_rng(task.seed).normal(size=(CHAINS, DRAWS)),
    }
    posterior = replace(
        parts[0],
        draws=xr.concat([part.draws for part in parts], "chain"),
        statistics=xr.Dataset({key: (("chain", "draw"), value) for key, value in statistics.items()}),
    )
    return posterior, 0.0


def killed_once(task: Task, name: str, *, mark: Path) -> tuple[Posterior, float]:
    """Draws of the prior; whoever is the first to begin with one of the origins is killed."""
    if (task.origin, task.priors_name) == AT and not mark.exists():
        mark.touch()
        killed()
    return prior_draws(task, name)


def stuck(task: Task, name: str, *, mark: Path) -> tuple[Posterior, float]:
    """Draws of the prior; at one of the origins it says who it is and never ends."""
    if (task.origin, task.priors_name) == AT:
        mark.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(3600)
    return prior_draws(task, name)


def square_once_killed(item: tuple[int, Path]) -> int:
    """The square of a number; the first worker that is given three is killed."""
    number, mark = item
    if number == 3 and not mark.exists():
        mark.touch()
        killed()
    return number**2


def killed() -> None:
    """End this process without a word, as a machine does that runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def die(item: object) -> None:
    """A piece of work that kills whoever does it."""
    os._exit(1)
