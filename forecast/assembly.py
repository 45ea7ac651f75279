"""From a workspace at a date to everything its forecast says: fitted models pooled, checked and put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast import (
    checks,
    clock,
    elicited,
    fronts,
    frontwise,
    history,
    scenarios,
    sensitivity,
    signposts,
    tables,
)
from forecast.archive import FRONTS, HEADLINE
from forecast.clock import Clock
from forecast.fitted import Ahead, Fitted, errors, inflations
from forecast.fitting import Posterior, save
from forecast.foretelling import foretold
from forecast.latent import view
from forecast.ledger import head
from forecast.notes import notes
from forecast.provenance import provenance
from forecast.question import Question, ask
from forecast.record import Material
from forecast.sidebyside import CHAINS
from forecast.streams import StreamDefinition, slug
from forecast.tables import write_hub, write_tables
from forecast.watching import Progress
from forecast.weighing import pareto
from forecast.whatif import Frame, of_levers
from forecast.workspace import Workspace
from models import CATALOGUE

NOISE_QUARTERS = 4000  # simulated at rest: a rate of 10 % is then known to half a point
LEVER_DRAWS, LEVER_PATHS = 250, 80  # paired: a difference is then known to a quarter of a point
WATCH_PATHS = (
    50  # of each draw, for the signposts: their error comes from the draws, and more paths hardly lessen it
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assembled:
    """A forecast in all its parts, not yet written anywhere."""

    question: Question
    seed: int
    parts: Material  # complete but for the ledger's head and whether it is forced
    ahead: tuple[Ahead, ...]  # of the used models

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return self.question.workspace

    @property
    def verdict(self) -> checks.Verdict:
        """Of the gate."""
        return self.parts.verdict

    def material(self, *, verdict: checks.Verdict, ledger: Path) -> Material:
        """What the record is composed from, with the head of the ledger before its own row."""
        before = head(ledger)
        return replace(
            self.parts,
            verdict=verdict,
            ledger={"count": before.count, "head": before.hash if before.count else None},
            issued=ledger if before.count else None,
            **self._outlook(),
        )

    def counts(self) -> xr.Dataset:
        """What the headline is made of."""
        outcomes = {one.model.name: one.outcomes for one in self.ahead}
        return tables.headline(outcomes, self._weights(), self.workspace.scenarios.ids, chains=CHAINS)

    def _weights(self) -> dict[str, float]:
        return {name: weight.mean for name, weight in self.parts.weighed.weights.weights.items()}

    def _outlook(self) -> dict[str, Any]:
        """What the first quarter's headline hangs on; nothing where no future decides it."""
        counts, first = self.counts(), self.question.quarters[0]
        if not counts["trials"].sel(quarter=first).any():
            return {}
        few = {"path": slice(WATCH_PATHS)}
        return {
            "signposts": signposts.signposts(
                {one.model.name: one.futures.isel(few) for one in self.ahead},
                {one.model.name: one.outcomes.isel(few) for one in self.ahead},
                self._weights(),
                panel=self.question.panel.counts,
                scenarios=self.workspace.scenarios.ids,
                quarter=first,
                chains=CHAINS,
            ),
            "sensitivity": sensitivity.sensitivity(
                {one.model.name: one.model.posterior for one in self.ahead}, counts, quarters=[first]
            ),
        }

    def write(self, to: Path, record: Mapping[str, Any]) -> None:
        """Write posteriors, tables and the hub file into a run's folder."""
        (to / "posterior").mkdir()
        for model in self.parts.fitted:
            save(model.posterior, to / "posterior" / f"{model.name}.nc")
        if self.parts.by_front is not None:
            fronts.save(self.parts.by_front.joint, to / "posterior" / FRONTS)
        self.counts().to_netcdf(to / "posterior" / HEADLINE, engine="h5netcdf")
        write_tables(record, to / "tables")
        place = slug(self.workspace.title) or "theatre"
        futures, weights = [one.futures for one in self.ahead], list(self._weights().values())
        write_hub(
            record,
            scenarios.mixture(futures, weights),
            scenarios.fans(futures, weights, at=tables.QUANTILES),
            to,
            model=f"scenariocast-{place}",
            location=place,
        )


def assemble(
    workspace: Workspace, at: Clock, *, run: str, seed: int, workers: int, progress: Progress
) -> Assembled:
    """Fit every model of a workspace, in so many processes, and put its forecast together.

    Raises:
        Refusal: for data or beliefs that cannot be used, or a live run that comes too late.
    """
    question = ask(workspace, at)
    limit = workspace.config.time.max_age_months
    clock.check_live(at, question.quarters[0], question.panel.origin, max_age=limit)
    past = question.past()
    told = foretold(question, past, seed=seed, workers=workers, progress=progress)
    models, ensemble, used, shares = told.models, told.ensemble, told.used, told.shares
    by_front = frontwise.regimes(question, seed=seed, progress=progress)
    progress("putting it together")
    source = next((one for one in told.ahead if one.model.name == workspace.latent_from), None)
    rates = noise_rates(question, used[0].model.posterior, seed=seed)
    parts = Material(
        run=run,
        workspace=workspace,
        clock=at,
        panel=question.panel,
        fitted=models,
        weighed=told.weighed,
        ensemble=ensemble,
        before=scenarios.pooled([one.before for one in used], shares),
        fans=scenarios.fans([one.futures for one in used], shares),
        expected=scenarios.expected([one.futures for one in used], shares),
        current=question.current,
        quarters=question.quarters,
        latent=None if source is None else view(source.model.posterior, months=question.months),
        crosswalk=None if source is None else _crosswalk(question, source),
        past=past,
        noise=rates,
        noise_warnings=history.warnings(rates, {s.id: s.title for s in workspace.scenarios.scenarios}),
        visibility=_visibility(question, source),
        levers=_levers(question, used, shares, seed=seed),
        by_front=by_front,
        notes=notes(question, past, [model.posterior for model in models]),
        verdict=_gate(question, models, ensemble, () if by_front is None else by_front.checks),
        ledger=None,
        provenance=provenance(workspace, seed),
    )
    return Assembled(question=question, seed=seed, parts=parts, ahead=tuple(used))


def _levers(
    question: Question, used: Sequence[Ahead], shares: Sequence[float], *, seed: int
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The quarters with each lever pulled alone, from fewer futures than the forecast's, paired with those without."""
    if not question.workspace.config.levers:
        return {}
    return of_levers(
        Frame(
            workspace=question.workspace,
            posteriors={one.model.name: one.model.posterior for one in used},
            weights=shares,
            quarters=question.quarters,
            seed=seed,
            draws=LEVER_DRAWS,
            paths=LEVER_PATHS,
            chains=CHAINS,
        )
    )


def noise_rates(question: Question, posterior: Posterior, *, seed: int) -> Mapping[str, history.Noise]:
    """How often each rule fires at rest: at the level, spread and wander of the reference scenario as fitted."""
    rules, means = question.workspace.scenarios, posterior.draws.mean(("chain", "draw"))
    steady = {
        stream.id: _at_rest(stream, means, question)
        for stream in question.panel.definitions
        if stream.id in rules.streams
    }
    return history.noise(rules, steady, seed=seed, quarters=NOISE_QUARTERS, bounds=question.bounds)


def _at_rest(stream: StreamDefinition, means: xr.Dataset, question: Question) -> history.Steady:
    reference = question.workspace.scenarios.reference
    if stream.family == "bernoulli":
        known = question.panel.counts.sel(stream=stream.id)
        chance = (
            means["chance"].sel(stream=stream.id, regime=reference) if "chance" in means else known.mean()
        )
        return history.Steady(family=stream.family, mean=float(chance), dispersion=np.inf, wander=0.0)
    mean = float(np.exp(means["level"].sel(stream=stream.id)[-1]))
    phi = float(means["dispersion"].sel(stream=stream.id))
    step = float(means["wander"].sel(stream=stream.id))
    if stream.family == "gaussian":  # told in its own units: its spread and its steps are shares of the mean
        return history.Steady(
            family=stream.family, mean=mean, dispersion=mean / np.sqrt(phi), wander=mean * step
        )
    return history.Steady(
        family=stream.family, mean=mean, dispersion=phi if np.isfinite(phi) else np.inf, wander=step
    )


def _crosswalk(question: Question, source: Ahead) -> scenarios.Crosswalk:
    return scenarios.crosswalk(
        source.outcomes.sel(quarter=list(question.quarters)),
        source.futures["regime"],
        question.workspace.scenarios,
        regimes=source.model.posterior.setting.scenarios,
        current=None,
        chains=CHAINS,
    )


def _visibility(question: Question, source: Ahead | None) -> Mapping[str, Mapping[str, object] | None]:
    """What the streams could show of each regime, as the priors have it."""
    if source is None:
        return {}
    model, setting = CATALOGUE[source.model.name], question.setting(source.model.name)
    at_medians = elicited.at_medians(question.panel.counts, model, question.workspace.priors, setting)
    return dict(elicited.visibility(at_medians))


def _gate(
    question: Question,
    models: tuple[Fitted, ...],
    ensemble: scenarios.Probabilities,
    by_front: tuple[checks.Check, ...],
) -> checks.Verdict:
    """All checks of the used models by their names, those of the fronts, then those of the forecast as a whole."""
    own = (
        replace(check, name=f"{model.name}: {check.name}")
        for model in models
        if model.used
        for check in model.verdict.checks
    )
    trusted = pareto(models)
    precise = checks.precision(errors(ensemble), inflations(ensemble))
    age, limit = (
        clock.age(question.panel.origin, question.clock),
        question.workspace.config.time.max_age_months,
    )
    return checks.Verdict(checks=(*own, *by_front, *trusted, *precise, checks.freshness(age, limit)))
