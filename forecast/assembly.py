"""From a workspace at a date to everything its forecast says: fit, simulate, resolve, weigh, check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast import checks, clock, elicited, history, predictive, scenarios
from forecast.clock import Clock
from forecast.fit import Posterior, fit, from_prior, save
from forecast.incidents import gather
from forecast.latent import view
from forecast.ledger import head
from forecast.notes import notes
from forecast.panel import Panel, panel
from forecast.provenance import provenance
from forecast.record import Fitted, Material, Weight
from forecast.rules import bounds_of
from forecast.setting import setting
from forecast.simulate import simulate
from forecast.streams import StreamDefinition
from forecast.tables import write_hub, write_tables
from forecast.watching import Progress
from forecast.workspace import Workspace
from models import CATALOGUE, Setting

CHAINS = 4
MOST_PATHS = 1600  # doubling stops here; the gate then says that more are needed
BEFORE_DRAWS, BEFORE_PATHS = 500, 100  # the priors alone: their spread is wide, so a coarse answer serves
VISIBLE_SPREAD = 0.005  # a probability whose draws differ by less has nothing that noise could widen
NOISE_QUARTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What is asked of every model alike."""

    workspace: Workspace
    clock: Clock
    panel: Panel
    current: str | None
    quarters: tuple[str, ...]
    months: int  # to simulate

    @property
    def all_quarters(self) -> tuple[str, ...]:
        """The running quarter, if there is one, and those ahead."""
        return (*([self.current] if self.current else ()), *self.quarters)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assembled:
    """A forecast in all its parts, not yet written anywhere."""

    question: Question
    run: str
    seed: int
    parts: Material  # complete but for the ledger's head and whether it is forced

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
        now = head(ledger) if ledger.exists() else None
        return replace(
            self.parts,
            verdict=verdict,
            ledger={"count": now.count, "head": now.hash} if now else {"count": 0, "head": None},
        )

    def write(self, to: Path, record: Mapping[str, Any]) -> None:
        """Write posteriors, tables and the hub file into a run's folder."""
        (to / "posterior").mkdir()
        for model in self.parts.fitted:
            save(model.posterior, to / "posterior" / f"{model.name}.nc")
        write_tables(record, to / "tables")
        weightiest = max(
            self.parts.fitted, key=lambda model: self.parts.weights[model.name].mean if model.used else -1
        )
        write_hub(
            record,
            weightiest.futures,
            to,
            model=f"scenariocast-{self.workspace.name}",
            location=self.workspace.name,
        )


def ask(workspace: Workspace, at: Clock) -> Question:
    """Read the data as known at a date and say what lies ahead.

    Raises:
        Refusal: for data that cannot be read, or a live run that comes too late.
    """
    time = workspace.config.time
    archive = gather(workspace.sources, workspace.streams, root=workspace.root)
    known = panel(
        archive,
        workspace.streams,
        workspace.sources,
        window_from=time.window.from_,
        window_to=time.window.to,
        as_of=at.as_of,
        deciding=workspace.scenarios.streams,
    )
    current, quarters = scenarios.quarters_ahead(known.origin, time.quarters)
    clock.check_live(at, quarters[0], known.origin, max_age=time.max_age_months)
    return Question(
        workspace=workspace,
        clock=at,
        panel=known,
        current=current,
        quarters=quarters,
        months=scenarios.months_ahead(known.origin, time.quarters),
    )


def assemble(workspace: Workspace, at: Clock, *, run: str, seed: int, progress: Progress) -> Assembled:
    """Fit every model of a workspace and put its forecast together.

    Raises:
        Refusal: for data or beliefs that cannot be used.
    """
    question = ask(workspace, at)
    past = rule_history(question)
    fitted = tuple(
        _model(question, name, past, seed=_seed(seed, place), progress=progress)
        for place, name in enumerate(workspace.config.models.fitted)
    )
    progress("putting it together")
    used = [model for model in fitted if model.used]
    weights = {model.name: Weight(mean=1 / len(used), q05=1 / len(used), q95=1 / len(used)) for model in used}
    shares = [weights[model.name].mean for model in used]
    ensemble = scenarios.pooled([model.probabilities for model in used], shares)
    source = next((model for model in fitted if model.name == workspace.latent_from), None)
    regimes = None if source is None else view(source.posterior, months=question.months)
    rates = noise_rates(question, used[0].posterior, seed=seed)
    parts = Material(
        run=run,
        workspace=workspace,
        clock=at,
        panel=question.panel,
        fitted=fitted,
        weights=weights,
        weights_sentence=None,
        ensemble=ensemble,
        before=scenarios.pooled([model.before for model in used], shares),
        fans=scenarios.fans([model.futures for model in used], shares),
        current=question.current,
        quarters=question.quarters,
        latent=regimes,
        crosswalk=None if source is None else _crosswalk(question, source),
        past=past,
        noise=rates,
        noise_warnings=history.warnings(rates, {s.id: s.title for s in workspace.scenarios.scenarios}),
        visibility=_seen(source),
        notes=notes(question, past),
        verdict=_gate(question, fitted, ensemble),
        ledger=None,
        provenance=provenance(workspace, seed),
    )
    return Assembled(question=question, run=run, seed=seed, parts=parts)


def _seen(source: Fitted | None) -> Mapping[str, Mapping[str, object] | None]:
    return {} if source is None else dict(elicited.visibility(source.posterior))


def rule_history(question: Question) -> history.History:
    """How the rules resolve the quarters of the window."""
    titles = {stream.id: stream.name for stream in question.panel.definitions}
    return history.history(
        question.workspace.scenarios, question.panel.counts, titles=titles, bounds=bounds(question)
    )


def bounds(question: Question) -> Mapping[str, Any]:
    """What a missing cell of each stream may be."""
    return {stream.id: bounds_of(stream) for stream in question.panel.definitions}


def noise_rates(question: Question, posterior: Posterior, *, seed: int) -> Mapping[str, history.Noise]:
    """How often each rule fires at rest: at the level, spread and wander of the reference scenario as fitted."""
    rules, means = question.workspace.scenarios, posterior.draws.mean(("chain", "draw"))
    steady = {
        stream.id: _at_rest(stream, means, question)
        for stream in question.panel.definitions
        if stream.id in rules.streams
    }
    return history.noise(rules, steady, seed=seed, quarters=NOISE_QUARTERS, bounds=bounds(question))


def _at_rest(stream: StreamDefinition, means: xr.Dataset, question: Question) -> history.Steady:
    reference = question.workspace.scenarios.reference
    if stream.family == "bernoulli":
        known = question.panel.counts.sel(stream=stream.id)
        fitted = (
            means["chance"].sel(stream=stream.id, regime=reference) if "chance" in means else known.mean()
        )
        return history.Steady(family=stream.family, mean=float(fitted), dispersion=np.inf, wander=0.0)
    level = float(means["level"].sel(stream=stream.id)[-1])
    phi = float(means["dispersion"].sel(stream=stream.id))
    return history.Steady(
        family=stream.family,
        mean=level if stream.family == "gaussian" else float(np.exp(level)),
        dispersion=phi if np.isfinite(phi) else np.inf,
        wander=float(means["wander"].sel(stream=stream.id)),
    )


def _seed(seed: int, place: int) -> int:
    """A model's own seed: it stays the same when models are added after it."""
    return int(np.random.SeedSequence([seed, place]).generate_state(1)[0])


def setting_of(question: Question, model: str) -> Setting:
    """What one model is told beside data and beliefs."""
    return setting(
        question.workspace,
        question.panel,
        model=model,
        horizon=question.months,
        as_of=question.clock.as_of,
        reporting={},
    )


def _model(question: Question, name: str, past: history.History, *, seed: int, progress: Progress) -> Fitted:
    """Fit, simulate and resolve one model; then ask its priors alone the same question."""
    ws, model = question.workspace, CATALOGUE[name]
    chosen = setting_of(question, name)
    progress(f"fitting {name}")

    def watch(chains: Any) -> None:
        done, total = sum(c.finished_draws for c in chains), sum(c.total_draws for c in chains)
        progress(
            f"fitting {name}",
            done=done,
            total=total,
            note=f"{sum(c.divergences for c in chains)} divergences",
        )

    posterior = fit(question.panel.counts, model, ws.priors, chosen, seed=seed, chains=CHAINS, progress=watch)
    progress(f"simulating {name}")
    paths = ws.config.simulate.paths
    while True:
        futures = _futures(question, posterior, draws=ws.config.simulate.draws, paths=paths, seed=seed)
        found = _resolved(question, futures, past, chains=CHAINS)
        if paths >= MOST_PATHS or all(value <= checks.INFLATION for value in _inflations(found)):
            break
        paths *= 2
    prior = from_prior(question.panel.counts, model, ws.priors, chosen, draws=BEFORE_DRAWS, seed=seed)
    imagined = _futures(question, prior, draws=BEFORE_DRAWS, paths=BEFORE_PATHS, seed=seed)
    reported = [str(v) for v in posterior.draws.data_vars if v not in ("level", "shape")]
    verdict = checks.Verdict(
        checks=(
            *checks.convergence(posterior.draws, posterior.statistics, reported=reported),
            *predictive.checks(posterior, seed=seed),
        )
    )
    return Fitted(
        name=name,
        used=name in ws.config.models.use,
        posterior=posterior,
        futures=futures,
        probabilities=found,
        before=_resolved(question, imagined, past, chains=1),
        verdict=verdict,
    )


def _futures(question: Question, posterior: Posterior, *, draws: int, paths: int, seed: int) -> xr.Dataset:
    """Simulated futures, each stream held inside what it can be: no month has 40 days."""
    return simulate(posterior, months=question.months, paths=paths, seed=seed, draws=draws)


def _resolved(
    question: Question, futures: xr.Dataset, past: history.History, *, chains: int
) -> scenarios.Probabilities:
    rules, last = question.workspace.scenarios, past.last_resolved
    outcomes = scenarios.outcomes(
        rules, question.panel.counts, futures, quarters=question.all_quarters, bounds=bounds(question)
    )
    return scenarios.probabilities(
        outcomes,
        rules,
        current=question.current,
        last_resolved=last.resolved if last else None,
        chains=chains,
    )


def _crosswalk(question: Question, model: Fitted) -> scenarios.Crosswalk:
    rules = question.workspace.scenarios
    outcomes = scenarios.outcomes(
        rules, question.panel.counts, model.futures, quarters=question.quarters, bounds=bounds(question)
    )
    return scenarios.crosswalk(
        outcomes,
        model.futures["regime"],
        rules,
        regimes=question.workspace.regimes(model.name),
        current=None,
        chains=CHAINS,
    )


def _published(found: scenarios.Probabilities) -> Iterator[scenarios.Estimate]:
    """The probabilities that are published as numbers of the headline."""
    for row in found.resolved.values():
        yield from (estimate for estimate in row.values() if estimate is not None)


def _inflations(found: scenarios.Probabilities) -> list[float]:
    return [
        e.inflation for e in _published(found) if np.ptp(e.draws) > 0 and e.draws.std() > VISIBLE_SPREAD
    ] or [1.0]


def _gate(
    question: Question, fitted: tuple[Fitted, ...], ensemble: scenarios.Probabilities
) -> checks.Verdict:
    """All checks of the used models by their names, then those of the forecast as a whole."""
    own = (
        replace(check, name=f"{model.name}: {check.name}")
        for model in fitted
        if model.used
        for check in model.verdict.checks
    )
    precise = checks.precision([e.mcse for e in _published(ensemble)], _inflations(ensemble))
    fresh = checks.freshness(
        clock.age(question.panel.origin, question.clock), question.workspace.config.time.max_age_months
    )
    return checks.Verdict(checks=(*own, *precise, fresh))
