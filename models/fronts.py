"""One chain of regimes for each front, and fronts that resemble one another as far as their data let them.

A panel ``(front, stream, month)`` shows every front the same streams, or some of them; a cell that a front never shows is
missing. Each front is a `switching-level` (or `regimes`) model of its own, with what was stated varying around the theatre's
on the scale on which a statement is normal, so a dwell stays above a month and an effect on its side of one:

    ln(dwell[f,k] - 1)      ~ Normal(ln(dwell[k] - 1), τ)             the log odds of leaving vary by τ
    exits[f,i,j]            ∝ exits[i,j] exp(τ ε / √2)                so the log ratio of two exits varies by τ
    ln |ln effect[f,s,k]|   ~ Normal(ln |ln effect[s,k]|, τ)          ln effect where no direction was declared
    ln level[f,s]           ~ Normal(ln(level[s] / n) - ω²/2, ω)      n fronts share what was stated: their sum keeps it
    τ = ln(1 + pooling.fronts / 100)                                  ω = ln(1 + pooling.levels / 100)

Each front has walks of its own; their scale, the spread, zeros, chances, reporting factors and drivers' odds are common. What
one front alone is subject to does not vary, so a single front is the plain model. A front's draws are those of the plain
model (`of_front`), so all that follows from them follows front by front. What the counts of a front tell well is sampled as it
is (centred), the rest as distances from the theatre's: its level, and its effects where no level walks, but never its dwells,
which are seen a few times only. Measured on simulated fronts with constant levels, 8 of 60 months and 16 of 240, that gave 42 and
34 effective draws per thousand gradients, all centred 21 and 30, nothing centred 3.4 and 0.6; on seven real fronts whose levels
walk, effects as distances mixed 1.7 times as fast as effects as they are. Gelman and Hill, *Data Analysis Using Regression and
Multilevel/Hierarchical Models* (2007).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import streams, switching_level, variables
from models.contract import Draws, Model, Setting
from models.kernels import Floats
from models.plan import covers
from models.variables import NORMAL, Beliefs, Stated
from priors import Distribution, PriorSet, Refusal, distribution

if TYPE_CHECKING:
    import pymc as pm

POOLING, LEVELS = "pooling.fronts", "pooling.levels"
ROLES = ("dwell", "effect", "level")


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One number of one front."""

    front: int
    key: str  # the statement it varies about
    scale: str  # how far
    sharing: int  # fronts that share the statement, 1 where each is subject to it
    centred: bool  # sampled as it is, not as its distance


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """What the theatre's beliefs are and what varies from front to front."""

    fronts: tuple[str, ...]
    shown: NDArray[np.bool_]  # [F, S] which streams a front shows
    beliefs: Beliefs  # the theatre's, with the scales; its walks are those of one front
    roles: Mapping[str, tuple[Varied, ...]]  # by role, front after front
    tilted: tuple[tuple[int, str, int], ...]  # front, statement of shares, alternative
    walked: tuple[tuple[int, int], ...]  # front, walk

    @cached_property
    def all(self) -> Beliefs:
        """The same with a row of waves for every walk of every front."""
        return replace(self.beliefs, walks=len(self.walked))

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """How many numbers each variable of the fronts has."""
        return {
            **{role: len(entries) for role, entries in self.roles.items()},
            **({"exits": len(self.tilted)} if self.tilted else {}),
        }


def pooled(
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
    *,
    centred: Mapping[str, bool] | None = None,
) -> Pooled:
    """Return how the fronts of a panel ``(front, stream, month)`` are pooled under a model.

    ``centred`` says by role what is sampled as it is; unless stated, what was measured to mix best.

    Raises:
        ValueError: another shape of panel.
        Refusal: priors that are missing or contradict the setting, a model or a statement that cannot vary by front.
    """
    if panel.dims != ("front", "stream", "month"):
        raise ValueError(f"panel: got dimensions {panel.dims}; wanted ('front', 'stream', 'month')")
    seen = model.view(setting)
    held = model.beliefs(priors, setting)
    if seen.labels is not None or len(seen.scenarios) < 2 or not covers(model.name, held):
        got = "labels" if seen.labels is not None else model.name
        wanted = "regimes or switching-level without labels, seasons and trends: a front has none of its own"
        raise Refusal(where='chain = "front"', got=got, wanted=wanted)
    shown = ~np.isnan(panel.values).all(axis=-1)
    F = shown.shape[0]
    roles = _roles(held, seen, shown, best(seen) if centred is None else centred)
    scales: dict[str, Distribution] = {}
    for key in ((POOLING,) if F > 1 else ()) + ((LEVELS,) if "level" in roles else ()):
        if key not in priors:
            wanted = "an entry: several fronts need it"
            raise Refusal(file=priors.source, where=key, wanted=wanted, remedy=f"add [{key}]")
        scales[key] = distribution(priors[key])
    alternatives = {
        key: len(law.parameters) for key, law in held.laws.items() if key.startswith("exits.") and F > 1
    }
    walks = streams.walking(seen)
    return Pooled(
        fronts=tuple(str(name) for name in panel.coords["front"].values),
        shown=shown,
        beliefs=replace(held, laws={**held.laws, **scales}),
        roles=roles,
        tilted=tuple(
            (f, key, j) for f in range(F) for key, m in alternatives.items() if m > 1 for j in range(m)
        ),
        walked=tuple(
            (f, w) for f in range(F) for w, s in enumerate(walks) if shown[f, seen.streams.index(s)]
        ),
    )


def best(setting: Setting) -> Mapping[str, bool]:
    """Return by role whether what varies is sampled as it is: where a level walks, counts tell its effects less well."""
    return {"dwell": False, "effect": not streams.walking(setting), "level": True}


def build(
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
    *,
    centred: Mapping[str, bool] | None = None,
) -> "pm.Model":
    """Return the PyMC model of all fronts: the definition that the compiled density is held to.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
        Refusal: as in `pooled`.
    """
    import pymc as pm
    import pytensor.tensor as pt

    held, seen = pooled(panel, model, priors, setting, centred=centred), model.view(setting)
    with pm.Model(check_bounds=False) as built:
        given = pm.Data("said", variables.said(held.all))
        free = dict(variables.declare(held.all, given))
        for role, entries in held.roles.items():
            centre, scale = about(Stated(pt, held.beliefs, free), entries)
            own = (centre, scale) if entries[0].centred else (0.0, 1.0)
            free[role] = pm.Normal(role, *own, shape=len(entries))
        if held.tilted:
            free["exits"] = pm.Normal("exits", 0.0, 1.0, shape=len(held.tilted))
        total = 0.0
        for f, rows in enumerate(data(panel, model, priors, setting)):
            months = {name: pt.constant(rows[:, place]) for name, place in _columns(held, seen).items()}
            stated = Stated(pt, held.beliefs, of_front(pt, held, free, f))
            total = total + switching_level.log_likelihood(stated, seen, months)
        pm.Potential("likelihood", total)
    return built


def data(panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting) -> Floats:
    """Return the months of every front as the densities take them, ``[F, T, columns]``.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
    """
    return np.stack([model.data(front, priors, setting)["months"] for front in panel])


def about(stated: Stated, entries: tuple[Varied, ...]) -> tuple[Any, Any]:
    """Return what the entries of one role vary about and how far, ``[..., n]`` both, where statements are normal."""
    xp = stated.xp
    scale = xp.log1p(stated.of([v.scale for v in entries]) / 100.0)
    families = stated.beliefs.families
    names = [key for family in families if family in NORMAL for key in families[family]]
    values = [stated.variables[family] for family in families if family in NORMAL]
    normal = values[0] if len(values) == 1 else xp.concatenate(values, axis=-1)
    centre = normal[..., np.array([names.index(v.key) for v in entries])]
    if entries[0].scale == LEVELS:
        centre = centre - np.log([float(v.sharing) for v in entries]) - scale**2 / 2.0
    return centre, scale


def of_front(xp: Any, held: Pooled, free: Mapping[str, Any], front: int) -> dict[str, Any]:
    """Return one front's variables ``[..., *shape]``: those of the plain model, in numpy or PyTensor alike."""
    beliefs = held.beliefs
    found = {name: free[name] for name in (*beliefs.families, *beliefs.shares)}
    stated = Stated(xp, beliefs, free)
    for role, entries in held.roles.items():
        first = [v.front for v in entries].index(front) if any(v.front == front for v in entries) else 0
        mine = tuple(v for v in entries if v.front == front)
        if not mine:
            continue
        value = free[role][..., first : first + len(mine)]
        if not mine[0].centred:
            centre, scale = about(stated, mine)
            value = centre + scale * value
        for family in {beliefs.laws[v.key].family: None for v in mine}:
            keys = beliefs.families[family]
            place = np.array([[float(v.key == key) for key in keys] for v in mine])
            rest = 1.0 - place.sum(axis=0)
            found[family] = found[family] * rest + (value[..., None] * place).sum(axis=-2)
    if tilts := [n for n, (f, _, _) in enumerate(held.tilted) if f == front]:
        by = xp.log1p(stated.of([POOLING]) / 100.0)[..., None] / np.sqrt(2.0)
        own = free["exits"][..., tilts[0] : tilts[-1] + 1]
        for name, keys in beliefs.shares.items():
            place = np.zeros((len(tilts), len(keys), len(beliefs.laws[keys[0]].parameters)))
            for n, (_, key, j) in enumerate(held.tilted[tilts[0] : tilts[-1] + 1]):
                if key in keys:
                    place[n, keys.index(key), j] = 1.0
            weight = found[name] * xp.exp(by * (own[..., None, None] * place).sum(axis=-3))
            found[name] = weight / weight.sum(axis=-1)[..., None]
    if beliefs.walks:
        rows = [n for n, (f, _) in enumerate(held.walked) if f == front]
        place = np.array([[float(held.walked[n][1] == w) for n in rows] for w in range(beliefs.walks)])
        found["shape"] = xp.matmul(
            place, free["shape"][..., rows[0] : rows[-1] + 1, :] if rows else free["shape"][..., :0, :]
        )
    return found


def draw(held: Pooled, rng: np.random.Generator, size: int) -> dict[str, Floats]:
    """Draw all variables from the prior, ``[size, …]`` each, in the order of the model's."""
    free = variables.draw(held.all, rng, size)
    for role, entries in held.roles.items():
        away = rng.standard_normal((size, len(entries)))
        if entries[0].centred:
            centre, scale = about(Stated(np, held.beliefs, free), entries)
            away = centre + scale * away
        free[role] = away
    if held.tilted:
        free["exits"] = rng.standard_normal((size, len(held.tilted)))
    return free


def derive(
    held: Pooled,
    free: Draws,
    front: int,
    panel: xr.DataArray,
    model: Model,
    priors: PriorSet,
    setting: Setting,
) -> xr.Dataset:
    """Return one front's quantities (``models.derived``) from raw draws ``[chain, draw, …]`` of all variables."""
    plain = model.beliefs(priors, setting)
    own = of_front(np, held, free, front)
    own |= {
        family: own[family][..., : len(keys)] for family, keys in plain.families.items()
    }  # the scales come last
    return model.derive(own, panel[front], priors, setting)


def _columns(held: Pooled, setting: Setting) -> dict[str, slice]:
    return switching_level.columns(held.beliefs, setting)


def _roles(
    held: Beliefs, setting: Setting, shown: NDArray[np.bool_], centred: Mapping[str, bool]
) -> dict[str, tuple[Varied, ...]]:
    """Return what varies, by role: nothing of a single front, and nothing that a single front shows.

    Raises:
        Refusal: for a statement that is not normal on any scale.
    """
    F = shown.shape[0]
    found: dict[str, list[Varied]] = {role: [] for role in ROLES}
    for f in range(F):
        for key, law in held.laws.items():
            role, *names = key.split(".")
            sharing = F
            if role in ("effect", "level"):
                at = [s.id for s in setting.streams].index(names[0])
                sharing = int(shown[:, at].sum()) if shown[f, at] else 0
            if role not in ROLES or sharing < 2:
                continue
            if law.family not in NORMAL:
                wanted = "a statement whose logarithm is normal, such as an interval: fronts vary about it"
                raise Refusal(where=key, got=law.family, wanted=wanted)
            scale = LEVELS if role == "level" else POOLING
            shares = sharing if role == "level" else 1
            found[role].append(Varied(front=f, key=key, scale=scale, sharing=shares, centred=centred[role]))
    return {role: tuple(entries) for role, entries in found.items() if entries}
