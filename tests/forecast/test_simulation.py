"""Futures carry the panel's calendar on, and latent probabilities need no simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from forecast.fitting import from_prior
from forecast.simulation import after, latent, simulate, thinned
from models import CATALOGUE, Driver, Setting, Stream, forward
from priors import Refusal, loads

TEXT = 'schema = 1\nname = "small"\n[defaults]\nauthor = "a"\ndate = 2026-01-01\nsource = "s"\n' + "".join(
    f'[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\nbecause = "A test."\n'
    for key, low, high, unit in (
        ("dwell.quiet", 3, 24, "months"),
        ("dwell.violent", 2, 12, "months"),
        ("level.incidents", 2, 20, "incidents per month"),
        ("wander.incidents", 1, 10, "percent per month"),
        ("spread.incidents", 20, 80, "percent"),
        ("effect.incidents.violent", 1.5, 6, "times"),
        ("chance.truce.quiet", 0.5, 0.9, "probability"),
        ("chance.truce.violent", 0.05, 0.3, "probability"),
        ("persist.truce.on", 0.6, 0.9, "probability"),
        ("persist.truce.off", 0.6, 0.9, "probability"),
        ("odds.talks.leave.violent", 2, 9, "times"),
    )
)
MONTHS = ["2025-10", "2025-11", "2025-12", "2026-01"]


def posterior(model="switching-level", *, drivers=(), months=MONTHS, draws=40):
    setting = Setting(
        scenarios=("quiet", "violent"),
        reference="quiet",
        streams=(
            Stream(id="incidents", family="negative-binomial", level="walk", effect="increasing"),
            Stream(id="truce", family="bernoulli", level=None, effect="free"),
        ),
        horizon=8,
        basis=3,
        drivers=drivers,
    )
    panel = xr.DataArray(
        [[5.0, 30.0, 2.0, np.nan], [1.0, 0.0, np.nan, np.nan]],
        dims=("stream", "month"),
        coords={"stream": ["incidents", "truce"], "month": months},
    )
    return from_prior(panel, CATALOGUE[model], loads(TEXT, "priors.toml"), setting, draws=draws, seed=3)


TALKS = (Driver(id="talks", lag=1, reference=0.0, values=(0.0,) * 12),)


def test_futures_follow_the_panel_month_by_month():
    found = simulate(posterior(), months=5, paths=7, seed=1)
    assert found["count"].dims == ("draw", "path", "stream", "month")
    assert dict(found.sizes) == {
        "draw": 40, "path": 7, "stream": 2, "month": 5, "tail_month": 2, "scenario": 2
    }  # fmt: skip
    assert found["month"].values.tolist() == ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]
    assert found["tail_month"].values.tolist() == ["2025-12", "2026-01"]
    assert np.all(found["tail"].sel(stream="incidents", tail_month="2025-12") == 2)
    assert set(np.unique(found["regime"])) <= {0, 1}


def test_a_model_without_regimes_has_counts_and_no_regime():
    found = simulate(posterior("local-level"), months=5, paths=7, seed=1)
    assert "regime" not in found
    assert found["filtered"].values.tolist() == [[1.0]] * 40
    with pytest.raises(ValueError, match="'local-level', which has no regimes"):
        latent(posterior("local-level"), months=2)


def test_one_seed_is_one_future():
    given = posterior()
    assert simulate(given, months=5, paths=7, seed=1).identical(simulate(given, months=5, paths=7, seed=1))
    again = simulate(given, months=5, paths=7, seed=2)
    assert not again["count"].equals(simulate(given, months=5, paths=7, seed=1)["count"])


def test_latent_probabilities_are_what_simulation_tends_to():
    given = posterior(draws=10)
    exact = latent(given, months=4)
    found = simulate(given, months=4, paths=20_000, seed=5)
    share = (found["regime"] == 1).mean("path").values
    assert np.all(np.abs(share - exact["ahead"].sel(regime="violent").values[0]) < 4 * np.sqrt(0.25 / 20_000))
    assert np.allclose(found["filtered"], exact["filtered"].values[0])


def test_latent_probabilities_are_the_filter_times_matrix_powers():
    given = posterior()
    exact = latent(given, months=6)
    power = np.linalg.matrix_power(given.draws["transition"].values, 6)
    wanted = np.einsum("cdi,cdij->cdj", exact["filtered"].values, power)
    assert np.allclose(exact["ahead"].values[..., 5, :], wanted, atol=1e-12)
    chain = CATALOGUE["switching-level"].regimes(given.draws, given.panel, given.setting)
    smoothed = forward.smoothed(*(chain[n].values for n in ("log_emission", "transition", "initial")))
    assert np.allclose(exact["smoothed"], smoothed.mean(axis=(0, 1)), atol=1e-12)
    assert exact["month_ahead"].values[-1] == "2026-07"


def test_an_analyst_s_path_moves_the_probabilities_by_the_odds_stated():
    given = posterior(drivers=TALKS)
    still, talks = latent(given, months=2), latent(given, months=2, drivers={"talks": [1.0] * 8})
    moved = talks["ahead"].sel(regime="quiet") - still["ahead"].sel(regime="quiet")
    assert np.allclose(moved[..., 0], 0, atol=1e-12)  # a lag of one: the first step leaves an observed month
    assert np.all(moved[..., 1] > 0)
    paths = {"months": 2, "paths": 4000, "seed": 1}
    far = simulate(given, drivers={"talks": [1.0] * 8}, **paths)["regime"][..., 1].mean()
    near = simulate(given, **paths)["regime"][..., 1].mean()
    assert float(near - far) == pytest.approx(float(moved[..., 1].mean()), abs=0.02)
    with pytest.raises(Refusal, match="wanted a driver; did you mean 'talks'"):
        simulate(given, months=2, paths=1, seed=1, drivers={"talk": [1.0, 1.0]})


def test_a_setting_that_does_not_reach_so_far_is_refused():
    with pytest.raises(ValueError, match="driver 'talks': got 12 months; wanted 13"):
        simulate(posterior(drivers=TALKS), months=10, paths=2, seed=1)


@pytest.mark.parametrize("asked", [{"months": 0, "paths": 4}, {"months": 3, "paths": 0}])
def test_nothing_is_no_future(asked):
    with pytest.raises(ValueError, match="wanted at least one of each"):
        simulate(posterior(), seed=1, **asked)


def test_thinning_is_even_along_every_chain():
    given = posterior(draws=100)
    chains = given.draws.isel(chain=[0, 0, 0]).assign_coords(chain=[0, 1, 2], draw=np.arange(100))
    kept = thinned(chains, 30)
    assert dict(kept.sizes)["chain"] == 3
    assert kept["draw"].values.tolist() == [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]
    assert thinned(chains, 10_000).sizes["draw"] == 100
    found = simulate(replace(given, draws=chains), months=1, paths=2, seed=1, draws=30)
    assert found["chain"].values.tolist() == [0] * 10 + [1] * 10 + [2] * 10


@pytest.mark.parametrize(
    ("past", "wanted"),
    [
        (np.array([0, 1, 2]), [3, 4]),
        (np.array([0.0, 2.5]), [5.0, 7.5]),
        (np.array([7]), [8, 9]),
        (np.array(["2026-11"]), ["2026-12", "2027-01"]),
        (np.array(["1951Q2", "1951Q3"]), ["1951Q4", "1952Q1"]),
        (np.array(["1998", "1999"]), ["2000", "2001"]),
        (np.array(["spring", "autumn"]), [1, 2]),
        (
            pd.date_range("1971-01-01", periods=6, freq="MS").values,
            list(pd.to_datetime(["1971-07-01", "1971-08-01"]).values),
        ),
        (
            pd.date_range("1958-01-01", periods=3, freq="QS").values,
            list(pd.to_datetime(["1958-10-01", "1959-01-01"]).values),
        ),
        (
            pd.date_range("2026-01-05", periods=3, freq="7D").values,
            list(pd.to_datetime(["2026-01-26", "2026-02-02"]).values),
        ),
    ],
)
def test_any_equal_spacing_goes_on(past, wanted):
    assert after(past, 2).tolist() == np.array(wanted).tolist()


def test_weeks_serve_as_well_as_months():
    weeks = pd.date_range("2026-01-05", periods=4, freq="7D").values
    found = simulate(posterior(months=weeks), months=2, paths=3, seed=1)
    assert found["month"].values[0] - weeks[-1] == np.timedelta64(7, "D")
