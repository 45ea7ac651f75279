"""Eight simulated fronts are told apart: levels, effects and regimes come back, and the fronts lend one another what each lacks."""

import numpy as np
import pytest
import xarray as xr

from forecast import fronts
from models import CATALOGUE, Setting, Stream
from priors import loads

WHY = 'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\n'
SAID = (
    ("dwell.calm", 6, 24, "months"),
    ("dwell.war", 2, 8, "months"),
    ("effect.deaths.war", 2, 6, "times"),
    ("level.deaths", 40, 160, "deaths per month"),
    ("pooling.fronts", 10, 60, "percent"),
    ("pooling.levels", 40, 500, "percent"),
    ("spread.deaths", 20, 70, "percent"),
)
F, T = 8, 60


@pytest.fixture(scope="module")
def truth() -> tuple[xr.DataArray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts, regimes ``[F, T]``, log levels and log effects ``[F]``; the last front is silent for its last year."""
    rng = np.random.default_rng(11)
    leave = 1.0 / (1.0 + np.array([11.0, 3.0]) * np.exp(0.3 * rng.standard_normal((F, 2))))
    effect = np.log(3.5) * np.exp(0.3 * rng.standard_normal(F))
    level = np.log(10.0) + 0.8 * rng.standard_normal(F)
    z = np.zeros((F, T), dtype=int)
    for t in range(1, T):
        z[:, t] = z[:, t - 1] ^ (rng.random(F) < leave[np.arange(F), z[:, t - 1]])
    mean = np.exp(level[:, None] + effect[:, None] * z)
    y = rng.negative_binomial(6.25, 6.25 / (6.25 + mean))[:, None].astype(np.float64)
    y[-1, :, -12:] = np.nan
    names = {"front": [f"front-{n}" for n in range(F)], "stream": ["deaths"], "month": range(T)}
    return xr.DataArray(y, dims=tuple(names), coords=names), z, level, effect


def test_a_short_fit_finds_what_made_the_counts(
    truth: tuple[xr.DataArray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    panel, z, level, effect = truth
    text = 'schema = 1\nname = "test"\n' + "".join(
        f'[{key}]\n{WHY}kind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n'
        for key, low, high, unit in SAID
    )
    stream = Stream(id="deaths", family="negative-binomial", level="constant", effect="increasing")
    setting = Setting(scenarios=("calm", "war"), reference="calm", streams=(stream,), horizon=3)
    joint = fronts.fit_fronts(
        panel, CATALOGUE["regimes"], loads(text, "p.toml"), setting, seed=4, chains=2, tune=400, draws=300
    )
    assert int(joint.statistics["diverging"].sum()) == 0
    told = dict(fronts.each(joint, months=3, thin=2))
    right = 0
    for f, name in enumerate(joint.held.fronts):
        one = fronts.of(joint, name, thin=2)
        for found, true in (
            (one.draws["level"].sel(stream="deaths").isel(month=0), level[f]),
            (one.draws["effect"].sel(stream="deaths", regime="war"), effect[f]),
        ):
            right += abs(float(found.mean()) - true) < 2.6 * float(found.std())
        if name != "front-7":
            assert (told[name].latent.now()["war"].mean() > 0.5) == bool(z[f, -1]), name
    assert right >= 15  # of sixteen, each within 2.6 sd
    silent, seen = (told[name].latent.now()["war"] for name in ("front-7", "front-0"))
    assert 0.02 < silent.mean() < 0.6  # a year unseen: near what its chain holds in the long run
    assert seen.std() < silent.std()
