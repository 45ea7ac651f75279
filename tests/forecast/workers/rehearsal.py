"""Work that processes can import by name: fits that need no sampler, and workers that die."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from forecast.backtest.origin import Task
from forecast.fitting import Posterior, from_prior
from models import CATALOGUE

CHAINS, DRAWS = 2, 60


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


def square_once_killed(item: tuple[int, Path]) -> int:
    """The square of a number; the first worker that is given three is killed."""
    number, mark = item
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    return number**2


def die(item: object) -> None:
    """A piece of work that kills whoever does it."""
    os._exit(1)
