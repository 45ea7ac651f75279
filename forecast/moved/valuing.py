"""What the forecast would have been had only some causes been at work: the models fitted to it, and resolved alike.

Every fit has a seed of its own, so their errors are independent; the futures of all come from the same seeds. What the
later run was given is not fitted again, nor is anything twice. All count with the weights of the later run.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from forecast import scenarios
from forecast.fitting import Compiled, Posterior, compile_model, fit, structure
from forecast.moved.mixing import BELIEFS, CAUSES, HISTORY, MONTHS, Given, given, mixed, same
from forecast.moved.shapley import Coalition, coalitions
from forecast.moved.sides import Side
from forecast.rules import Bounds, ScenarioSet
from forecast.sidebyside import CHAINS, own_seed
from forecast.simulation import simulate
from forecast.tallies import Chance, Tally, chance, of_outcomes
from forecast.watching import Progress
from models import CATALOGUE

TOLD = {HISTORY: "revised history", MONTHS: "new months", BELIEFS: "edited beliefs"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What every fit of a comparison is asked: the same quarters, by the same rules."""

    rules: ScenarioSet
    bounds: Mapping[str, Bounds]
    quarters: tuple[str, ...]

    def tally(self, posterior: Posterior, *, draws: int, paths: int, seed: int) -> Tally:
        """Simulated futures of a posterior, resolved."""
        data = simulate(posterior, months=posterior.setting.horizon, paths=paths, seed=seed, draws=draws)
        known = {
            name: bound for name, bound in self.bounds.items() if name in posterior.panel["stream"].values
        }
        found = scenarios.outcomes(
            self.rules,
            posterior.panel,
            scenarios.held(data, known),
            quarters=self.quarters,
            bounds=known,
        )
        return of_outcomes(found, len(self.rules.ids))


def pooled(side: Side, tallies: Mapping[str, Tally], weights: Mapping[str, float]) -> Chance:
    """The chances ``[quarter, scenario]`` of the ensemble that a run published, by these counts and weights."""
    named: dict[Hashable, Tally] = {(side.run, model): tallies[model] for model in weights}
    return chance(
        named, {(side.run, m): w for m, w in weights.items()}, chains=int(side.counts.attrs["chains"])
    )


def resolved_again(side: Side, asked: Asked) -> dict[str, Tally]:
    """The very futures of a run, resolved by the rules asked about."""
    return {
        model: asked.tally(
            side.posteriors[model], draws=side.draws, paths=side.paths, seed=own_seed(side.seed, model)
        )
        for model in side.weights
    }


def values(before: Side, after: Side, asked: Asked, *, progress: Progress) -> dict[Coalition, Chance]:
    """The chances ``[quarter, scenario]`` of every coalition of causes; of all together they are the later run's own.

    Args:
        before: the earlier run; a model that it did not fit is given what the later run was given of settings.
        after: the later run.
        asked: quarters and rules.
        progress: called before each fit.
    """
    weights = after.weights
    fits = {model: _fits(model, before, after, asked, progress) for model in weights}
    found = {}
    for causes in coalitions(CAUSES):
        used = {(model, fits[model][0][causes]): model for model in weights}
        found[causes] = chance(
            {key: fits[model][1][key[1]] for key, model in used.items()},
            {key: weights[model] for key, model in used.items()},
            chains=CHAINS,
        )
    return found


def _fits(
    model: str, before: Side, after: Side, asked: Asked, progress: Progress
) -> tuple[dict[Coalition, int], list[Tally]]:
    """Which fit of a model stands for each coalition, and the counts of each; the first fit is the later run's."""
    new = given(after.posteriors[model])
    old = _earlier(model, before, new)
    known: list[Given] = [new]
    tallies = [after.tallies(asked.quarters)[model]]
    place: dict[Coalition, int] = {}
    ready: dict[tuple[object, ...], Compiled] = {}
    for causes in coalitions(CAUSES):
        this = mixed(model, old, new, causes)
        at = next((n for n, one in enumerate(known) if same(model, one, this)), len(known))
        place[causes] = at
        if at < len(known):
            continue
        known.append(this)
        told = ", ".join(TOLD[cause] for cause in CAUSES if cause in causes) or "what the earlier run had"
        progress(f"fitting {model} to {told}")
        posterior = _fit(model, this, ready, seed=_seed(after.seed, model, at))
        tallies.append(
            asked.tally(posterior, draws=after.draws, paths=after.paths, seed=own_seed(after.seed, model))
        )
    return place, tallies


def _earlier(model: str, before: Side, new: Given) -> Given:
    """What the earlier run gave a model, or would have given it: data and priors are the same for all."""
    if model in before.posteriors:
        return given(before.posteriors[model])
    other = given(next(iter(before.posteriors.values())))
    return replace(mixed(model, other, new, frozenset({BELIEFS})), priors=other.priors)


def _fit(model: str, this: Given, ready: dict[tuple[object, ...], Compiled], *, seed: int) -> Posterior:
    one = CATALOGUE[model]
    shape = structure(one, this.priors, this.setting)
    if shape not in ready:
        ready[shape] = compile_model(this.panel, one, this.priors, this.setting)
    return fit(this.panel, one, this.priors, this.setting, seed=seed, chains=CHAINS, compiled=ready[shape])


def _seed(seed: int, model: str, place: int) -> int:
    return int(np.random.SeedSequence([own_seed(seed, model), place]).generate_state(1)[0])
