"""Regimes that know how long they have lasted: a war of a month may end sooner, or later, than a war of a year.

    length of a spell of k  ~ 1 + NegBinomial(mean = dwell[k] - 1, shape[k])    models.spells
    state                   = regime and age, 1 … 24; the last age has a geometric tail
    y[s,t] | z[t] = k       as in switching-level: levels stand still or walk

A shape of one is a chain without memory. Drivers move the log odds of leaving at every age alike, and where a regime
goes when it ends as in ``models.transitions``. In the first month the chain is long under way: the law over regime and
age is stationary at the drivers' reference, or, where the start is stated, the law of the age given the regime is.
What `hazard` and `transition` of the draws say is the average over such ages, 1/(average spell) and a month of the
chain long under way; powers of that matrix are no longer exact.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from models import ages, derived, levelled, onward, spells, streams, switching_level, transitions
from models.contract import Draws, Model, Setting
from models.kernels import Floats, plain
from models.variables import Beliefs, Stated, declare, said
from priors import PriorSet, Refusal, distribution

if TYPE_CHECKING:
    import pymc as pm

AGES = 24  # of a regime; beyond two years its hazard stays what it is
SILENT = 0.2  # contraction of a shape below which the data have not spoken
SENTENCE = "the data do not speak about the shape"
CHUNK = 250  # draws whose states are held at a time
HEAD = ("chain", "draw")


def shapes(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys of the shapes."""
    return tuple(f"shape.{k}" for k in setting.scenarios)


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have."""
    return switching_level.needs(setting) + shapes(setting)


def beliefs(priors: PriorSet, setting: Setting) -> Beliefs:
    """Return what the priors say about everything the model needs.

    Raises:
        Refusal: a missing entry, or one that the setting contradicts.
    """
    if missing := [key for key in needs(setting) if key not in priors]:
        raise Refusal(
            file=priors.source,
            where=missing[0],
            wanted="an entry: the model needs it",
            remedy=f"add [{'], ['.join(missing)}]",
        )
    held = switching_level.beliefs(priors, setting)
    return replace(held, laws={**held.laws, **{key: distribution(priors[key]) for key in shapes(setting)}})


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, Floats]:
    """Return all that a compiled density takes as data."""
    return {**switching_level.data(panel, priors, setting), "said": said(beliefs(priors, setting))}


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``; refusals as in ``switching_level``."""
    import pymc as pm
    import pytensor.tensor as pt

    held = beliefs(priors, setting)
    with pm.Model(check_bounds=False) as model:  # the statements have been checked already
        given = {name: pm.Data(name, value) for name, value in data(panel, priors, setting).items()}
        stated = Stated(pt, held, declare(held, given["said"]))
        places = switching_level.columns(held, setting)
        months = {name: given["months"][:, place] for name, place in places.items()}
        likelihood = _log_likelihood(stated, setting, months)
        if (own := switching_level.chains(stated, setting, months)) is not None:
            likelihood = likelihood + own
        pm.Potential("likelihood", likelihood)
    return model


def _log_likelihood(stated: Stated, setting: Setting, months: dict[str, Any]) -> Any:
    """Return the log likelihood of the streams that follow the regimes, regimes and ages summed out."""
    from models import dwelling  # late: arrays do not need PyTensor

    K = len(setting.scenarios)
    average, shape = 1.0 / transitions.hazard(stated, setting), stated.of(shapes(setting))
    hazard, spent = dwelling.ends(average, shape, AGES)
    mean, go = spent.sum(axis=-1), transitions.exits(stated, setting)
    start = transitions.start(stated, setting, transitions.matrix(1.0 / mean, go, K))
    hazard, go = hazard[None], stated.xp.as_tensor_variable(go)[None]
    if "drivers" in months:
        gamma, beta = transitions.log_odds(stated, setting)
        hazard, go = driven(stated.xp, hazard, go, gamma, beta, months["drivers"][:-1])
    density = switching_level.log_emission(stated, setting, months)
    return dwelling.aged_log_likelihood(density, hazard, go, (start / mean)[:, None] * spent)


def driven(xp: Any, hazard: Any, go: Any, gamma: Any, beta: Any, x: Any) -> tuple[Any, Any]:
    """Return hazards ``[..., steps, K, m]`` and exits ``[..., steps, K, K]`` under driver deviations x ``[steps, D]``.

    ``hazard`` is ``[..., 1, K, m]``, ``go`` ``[..., 1, K, K]``, ``gamma`` ``[..., D, K]``, ``beta`` ``[..., D, K, K]``.
    """
    odds = xp.exp(x @ gamma)[..., None]
    weight = go * xp.exp((x[:, :, None, None] * beta[..., None, :, :, :]).sum(axis=-3))
    return hazard * odds / (1.0 - hazard + hazard * odds), weight / weight.sum(axis=-1)[..., None]


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities of ``models.derived``, and ``ending (regime, age)``, the hazard of each age."""
    stated = Stated(np, beliefs(priors, setting), variables)
    found = derived.quantities(stated, panel, setting)
    K = len(setting.scenarios)
    average, shape = 1.0 / transitions.hazard(stated, setting), stated.of(shapes(setting))
    head = average.shape[:-1]
    hazard, spent, *_ = spells.ends(plain(average.reshape(-1, K)), plain(shape.reshape(-1, K)), AGES)
    leave = 1.0 / spent.sum(axis=-1).reshape(*head, K)
    P = transitions.matrix(leave, transitions.exits(stated, setting), K)
    start = np.broadcast_to(transitions.start(stated, setting, P), (*head, K))
    return found.assign(
        ending=((*HEAD, "regime", "age"), hazard.reshape(*head, K, AGES)),
        hazard=((*HEAD, "regime"), leave),
        transition=((*HEAD, "regime_from", "regime_to"), P),
        initial=((*HEAD, "regime"), start),
    )


def chain(draws: xr.Dataset, setting: Setting, steps: int, *, first: int = 0) -> tuple[Floats, Floats]:
    """Return hazards ``[D, S, K, m]`` and exits ``[D, S, K, K]`` of the steps out of month ``first`` and on.

    S is one where no driver moves them.
    """
    P, hazard = draws["transition"].values, draws["ending"].values[:, :, None]
    go = np.where(np.eye(P.shape[-1], dtype=bool), 0.0, P) / draws["hazard"].values[..., None]
    go = go[:, :, None]
    if "leave" in draws:
        x = transitions.deviations(setting.drivers, steps, first=first)
        hazard, go = driven(np, hazard, go, draws["leave"].values, draws["toward"].values, x)
    return plain(hazard.reshape(-1, *hazard.shape[2:])), plain(go.reshape(-1, *go.shape[2:]))


def initial(draws: xr.Dataset) -> Floats:
    """Return the law of regime and age in the first month, ``[D, K, m]``."""
    hazard = draws["ending"].values
    spent = np.ones_like(hazard)
    spent[..., 1:] = np.cumprod(1.0 - hazard[..., :-1], axis=-1)
    spent[..., -1] /= hazard[..., -1]
    law = spent / spent.sum(axis=-1, keepdims=True) * draws["initial"].values[..., None]
    return plain(law.reshape(-1, *law.shape[2:]))


def regimes(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> xr.Dataset:
    """Return the chain behind the draws with every age a state of its own, ready for models.forward.

    ``log_emission (month, state)``, ``transition (state_from, state_to)``, with a step axis where drivers move it, and
    ``initial (state)``; the coordinate ``regime`` says whose age a state is. Large: for a few draws at a time.
    """
    head, T, K = (draws.sizes["chain"], draws.sizes["draw"]), panel.sizes["month"], len(setting.scenarios)
    emitted = derived.log_emission(draws, panel, setting)
    P = ages.expanded(*chain(draws, setting, T - 1))
    by_step = ("step",) if "leave" in draws else ()
    shape = P.shape[1:] if by_step else P.shape[2:]
    return xr.Dataset(
        {
            "log_emission": ((*HEAD, "month", "state"), np.repeat(emitted, AGES, axis=-1)),
            "transition": ((*HEAD, *by_step, "state_from", "state_to"), P.reshape(*head, *shape)),
            "initial": ((*HEAD, "state"), initial(draws).reshape(*head, K * AGES)),
        },
        coords={"month": panel.coords["month"], "regime": ("state", np.repeat(setting.scenarios, AGES))},
    )


def laws(draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, months: int) -> xr.Dataset:
    """Return the laws of the regimes of each draw, ages summed out.

    ``predicted``, ``filtered`` and ``smoothed (chain, draw, month, regime)``: before a month's data, after it, and
    after all; ``ahead (chain, draw, month_ahead, regime)`` for so many months after the last.
    """
    begins = range(0, draws.sizes["draw"], CHUNK)
    parts = [_laws(draws.isel(draw=slice(begin, begin + CHUNK)), panel, setting, months) for begin in begins]
    return xr.concat(parts, "draw")


def _laws(draws: xr.Dataset, panel: xr.DataArray, setting: Setting, months: int) -> xr.Dataset:
    head, T = (draws.sizes["chain"], draws.sizes["draw"]), panel.sizes["month"]
    given = _series(draws, panel, setting)
    predicted, filtered, _ = ages.forward(*given)
    smoothed = ages.gradients(*given)[1]
    hazard, go = chain(draws, setting, max(months, 1), first=T - 1) if months else given[1:3]
    ahead = []
    law = filtered[:, -1]
    for h in range(months):
        s = h if hazard.shape[1] > 1 else 0
        law = ages.step(law, hazard[:, s], go[:, s])
        ahead.append(law.sum(axis=-1))
    found = {"predicted": predicted, "filtered": filtered.sum(axis=-1), "smoothed": smoothed}
    told = {
        name: ((*HEAD, "month", "regime"), law.reshape(*head, *law.shape[1:])) for name, law in found.items()
    }
    after = np.stack(ahead, axis=1) if ahead else np.empty((len(law), 0, len(setting.scenarios)))
    return xr.Dataset(
        told | {"ahead": ((*HEAD, "month_ahead", "regime"), after.reshape(*head, *after.shape[1:]))}
    )


def _series(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the arguments of ``models.ages`` for each draw."""
    emitted = derived.log_emission(draws, panel, setting)
    hazard, go = chain(draws, setting, panel.sizes["month"] - 1)
    return plain(emitted.reshape(-1, *emitted.shape[2:])), hazard, go, initial(draws)


def draw(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, months: int, paths: int, seed: int
) -> xr.Dataset:
    """Draw futures as ``models.futures.draw`` does, regimes leaving as their age has it."""
    T, L, K = panel.sizes["month"], onward.tail(panel), len(setting.scenarios)
    begins = range(0, draws.sizes["draw"], CHUNK)
    parts = [draws.isel(draw=slice(begin, begin + CHUNK)) for begin in begins]
    head = (draws.sizes["chain"], -1, L, K, AGES)
    tails = [ages.forward(*_series(part, panel, setting))[1][:, T - L :].reshape(head) for part in parts]
    before, before_go = chain(draws, setting, max(L - 1, 1), first=T - max(L, 2))
    after, after_go = chain(draws, setting, months, first=T - 1)
    known = onward.Regimes(
        filtered=plain(np.concatenate(tails, axis=1).reshape(-1, L, K, AGES)),
        before=before,
        before_go=before_go,
        after=after,
        after_go=after_go,
    )
    moves = onward.steady(draws, setting)
    return onward.draw(draws, panel, setting, known, moves, months=months, paths=paths, seed=seed)


def one_step(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, priors: PriorSet, *, number: int, seed: int
) -> Floats:
    """Return ln p(month t | months before, θ) of each draw, ``[D, T]``, as ``models.densities.one_step`` does.

    Exact where nothing walks; else walks are carried by particles, and regimes and ages summed out for each.

    Raises:
        ValueError: if there is no particle.
    """
    chained = _series(draws, levelled.standing(panel, setting), setting)
    months = panel.sizes["month"] + setting.horizon
    walks = [s.id for s in streams.walking(setting)]
    step = onward.flat(draws.sel(stream=walks), "wander") if walks else np.zeros((0, 0))
    steps = levelled.Steps(step=step, drift=None, times=None, months=months)
    return levelled.one_step(draws, panel, setting, priors, chained, steps, number=number, seed=seed)


def contraction(draws: xr.Dataset, priors: PriorSet, setting: Setting) -> dict[str, tuple[float, str | None]]:
    """Return how much surer the data made each log shape, 1 - sd after / sd before, and what to print if they did not.

    Args:
        draws: of a posterior.
        priors: before it.
        setting: as the model sees it.

    Returns:
        By regime the contraction, and below .2 the sentence that the data do not speak about the shape.
    """
    told = {}
    for key in shapes(setting):
        quantiles = np.linspace(0.0005, 0.9995, 1000)
        before = np.log(distribution(priors[key]).ppf(quantiles)).std()
        after = np.log(draws["stated"].sel(prior=key).values).std()
        found = float(1.0 - after / before)
        told[key.removeprefix("shape.")] = (found, SENTENCE if found < SILENT else None)
    return told


MODEL = Model(
    name="durations",
    view=lambda setting: setting,
    needs=needs,
    optional=transitions.optional,
    beliefs=beliefs,
    data=data,
    build=build,
    derive=derive,
    regimes=regimes,
    draw=draw,
    one_step=one_step,
    laws=laws,
)
