"""Whether a fitted model could have produced its own data: intervals that hold them, transforms that look uniform.

For each month t of a counted stream, with the regime predicted from the months before,

    F[t](x) = mean over draws d of Σ_k P(z[t] = k | y before t, θ_d) F_k(x | θ_d)
    u[t]    = F[t](y - 1) + v (F[t](y) - F[t](y - 1)),   v ~ U(0, 1)

The draws have seen every month, so both checks are in-sample: they refuse a model that cannot describe the past and
promise nothing about the future. A yes-or-no stream is left out of both, because an interval that holds one of its
two values mostly holds both, and the transform of one coin is uniform for any coin of the right average. So is a
stream without an observed month. Randomised transforms: Czado, Gneiting and Held, Biometrics 65 (2009).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.checks import Check, predictive, uniform
from forecast.fitting import Posterior
from models import CATALOGUE, emissions, forward
from models.contract import Setting, Stream
from models.derived import parameters

type Floats = NDArray[np.float64]

MASS = 0.9  # of the central interval that is held against the data


def checks(posterior: Posterior, *, seed: int) -> tuple[Check, ...]:
    """Coverage and uniformity of every counted stream of a fit, all draws at once.

    Args:
        posterior: a fit of any model of the catalogue, with regimes or without.
        seed: of the randomised transforms.
    """
    rng = np.random.default_rng(seed)
    tail = (1.0 - MASS) / 2.0
    inside: dict[str, tuple[int, int]] = {}
    transforms: dict[str, NDArray[Any]] = {}
    for stream, below, upto in bounds(posterior.draws, posterior.panel, posterior.setting, law(posterior)):
        seen = ~np.isnan(upto)
        if not seen.any():
            continue
        low, high = below[seen], upto[seen]
        # y lies between the quantiles of tail and 1 - tail, ends included
        inside[stream.id] = (int(((high >= tail) & (low < 1.0 - tail)).sum()), int(seen.sum()))
        transforms[stream.id] = low + rng.random(low.size) * (high - low)
    return (*predictive(inside, mass=MASS), *uniform(transforms))


def law(posterior: Posterior, *, blind: bool = False) -> Floats:
    """P(regime of month t | data before t) of each draw, ``[chain, draw, T, K]``; ones without regimes.

    Args:
        posterior: draws and the panel.
        blind: as if no month had been observed.
    """
    model, draws, panel = CATALOGUE[posterior.model], posterior.draws, posterior.panel
    if model.regimes is None or len(posterior.setting.scenarios) == 1:
        return np.ones((draws.sizes["chain"], draws.sizes["draw"], panel.sizes["month"], 1))
    if model.laws is not None:
        seen = xr.full_like(panel, np.nan) if blind else panel
        setting = replace(posterior.setting, labels=None) if blind else posterior.setting
        return np.asarray(model.laws(draws, seen, setting, months=0)["predicted"].values)
    chain = model.regimes(draws, panel, posterior.setting)
    emitted = chain["log_emission"].values
    return forward.predicted(
        np.zeros_like(emitted) if blind else emitted,
        chain["transition"].values,
        chain["initial"].values,
        time_varying="step" in chain["transition"].dims,
    )


def bounds(
    draws: xr.Dataset, panel: xr.DataArray, setting: Setting, weight: Floats
) -> Iterator[tuple[Stream, Floats, Floats]]:
    """Give each counted stream with P(Y < y) and P(Y ≤ y) of its cells, ``[T]``, NaN where a cell is missing.

    Args:
        draws: the quantities of ``models.derived``.
        panel: (stream, month).
        setting: as the model sees it.
        weight: probability of each regime in each month, ``[chain, draw, T, K]``.
    """
    for stream, given in parameters(draws, panel, setting):
        if stream.family == "bernoulli":
            continue
        y = panel.sel(stream=stream.id).values.astype(np.float64)
        upto = _mixed(y, stream, given, weight)
        yield stream, upto if emissions.real(stream.family) else _mixed(y - 1.0, stream, given, weight), upto


def _mixed(y: Floats, stream: Stream, given: dict[str, Floats], weight: Floats) -> Floats:
    """Return P(Y ≤ y) over regimes and draws, ``[T]``."""
    below = emissions.cdf(y[:, None], stream.family, **given)
    return np.asarray((weight * below).sum(axis=-1).mean(axis=(0, 1)))
