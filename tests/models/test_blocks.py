"""Series are shared out among threads in blocks, and nothing that is computed depends on how many."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from models import blocks, emissions, forward, mixtures


@given(size=some.integers(0, 50), steps=some.integers(0, 300_000), cores=some.integers(1, 9))
def test_blocks_make_up_the_whole_and_do_not_overlap(size, steps, cores):
    done = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: cores)
        blocks.each_block(size, lambda begin, end: done.append((begin, end)), steps=steps)
    done.sort()
    assert (done[0][0], done[-1][1]) == (0, size)
    assert all(before[1] == after[0] for before, after in pairwise(done))
    assert len(done) <= cores


def test_what_a_block_raises_is_raised(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 3)

    def run(begin, end):
        if begin > 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        blocks.each_block(9, run, steps=blocks.LEAST)


def test_mixtures_are_averaged_over_draws_however_their_axes_are_given():
    """Three axes of draws and streams, weights that serve all streams, and parameters of one, many or all cells."""
    rng = np.random.default_rng(7)
    C, D, S, T, K = 2, 5, 3, 4, 2
    weight = rng.dirichlet(np.ones(K), (C, D, 1, T))
    a, b = rng.normal(size=(D, S, 1, K)), rng.normal(size=K)
    (found,) = mixtures.averaged([lambda law: law["a"] * law["b"]], weight, {"a": a, "b": b}, cells=(S, T))
    np.testing.assert_allclose(found, (weight * a * b).sum(axis=-1).mean(axis=(0, 1)), rtol=1e-12)
    (one,) = mixtures.averaged([lambda law: law["b"]], weight[0, 0, 0], {"b": b}, cells=(S, T))
    np.testing.assert_allclose(one, np.broadcast_to(weight[0, 0, 0] @ b, (S, T)), rtol=1e-12)


def everything(e, P, law, y, mean):
    """Every function of a series' states, and residuals averaged over the batch."""
    given = (e, P, law)
    predicted = forward.predicted(*given)
    return [
        *forward.log_likelihood_and_gradients(*given),
        forward.one_step_log_density(*given),
        predicted,
        forward.filtered(*given),
        forward.smoothed(*given),
        forward.smoothed_pairs(*given),
        forward.most_likely_path(*given),
        forward.sample_paths(*given, rng=np.random.default_rng(1), size=3),
        emissions.pseudo_residuals(y, "poisson", predicted, rng=np.random.default_rng(2), mean=mean),
    ]


@pytest.mark.parametrize("months", [(), (11,)])
def test_results_are_the_same_to_the_bit_on_any_number_of_threads(monkeypatch, months):
    rng = np.random.default_rng(3)
    D, T, K = 17, 12, 3
    mean = rng.gamma(5.0, 2.0, (D, 1, K))
    y = rng.poisson(8.0, T).astype(float)
    y[4] = np.nan
    e = emissions.log_density(y[:, None], "poisson", mean=mean)
    P, law = rng.dirichlet(np.ones(K), (D, *months, K)), rng.dirichlet(np.ones(K))
    monkeypatch.setattr(blocks, "LEAST", 1)
    found = []
    for cores in (1, 2, 5):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found.append(everything(e, P, law, y, mean))
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)
