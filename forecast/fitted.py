"""Every model of a workspace, fitted, simulated, resolved and checked; and its priors asked the same question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from forecast import checks, history, scenarios
from forecast.ensemble import Foresight
from forecast.fitting import Posterior, from_prior
from forecast.question import Question
from forecast.sidebyside import CHAINS, fits, own_seed
from forecast.simulation import simulate
from forecast.watching import Progress
from models import CATALOGUE

MOST_PATHS = 1600  # doubling stops here; the gate then says that more are needed
BEFORE_DRAWS, BEFORE_PATHS = 400, 50  # the priors alone: their spread is wide, so a coarse answer serves
VISIBLE_SPREAD = 0.005  # a probability whose draws differ by less has nothing that noise could widen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """One model, fitted and checked."""

    name: str
    used: bool  # weighted in the ensemble; otherwise compared at weight 0
    posterior: Posterior
    foresight: Foresight | None  # None for a model that stands alone
    verdict: checks.Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """What one fitted model says of the quarters ahead."""

    model: Fitted
    futures: xr.Dataset
    outcomes: xr.DataArray  # (draw, path, quarter), the running quarter included
    probabilities: scenarios.Probabilities
    before: scenarios.Probabilities  # the same question asked of the priors alone


def fitted(
    question: Question, *, seed: int, workers: int, progress: Progress, times: int = 1
) -> tuple[Fitted, ...]:
    """Every model that the workspace uses or compares, in that order, its chains so many times as long as usual.

    Raises:
        Refusal: for beliefs that a model cannot use.
    """
    models = question.workspace.config.models
    told = {name: question.setting(name) for name in models.fitted}
    done = fits(
        question.panel.counts,
        told,
        question.workspace.priors,
        seed=seed,
        workers=workers,
        progress=progress,
        times=times,
    )
    return tuple(
        Fitted(
            name=one.posterior.model,
            used=one.posterior.model in models.use,
            posterior=one.posterior,
            foresight=one.foresight,
            verdict=one.verdict,
        )
        for one in done
    )


def look_ahead(
    question: Question,
    models: Sequence[Fitted],
    past: history.History,
    *,
    draws: int | None,
    seed: int,
    progress: Progress,
) -> tuple[Ahead, ...]:
    """Simulate and resolve the quarters ahead from so many draws of each model; None: all.

    All models have the same number of paths: it is doubled until the noise of the simulation no longer widens the
    published intervals, or `MOST_PATHS` is reached.
    """
    paths = question.workspace.config.simulate.paths
    while True:
        progress(f"simulating {paths} futures of each draw")
        futures = [
            futures_of(question, one.posterior, draws=draws, paths=paths, seed=own_seed(seed, one.name))
            for one in models
        ]
        found = [resolved(question, data, question.panel.counts, past, chains=CHAINS) for data in futures]
        if paths >= MOST_PATHS or max(x for _, p in found for x in inflations(p)) <= checks.INFLATION:
            break
        paths *= 2
    progress("asking the priors alone")
    return tuple(
        Ahead(
            model=one,
            futures=data,
            outcomes=outcomes,
            probabilities=probabilities,
            before=_before(question, one.name, past, seed=own_seed(seed, one.name)),
        )
        for one, data, (outcomes, probabilities) in zip(models, futures, found, strict=True)
    )


def futures_of(
    question: Question, posterior: Posterior, *, draws: int | None, paths: int, seed: int
) -> xr.Dataset:
    """Simulated futures to the end of the last quarter, each stream held inside what it can be."""
    data = simulate(posterior, months=question.months, paths=paths, seed=seed, draws=draws)
    return scenarios.held(data, question.bounds)


def resolved(
    question: Question, futures: xr.Dataset, panel: xr.DataArray, past: history.History, *, chains: int
) -> tuple[xr.DataArray, scenarios.Probabilities]:
    """What the rules make of simulated futures after a panel."""
    rules, last = question.workspace.scenarios, past.last_resolved
    outcomes = scenarios.outcomes(
        rules, panel, futures, quarters=question.all_quarters, bounds=question.bounds
    )
    found = scenarios.probabilities(
        outcomes,
        rules,
        current=question.current,
        last_resolved=last.resolved if last else None,
        chains=chains,
    )
    return outcomes, found


def published(found: scenarios.Probabilities) -> Iterator[scenarios.Estimate]:
    """The probabilities that the gate answers for: of each quarter, and of a first time.

    Rows of transitions rest on as many visits as the scenario has; the report prints their number and their errors.
    """
    for row in (*found.resolved.values(), *found.first_passage.values()):
        yield from (estimate for estimate in row.values() if estimate is not None)


def errors(found: scenarios.Probabilities) -> list[float]:
    """Monte Carlo standard error of every published probability."""
    return [e.mcse for e in published(found)]


def inflations(found: scenarios.Probabilities) -> list[float]:
    """S²/σ̂² of every published probability that has a spread worth the name."""
    return [e.inflation for e in published(found) if e.draws.std() > VISIBLE_SPREAD] or [1.0]


def _before(question: Question, name: str, past: history.History, *, seed: int) -> scenarios.Probabilities:
    """The priors without a single month of data, labels left out: past and future are both drawn."""
    nothing = xr.full_like(question.panel.counts, np.nan)
    chosen = replace(question.setting(name), labels=None)
    prior = from_prior(
        nothing, CATALOGUE[name], question.workspace.priors, chosen, draws=BEFORE_DRAWS, seed=seed
    )
    imagined = futures_of(question, prior, draws=BEFORE_DRAWS, paths=BEFORE_PATHS, seed=seed)
    return resolved(question, imagined, nothing, past, chains=1)[1]
