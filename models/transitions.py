"""How long does a regime last, and where does it go? The chain of regimes in the analyst's words.

    P[i,i] = 1 - h[i]        P[i,j] = h[i] w[i,j]        1/h[i] = average spell in months
    logit h[i,t] = logit h[i] + Σ_d γ[d,i] x[d,t]
    w[i,j,t]     ∝ w[i,j] exp(Σ_d β[d,i,j] x[d,t])

x[d,t] is the driver's value less its reference, taken in the month the step arrives in (lag 0) or leaves from
(lag 1). An exit that is `never` has no parameter, and a row with one exit needs none. The first month's law is
`start` where it was stated, else stationary at the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Driver, Setting
from models.forward import stationary
from models.variables import Stated
from priors import Distribution, PriorSet, Refusal, Shares, distribution, nearest

type Floats = NDArray[np.float64]


def needs(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys of the chain: a dwell for each regime, exits where there are several."""
    K = len(setting.scenarios)
    dwell = tuple(f"dwell.{k}" for k in setting.scenarios) if K > 1 else ()
    exits = tuple(f"exits.{k}" for k in setting.scenarios) if K > 2 else ()
    return dwell + exits


def optional(setting: Setting) -> tuple[str, ...]:
    """Return the prior keys the chain can use besides: where it starts and what drivers do to it."""
    if len(setting.scenarios) < 2:
        return ()
    odds = []
    for driver in setting.drivers:
        for origin in setting.scenarios:
            odds.append(f"odds.{driver.id}.leave.{origin}")
            odds += [f"odds.{driver.id}.toward.{origin}.{to}" for to in setting.scenarios if to != origin]
    return ("start", *odds)


def check_shares(priors: PriorSet, setting: Setting) -> None:
    """Refuse shares that do not cover every alternative once.

    Raises:
        Refusal: naming the entry and the alternatives.
    """
    keys = {k: f"exits.{k}" for k in setting.scenarios if len(setting.scenarios) > 2}
    alternatives = {key: set(setting.scenarios) - {k} for k, key in keys.items()}
    if "start" in priors and len(setting.scenarios) > 1:
        alternatives["start"] = set(setting.scenarios)
    for key, wanted in alternatives.items():
        said = priors[key]
        named = {*said.to, *said.never} if isinstance(said, Shares) else set[str]()
        if named != wanted:
            raise Refusal(
                file=priors.source,
                where=key,
                got=", ".join(sorted(named)),
                wanted=f"shares over {', '.join(sorted(wanted))}",
                remedy='list an impossible one under "never"',
            )


def laws(priors: PriorSet, setting: Setting) -> dict[str, Distribution]:
    """Return the distribution of each key that the chain needs or that the priors give it besides."""
    check_shares(priors, setting)
    keys = (*needs(setting), *(key for key in optional(setting) if key in priors))
    return {key: distribution(priors[key]) for key in keys}


def is_driven(priors_or_laws: Mapping[str, Any]) -> bool:
    """Tell whether some driver's odds are among the keys, so that P changes from month to month."""
    return any(key.startswith("odds.") for key in priors_or_laws)


def hazard(stated: Stated, setting: Setting) -> Any:
    """Return the monthly probability of leaving each regime at the drivers' reference, ``[..., K]``."""
    keys = [f"dwell.{k}" for k in setting.scenarios]
    value = stated.of(keys)
    spoken = np.array([stated.beliefs.laws[key].scale == "hazard" for key in keys])
    return stated.xp.where(spoken, value, 1.0 / value)


def exits(stated: Stated, setting: Setting) -> Any:
    """Return where each regime goes when it ends, ``[..., K, K]``, zero on the diagonal."""
    names = setting.scenarios
    K = len(names)
    fixed = np.zeros((K, K))
    spread = 0.0
    for i, origin in enumerate(names):
        law = stated.beliefs.laws.get(f"exits.{origin}")
        others = [k for k in names if k != origin] if law is None else list(law.parameters)
        if len(others) == 1:
            fixed[i, names.index(others[0])] = 1.0
            continue
        place = np.zeros((K, K, len(others)))
        for n, to in enumerate(others):
            place[i, names.index(to), n] = 1.0
        shares = stated.shares_of(f"exits.{origin}")
        spread = spread + (shares[..., None, None, :] * place).sum(axis=-1)
    return fixed + spread


def matrix(leave: Any, go: Any, K: int) -> Any:
    """Return P ``[..., K, K]`` from hazards ``[..., K]`` and exits ``[..., K, K]``."""
    return np.eye(K) * (1.0 - leave[..., :, None]) + leave[..., :, None] * go


def start(stated: Stated, setting: Setting, P: Any) -> Any:
    """Return the law of the first month's regime, ``[..., K]``."""
    law = stated.beliefs.laws.get("start")
    K = len(setting.scenarios)
    if law is None:
        return stationary(P) if stated.xp is np else _stationary_graph(P, K)
    if len(law.parameters) == 1:
        return np.eye(K)[setting.scenarios.index(next(iter(law.parameters)))]
    place = np.zeros((K, len(law.parameters)))
    for n, name in enumerate(law.parameters):
        place[setting.scenarios.index(name), n] = 1.0
    return (stated.shares_of("start")[..., None, :] * place).sum(axis=-1)


def log_odds(stated: Stated, setting: Setting) -> tuple[Any, Any]:
    """Return γ ``[..., D, K]`` and β ``[..., D, K, K]``, zero where the priors state no odds."""
    names, drivers = setting.scenarios, setting.drivers
    K, D = len(names), len(drivers)
    leave, toward = np.zeros((D, K, 0)), np.zeros((D, K, K, 0))
    keys = []
    for d, driver in enumerate(drivers):
        for key in stated.beliefs.laws:
            role, *places = key.removeprefix(f"odds.{driver.id}.").split(".")
            if not key.startswith(f"odds.{driver.id}."):
                continue
            keys.append(key)
            leave = np.concatenate([leave, np.zeros((D, K, 1))], axis=-1)
            toward = np.concatenate([toward, np.zeros((D, K, K, 1))], axis=-1)
            where = [names.index(k) for k in places]
            (leave if role == "leave" else toward)[(d, *where, -1)] = 1.0
    if not keys:
        return leave.sum(axis=-1), toward.sum(axis=-1)
    logs = stated.xp.log(stated.of(keys))
    return (
        (logs[..., None, None, :] * leave).sum(axis=-1),
        (logs[..., None, None, None, :] * toward).sum(axis=-1),
    )


def deviations(drivers: Sequence[Driver], steps: int, *, first: int = 0) -> Floats:
    """Return x ``[steps, D]``: each driver less its reference, for the steps out of month ``first`` and on."""
    x = np.zeros((steps, len(drivers)))
    for d, driver in enumerate(drivers):
        begin = first + 1 - driver.lag
        values = np.asarray(driver.values[begin : begin + steps], dtype=np.float64)
        if values.size != steps:
            raise ValueError(
                f"driver {driver.id!r}: got {len(driver.values)} months; wanted {begin + steps} or more"
            )
        x[:, d] = values - driver.reference
    return x


def driven(xp: ModuleType, leave: Any, go: Any, gamma: Any, beta: Any, x: Any, K: int) -> Any:
    """Return P for each step, ``[..., steps, K, K]``, under driver deviations x ``[steps, D]``.

    ``leave`` is ``[..., K]``, ``go`` ``[..., K, K]``, ``gamma`` ``[..., D, K]``, ``beta`` ``[..., D, K, K]``.
    """
    odds = (leave / (1.0 - leave))[..., None, :] * xp.exp(x @ gamma)
    tilt = xp.exp((x[:, :, None, None] * beta[..., None, :, :, :]).sum(axis=-3))
    weight = go[..., None, :, :] * tilt
    return matrix(odds / (1.0 + odds), weight / weight.sum(axis=-1)[..., None], K)


def with_values(
    drivers: Sequence[Driver], future: Mapping[str, Sequence[float]], months: int
) -> tuple[Driver, ...]:
    """Return the drivers with their values after the panel's ``months`` replaced by an analyst's path.

    Raises:
        Refusal: a path for a driver that the setting does not know.
    """
    known = {driver.id for driver in drivers}
    for name in future:
        if name not in known:
            raise Refusal(where="drivers", got=name, wanted="a driver", remedy=nearest(name, known))
    return tuple(
        replace(driver, values=(*driver.values[:months], *future[driver.id]))
        if driver.id in future
        else driver
        for driver in drivers
    )


def _stationary_graph(P: Any, K: int) -> Any:
    """Return pi with pi (I - P + 1 1') = 1' as a PyTensor expression."""
    import pytensor.tensor as pt

    return pt.linalg.solve((np.eye(K) - P + 1.0).T, np.ones(K), b_ndim=1)
