"""What follows from a posterior's draws: the quantities by name, and the chain of regimes behind them.

    stated (prior)                                what the priors speak of, in their units
    level (stream, month)                         log level in the reference scenario
    wander (stream)                               sd of its monthly steps, log points; 0 where constant
    effect (stream, regime)                       log effect
    dispersion (stream), zero (stream)            φ, and the share of zeros of their own
    reporting (stream, release)                   log factor of each release class, 0 for class 0
    season (stream, place)                        log season, twelve places of a year, where a stream has one
    slope (stream, month)                         what a trend adds on average to the step out of the month, log points,
    trend (stream), damping (stream)              its sd τ, and what is left of it a month later
    outlier (stream)                              share of outlying months
    chance (stream, regime)                       of a yes-or-no stream that follows the regimes
    persistence (stream, state_from, state_to)    of one that does not, no before yes
    hazard (regime), transition (regime_from, regime_to)    with every driver at its reference
    initial (regime)                              law of the first month
    leave (driver, regime), toward (driver, regime_from, regime_to)    log odds per unit, where priors state some

all behind (chain, draw); NaN where a stream has no such thing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import emissions, levels, streams, transitions
from models.contract import Setting, Stream
from models.variables import Stated

type Floats = NDArray[np.float64]
type Variables = dict[str, tuple[tuple[str, ...], Floats]]

HEAD = ("chain", "draw")


def quantities(stated: Stated, panel: xr.DataArray, setting: Setting) -> xr.Dataset:
    """Return the module's table for draws of the free variables ``[chain, draw, …]``."""
    spoken, values = _spoken(stated)
    coords: dict[str, Any] = {
        "prior": spoken,
        "stream": [s.id for s in setting.streams],
        "month": panel.coords["month"].values,
        "regime": list(setting.scenarios),
    }
    found: Variables = {"stated": ((*HEAD, "prior"), values)}
    if streams.counted(setting):
        found |= _of_counts(stated, setting, panel.sizes["month"]) | _of_options(stated, setting, panel)
    if chances := streams.chanced(setting):
        found["chance"] = _placed(streams.chance(stated, setting), chances, setting, "regime")
    if chains := streams.chained(setting):
        P, _ = streams.persistence(stated, setting)
        found["persistence"] = _placed(P, chains, setting, "state_from", "state_to")
    if len(setting.scenarios) > 1:
        found |= _of_chain(stated, setting, values.shape[:2])
        coords |= {"regime_from": coords["regime"], "regime_to": coords["regime"]}
    if "leave" in found:
        coords["driver"] = [driver.id for driver in setting.drivers]
    return xr.Dataset(found, coords=coords)


def parameters(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting
) -> Iterator[tuple[Stream, dict[str, Floats]]]:
    """Give each stream that follows the regimes with its family's parameters, ``[chain, draw, T or 1, K]``.

    The streams that are chains of their own are left out: their next value depends on their last. The family of a
    stream is given under its name in ``models.emissions``.
    """
    for s in streams.chanced(setting):
        yield s, {"chance": draws["chance"].sel(stream=s.id).values[:, :, None, :]}
    for s in streams.counted(setting):
        level = draws["level"].sel(stream=s.id).values + shifted(
            draws, panel, setting, s, panel.sizes["month"]
        )
        mean = np.exp(level[..., :, None] + draws["effect"].sel(stream=s.id).values[:, :, None, :])
        phi = draws["dispersion"].sel(stream=s.id).values[..., None, None]
        zero = draws["zero"].sel(stream=s.id).values[..., None, None]
        outlier = draws["outlier"].sel(stream=s.id).values[..., None, None] if s.outliers else None
        law = streams.law(s)
        yield replace(s, family=law), streams.parameters(law, mean, phi, zero, outlier)


def shifted(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, stream: Stream, months: int, *, first: int = 0
) -> Any:
    """Return what stands on a stream's log level in ``months`` months from ``first``: its release and its season.

    Raises:
        ValueError: if its releases do not reach so far.
    """
    factor = released(draws, setting, stream, months, first=first)
    if not stream.season:
        return factor
    start = levels.places(panel.coords["month"].values)[0] + first
    place = (start + np.arange(months)) % levels.YEAR
    return factor + draws["season"].sel(stream=stream.id).values[..., place]


def released(draws: xr.Dataset, setting: Setting, stream: Stream, months: int, *, first: int = 0) -> Any:
    """Return a stream's log reporting factor in ``months`` months from ``first``, ``[chain, draw, months]``.

    Raises:
        ValueError: if its releases do not reach so far.
    """
    if stream.id not in setting.reporting:
        return 0.0
    release = np.asarray(setting.reporting[stream.id].release[first : first + months])
    if release.size != months:
        got = len(setting.reporting[stream.id].release)
        raise ValueError(f"reporting of {stream.id!r}: got {got} months; wanted {first + months} or more")
    return draws["reporting"].sel(stream=stream.id).values[..., release]


def log_emission(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> Floats:
    """Return the log density of each month in each regime, labels included, ``[chain, draw, T, K]``."""
    total = np.zeros(
        (draws.sizes["chain"], draws.sizes["draw"], panel.sizes["month"], len(setting.scenarios))
    )
    total += labels(setting, panel.sizes["month"])
    for s, given in parameters(draws, panel, setting):
        total += emissions.log_density(panel.sel(stream=s.id).values[:, None], s.family, **given)
    return total


def regimes(draws: xr.Dataset, panel: xr.DataArray, setting: Setting) -> xr.Dataset:
    """Return the chain behind the draws: ``log_emission``, ``transition`` and ``initial``, ready for models.forward.

    ``transition`` has a step axis where drivers move it.
    """
    P, by_step = transition(draws, setting, panel.sizes["month"] - 1)
    return xr.Dataset(
        {
            "log_emission": ((*HEAD, "month", "regime"), log_emission(draws, panel, setting)),
            "transition": ((*HEAD, *by_step, "regime_from", "regime_to"), P),
            "initial": draws["initial"],
        },
        coords={name: draws.coords[name] for name in ("month", "regime", "regime_from", "regime_to")},
    )


def transition(
    draws: xr.Dataset, setting: Setting, steps: int, *, first: int = 0
) -> tuple[Floats, tuple[str, ...]]:
    """Return P ``[chain, draw, K, K]``, or for each step out of month ``first`` and on, and its step axis."""
    P: Floats = draws["transition"].values
    if "leave" not in draws:
        return P, ()
    K = P.shape[-1]
    leave: Floats = draws["hazard"].values
    go = np.where(np.eye(K, dtype=bool), 0.0, P) / leave[..., None]
    x = transitions.deviations(setting.drivers, steps, first=first)
    odds = draws["leave"].values, draws["toward"].values
    return transitions.driven(np, leave, go, *odds, x, K), ("step",)


def labels(setting: Setting, months: int) -> Floats:
    """Return the log ratios of labels, ``[T, K]``, zero without any."""
    if setting.labels is None:
        return np.zeros((months, len(setting.scenarios)))
    return np.asarray(setting.labels, dtype=np.float64)[:months]


def states(y: Floats) -> Floats:
    """Return log densities of yes-or-no cells given their own state, no before yes, ``[..., T, 2]``."""
    with np.errstate(divide="ignore"):
        known = np.log(np.stack([y == 0, y == 1], axis=-1).astype(np.float64))
    return np.where(np.isnan(y)[..., None], 0.0, known)


def _spoken(stated: Stated) -> tuple[list[str], Floats]:
    """Return every number the priors speak of, shares as key.alternative, and its draws."""
    keys, values = stated.all()
    names, columns = list(keys), [values]
    for members in stated.beliefs.shares.values():
        for key in members:
            names += [f"{key}.{name}" for name in stated.beliefs.laws[key].parameters]
            columns.append(stated.shares_of(key))
    return names, np.concatenate(columns, axis=-1)


def _of_counts(stated: Stated, setting: Setting, months: int) -> Variables:
    members = streams.counted(setting)
    waves = levels.basis(months + setting.horizon, setting.basis)[:months]
    slopes, turn = levels.slopes(months + setting.horizon, setting.basis)
    level = streams.level(stated, setting, waves, levels.heaped(slopes)[:months], turn)
    head = level.shape[:2]
    level = np.broadcast_to(level, (*head, len(members), months))
    effect = np.broadcast_to(streams.effect(stated, setting), (*head, len(members), len(setting.scenarios)))
    wander = np.zeros((*head, len(members)))
    if walks := streams.walking(setting):
        wander[..., [members.index(s) for s in walks]] = streams.scale(stated, setting)
    spread = tuple(s for s in members if streams.spreads(s))
    zeros = tuple(s for s in members if streams.zeroed(s))
    phi = streams.dispersion(stated, spread) if spread else np.zeros((*head, 0))
    zero = streams.zero(stated, zeros) if zeros else np.zeros((*head, 0))
    found = {
        "level": _placed(level, members, setting, "month"),
        "wander": _placed(wander, members, setting),
        "effect": _placed(effect, members, setting, "regime"),
        "dispersion": _placed(phi, spread, setting),
        "zero": _placed(zero, zeros, setting),
    }
    if classes := streams.released(setting):
        factor = np.zeros((*head, len(members), 1 + max(c for _, c in classes)))
        for s, c in classes:
            factor[..., members.index(s), c] = stated.of([f"reporting.{s.id}.{c}"])[..., 0]
        found["reporting"] = _placed(factor, members, setting, "release")
    return found


def _of_options(stated: Stated, setting: Setting, panel: xr.DataArray) -> Variables:
    """Return seasons, trends and outlying months where a stream has some."""
    found: Variables = {}
    if seasons := streams.seasonal(setting):
        place = [streams.counted(setting).index(s) for s in seasons]
        season = streams.season(stated, setting, levels.harmonics())[..., place, :]
        found["season"] = _placed(season, seasons, setting, "place")
    if trends := streams.trended(setting):
        months = panel.sizes["month"]
        waves, turn = levels.slopes(months + setting.horizon, setting.basis)
        size, damping = streams.trend(stated, setting)
        found["slope"] = _placed(
            streams.slope(stated, setting, waves[:months], turn), trends, setting, "month"
        )
        found |= {
            "trend": _placed(size, trends, setting),
            "damping": _placed(damping, trends, setting),
        }
    if wide := tuple(s for s in streams.counted(setting) if s.outliers):
        found["outlier"] = _placed(streams.outlying(stated, wide), wide, setting)
    return found


def _of_chain(stated: Stated, setting: Setting, head: tuple[int, ...]) -> Variables:
    K = len(setting.scenarios)
    leave, go = transitions.hazard(stated, setting), transitions.exits(stated, setting)
    P = transitions.matrix(leave, go, K)
    law = np.broadcast_to(transitions.start(stated, setting, P), (*head, K))
    found: Variables = {
        "hazard": ((*HEAD, "regime"), leave),
        "transition": ((*HEAD, "regime_from", "regime_to"), P),
        "initial": ((*HEAD, "regime"), law),
    }
    if transitions.is_driven(stated.beliefs.laws):
        gamma, beta = transitions.log_odds(stated, setting)
        D = len(setting.drivers)
        found["leave"] = ((*HEAD, "driver", "regime"), np.broadcast_to(gamma, (*head, D, K)))
        found["toward"] = (
            (*HEAD, "driver", "regime_from", "regime_to"),
            np.broadcast_to(beta, (*head, D, K, K)),
        )
    return found


def _placed(
    values: Floats, members: Sequence[Stream], setting: Setting, *dims: str
) -> tuple[tuple[str, ...], Floats]:
    """Spread values of some streams ``[chain, draw, member, …]`` over all of them, NaN elsewhere."""
    placed = np.full((*values.shape[:2], len(setting.streams), *values.shape[3:]), np.nan)
    placed[:, :, [setting.streams.index(s) for s in members]] = values
    return (*HEAD, "stream", *dims), placed
