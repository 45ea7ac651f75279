"""Growth, plateau and decline as regimes: the regime says where a level is going, not only what stands on it.

    z[t] | z[t-1]                ~ row z[t-1] of P[t]                                       models.transitions
    level[s,t] - level[s,t-1]    ~ Normal(ν[s,k], (σ[s] τ[k])²)        z[t] = k, s a stream that walks
    y[s,t] | z[t] = k            ~ family(mean = r · level[s,t] · effect[s,k])              models.streams

ν = ln(1 + drift/100), σ = ln(1 + wander/100) is the step in the reference scenario, and τ, `swing`, what other regimes
make of it, 1 in the reference. The mean of a level over the window is its statement. Given the path, steps are
emissions like any other, so regimes are summed out exactly. With no drift and no swing it is switching-level.

The free variables of a path are its steps in units of σ, so a setting's ``basis`` is T-1, and another length is another
structure. Where a drift moves a level and σ is small such a step is ν/σ, however large that is: a valley that bends as σ
goes. So the sampler moves what is left of a step when the drift and the swing of the regime that `guessed` takes the month
to be in are off it, in waves, of which data tell the slow ones apart best (``models.whitened``). A guess only decides how
well chains mix: the density is that of the steps.

On the frontier (56 months, three levels that walk, drifts stated between -6 and 8 percent a month, 4 × (1,000 + 1,000)) five
of six seeds have an R-hat of at most 1.009 and effective samples of 620 or more; steps as waves in units of σ, partly centred,
had 1.03 and 200, worst for the step of a stream that is missing in half the months. Draws that diverge are not all gone: none
in three seeds, one and three in two, and 35 in the sixth, in which one chain spent a hundred draws where the level of deaths
in Pakistan follows its counts (steps of 30 percent, a spread of 17). There a path is told by the data, and would have to
be sampled as it is. The gate refuses such a fit: a comparator, not a default.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from models import derived, forward, levelled, levels, onward, streams, switching_level, transitions
from models.contract import Draws, Model, Setting
from models.forward import markov_log_likelihood
from models.kernels import Floats, plain
from models.variables import NORMAL, Beliefs, Stated, declare, said
from priors import PriorSet, Refusal, distribution

if TYPE_CHECKING:
    import pymc as pm

FLOOR = -95.0  # percent: a drift below it, which no one states, counts as this
HEAD = ("chain", "draw")


def own(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys of drifts and swings.

    Raises:
        Refusal: if no level walks.
    """
    if not (walks := streams.walking(setting)):
        raise Refusal(
            where="streams", wanted='level = "walk" for some stream: a level that stands still has no drift'
        )
    drifts = tuple(f"drift.{s.id}.{k}" for s in walks for k in setting.scenarios)
    return drifts + tuple(f"swing.{k}" for k in setting.scenarios if k != setting.reference)


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have."""
    return switching_level.needs(setting) + own(setting)


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
    plainly = switching_level.beliefs(priors, setting)
    held = replace(plainly, laws={**plainly.laws, **{key: distribution(priors[key]) for key in own(setting)}})
    return replace(held, path=partial(path, held, setting))


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, Floats]:
    """Return all that a compiled density takes as data.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown, or that is not as long as the setting says.
    """
    held, T = beliefs(priors, setting), panel.sizes["month"]
    if setting.basis != T - 1:
        raise ValueError(f"basis: got {setting.basis} for {T} months; wanted {T - 1}, one for each step")
    months = switching_level.data(panel, priors, setting)["months"].copy()
    months[:, switching_level.columns(held, setting)["waves"]] = heaped(T)
    return {"said": said(held), "months": np.hstack([months, guessed(panel, held, setting)])}


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``; refusals as in ``switching_level``."""
    import pymc as pm
    import pytensor.tensor as pt

    from models import whitened  # late: arrays do not need PyTensor

    held, K = beliefs(priors, setting), len(setting.scenarios)
    turn = np.diff(levels.basis(setting.basis + 1, setting.basis), axis=0)
    with pm.Model(check_bounds=False) as model:  # the statements have been checked already
        given = {name: pm.Data(name, value) for name, value in data(panel, priors, setting).items()}
        places = switching_level.columns(held, setting)
        months = {name: given["months"][:, place] for name, place in places.items()}
        free = declare(replace(held, walks=0, others={}), given["said"])
        drift, swing = moves(Stated(pt, held, free), setting)
        guess = given["months"][1:, -K:].T
        near = drift @ guess, pt.exp(pt.log(swing) @ guess) + np.zeros((held.walks, 1))
        free["shape"] = pm.Normal("shape", *near, default_transform=whitened.Whitened(turn))
        free |= {name: pm.Normal(name, 0.0, 1.0, shape=size) for name, size in held.others.items()}
        stated = Stated(pt, held, free)
        likelihood = _log_likelihood(stated, setting, months) - whitened.log_density(free["shape"], *near)
        if (chains := switching_level.chains(stated, setting, months)) is not None:
            likelihood = likelihood + chains
        pm.Potential("likelihood", likelihood)
    return model


def _log_likelihood(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log likelihood of steps and streams, regimes summed out."""
    K = len(setting.scenarios)
    likely = steps(stated.xp, stated.variables["shape"], *moves(stated, setting))
    density = switching_level.log_emission(stated, setting, months)
    density = density + stated.xp.concatenate([np.zeros((1, K)), likely], axis=0)
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = transitions.start(stated, setting, P)
    if "drivers" in months:
        odds = transitions.log_odds(stated, setting)
        P = transitions.driven(stated.xp, leave, go, *odds, months["drivers"][:-1], K)
    return markov_log_likelihood(density, P, law, time_varying="drivers" in months)


def heaped(months: int) -> Floats:
    """Return what each step makes of a level less its mean, ``[months, months - 1]``."""
    after = np.tri(months, months - 1, -1)
    return np.asarray(after - after.mean(axis=0))


def guessed(panel: xr.DataArray, held: Beliefs, setting: Setting) -> Floats:
    """Return the smoothed law of the regimes that streams which stand still show at central beliefs, ``[T, K]``."""
    middle = {
        family: held.parameters(family, "mu")
        if family in NORMAL
        else np.array([float(held.laws[key].ppf(0.5)) for key in keys])
        for family, keys in held.families.items()
    }
    for name in held.shares:
        alpha = held.concentrations(name)
        middle[name] = alpha / alpha.sum(axis=-1, keepdims=True)
    middle |= {name: np.zeros(size) for name, size in held.latent.items()}
    stated = Stated(np, held, {name: value[None, None] for name, value in middle.items()})
    draws = derived.quantities(stated, panel, setting)
    chain = derived.regimes(draws, levelled.standing(panel, setting), setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    law: Floats = forward.smoothed(*given, time_varying="step" in chain["transition"].dims)[0, 0]
    return law


def moves(stated: Stated, setting: Setting) -> tuple[Any, Any]:
    """Return drifts in units of a stream's own step, ν/σ ``[..., w, K]``, and swings τ ``[..., K]``."""
    xp, names = stated.xp, setting.scenarios
    percent = [stated.of([f"drift.{s.id}.{k}" for k in names]) for s in streams.walking(setting)]
    drift = xp.log1p(xp.maximum(xp.stack(percent, axis=-2), FLOOR) / 100.0)
    others = [k for k in names if k != setting.reference]
    place = np.array([[float(k == other) for other in others] for k in names])
    logs = xp.log(stated.of([f"swing.{k}" for k in others]))
    return drift / streams.scale(stated, setting)[..., None], xp.exp(
        (logs[..., None, :] * place).sum(axis=-1)
    )


def steps(xp: Any, taken: Any, drift: Any, swing: Any) -> Any:
    """Return log densities of the steps out of each month in each regime, without ln √2π, ``[..., T-1, K]``.

    ``taken`` ``[..., w, T-1]`` are steps in units of σ, ``drift`` ``[..., w, K]`` and ``swing`` ``[..., K]`` as in `moves`.
    """
    z = (taken[..., None] - drift[..., None, :]) / swing[..., None, None, :]
    return (-0.5 * z**2 - xp.log(swing)[..., None, None, :]).sum(axis=-3)


def path(held: Beliefs, setting: Setting, drawn: Draws, rng: np.random.Generator) -> Floats:
    """Draw the steps of the walks in units of σ, ``[size, w, T-1]``, given other draws from the prior."""
    stated, K, T = Stated(np, held, drawn), len(setting.scenarios), setting.basis + 1
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = np.broadcast_to(transitions.start(stated, setting, P), leave.shape)
    P = P[..., None, :, :]
    if transitions.is_driven(held.laws):
        x = transitions.deviations(setting.drivers, T - 1)
        P = transitions.driven(np, leave, go, *transitions.log_odds(stated, setting), x, K)
    drift, swing = moves(stated, setting)
    row = np.arange(len(law))
    z = _picked(law, rng)
    taken = rng.standard_normal((*drift.shape[:-1], T - 1))
    for t in range(T - 1):
        z = _picked(P[row, t if P.shape[1] > 1 else 0, z], rng)
        taken[..., t] = drift[row, :, z] + swing[row, z][:, None] * taken[..., t]
    return taken


def _picked(law: Floats, rng: np.random.Generator) -> Any:
    """Return a regime for each row of a law ``[size, K]``."""
    heaped = np.cumsum(law, axis=-1)
    return (heaped[:, :-1] <= rng.random((len(law), 1)) * heaped[:, -1:]).sum(axis=-1)


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities of ``models.derived``, and ``drift (stream, regime)``, log points, and ``swing (regime)``."""
    stated, T = Stated(np, beliefs(priors, setting), variables), panel.sizes["month"]
    found = derived.quantities(stated, panel, setting)
    names = [s.id for s in streams.counted(setting)]
    path = streams.level(stated, setting, heaped(T))
    level = found["level"].copy()
    level.loc[{"stream": names}] = path
    drift, swing = moves(stated, setting)
    where = [[s.id for s in setting.streams].index(s.id) for s in streams.walking(setting)]
    placed = np.full((*drift.shape[:2], len(setting.streams), drift.shape[-1]), np.nan)
    placed[:, :, where] = drift * streams.scale(stated, setting)[..., None]
    return found.assign(
        level=level,
        drift=((*HEAD, "stream", "regime"), placed),
        swing=((*HEAD, "regime"), swing),
    )


def regimes(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> xr.Dataset:
    """Return the chain behind the draws, ready for models.forward; the steps of the sampled path count as data."""
    chain = derived.regimes(draws, panel, setting)
    walks = draws.sel(stream=[s.id for s in streams.walking(setting)])
    scale = walks["wander"].values[..., None]
    taken = np.diff(walks["level"].values, axis=-1) / scale
    moved = steps(np, taken, walks["drift"].values / scale, draws["swing"].values)
    emitted = chain["log_emission"].values.copy()
    emitted[..., 1:, :] += moved
    return chain.assign(log_emission=(chain["log_emission"].dims, emitted))


def _aged(draws: xr.Dataset, setting: Setting, steps: int, *, first: int = 0) -> tuple[Floats, Floats]:
    """Return the chain of the steps out of month ``first`` and on as one of a single age (``models.ages``)."""
    P, by_step = derived.transition(draws, setting, steps, first=first)
    P = P.reshape(-1, P.shape[2] if by_step else 1, *P.shape[-2:])
    stays = np.eye(P.shape[-1], dtype=bool)
    leave = np.where(stays, 0.0, P).sum(axis=-1)
    return plain(leave[..., None]), plain(np.where(stays, 0.0, P) / leave[..., None])


def draw(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, *, months: int, paths: int, seed: int
) -> xr.Dataset:
    """Draw futures as ``models.futures.draw`` does, levels going where the regime of each month sends them."""
    T, L, K = panel.sizes["month"], onward.tail(panel), len(setting.scenarios)
    chain = regimes(draws, panel, setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    law = forward.filtered(*given, time_varying="step" in chain["transition"].dims)
    before, before_go = _aged(draws, setting, max(L - 1, 1), first=T - max(L, 2))
    after, after_go = _aged(draws, setting, months, first=T - 1)
    known = onward.Regimes(
        filtered=plain(law[:, :, T - L :].reshape(-1, L, K, 1)),
        before=before,
        before_go=before_go,
        after=after,
        after_go=after_go,
    )
    steady = onward.steady(draws, setting)
    scale = steady.scale * onward.flat(draws, "swing")[:, None, :]
    ahead = onward.Moves(drift=onward.flat(draws, "drift"), scale=scale)
    return onward.draw(draws, panel, setting, known, ahead, months=months, paths=paths, seed=seed)


def one_step(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, priors: PriorSet, *, number: int, seed: int
) -> Floats:
    """Return ln p(month t | months before, θ) of each draw, ``[D, T]``, as ``models.densities.one_step`` does.

    Levels are carried by particles. The first is drawn from the law that the mean of a walk without drift gives it, and
    the mean is told to those that follow as to such a walk.

    Raises:
        ValueError: if there is no particle.
    """
    emitted = derived.log_emission(draws, levelled.standing(panel, setting), setting)
    start = draws["initial"].values
    chain = (
        plain(emitted.reshape(-1, *emitted.shape[2:])),
        *_aged(draws, setting, panel.sizes["month"] - 1),
        plain(start.reshape(-1, start.shape[-1], 1)),
    )
    walks = draws.sel(stream=[s.id for s in streams.walking(setting)])
    drift, swing = onward.flat(walks, "drift"), onward.flat(draws, "swing")
    walk = levelled.Steps(
        step=onward.flat(walks, "wander"),
        drift=drift,
        times=np.broadcast_to(swing[:, None, :], drift.shape),
        months=panel.sizes["month"],
    )
    return levelled.one_step(draws, panel, setting, priors, chain, walk, number=number, seed=seed)


MODEL = Model(
    name="switching-drift",
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
)
