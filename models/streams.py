"""What a stream shows given the regime: a level of its own, times what the regime does to it.

    log mean[s,t,k] = log level[s,t] + effect[s,k] + log r[s, release of t]
    effect[s,k]     = sum of the log steps from the reference scenario to k, zero at the reference
    dispersion φ    = (100 / spread)²        sd of a gaussian stream = mean · spread / 100

so a statement of spread is percent of the mean in every family; a Poisson stream has none. A gaussian stream
is a measure with a positive mean, such as a price. A yes-or-no stream has a chance in each regime; in a model
without regimes, or where no regime has an effect on it, it is a chain of its own that stays as it is or not.

By option a level has a season of twelve steps, a walk a damped trend (``models.levels``), and a share of the months
comes from a wider law of the same mean, so that a monstrous month does not move the level (``models.outliers``).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from models import levels
from models.contract import Setting, Stream
from models.outliers import OUTLYING
from models.variables import Stated
from priors import Distribution, PriorSet, Refusal, distribution, side_of

type Floats = NDArray[np.float64]

FAMILIES = (
    "negative-binomial",
    "poisson",
    "zero-inflated-negative-binomial",
    "zero-inflated-poisson",
    "hurdle-negative-binomial",
    "hurdle-poisson",
    "gaussian",
    "bernoulli",
)


def counted(setting: Setting) -> tuple[Stream, ...]:
    """Return the streams that have a level."""
    return tuple(s for s in setting.streams if s.family != "bernoulli")


def walking(setting: Setting) -> tuple[Stream, ...]:
    """Return the streams whose level wanders."""
    return tuple(s for s in counted(setting) if s.level == "walk")


def chained(setting: Setting) -> tuple[Stream, ...]:
    """Return the yes-or-no streams that are chains of their own."""
    alone = len(setting.scenarios) == 1
    return tuple(s for s in setting.streams if s.family == "bernoulli" and (alone or s.effect == "none"))


def chanced(setting: Setting) -> tuple[Stream, ...]:
    """Return the yes-or-no streams that follow the regimes."""
    chains = chained(setting)
    return tuple(s for s in setting.streams if s.family == "bernoulli" and s not in chains)


def seasonal(setting: Setting) -> tuple[Stream, ...]:
    """Return the streams whose level has a season."""
    return tuple(s for s in counted(setting) if s.season)


def trended(setting: Setting) -> tuple[Stream, ...]:
    """Return the streams whose walk has a trend."""
    return tuple(s for s in walking(setting) if s.trend)


def straight(setting: Setting) -> tuple[Stream, ...]:
    """Return the streams that walk without a trend."""
    return tuple(s for s in walking(setting) if not s.trend)


def law(stream: Stream) -> str:
    """Return the family of the stream's cells under its name in ``models.emissions``."""
    return OUTLYING + stream.family if stream.outliers else stream.family


def spreads(stream: Stream) -> bool:
    """Tell whether the stream scatters beyond chance, by a spread of its own."""
    return stream.family == "gaussian" or "negative-binomial" in stream.family


def zeroed(stream: Stream) -> bool:
    """Tell whether the stream has zeros of their own."""
    return stream.family.startswith(("zero-inflated", "hurdle"))


def affected(stream: Stream, setting: Setting) -> tuple[str, ...]:
    """Return the scenarios with an effect on a counted stream."""
    others = tuple(k for k in setting.scenarios if k != setting.reference)
    return others if stream.effect != "none" else ()


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys of the streams.

    Raises:
        Refusal: a stream that no model can hold.
    """
    for stream in setting.streams:
        _check(stream)
    keys = []
    for s in counted(setting):
        keys.append(f"level.{s.id}")
        keys += [f"wander.{s.id}"] if s.level == "walk" else []
        keys += [f"spread.{s.id}"] if spreads(s) else []
        keys += [f"zero.{s.id}"] if zeroed(s) else []
        keys += [f"effect.{s.id}.{k}" for k in affected(s, setting)]
        keys += [f"season.{s.id}"] if s.season else []
        keys += [f"trend.{s.id}", f"damping.{s.id}"] if s in trended(setting) else []
        keys += [f"outlier.{s.id}"] if s.outliers else []
    keys += [f"chance.{s.id}.{k}" for s in chanced(setting) for k in setting.scenarios]
    keys += [f"persist.{s.id}.{state}" for s in chained(setting) for state in ("off", "on")]
    return tuple(keys)


def laws(priors: PriorSet, setting: Setting) -> dict[str, Distribution]:
    """Return the distribution of each key the streams need, and of their reporting factors.

    Raises:
        Refusal: an effect on the wrong side of one, or a level that may be negative.
    """
    found = {}
    sides = {
        f"effect.{s.id}.{k}": side_of(s.effect, k, scenarios=setting.scenarios, reference=setting.reference)
        for s in counted(setting)
        for k in affected(s, setting)
    }
    for key in needs(setting):
        found[key] = distribution(priors[key], side=sides.get(key))
        if found[key].family in ("normal", "studentt"):
            raise Refusal(
                file=priors.source,
                where=f"{key}.family",
                got=found[key].family,
                wanted="a family of positive numbers, such as lognormal or gamma",
            )
    for s in counted(setting):
        if (reporting := setting.reporting.get(s.id)) is not None:
            for c, (mean, sd) in enumerate(zip(reporting.mean, reporting.sd, strict=True), start=1):
                key = f"reporting.{s.id}.{c}"
                found[key] = Distribution(quantity=key, family="normal", parameters={"mu": mean, "sigma": sd})
    return found


def released(setting: Setting) -> tuple[tuple[Stream, int], ...]:
    """Return every release class that has a factor: its stream and its number from 1 on."""
    return tuple(
        (s, c + 1)
        for s in counted(setting)
        if s.id in setting.reporting
        for c in range(len(setting.reporting[s.id].mean))
    )


def releases(setting: Setting, months: int) -> Floats:
    """Return which factors apply in each month from the panel's first, 0 or 1, ``[months, factors]``.

    Raises:
        ValueError: if the releases of a stream do not reach so far.
    """
    chosen = np.zeros((months, len(released(setting))))
    for column, (s, c) in enumerate(released(setting)):
        release = np.asarray(setting.reporting[s.id].release)
        if release.size < months:
            raise ValueError(f"reporting of {s.id!r}: got {release.size} months; wanted {months} or more")
        chosen[:, column] = release[:months] == c
    return chosen


def latent(setting: Setting) -> dict[str, tuple[int, int]]:
    """Return the latent matrices behind seasons and walks with a trend, their rows and columns by name."""
    seasons, trends = len(seasonal(setting)), len(trended(setting))
    sizes = {"seasons": (seasons, levels.YEAR - 1), "steps": (trends, 2 * setting.basis + 1)}
    return {name: size for name, size in sizes.items() if size[0]}


def level(stated: Stated, setting: Setting, waves: Any, heaped: Any = None, turn: Any = None) -> Any:
    """Return log levels in the reference scenario, ``[..., n, T]``, over the months of ``waves`` ``[T, R]``.

    Where nothing walks, one month stands for all: ``[..., n, 1]``. A trend needs its ``heaped`` waves and ``turn``
    (``models.levels``).
    """
    xp, streams = stated.xp, counted(setting)
    path = xp.log(stated.of([f"level.{s.id}" for s in streams]))[..., None]
    if walks := straight(setting):
        place = np.array([[float(s == w) for w in walks] for s in streams])
        walk = levels.wander(_scale(stated, walks), stated.variables["shape"], waves)
        path = path + xp.matmul(place, walk)
    if trends := trended(setting):
        place = np.array([[float(s == w) for w in trends] for s in streams])
        pace, _ = levels.paces(xp, _scale(stated, trends), *trend(stated, setting), turn)
        path = path + xp.matmul(place, xp.matmul(stated.variables["steps"] * pace, heaped.T))
    return path


def slope(stated: Stated, setting: Setting, waves: Any, turn: Any) -> Any:
    """Return what the slopes of the walks with a trend are on average given their steps, ``[..., trends, T]``."""
    given = _scale(stated, trended(setting)), *trend(stated, setting)
    pace, share = levels.paces(stated.xp, *given, turn)
    return stated.xp.matmul(stated.variables["steps"] * pace * share, waves.T)


def trend(stated: Stated, setting: Setting) -> tuple[Any, Any]:
    """Return τ = ln(1 + trend/100), the sd of a slope, and ρ, what is left of it a month later, ``[..., trends]``."""
    ids = [s.id for s in trended(setting)]
    size = stated.xp.log1p(stated.of([f"trend.{name}" for name in ids]) / 100.0)
    return size, stated.of([f"damping.{name}" for name in ids])


def season(stated: Stated, setting: Setting, harmonics: Any) -> Any:
    """Return log seasons ``[..., n, T]`` where ``harmonics`` ``[T, 11]`` are those of the months' places in the year.

    Each step of the year has sd ln(1 + season/100), and the twelve sum to zero.
    """
    members = seasonal(setting)
    size = stated.xp.log1p(stated.of([f"season.{s.id}" for s in members]) / 100.0)
    place = np.array([[float(s == w) for w in members] for s in counted(setting)])
    return stated.xp.matmul(place, levels.wander(size, stated.variables["seasons"], harmonics))


def outlying(stated: Stated, streams: tuple[Stream, ...]) -> Any:
    """Return the share of outlying months of streams that have some, ``[..., len(streams)]``."""
    return stated.of([f"outlier.{s.id}" for s in streams])


def scale(stated: Stated, setting: Setting) -> Any:
    """Return the sd of the walks' monthly steps, ``[..., w]``: ln(1 + wander/100)."""
    return _scale(stated, walking(setting))


def effect(stated: Stated, setting: Setting) -> Any:
    """Return log effects ``[..., n, K]``, each regime's steps from the reference summed up."""
    streams, names = counted(setting), setting.scenarios
    keys = [f"effect.{s.id}.{k}" for s in streams for k in affected(s, setting)]
    if not keys:
        return np.zeros((len(streams), len(names)))
    origin = names.index(setting.reference)
    place = np.zeros((len(streams), len(names), len(keys)))
    for n, s in enumerate(streams):
        for k in affected(s, setting):
            step = names.index(k)
            beyond = range(step, len(names)) if step > origin else range(step + 1)
            place[n, beyond, keys.index(f"effect.{s.id}.{k}")] = 1.0
    return (stated.xp.log(stated.of(keys))[..., None, None, :] * place).sum(axis=-1)


def factor(stated: Stated, setting: Setting, chosen: Any) -> Any:
    """Return log reporting factors ``[..., n, T]`` where ``chosen`` ``[T, factors]`` says which apply."""
    if not (classes := released(setting)):
        return 0.0
    place = np.array([[float(s == other) for other, _ in classes] for s in counted(setting)])
    logs = stated.of([f"reporting.{s.id}.{c}" for s, c in classes])
    return stated.xp.matmul(logs[..., None, :] * place, chosen.T)


def dispersion(stated: Stated, streams: tuple[Stream, ...]) -> Any:
    """Return φ = (100/spread)² of streams that scatter, ``[..., len(streams)]``."""
    return (100.0 / stated.of([f"spread.{s.id}" for s in streams])) ** 2


def zero(stated: Stated, streams: tuple[Stream, ...]) -> Any:
    """Return the share of zeros of streams that have their own, ``[..., len(streams)]``."""
    return stated.of([f"zero.{s.id}" for s in streams])


def chance(stated: Stated, setting: Setting) -> Any:
    """Return the chances of the yes-or-no streams that follow the regimes, ``[..., b, K]``."""
    rows = [stated.of([f"chance.{s.id}.{k}" for k in setting.scenarios]) for s in chanced(setting)]
    return stated.xp.stack(rows, axis=-2)


def persistence(stated: Stated, setting: Setting) -> tuple[Any, Any]:
    """Return matrices ``[..., b, 2, 2]`` of the yes-or-no chains, no before yes, and their stationary laws."""
    off = stated.of([f"persist.{s.id}.off" for s in chained(setting)])
    on = stated.of([f"persist.{s.id}.on" for s in chained(setting)])
    stack = stated.xp.stack
    P = stack([stack([off, 1.0 - off], axis=-1), stack([1.0 - on, on], axis=-1)], axis=-2)
    return P, stack([1.0 - on, 1.0 - off], axis=-1) / (2.0 - on - off)[..., None]


def grouped(setting: Setting) -> Iterator[tuple[str, tuple[Stream, ...], list[int]]]:
    """Give each family (`law`) of counted streams with its streams and their places among the counted ones."""
    streams = counted(setting)
    for family in dict.fromkeys(law(s) for s in streams):
        members = tuple(s for s in streams if law(s) == family)
        yield family, members, [streams.index(s) for s in members]


def parameters(family: str, mean: Any, phi: Any, share: Any, outlier: Any = None) -> dict[str, Any]:
    """Return a family's parameters under the names of ``models.emissions``; unused ones may be None."""
    found = {"mean": mean}
    if family.endswith("gaussian"):
        found["sd"] = mean / phi**0.5
    elif "negative-binomial" in family:
        found["dispersion"] = phi
    if "zero-inflated" in family or "hurdle" in family:
        found["zero"] = share
    if family.startswith(OUTLYING):
        found["outlier"] = outlier
    return found


def check_panel(panel: xr.DataArray, setting: Setting) -> None:
    """Refuse an array that no model can have observed.

    Raises:
        ValueError: if dimensions or streams do not fit, or a cell cannot come from its family.
    """
    if panel.dims != ("stream", "month"):
        raise ValueError(f"panel: got dimensions {panel.dims}; wanted ('stream', 'month')")
    wanted = tuple(s.id for s in setting.streams)
    if (got := tuple(panel.coords["stream"].values.tolist())) != wanted:
        raise ValueError(f"panel: got streams {list(got)}; wanted {list(wanted)}")
    for s, row in zip(setting.streams, panel.values, strict=True):
        seen = row[~np.isnan(row)]
        if not np.all(np.isfinite(seen)):
            raise ValueError(f"panel, stream {s.id!r}: got an infinite value; wanted NaN where it is missing")
        if s.family != "gaussian" and np.any((seen < 0) | (seen != np.floor(seen))):
            odd = seen[(seen < 0) | (seen != np.floor(seen))][0]
            raise ValueError(f"panel, stream {s.id!r}: got {odd:g}; wanted whole counts of zero or more")
        if s.family == "bernoulli" and np.any(seen > 1):
            raise ValueError(f"panel, stream {s.id!r}: got {seen.max():g}; wanted 0, 1 or missing")


def _scale(stated: Stated, walks: tuple[Stream, ...]) -> Any:
    return stated.xp.log1p(stated.of([f"wander.{s.id}" for s in walks]) / 100.0)


def _check(stream: Stream) -> None:
    if stream.family not in FAMILIES:
        raise Refusal(
            where=f"streams.{stream.id}.family", got=stream.family, wanted=f"one of {', '.join(FAMILIES)}"
        )
    if stream.family == "bernoulli" and stream.effect not in ("free", "none"):
        raise Refusal(
            where=f"streams.{stream.id}.effect",
            got=stream.effect,
            wanted='"free", as a yes-or-no stream has a chance in each scenario, or "none"',
        )
