"""The waves of a level are the eigenvectors of a demeaned random walk, and what is left out is known."""

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
