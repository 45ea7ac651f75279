"""What a workspace can be asked without fitting anything: how rules read the past, what its priors imply."""

from pathlib import Path
from typing import Any

from forecast import clock, elicited
from forecast.fitting import from_prior
from forecast.history import Steady, noise, warnings
from forecast.question import Question, ask
from forecast.rules import in_words
from forecast.watching import Progress, silent
from forecast.workspace import Workspace, load
from models import CATALOGUE
from priors import distribution

QUARTERS = 4000  # simulated to find how often a rule fires at rest
DRAWS, PATHS = 1000, 100  # from the priors

type Json = dict[str, Any]


def past(where: Path | str) -> Json:
    """How the rules resolve every quarter of the window, and how often each fires when nothing changes.

    Raises:
        Refusal: for a workspace that cannot be used.
    """
    workspace = load(where)
    question = ask(workspace, clock.read(workspace.config.time))
    found, rules = question.past(), workspace.scenarios
    titles = {stream.id: stream.name for stream in workspace.streams}
    rates = noise(
        rules,
        _at_rest(workspace),
        seed=workspace.config.time.seed,
        quarters=QUARTERS,
        bounds=question.bounds,
    )
    return {
        "title": workspace.title,
        "scenarios": [
            {
                "id": scenario.id,
                "title": scenario.title,
                "rule": in_words(scenario.resolves, titles),
                "precedents": found.precedents[scenario.id],
            }
            for scenario in rules.scenarios
        ],
        "quarters": [
            {
                "quarter": quarter.quarter,
                "resolved": quarter.resolved,
                "decided_by": quarter.decided_by,
                "flips": [{"stream": f.stream, "factor": f.factor, "to": f.to} for f in quarter.flips],
            }
            for quarter in found.quarters
        ],
        "noise": {
            name: {"nothing_changes": rate.nothing_changes, "level_walks": rate.level_walks}
            for name, rate in rates.items()
        },
        "warnings": list(warnings(rates, {s.id: s.title for s in rules.scenarios})),
        "without_precedent": list(found.without_precedent),
    }


def prior_check(where: Path | str) -> Json:
    """Whether every statement is valid and of use, which regimes the streams could see, and what surprises the priors.

    Raises:
        Refusal: for the first statement that is neither.
    """
    workspace = load(where)
    question = ask(workspace, clock.read(workspace.config.time))
    model, chosen = CATALOGUE[_first(workspace)], question.setting(_first(workspace))
    counts, priors = question.panel.counts, workspace.priors
    drawn = from_prior(counts, model, priors, chosen, draws=DRAWS, seed=workspace.config.time.seed)
    return {
        "priors": priors.name,
        "statements": len(priors),
        "visibility": elicited.visibility(elicited.at_medians(counts, model, priors, chosen)),
        "surprises": elicited.surprises(drawn, counts),
    }


def prior_show(where: Path | str, *, progress: Progress = silent) -> Json:
    """What a prior set implies: spells in both readings, transitions, a month of each stream, and the headline.

    Raises:
        Refusal: for a workspace that cannot be used.
    """
    workspace = load(where)
    question = ask(workspace, clock.read(workspace.config.time))
    name, seed = _first(workspace), workspace.config.time.seed
    progress("asking the priors")
    has_regimes = CATALOGUE[name].regimes is not None
    return {
        "priors": workspace.priors.name,
        "implied": elicited.implied(workspace.priors, workspace.regimes(name), seed=seed)
        if has_regimes
        else None,
        "before": before_any_data(question),
    }


def before_any_data(question: Question) -> Json:
    """What the priors alone say of a month of each stream and of the quarters ahead (``elicited.prior_predictive``)."""
    workspace, name = question.workspace, _first(question.workspace)
    return elicited.prior_predictive(
        question.panel.counts,
        CATALOGUE[name],
        workspace.priors,
        question.setting(name),
        workspace.scenarios,
        current=question.current,
        quarters=question.quarters,
        bounds=question.bounds,
        seed=workspace.config.time.seed,
        draws=DRAWS,
        paths=PATHS,
    )


def _first(workspace: Workspace) -> str:
    """The model whose view of the priors is shown: the one regimes are reported from, else the first used."""
    return workspace.latent_from or workspace.config.models.use[0]


def _at_rest(workspace: Workspace) -> dict[str, Steady]:
    """Streams of the rules as the priors have them in the reference scenario."""
    told = {}
    for stream in workspace.streams:
        if stream.id not in workspace.scenarios.streams:
            continue
        if stream.family == "bernoulli":
            chance = _median(workspace, f"chance.{stream.id}.{workspace.scenarios.reference}", 0.5)
            told[stream.id] = Steady(family=stream.family, mean=chance, dispersion=float("inf"), wander=0.0)
            continue
        mean = _median(workspace, f"level.{stream.id}", 1.0)
        spread = _median(workspace, f"spread.{stream.id}", 0.0) / 100
        wander = _median(workspace, f"wander.{stream.id}", 0.0) / 100
        if stream.family == "gaussian":  # told in its own units: spread and steps are shares of the mean
            spread, wander = mean * spread, mean * wander
        else:
            spread = 1 / spread**2 if spread else float("inf")
        told[stream.id] = Steady(family=stream.family, mean=mean, dispersion=spread, wander=wander)
    return told


def _median(workspace: Workspace, key: str, otherwise: float) -> float:
    return float(distribution(workspace.priors[key]).ppf(0.5)) if key in workspace.priors else otherwise
