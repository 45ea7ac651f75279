"""Markov-switching counts around levels that wander: a surge is a surge relative to its time.

    z[t] | z[t-1]         ~ row z[t-1] of P[t]                              models.transitions
    y[s,t] | z[t] = k     ~ family(mean = r · level[s,t] · effect[s,k])     models.streams, models.levels

The regimes are summed out exactly; streams are independent given regime and level; a missing cell adds
exactly nothing; a label adds its log ratio to the regime's density. With constant levels this is `regimes`,
with a single regime `local-level`: the three share these lines. Kim and Nelson, *State-Space Models with
Regime Switching* (1999).
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray

from models import derived, emissions, futures, levels, streams, transitions
from models.contract import Draws, Model, Setting
from models.forward import markov_log_likelihood
from models.variables import Beliefs, Stated, declare
from models.variables import data as parameters
from priors import PriorSet, Refusal

if TYPE_CHECKING:
    import pymc as pm


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the model must have.

    Raises:
        Refusal: a counted stream that does not say whether its level walks.
    """
    for stream in streams.counted(setting):
        if stream.level is None:
            raise Refusal(where=f"streams.{stream.id}.level", got=None, wanted='"walk" or "constant"')
    return transitions.needs(setting) + streams.needs(setting)


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
    laws = transitions.laws(priors, setting) | streams.laws(priors, setting)
    return Beliefs(laws=laws, walks=len(streams.walking(setting)), waves=setting.basis)


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
        Refusal: priors that are missing or contradict the setting.
    """
    import pymc as pm

    streams.check_panel(panel, setting)
    held = beliefs(priors, setting)
    with pm.Model() as model:
        given = {name: pm.Data(name, value) for name, value in data(panel, priors, setting).items()}
        stated = Stated(pt, held, declare(held, given))
        parts = [_switching(stated, setting, given), _chains(stated, setting, given)]
        pm.Potential("likelihood", sum(part for part in parts if part is not None))
    return model


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, NDArray[Any]]:
    """Return all that a compiled density takes as data; the number of months may change."""
    held = beliefs(priors, setting)
    y = panel.values.astype(np.float64)
    T, K = y.shape[1], len(setting.scenarios)
    seen = ~np.isnan(y)
    given: dict[str, NDArray[Any]] = {**parameters(held), "y": np.where(seen, y, 0.0), "seen": seen}
    if streams.walking(setting):
        given["waves"] = levels.basis(T + setting.horizon, setting.basis)[:T]
    if (chosen := streams.releases(setting, T)).shape[-1]:
        given["releases"] = chosen
    if K > 1:
        given["labels"] = derived.labels(setting, T)
        if transitions.is_driven(held.laws):
            given["drivers"] = transitions.deviations(setting.drivers, T - 1)
    if chains := streams.chained(setting):
        given["states"] = derived.states(panel.sel(stream=[s.id for s in chains]).values)
    return given


def log_emission(stated: Stated, setting: Setting, given: dict[str, Any]) -> Any:
    """Return the log density of each month given each regime, ``[T, K]``, as a graph."""
    total = given["labels"] if len(setting.scenarios) > 1 else np.zeros((1, 1))
    if streams.counted(setting):
        level = streams.level(stated, setting, given.get("waves"))
        level = level + streams.factor(stated, setting, given.get("releases"))
        effect = streams.effect(stated, setting)
    for family, members, places in streams.grouped(setting):
        rows = np.array([setting.streams.index(s) for s in members])
        mean = pt.exp(level[places][:, :, None] + effect[places][:, None, :])
        phi = streams.dispersion(stated, members)[:, None, None] if streams.spreads(members[0]) else None
        zero = (
            stated.of([f"zero.{s.id}" for s in members])[:, None, None]
            if streams.zeroed(members[0])
            else None
        )
        total = total + emissions.log_density_graph(
            given["y"][rows][:, :, None],
            given["seen"][rows][:, :, None],
            family,
            **streams.parameters(family, mean, phi, zero),
        ).sum(axis=0)
    for s in streams.chanced(setting):
        row = setting.streams.index(s)
        total = total + emissions.log_density_graph(
            given["y"][row][:, None],
            given["seen"][row][:, None],
            "bernoulli",
            chance=stated.of([f"chance.{s.id}.{k}" for k in setting.scenarios])[None, :],
        )
    return total


def _switching(stated: Stated, setting: Setting, given: dict[str, Any]) -> Any:
    """Return the log likelihood of every stream that follows the regimes."""
    if not streams.counted(setting) and not streams.chanced(setting):
        return None
    density = log_emission(stated, setting, given)
    K = len(setting.scenarios)
    if K == 1:
        return density.sum()
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = transitions.start(stated, setting, P)
    if "drivers" in given:
        odds = transitions.log_odds(stated, setting)
        P = transitions.driven(pt, leave, go, *odds, given["drivers"], K)
    return markov_log_likelihood(density, P, law, time_varying="drivers" in given)


def _chains(stated: Stated, setting: Setting, given: dict[str, Any]) -> Any:
    """Return the log likelihood of the yes-or-no streams that are chains of their own."""
    if not streams.chained(setting):
        return None
    P, law = streams.persistence(stated, setting)
    return markov_log_likelihood(given["states"], P, law, time_varying=False).sum()


def derive(variables: Draws, panel: xr.DataArray, priors: PriorSet, setting: Setting) -> xr.Dataset:
    """Return the quantities behind raw draws ``[chain, draw, …]`` of the free variables (``models.derived``)."""
    return derived.quantities(Stated(np, beliefs(priors, setting), variables), panel, setting)


MODEL = Model(
    name="switching-level",
    view=lambda setting: setting,
    needs=needs,
    optional=transitions.optional,
    beliefs=beliefs,
    data=data,
    build=build,
    derive=derive,
    regimes=derived.regimes,
    draw=futures.draw,
)
