"""The bench of every other road: its fit of growth, the beliefs that all roads state, and its refusal of another posterior."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("resource", reason="the bench reads CPU seconds as POSIX counts them")
pytest.importorskip("bench.peers.growth", reason="the benches are not shipped")

from bench.peers import measuring, posterior
from bench.peers.growth import exponent

SIZES = (240.0, 1000.0, 4000.0)


@given(st.floats(-2.0, 3.0), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_a_power_law_is_found_whatever_the_units(power, of_size, of_time):
    sizes = np.array(SIZES)
    assert exponent(of_size * sizes, of_time * sizes**power) == pytest.approx(power, abs=1e-9)


def test_the_exponent_is_the_least_squares_line_through_logarithms():
    times = np.array([60.0, 190.0, 800.0])
    assert exponent(SIZES, times) == pytest.approx(np.polyfit(np.log(SIZES), np.log(times), 1)[0])


def test_a_fixed_cost_lowers_the_exponent():
    assert exponent(SIZES, np.array(SIZES) + 1000.0) < 0.6


def test_the_shared_coordinates_are_the_intervals_that_were_stated():
    mean, sd = posterior.coordinates()
    rng = np.random.default_rng(1)
    level = np.exp(rng.normal(mean["level"][0], sd["level"][0], 40_000))
    assert (level < posterior.LEVEL[0]).mean() == pytest.approx(0.05, abs=0.005)
    assert (level > posterior.LEVEL[1]).mean() == pytest.approx(0.05, abs=0.005)
    dwell = 1.0 + np.exp(rng.normal(mean["dwell"][2], sd["dwell"][2], 40_000))
    assert (dwell > posterior.DWELL[2][1]).mean() == pytest.approx(0.05, abs=0.005)


def problem():
    mean, sd = posterior.coordinates()
    rng = np.random.default_rng(2)
    normal = rng.normal(size=(3, sum(block.size for block in mean.values())))
    turns = rng.normal(size=(3, posterior.K))
    return posterior.Problem(
        counts=posterior.counts(24),
        mean=mean,
        sd=sd,
        worth=np.full((posterior.K, posterior.K - 1), 3.0),
        normal=normal,
        turns=turns,
        value=-0.5 * ((normal**2).sum(axis=1) + (turns**2).sum(axis=1)),
        d_normal=-normal,
        d_turns=-turns,
    )


def a_road(*, constant=0.0, scale=1.0):
    def log_density(normal, turns):
        value = constant - 0.5 * scale * ((normal**2).sum() + (turns**2).sum())
        return value, -scale * normal, -scale * turns

    return measuring.Peer(name="another road", log_density=log_density, microseconds=float, sample=None)


def test_a_density_may_differ_by_a_constant():
    assert measuring.agree(a_road(constant=17.0), problem()) < 1e-12


def test_another_posterior_is_not_timed():
    with pytest.raises(SystemExit, match="another road states another posterior"):
        measuring.agree(a_road(scale=1.001), problem())


def test_a_slope_that_is_not_a_number_is_not_timed():
    with pytest.raises(SystemExit, match="another posterior"):
        measuring.agree(a_road(scale=np.nan), problem())


def test_a_problem_reaches_another_process_as_it_was(tmp_path: Path):
    written = problem()
    posterior.save(written, tmp_path / "problem.npz")
    read = posterior.load(tmp_path / "problem.npz")
    for name in ("counts", "worth", "normal", "turns", "value", "d_normal", "d_turns"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    for name in posterior.NORMAL:
        np.testing.assert_array_equal(read.sd[name], written.sd[name])
        np.testing.assert_array_equal(read.blocks(read.normal[0])[name].size, written.mean[name].size)


def test_chains_start_at_draws_from_the_prior():
    stated = problem()
    starts = [posterior.start(stated, seed) for seed in range(2000)]
    level = np.array([stated.blocks(normal)["level"][0] for normal, _ in starts])
    assert level.mean() == pytest.approx(stated.mean["level"][0], abs=0.05)
    assert level.std() == pytest.approx(stated.sd["level"][0], rel=0.1)
    shares = 1.0 / (1.0 + np.exp(-2.0 * np.array([turns for _, turns in starts])))
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
