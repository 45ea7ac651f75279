"""Seasons, damped trends and outlying months: the density on paper, the same from draws, and futures that go on by them."""

from dataclasses import replace

import numpy as np
import pytensor
import pytest
import scipy.stats as st
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms

from models import CATALOGUE, Setting, Stream, derived, emissions, futures, levels
from models.densities import one_step
from models.variables import draw

MODEL = CATALOGUE["local-level"]
MONTHS = np.array([f"{2020 + n // 12}-{n % 12 + 1:02d}" for n in range(9, 27)])
T = MONTHS.size


@pytest.fixture(scope="module")
def world(beliefs):
    """Streams that have every option between them, and one that has none."""
    streams = (
        Stream(id="deaths", family="negative-binomial", level="walk", effect="none", season=True, trend=True),
        Stream(id="raids", family="poisson", level="walk", effect="none", trend=True, outliers=True),
        Stream(id="price", family="gaussian", level="constant", effect="none", season=True, outliers=True),
        Stream(id="fires", family="hurdle-negative-binomial", level="walk", effect="none", outliers=True),
        Stream(id="plain", family="poisson", level="walk", effect="none"),
    )
    said = {f"level.{s.id}": (5, 20) for s in streams}
    said |= {f"wander.{s.id}": (2, 20) for s in streams if s.level == "walk"}
    said |= {f"spread.{name}": (20, 70) for name in ("deaths", "fires")} | {"spread.price": (3, 10)}
    said |= {f"season.{name}": (10, 60) for name in ("deaths", "price")} | {"zero.fires": (0.1, 0.4)}
    for name in ("deaths", "raids"):
        said |= {f"trend.{name}": (1, 6), f"damping.{name}": (0.4, 0.95)}
    said |= {f"outlier.{name}": (0.01, 0.2) for name in ("raids", "price", "fires")}
    setting = Setting(scenarios=("all",), reference="all", streams=streams, horizon=5, basis=4)
    rng = np.random.default_rng(2)
    y = rng.poisson(10.0, (5, T)).astype(float)
    y[2] = 10 + rng.normal(size=T)
    y[1, 4], y[2, 7], y[3, 5], y[3, 6] = 120.0, 25.0, 90.0, 0.0
    y[0, 3] = y[2, -1] = y[4, -2:] = np.nan
    coords = {"stream": [s.id for s in streams], "month": MONTHS}
    return xr.DataArray(y, dims=("stream", "month"), coords=coords), beliefs(said), setting


@pytest.fixture(scope="module")
def raw(world):
    _, priors, setting = world
    return draw(MODEL.beliefs(priors, setting), np.random.default_rng(5), 4)


@pytest.fixture(scope="module")
def draws(world, raw):
    panel, priors, setting = world
    return MODEL.derive({name: value[None] for name, value in raw.items()}, panel, priors, setting)


def stated(raw, d, priors, setting):
    """What a draw says in the analyst's units."""
    found = {}
    for family, keys in MODEL.beliefs(priors, setting).families.items():
        for key, value in zip(keys, raw[family][d], strict=True):
            found[key] = np.exp(value) if family == "lognormal" else value
    return found


def means(name, raw, d, said, setting):
    """The mean of each month by the sums of the formulas, wave by wave."""
    N, R = T + setting.horizon, setting.basis
    logs = np.full(T, np.log(said[f"level.{name}"]))
    straight = [s.id for s in setting.streams if s.level == "walk" and not s.trend]
    if name in straight:
        shape = raw["shape"][d][straight.index(name)]
        logs += np.log1p(said[f"wander.{name}"] / 100) * (levels.basis(N, R)[:T] @ shape)
    if f"trend.{name}" in said:
        sigma, tau = (np.log1p(said[f"{key}.{name}"] / 100) for key in ("wander", "trend"))
        rho = said[f"damping.{name}"]
        wave = raw["steps"][d][["deaths", "raids"].index(name)]
        b = np.zeros(N)
        for j in range(R + 1):
            w = np.pi * j / N
            g = np.sqrt((1 - rho**2) / (1 - 2 * rho * np.cos(w) + rho**2))
            g *= np.sqrt((1 - rho ** (2 * N)) / (1 + rho ** (2 * N)))
            turn = wave[j] * np.cos(w * np.arange(N)) * np.sqrt((1 if j else 0.5) / N)
            if j:
                turn += wave[R + j] * np.sin(w * np.arange(N)) / np.sqrt(N)
            b += np.sqrt(sigma**2 + tau**2 * g**2) * turn
        path = np.concatenate([[0], np.cumsum(b)[:-1]])
        logs += (path - path.mean())[:T]
    if f"season.{name}" in said:
        size = np.log1p(said[f"season.{name}"] / 100)
        year = size * (levels.harmonics() @ raw["seasons"][d][["deaths", "price"].index(name)])
        logs += year[[int(month[5:]) - 1 for month in MONTHS]]
    return np.exp(logs)


def cell(stream, y, mean, said):
    """A month's log density in scipy."""
    phi = (100 / said[f"spread.{stream.id}"]) ** 2 if f"spread.{stream.id}" in said else np.inf
    share = said.get(f"outlier.{stream.id}", 0.0)
    if stream.family == "gaussian":
        sd = mean / np.sqrt(phi)
        return np.log((1 - share) * st.norm.pdf(y, mean, sd) + share * st.norm.pdf(y, mean, 5 * sd))

    def count(phi):
        return st.poisson.pmf(y, mean) if np.isinf(phi) else st.nbinom.pmf(y, phi, phi / (phi + mean))

    def law(phi):
        if stream.family.startswith("hurdle"):
            zero = said[f"zero.{stream.id}"]
            nothing = (phi / (phi + mean)) ** phi
            return zero if y == 0 else (1 - zero) * count(phi) / (1 - nothing)
        return count(phi)

    return np.log((1 - share) * law(phi) + share * law(1 / (1 / phi + 4)))


def on_paper(raw, d, panel, priors, setting):
    said = stated(raw, d, priors, setting)
    total = 0.0
    for s, row in zip(setting.streams, panel.values, strict=True):
        mean = means(s.id, raw, d, said, setting)
        total += sum(cell(s, y, m, said) for y, m in zip(row, mean, strict=True) if not np.isnan(y))
    return total


def test_the_likelihood_is_the_one_on_paper(world, raw):
    panel, priors, setting = world
    built = remove_value_transforms(MODEL.build(panel, priors, setting))
    values = [built.rvs_to_values[v] for v in built.free_RVs]
    likelihood = built.replace_rvs_by_values([built.potentials[0]])[0]
    density = pytensor.function(values, likelihood, mode="FAST_COMPILE", on_unused_input="ignore")
    for d in range(4):
        found = density(*[raw[v.name][d] for v in built.free_RVs])
        assert float(found) == pytest.approx(on_paper(raw, d, panel, priors, setting), abs=1e-8)


def test_draws_are_read_as_the_density_reads_them(world, raw, draws):
    panel, priors, setting = world
    found = derived.log_emission(draws, panel, MODEL.view(setting))[0, ..., 0].sum(axis=-1)
    for d in range(4):
        assert found[d] == pytest.approx(on_paper(raw, d, panel, priors, setting), abs=1e-8)


def test_what_a_draw_says_of_its_options_is_in_the_table(world, raw, draws):
    _, priors, setting = world
    said = stated(raw, 0, priors, setting)
    own = draws.sel(stream="deaths").isel(chain=0, draw=0)
    assert float(own["trend"]) == pytest.approx(np.log1p(said["trend.deaths"] / 100))
    assert float(own["damping"]) == pytest.approx(said["damping.deaths"])
    assert float(own["season"].sum()) == pytest.approx(0, abs=1e-12)
    assert np.isnan(own["outlier"])
    assert np.isnan(draws["season"].sel(stream="plain")).all()
    bare = MODEL.view(replace(setting, streams=setting.streams[4:]))
    assert {"season", "trend", "outlier"}.isdisjoint(
        MODEL.derive(
            {name: value[None] for name, value in draw(MODEL.beliefs(priors, bare), np.random.default_rng(1), 2).items()},
            world[0][4:], priors, bare,
        ).data_vars
    )  # fmt: skip


def pull(y, family, **given):
    """By how much a month of y moves its log mean: the slope of its log density."""
    up, down = (emissions.log_density(y, family, mean=20.0 * np.exp(h), **given) for h in (1e-5, -1e-5))
    return (up - down) / 2e-5


def test_a_monstrous_month_hardly_moves_the_level():
    usual, monstrous = 24.0, 200.0
    plain, outlying = "negative-binomial", "outlying-negative-binomial"
    assert pull(monstrous, plain, dispersion=11.0) > 60
    assert 0 < pull(monstrous, outlying, dispersion=11.0, outlier=0.02) < 2.5
    own = pull(usual, plain, dispersion=11.0)
    assert pull(usual, outlying, dispersion=11.0, outlier=0.02) == pytest.approx(own, rel=0.1)


def ahead(draws, panel, setting, *, months=4, paths=40_000):
    one = draws.isel(draw=[0])
    return futures.draw(one, panel, setting, months=months, paths=paths, seed=3)["count"]


def test_a_trend_goes_on_and_fades(world, draws):
    panel, _, setting = world
    known = draws.copy()
    known["wander"] = known["wander"] * 0 + 1e-9
    known["season"] = known["season"] * 0
    known["dispersion"] = known["dispersion"] * 0 + 1e9
    known["level"] = known["level"] * 0 + 12.0  # counts so large that only the level is seen
    y = np.log(ahead(known, panel, MODEL.view(setting)).sel(stream="deaths").values[0].astype(float))
    own = draws.sel(stream="deaths").isel(chain=0, draw=0)
    slope, tau, rho = float(own["slope"][-1]), float(own["trend"]), float(own["damping"])
    wanted = 12.0 + slope * np.cumsum(rho ** np.arange(4))
    assert y.mean(axis=0) == pytest.approx(wanted, abs=0.002)
    waves, turn = levels.slopes(T + setting.horizon, setting.basis)
    unsure = (
        1 - ((waves[T - 1] * levels.lasting(np, np.array([rho]), turn)[0]) ** 2).sum()
    )  # steps do not blur it
    assert y[:, 0].std() == pytest.approx(tau * np.sqrt(unsure), rel=0.1)
    turn = unsure * (1 + rho) ** 2 + 1 - rho**2
    assert y[:, 1].std() == pytest.approx(tau * np.sqrt(turn), rel=0.05)


def test_a_season_comes_back_in_its_months(world, draws):
    panel, _, setting = world
    known = draws.isel(draw=[0]).copy()
    known["level"] = known["level"] * 0 + 12.0
    y = futures.draw(known, panel, MODEL.view(setting), months=12, paths=2000, seed=1)["count"]
    year = known["season"].sel(stream="price").values[0, 0]
    first = int(MONTHS[-1][5:])  # the place of the month after the last
    wanted = 12.0 + year[(first + np.arange(12)) % 12]
    assert np.log(np.median(y.sel(stream="price").values[0], axis=0)) == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("name", ["raids", "fires", "price"])
def test_outlying_months_come_as_often_as_their_share_and_from_their_law(world, draws, name):
    panel, _, setting = world
    known = draws.copy()
    known["wander"] = known["wander"] * 0
    known["trend"], known["slope"] = known["trend"] * 0, known["slope"] * 0
    known["season"] = known["season"] * 0
    known["level"] = known["level"] * 0 + 3.0
    seen = MODEL.view(setting)
    y = ahead(known, panel, seen, months=1).sel(stream=name).values.ravel()
    laws = {s.id: (s.family, given) for s, given in derived.parameters(known, panel, seen)}
    family, given = laws[name]
    law = {key: value[0, 0, 0, 0] for key, value in given.items()}
    for at in (0.0, 5.0, 20.0, 40.0, 100.0):
        wanted = float(emissions.cdf(at, family, **law))
        assert (y <= at).mean() == pytest.approx(wanted, abs=4 * np.sqrt(0.25 / y.size))


def test_months_are_worth_what_the_formulas_say_where_levels_are_known(beliefs):
    """With steps and trends of all but nothing, seasons and outlying months alone are left to the filter."""
    sure = (9.0 * (1 - 1e-9), 9.0 * (1 + 1e-9))
    tiny = (1e-9, 2e-9)
    said = {"level.s": sure, "wander.s": tiny, "season.s": (10, 60), "trend.s": tiny, "damping.s": (0.4, 0.9)}
    priors = beliefs(said | {"spread.s": (20, 60), "outlier.s": (0.02, 0.2), "zero.s": (0.1, 0.3)})
    y = np.array([[9.0, 0.0, 12.0, 300.0, np.nan, 7.0]])
    for family in ("negative-binomial", "poisson", "gaussian", "zero-inflated-poisson", "hurdle-poisson"):
        stream = Stream(
            id="s", family=family, level="walk", effect="none", season=True, trend=True, outliers=True
        )
        setting = Setting(scenarios=("all",), reference="all", streams=(stream,), horizon=2, basis=3)
        coords = {"stream": ["s"], "month": np.array([f"2020-{n:02d}" for n in range(10, 13)] + [f"2021-{n:02d}" for n in range(1, 4)])}  # fmt: skip
        panel = xr.DataArray(y, dims=("stream", "month"), coords=coords)
        raw = draw(MODEL.beliefs(priors, setting), np.random.default_rng(3), 5)
        draws = MODEL.derive({name: value[None] for name, value in raw.items()}, panel, priors, setting)
        wanted = derived.log_emission(draws, panel, setting)[0, ..., 0]
        found = one_step(draws, panel, setting, priors, number=3, seed=1)
        assert found == pytest.approx(wanted, abs=1e-4)


def test_predictive_bounds_know_seasons_and_outlying_months(world, draws):
    """P(Y < y) and P(Y ≤ y) of a cell, averaged over draws, from the parts of the mixture."""
    from forecast.predictive import bounds

    panel, _, setting = world
    seen = MODEL.view(setting)
    found = {
        stream.id: (low, high) for stream, low, high in bounds(draws, panel, seen, np.ones((1, 4, T, 1)))
    }
    own = draws.sel(stream="raids").isel(chain=0)
    mean, share = np.exp(own["level"].values[:, 4]), own["outlier"].values
    wide = st.nbinom(0.25, 0.25 / (0.25 + mean))
    for place, y in ((0, 119), (1, 120)):
        wanted = (1 - share) * st.poisson.cdf(y, mean) + share * wide.cdf(y)
        assert found["raids"][place][4] == pytest.approx(wanted.mean())
    low, high = found["price"]
    assert np.array_equal(low, high, equal_nan=True)
    assert np.isnan(high[-1])
