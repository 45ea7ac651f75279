"""Waves make the law of a demeaned random walk, of a slope that fades and of a season, and what is left out is known."""

import numpy as np
import pytest

from models import levels


@pytest.mark.parametrize("months", [2, 5, 23, 70])
def test_all_waves_together_are_the_demeaned_walk(months):
    B = levels.basis(months, months - 1)
    centre = np.eye(months) - 1 / months
    step = np.arange(1, months + 1)
    covariance = centre @ np.minimum.outer(step, step) @ centre
    assert np.allclose(B @ B.T, covariance, atol=1e-10)
    assert levels.dropped(months, months - 1) == pytest.approx(0.0, abs=1e-12)


def test_the_dropped_share_is_that_of_the_eigenvalues_left_out():
    centre = np.eye(70) - 1 / 70
    step = np.arange(1, 71)
    eigenvalues = np.linalg.eigvalsh(centre @ np.minimum.outer(step, step) @ centre)[::-1]
    assert levels.dropped(70, 16) == pytest.approx(eigenvalues[16:].sum() / eigenvalues.sum(), rel=1e-9)
    assert levels.dropped(70, 16) < 0.04
    assert levels.dropped(70, 30) < 0.02


def test_waves_beyond_the_rank_are_still():
    B = levels.basis(4, 9)
    assert B.shape == (4, 9)
    assert np.all(B[:, 3:] == 0)
    assert np.allclose(B.sum(axis=0), 0, atol=1e-12)
    assert levels.dropped(1, 4) == 0.0


def test_a_basis_needs_a_month():
    with pytest.raises(ValueError, match="wanted at least 1"):
        levels.basis(0, 3)


@pytest.mark.parametrize(("months", "damping"), [(30, 0.0), (30, 0.6), (70, 0.9), (30, 0.99)])
def test_all_waves_of_a_slope_together_fade_by_the_month(months, damping):
    waves, turn = levels.slopes(months, months)
    carried = waves * levels.lasting(np, np.array([damping]), turn)[0]
    wanted = damping ** np.abs(np.subtract.outer(np.arange(months), np.arange(months)))
    assert np.allclose(carried @ carried.T, wanted, atol=1.1 * damping**months + 1e-12)
    assert np.allclose((carried**2).sum(axis=1), 1, atol=1e-12)  # a sd is a sd, however long slopes last


def test_few_waves_carry_what_slopes_heap_up_to():
    """Of a slope itself they leave out the fast part, which hardly moves a level."""
    waves, turn = levels.slopes(74, 16)
    step = np.tril(np.ones((74, 74)), -1)
    centre = np.eye(74) - 1 / 74
    for damping in (0.5, 0.8, 0.9):
        law = damping ** np.abs(np.subtract.outer(np.arange(74), np.arange(74)))
        whole = np.trace(centre @ step @ law @ step.T @ centre)
        carried = levels.heaped(waves) * levels.lasting(np, np.array([damping]), turn)[0]
        assert (carried**2).sum() == pytest.approx(whole, rel=0.02)


def test_slopes_heap_up_to_the_level_whose_steps_they_are():
    waves, _ = levels.slopes(20, 5)
    path = levels.heaped(waves)
    assert np.allclose(np.diff(path, axis=0), waves[:-1])
    assert np.allclose(path.mean(axis=0), 0, atol=1e-12)


def test_waves_of_a_slope_beyond_the_months_are_still():
    waves, _ = levels.slopes(4, 6)
    still = np.r_[5, 6, 10:13]  # turns faster than a month, and the sine of a half turn a month
    assert waves.shape == (4, 13)
    assert np.allclose(waves[:, still], 0, atol=1e-12)


def test_a_season_sums_to_zero_and_no_month_is_special():
    found = levels.harmonics()
    assert found.shape == (12, 11)
    assert np.allclose(found.sum(axis=0), 0, atol=1e-12)
    assert np.allclose(found @ found.T, (np.eye(12) - 1 / 12) * 12 / 11, atol=1e-12)


def test_months_have_their_place_in_the_year_and_other_steps_are_counted():
    assert levels.places(np.array(["2021-10", "2021-11", "2021-12", "2022-01"])).tolist() == [9, 10, 11, 0]
    assert levels.places(np.array(["2021Q1", "2021Q2"], dtype=object)).tolist() == [0, 1]
    assert levels.places(np.arange(14) * 2.5).tolist() == [*range(12), 0, 1]
