"""A posterior learns of drivers that were in no fit: at rest over all its months, their odds drawn from the priors."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from forecast.config import Driver as Declared
from forecast.fitting import Posterior
from models.contract import Driver, Setting
from models.transitions import optional
from priors import PriorSet, distribution


def armed(posterior: Posterior, declared: Sequence[Declared], priors: PriorSet, *, seed: int) -> Posterior:
    """The same posterior with drivers added, so that futures can be drawn with them moved.

    Their log odds γ (leaving a regime) and β (toward an exit) are independent of all else, one draw for each posterior
    draw. At rest they change nothing. A statement keeps its draws whatever is added beside it.

    Args:
        posterior: of a model with regimes.
        declared: the drivers; those that the fit knows keep their fitted odds.
        priors: the set that states the odds.
        seed: decides everything random.
    """
    draws, setting = posterior.draws, posterior.setting
    months = posterior.panel.sizes["month"] + setting.horizon
    fitted = [driver.id for driver in setting.drivers]
    added = [
        Driver(id=one.id, lag=one.lag, reference=one.at_rest, values=(one.at_rest,) * months)
        for one in declared
        if one.id not in fitted
    ]
    everyone = replace(setting, drivers=(*setting.drivers, *added))
    shape, names = (draws.sizes["chain"], draws.sizes["draw"]), setting.scenarios
    D, K = len(everyone.drivers), len(names)
    leave, toward = np.zeros((*shape, D, K)), np.zeros((*shape, D, K, K))
    if "leave" in draws:
        leave[:, :, : len(fitted)] = draws["leave"].values
        toward[:, :, : len(fitted)] = draws["toward"].values
    for place, driver in enumerate(added, start=len(fitted)):
        for key in odds_of(driver.id, priors, everyone):
            role, *places = key.split(".")[2:]
            rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
            log = np.log(distribution(priors[key]).rvs(rng, shape))
            if role == "leave":
                leave[:, :, place, names.index(places[0])] = log
            else:
                toward[:, :, place, names.index(places[0]), names.index(places[1])] = log
    rest = draws.drop_dims("driver", errors="ignore")
    return replace(
        posterior,
        setting=everyone,
        draws=rest.assign_coords(driver=[driver.id for driver in everyone.drivers]).assign(
            leave=(("chain", "draw", "driver", "regime"), leave),
            toward=(("chain", "draw", "driver", "regime_from", "regime_to"), toward),
        ),
    )


def odds_of(driver: str, priors: Mapping[str, object], setting: Setting) -> tuple[str, ...]:
    """The statements about what a driver does to the regimes of a model."""
    return tuple(key for key in optional(setting) if key.startswith(f"odds.{driver}.") and key in priors)
