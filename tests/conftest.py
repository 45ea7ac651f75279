"""For every test: no network, patient properties; and a small theatre with fits that need no sampler."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # workers fill the cores; threads inside them only wait

# No deadlines: first calls compile, and cores are shared. The same examples every time: whether a change may land must not
# be luck. `--hypothesis-profile=roaming` looks elsewhere.
settings.register_profile("patient", deadline=None, derandomize=True)
settings.register_profile("roaming", deadline=None)
settings.load_profile("patient")

COUNTS = (
    7, 7, 6, 10, 8, 13, 12, 4, 1, 2, 4, 12, 12, 4, 5, 8, 6, 4, 3, 4, 2, 14, 13, 24, 41, 16, 24, 15, 6, 6, 1, 8, 7, 4, 14,
    13, 21, 3, 6, 6, 3, 3, 1, 3, 2, 7, 4, 9, 4, 2, 16, 17, 7, 12, 12, 12, 23, 8, 25, 7, 3, 5, 4, 23, 5, 10, 9, 8, 3, 6,
    5, 21,
)  # fmt: skip
FORECAST = """schema = 1
title  = "A second theatre"

[time]
window   = { from = "2014-01" }
as_of    = 2020-01-31
quarters = 4
max_age_months = 3
seed     = 7

[models]
use = ["regimes"]

[simulate]
paths = 100

[sources.counts]
file     = "data/counts.csv"
format   = "tidy"
coverage = { from = "2014-01", to = "2019-12" }

[streams.incidents]
source  = "counts"
where   = { stream = "incidents" }
measure = "count"
family  = "negative-binomial"
effect  = "increasing"
"""
SCENARIOS = """schema     = 1
reference  = "quiet"
precedence = ["violent"]

[[scenario]]
id    = "quiet"
title = "Quiet"

[[scenario]]
id       = "violent"
title    = "Violent"
resolves = { any = [{ stream = "incidents", take = "mean", at_least = 10 }] }
because  = "Above 10 incidents a month the mission suspends travel."
author   = "field desk"
date     = 2020-01-20
"""
BELIEFS = (
    ("dwell.quiet", 8, 12, "months"),
    ("dwell.violent", 4, 6, "months"),
    ("effect.incidents.violent", 2.6, 3.4, "times quiet"),
    ("level.incidents", 4.5, 5.5, "incidents per month"),
    ("spread.incidents", 25, 40, "percent of the mean"),
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which certificates of calibration are not of this code; only a release fails on them."""
    import sbc  # late: it loads the sampler

    for line in sbc.stale():
        terminalreporter.write_line(f"calibration: {line}")


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """The engine reads files; a connection from any test is a bug."""
    reach, ask = socket.socket.connect, socket.getaddrinfo

    def inside(family: int, address: Any) -> bool:
        """A pair of sockets inside one process, which Windows makes over its loopback."""
        return family not in (socket.AF_INET, socket.AF_INET6) or (
            sys.platform == "win32" and address[0] in ("127.0.0.1", "::1")
        )

    def connect(self: socket.socket, address: Any) -> None:
        if not inside(self.family, address):
            refuse(address)
        reach(self, address)

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        return ask(host, *rest, **named) if host in (None, "localhost", "127.0.0.1", "::1") else refuse(host)

    def refuse(address: object) -> NoReturn:
        raise AssertionError(f"a test reached for the network: {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect)
        patch.setattr(socket, "getaddrinfo", resolve)
        yield


@pytest.fixture(scope="session")
def second() -> Callable[[Path], Path]:
    """Writes another theatre than the frontier: one stream, two scenarios, beliefs near what made its counts."""

    def write(place: Path) -> Path:
        (place / "data").mkdir(parents=True)
        months = [f"{2014 + i // 12}-{i % 12 + 1:02d}" for i in range(len(COUNTS))]
        rows = [f"{month},all,incidents,{n}" for month, n in zip(months, COUNTS, strict=True)]
        files = {
            "data/counts.csv": "\n".join(["month,front,stream,count", *rows, ""]),
            "forecast.toml": FORECAST,
            "scenarios.toml": SCENARIOS,
            "priors.toml": beliefs(*BELIEFS),
        }
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8", newline="")
        return place

    return write


def beliefs(*intervals: tuple[str, float, float, str]) -> str:
    """A priors.toml of 90 % intervals."""
    head = 'schema = 1\nname = "second"\n\n[defaults]\nauthor = "field desk"\ndate = 2020-01-20\nsource = "Judgement"\n'
    return head + "".join(
        f'\n[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        'because = "Field experience."\n'
        for key, low, high, unit in intervals
    )


@pytest.fixture(scope="session")
def quickly() -> Callable[..., AbstractContextManager[None]]:
    """A context in which a run takes draws of the priors for its fits, four chains of them, at a fixed moment that is the present.

    `diverging` draws are marked as divergent, which the gate refuses.
    """

    @contextmanager
    def context(*, diverging: int = 0, moment: int = 1_612_137_600) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_DATE_EPOCH", str(moment))
            patch.setattr("forecast.clock.wall", lambda: datetime.fromtimestamp(moment, UTC))
            patch.setattr("forecast.fitted.fits", partial(drawn, diverging=diverging))
            yield

    return context


def drawn(
    panel: Any,
    settings: Any,
    priors: Any,
    *,
    seed: int,
    workers: int,
    progress: Any,
    times: int,
    diverging: int,
) -> list[Any]:
    """Draws of the priors in the shape of fits, in the place of `forecast.sidebyside.fits`."""
    import numpy as np
    import xarray as xr

    from forecast import predictive
    from forecast.checks import Verdict
    from forecast.ensemble import Foresight
    from forecast.fitting import from_prior
    from forecast.sidebyside import Fit, agreement, own_seed
    from models import CATALOGUE

    chains, draws = 4, 250
    rng = np.random.default_rng(seed)
    marks = np.zeros((chains, draws), bool)
    marks.flat[:diverging] = True
    statistics = {"diverging": marks, "energy": rng.normal(size=marks.shape)}
    origins = tuple(str(month) for month in panel["month"].values[23:-3])
    nothing = np.zeros(len(origins))
    found = []
    for name, setting in settings.items():
        progress(f"sampling {name}" if times == 1 else f"sampling {name} {times} times as long")
        parts = [
            from_prior(panel, CATALOGUE[name], priors, setting, draws=draws, seed=seed + chain)
            for chain in range(chains)
        ]
        density = rng.normal(-9.0, 1.0, len(origins))
        seen = Foresight(origins=origins, log_density=density, error=nothing, k=nothing, refits=())
        posterior = replace(
            parts[0],
            draws=xr.concat([part.draws for part in parts], "chain"),
            statistics=xr.Dataset({key: (("chain", "draw"), value) for key, value in statistics.items()}),
        )
        predicted = predictive.checks(posterior, seed=own_seed(seed, name))
        verdict = Verdict(checks=(*agreement(posterior), *predicted))
        found.append(Fit(posterior=posterior, verdict=verdict, foresight=seen if len(settings) > 1 else None))
    return found
