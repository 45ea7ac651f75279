"""Futures have the moments that theory gives them, start where the filter ends, and fill what is missing."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats as st
import xarray as xr

from models import CATALOGUE, Reporting, Setting, Stream, forward, futures
from models.variables import draw

MODEL = CATALOGUE["switching-level"]
COUNTS = (
    ("negative-binomial", {}),
    ("poisson", {}),
    ("zero-inflated-poisson", {"zero.s": (0.2, 0.5)}),
    ("hurdle-poisson", {"zero.s": (0.2, 0.5)}),
    ("zero-inflated-negative-binomial", {"zero.s": (0.2, 0.5)}),
    ("hurdle-negative-binomial", {"zero.s": (0.2, 0.5)}),
    ("gaussian", {}),
)


def fixed(model, panel, priors, setting, seed, size=1):
    """One draw from the prior, in the shape of a posterior."""
    raw = draw(model.beliefs(priors, setting), np.random.default_rng(seed), size)
    return model.derive({name: value[None] for name, value in raw.items()}, panel, priors, setting)


def world(beliefs, family, extra, level="constant"):
    setting = Setting(
        scenarios=("calm", "war"),
        reference="calm",
        streams=(Stream(id="s", family=family, level=level, effect="increasing"),),
        horizon=4,
        basis=3,
    )
    said = {"dwell.calm": (2, 9), "dwell.war": (2, 9), "level.s": (1, 4), "effect.s.war": (1.5, 4)}
    if "poisson" not in family:
        said["spread.s"] = (40, 90)
    if level == "walk":
        said["wander.s"] = (5, 20)
    panel = xr.DataArray(
        [[2.0, 5.0, 1.0, np.nan]], dims=("stream", "month"), coords={"stream": ["s"], "month": range(4)}
    )
    return panel, beliefs(said | extra), setting


@pytest.mark.parametrize(("family", "extra"), COUNTS)
def test_counts_have_their_family_s_mean_and_variance_in_each_regime(beliefs, family, extra):
    panel, priors, setting = world(beliefs, family, extra)
    draws = fixed(MODEL, panel, priors, setting, 5)
    found = futures.draw(draws, panel, setting, months=2, paths=60_000, seed=3)
    y = found["count"].values[0, :, 0, 1].astype(float)
    regime = found["regime"].values[0, :, 1]
    zero = float(draws["zero"].squeeze())
    for k in range(2):
        seen = y[regime == k]
        mean = float(np.exp(draws["level"][0, 0, 0, 0] + draws["effect"][0, 0, 0, k]))
        phi = float(draws["dispersion"].squeeze())
        square = mean**2 + (mean**2 / phi if family == "gaussian" else mean)
        square += mean**2 / phi if "negative-binomial" in family else 0.0
        nothing = np.exp(-mean) if "poisson" in family else (phi / (phi + mean)) ** phi
        kept = 1.0
        if family.startswith("zero-inflated"):
            kept = 1 - zero
        elif family.startswith("hurdle"):
            kept = (1 - zero) / (1 - nothing)
        wanted, variance = kept * mean, kept * square - (kept * mean) ** 2
        error = np.sqrt(variance / seen.size)
        assert abs(seen.mean() - wanted) < 4.5 * error
        assert seen.var() == pytest.approx(variance, rel=0.1)
        if family != "gaussian":
            assert np.all(seen == np.floor(seen))
            assert (found["count"].dtype, seen.min()) == (np.int32, 0.0)


def test_paths_start_from_the_filter_and_follow_the_matrix(beliefs):
    panel, priors, setting = world(beliefs, "poisson", {})
    draws = fixed(MODEL, panel, priors, setting, 2, size=3)
    R = 20_000
    found = futures.draw(draws, panel, setting, months=5, paths=R, seed=11)
    law = found["filtered"].values
    assert np.allclose(law.sum(axis=-1), 1)
    for h in range(5):
        law = np.einsum("di,dij->dj", law, draws["transition"].values[0])
        share = (found["regime"].values[:, :, h] == 1).mean(axis=1)
        assert np.all(np.abs(share - law[:, 1]) < 4 * np.sqrt(0.25 / R))


def test_paths_of_a_draw_are_independent(beliefs):
    """Their share in a regime scatters as a binomial share does: the noise that intervals are freed of."""
    panel, priors, setting = world(beliefs, "poisson", {})
    draws = fixed(MODEL, panel, priors, setting, 2, size=400)
    still = draws.copy()
    still["transition"] = xr.zeros_like(draws["transition"]) + np.eye(2)
    regime = futures.draw(still, panel, setting, months=1, paths=100, seed=4)["regime"].values[:, :, 0]
    parts = [
        MODEL.regimes(still, panel, setting)[name].values
        for name in ("log_emission", "transition", "initial")
    ]
    now = forward.filtered(*parts, time_varying=False)[0, :, -1, 1]
    spread = now * (1 - now) / 100
    scaled = (regime.mean(axis=1) - now) ** 2 / spread
    assert scaled.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 400))


def test_levels_walk_on_with_the_variance_of_their_steps(beliefs):
    panel, priors, setting = world(beliefs, "gaussian", {}, level="walk")
    draws = fixed(MODEL, panel, priors, setting, 8).copy()
    draws["dispersion"] = draws["dispersion"] * 0 + 1e12  # no noise: what varies is the level
    draws["effect"] = draws["effect"] * 0
    found = futures.draw(draws, panel, setting, months=3, paths=40_000, seed=1)
    logs = np.log(found["count"].values[0, :, 0].astype(float))
    step = float(draws["wander"].squeeze())
    assert logs[:, 2].std() == pytest.approx(step * np.sqrt(3), rel=0.02)
    assert logs[:, 2].mean() == pytest.approx(
        float(draws["level"][0, 0, 0, -1]), abs=4 * step * np.sqrt(3 / 40_000)
    )
    assert np.corrcoef(np.diff(logs, axis=1).T)[0, 1] == pytest.approx(0, abs=0.03)


def test_missing_cells_of_the_tail_are_drawn_with_the_regimes_that_the_data_allow(rich):
    panel, priors, setting = rich
    draws = fixed(MODEL, panel, priors, setting, 3)
    found = futures.draw(draws, panel, setting, months=2, paths=30_000, seed=9)
    tail = found["tail"]
    assert tail.sizes["tail_month"] == 2
    assert np.all(tail.sel(stream="fires").values == [3, 1])
    assert np.all(tail.sel(stream="truce").values[..., 0] == 0)
    chain = MODEL.regimes(draws, panel, setting)
    given = [chain[name].values for name in ("log_emission", "transition", "initial")]
    smoothed = forward.smoothed(*given, time_varying=True)[0, 0, -1]
    effect = np.exp(
        draws["level"].sel(stream="deaths")[0, 0, -1] + draws["effect"].sel(stream="deaths")[0, 0]
    )
    wanted = float((smoothed * effect).sum() * np.exp(draws["reporting"].sel(stream="deaths")[0, 0, 2]))
    last = tail.sel(stream="deaths").values[0, :, 1]
    assert abs(last.mean() - wanted) < 4 * last.std() / np.sqrt(last.size)


def test_a_chain_of_its_own_goes_on_from_its_last_state_through_the_tail(rich):
    panel, priors, setting = rich
    draws = fixed(MODEL, panel, priors, setting, 3)
    found = futures.draw(draws, panel, setting, months=2, paths=40_000, seed=9)
    on = draws["persistence"].sel(stream="curfew").values[0, 0]
    law = np.array([0.0, 1.0])
    for share in (
        found["tail"].sel(stream="curfew").values[0, :, 0],
        found["tail"].sel(stream="curfew").values[0, :, 1],
    ):
        law = law @ on
        assert abs(share.mean() - law[1]) < 0.01
    assert abs(found["count"].sel(stream="curfew").values[0, :, 1].mean() - (law @ on @ on)[1]) < 0.01


def test_a_gap_before_an_observed_state_is_bridged(rich):
    """A state between two observed ones is drawn given both."""
    panel, priors, setting = rich
    given = panel.copy()
    given.loc["curfew"] = [0, np.nan, 1, np.nan, 1, 1]
    given.loc["fires"] = [1, 0, 2, np.nan, np.nan, np.nan]
    draws = fixed(MODEL, given, priors, setting, 3)
    Q = draws["persistence"].sel(stream="curfew").values[0, 0]
    tail = (
        futures.draw(draws, given, setting, months=1, paths=40_000, seed=2)["tail"]
        .sel(stream="curfew")
        .values[0]
    )
    stayed, left = Q[1, 1] * Q[1, 1], Q[1, 0] * Q[0, 1]
    assert abs(tail[:, 0].mean() - stayed / (stayed + left)) < 0.01
    assert np.all(tail[:, 1:] == 1)


def test_futures_are_drawn_at_the_release_of_their_months(beliefs):
    panel, priors, setting = world(beliefs, "poisson", {})
    released = replace(
        setting, reporting={"s": Reporting(release=(0, 0, 0, 0, 1, 0, 0, 0), mean=(1.5,), sd=(0.01,))}
    )
    draws = fixed(MODEL, panel, priors, released, 2).copy()
    draws["effect"] = draws["effect"] * 0
    y = futures.draw(draws, panel, released, months=2, paths=40_000, seed=5)["count"].values[0, :, 0]
    ratio = y[:, 0].mean() / y[:, 1].mean()
    assert ratio == pytest.approx(float(np.exp(draws["reporting"][0, 0, 0, 1])), rel=0.03)
    with pytest.raises(ValueError, match="reporting of 's': got 8 months; wanted 9"):
        futures.draw(draws, panel, released, months=5, paths=2, seed=5)


def test_the_threads_that_share_the_work_do_not_matter(rich, monkeypatch):
    panel, priors, setting = rich
    draws = fixed(MODEL, panel, priors, setting, 1, size=9)
    found = futures.draw(draws, panel, setting, months=3, paths=20, seed=6)
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    again = futures.draw(draws, panel, setting, months=3, paths=20, seed=6)
    assert found.identical(again)
    other = futures.draw(draws, panel, setting, months=3, paths=20, seed=7)
    assert not np.array_equal(found["count"].values, other["count"].values)


def test_an_absurd_mean_is_held_at_what_a_count_can_be(beliefs):
    panel, priors, setting = world(beliefs, "poisson", {})
    draws = fixed(MODEL, panel, priors, setting, 2).copy()
    draws["level"] = draws["level"] * 0 + 100.0
    y = futures.draw(draws, panel, setting, months=1, paths=10, seed=5)["count"].values
    assert np.all(y > 1.9e9)


def test_a_hurdle_s_positive_counts_are_the_truncated_law(beliefs):
    panel, priors, setting = world(beliefs, "hurdle-poisson", {"zero.s": (0.2, 0.5)})
    draws = fixed(MODEL, panel, priors, setting, 5).copy()
    draws["effect"] = draws["effect"] * 0
    y = futures.draw(draws, panel, setting, months=1, paths=40_000, seed=3)["count"].values.ravel()
    mean = float(np.exp(draws["level"][0, 0, 0, 0]))
    positive = y[y > 0]
    for n in (1, 2, 3):
        wanted = st.poisson.pmf(n, mean) / -np.expm1(-mean)
        assert abs((positive == n).mean() - wanted) < 4 * np.sqrt(0.25 / positive.size)
