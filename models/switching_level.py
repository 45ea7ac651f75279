"""Markov-switching counts around levels that wander: a surge is a surge relative to its time.

    z[t] | z[t-1]         ~ row z[t-1] of P[t]                              models.transitions
    y[s,t] | z[t] = k     ~ family(mean = r · level[s,t] · effect[s,k])     models.streams, models.levels

The regimes are summed out exactly; streams are independent given regime and level; a missing cell adds
exactly nothing; a label adds its log ratio to the regime's density. With constant levels this is `regimes`,
with a single regime `local-level`: the three share these lines. Kim and Nelson, *State-Space Models with
Regime Switching* (1999).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import derived, emissions, futures, levels, streams, transitions
from models.contract import Draws, Model, Setting, Stream
from models.forward import markov_log_likelihood
from models.variables import Beliefs, Stated, declare, said
from priors import PriorSet, Refusal

if TYPE_CHECKING:
    import pymc as pm

type Floats = NDArray[np.float64]


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
    return Beliefs(
        laws=laws,
        walks=len(streams.straight(setting)),
        waves=setting.basis,
        others=streams.latent(setting),
    )


def build(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> "pm.Model":
    """Return the PyMC model of a panel ``(stream, month)``.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
        Refusal: priors that are missing or contradict the setting.
    """
    import pymc as pm
    import pytensor.tensor as pt

    held = beliefs(priors, setting)
    with pm.Model(check_bounds=False) as model:  # the statements have been checked already
        given = {name: pm.Data(name, value) for name, value in data(panel, priors, setting).items()}
        stated = Stated(pt, held, declare(held, given["said"]))
        months = {name: given["months"][:, place] for name, place in columns(held, setting).items()}
        pm.Potential("likelihood", log_likelihood(stated, setting, months))
    return model


def data(panel: xr.DataArray, priors: PriorSet, setting: Setting) -> dict[str, Floats]:
    """Return all that a compiled density takes as data: what is ``said``, and the ``months``, one a row.

    Two arrays and not many, because every one of them costs half a second of compilation.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
    """
    streams.check_panel(panel, setting)
    held = beliefs(priors, setting)
    T = panel.sizes["month"]
    chains = [setting.streams.index(s) for s in streams.chained(setting)]
    steps = transitions.deviations(setting.drivers, T - 1) if transitions.is_driven(held.laws) else None
    heaped, turn = levels.slopes(T + setting.horizon, setting.basis)
    blocks = {
        "y": np.nan_to_num(panel.values.T),
        "seen": ~np.isnan(panel.values.T),
        "waves": levels.basis(T + setting.horizon, setting.basis)[:T],
        "releases": streams.releases(setting, T),
        "labels": derived.labels(setting, T),
        "drivers": np.vstack([steps, np.zeros((1, steps.shape[1]))]) if steps is not None else None,
        "states": derived.states(panel.values[chains].T).reshape(T, -1),
        "harmonics": levels.harmonics()[levels.places(panel.coords["month"].values)],
        "heaped": levels.heaped(heaped)[:T],
        "turn": np.broadcast_to(turn, (T, turn.size)),
    }
    return {
        "said": said(held),
        "months": np.hstack([blocks[name] for name in columns(held, setting)]).astype(np.float64),
    }


def columns(held: Beliefs, setting: Setting) -> dict[str, slice]:
    """Return which columns of the months hold what; what a structure has no use for is absent."""
    K = len(setting.scenarios)
    widths = {
        "y": len(setting.streams),
        "seen": len(setting.streams),
        "waves": setting.basis if held.walks else 0,
        "releases": len(streams.released(setting)),
        "labels": K if K > 1 else 0,
        "drivers": len(setting.drivers) if transitions.is_driven(held.laws) else 0,
        "states": 2 * len(streams.chained(setting)),
        "harmonics": held.others.get("seasons", (0, 0))[1],
        "heaped": held.others.get("steps", (0, 0))[1],
        "turn": held.others.get("steps", (0, 0))[1],
    }
    ends = np.cumsum(list(widths.values())).tolist()
    return {
        name: slice(end - width, end)
        for (name, width), end in zip(widths.items(), ends, strict=True)
        if width
    }


def log_likelihood(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log likelihood of all streams, the regimes summed out, as a graph."""
    parts = [_switching(stated, setting, months), chains(stated, setting, months)]
    return sum(part for part in parts if part is not None)


def log_emission(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log density of each month given each regime, ``[T, K]``, as a graph."""
    total = months.get("labels", 0.0)
    if streams.counted(setting):
        trends = (months["heaped"], months["turn"][0]) if "heaped" in months else ()
        level = streams.level(stated, setting, months.get("waves"), *trends)
        level = level + streams.factor(stated, setting, months.get("releases"))
        if "harmonics" in months:
            level = level + streams.season(stated, setting, months["harmonics"])
        effect = streams.effect(stated, setting)
    for family, members, places in streams.grouped(setting):
        mean = stated.xp.exp(level[places][:, :, None] + effect[places][:, None, :])
        phi = streams.dispersion(stated, members)[:, None, None] if streams.spreads(members[0]) else None
        share = streams.zero(stated, members)[:, None, None] if streams.zeroed(members[0]) else None
        outlier = streams.outlying(stated, members)[:, None, None] if members[0].outliers else None
        given = streams.parameters(family, mean, phi, share, outlier)
        total = total + _density(months, setting, members, family, given).sum(axis=0)
    if chances := streams.chanced(setting):
        given = {"chance": streams.chance(stated, setting)[:, None, :]}
        total = total + _density(months, setting, chances, "bernoulli", given).sum(axis=0)
    return total


def _density(
    months: Mapping[str, Any],
    setting: Setting,
    members: tuple[Stream, ...],
    family: str,
    given: Mapping[str, Any],
) -> Any:
    """Return log densities ``[members, T, K]`` of some streams of one family."""
    rows = [setting.streams.index(s) for s in members]
    y, seen = (months[name].T[rows][:, :, None] for name in ("y", "seen"))
    return emissions.log_density_graph(y, seen > 0.0, family, **given)


def _switching(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log likelihood of every stream that follows the regimes."""
    if not streams.counted(setting) and not streams.chanced(setting):
        return None
    density = log_emission(stated, setting, months)
    K = len(setting.scenarios)
    if K == 1:
        return density.sum()
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = transitions.start(stated, setting, P)
    if "drivers" in months:
        odds = transitions.log_odds(stated, setting)
        P = transitions.driven(stated.xp, leave, go, *odds, months["drivers"][:-1], K)
    return markov_log_likelihood(density, P, law, time_varying="drivers" in months)


def chains(stated: Stated, setting: Setting, months: Mapping[str, Any]) -> Any:
    """Return the log likelihood of the yes-or-no streams that are chains of their own."""
    if not (own := streams.chained(setting)):
        return None
    P, law = streams.persistence(stated, setting)
    known = months["states"].reshape((-1, len(own), 2)).transpose((1, 0, 2))
    return markov_log_likelihood(known, P, law, time_varying=False).sum()


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
