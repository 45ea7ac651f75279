"""Growth, plateau and decline as regimes: the regime says where a level is going, not only what stands on it.

    z[t] | z[t-1]                ~ row z[t-1] of P[t]                                       models.transitions
    level[s,t] - level[s,t-1]    ~ Normal(ν[s,k], (σ[s] τ[k])²)        z[t] = k, s a stream that walks
    y[s,t] | z[t] = k            ~ family(mean = r · level[s,t] · effect[s,k])              models.streams

ν = ln(1 + drift/100), σ = ln(1 + wander/100) is the step in the reference scenario, and τ, `swing`, what other regimes
make of it, 1 in the reference. The mean of a level over the window is its statement. Given the path, steps are
emissions like any other, so regimes are summed out exactly. With no drift and no swing it is switching-level.

The path is level = m + σ (B ε), with all T-1 waves, so that steps in units of σ are a rotation of ε; a setting's
``basis`` is T-1 therefore, and another length is another structure. Of a slow wave the data say where it is, of a quick
one next to nothing: the sampler moves u = (σ/σ0)^w ε, from w near one, the wave itself, down to zero (`centring`).
Its u is standard normal, and the likelihood has the ratio of their law to that; `path` draws from the law.

A comparator, not a default. On the frontier (56 months, three levels that walk, 4 × (1,000 + 1,000)) no draw diverges
in either of two seeds, but R-hat is 1.02 to 1.03 and the smallest effective sample 200 to 250, of the step of a stream
that is missing in its first months: the gate asks for 1.01 and 400. Longer series diverge once or so in 3,000. A drift of some percent a month is a small thing
beside steps of the usual size, and regimes are told there by what else they do to the streams.
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
from models.variables import Beliefs, Stated, declare, said
from priors import PriorSet, Refusal, distribution

if TYPE_CHECKING:
    import pymc as pm

WARY = 0.05  # quantile of a walk's step that waves are taken to be told at: where steps are small, waves must not be
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
        raise ValueError(f"basis: got {setting.basis} for {T} months; wanted {T - 1}, a wave for each step")
    months = switching_level.data(panel, priors, setting)["months"].copy()
    months[:, switching_level.columns(held, setting)["waves"]] = levels.basis(T, setting.basis)
    return {"said": said(held), "months": np.hstack([months, centring(held, setting)])}


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
        months["centring"] = given["months"][:, -len(streams.walking(setting)) :]
        likelihood = _log_likelihood(stated, setting, months)
        if (chains := switching_level.chains(stated, setting, months)) is not None:
            likelihood = likelihood + chains
        pm.Potential("likelihood", likelihood)
    return model


def _log_likelihood(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log likelihood of steps and streams, regimes summed out."""
    K, moved = len(setting.scenarios), stated.variables["shape"]
    shape, stretched = uncentred(stated, setting, months["centring"])
    stated = replace(stated, variables={**stated.variables, "shape": shape})
    waved = shape @ months["waves"].T
    likely = steps(stated.xp, waved[:, 1:] - waved[:, :-1], *moves(stated, setting))
    density = switching_level.log_emission(stated, setting, months)
    density = density + stated.xp.concatenate([np.zeros((1, K)), likely], axis=0)
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = transitions.start(stated, setting, P)
    if "drivers" in months:
        odds = transitions.log_odds(stated, setting)
        P = transitions.driven(stated.xp, leave, go, *odds, months["drivers"][:-1], K)
    chained = markov_log_likelihood(density, P, law, time_varying="drivers" in months)
    return chained + 0.5 * (moved**2).sum() - stretched.sum()


def centring(held: Beliefs, setting: Setting) -> Floats:
    """Return w of each wave, ``[T-1, w]``, and below it ln σ0 of each walk, as the beliefs have them.

    w = I / (1 + I), I = σ² λ / v: how much the months say of a wave of variance λ, v the variance of a month's logarithm
    and σ a small step (`WARY`); σ0 is the usual one.
    """
    found = []
    waves = np.arange(1, setting.basis + 1)
    variance = 1.0 / (2.0 * np.sin(np.pi * waves / (2.0 * (setting.basis + 1)))) ** 2
    for s in streams.walking(setting):
        noise = 0.0 if s.family == "gaussian" else 1.0 / float(held.laws[f"level.{s.id}"].ppf(0.5))
        if streams.spreads(s):
            noise += (float(held.laws[f"spread.{s.id}"].ppf(0.5)) / 100.0) ** 2
        few, usual = np.log1p(held.laws[f"wander.{s.id}"].ppf(np.array([WARY, 0.5])) / 100.0)
        told = few**2 * variance / noise
        found.append(np.append(told / (1.0 + told), np.log(usual)))
    return np.stack(found, axis=-1)


def uncentred(stated: Stated, setting: Setting, centring: Any) -> tuple[Any, Any]:
    """Return ε ``[..., w, T-1]`` behind the sampler's u, and w ln(σ/σ0) of each, the log of what stretched it."""
    scale = stated.xp.log(streams.scale(stated, setting)) - centring[-1]
    stretched = scale[..., None] * centring[:-1].T
    return stated.variables["shape"] * stated.xp.exp(-stretched), stretched


def _uncentred(held: Beliefs, setting: Setting, variables: Draws) -> Stated:
    """Return draws with the shapes of the waves in the place of the sampler's."""
    stated = Stated(np, held, variables)
    shape, _ = uncentred(stated, setting, centring(held, setting))
    return replace(stated, variables={**variables, "shape": shape})


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
    """Draw the sampler's u of the walks, ``[size, w, T-1]``, from their law given other draws from the prior."""
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
    _, stretched = uncentred(
        replace(stated, variables={**drawn, "shape": taken}), setting, centring(held, setting)
    )
    return np.asarray(taken @ np.diff(levels.basis(T, T - 1), axis=0) * np.exp(stretched))


def _picked(law: Floats, rng: np.random.Generator) -> Any:
    """Return a regime for each row of a law ``[size, K]``."""
    heaped = np.cumsum(law, axis=-1)
    return (heaped[:, :-1] <= rng.random((len(law), 1)) * heaped[:, -1:]).sum(axis=-1)


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities of ``models.derived``, and ``drift (stream, regime)``, log points, and ``swing (regime)``."""
    stated, T = _uncentred(beliefs(priors, setting), setting, variables), panel.sizes["month"]
    found = derived.quantities(stated, panel, setting)
    names = [s.id for s in streams.counted(setting)]
    path = streams.level(stated, setting, levels.basis(T, setting.basis))
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
