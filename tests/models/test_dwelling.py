"""Spells with a length of their own: hazards, the recursion over ages, and both as operations, against what they must be."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import scipy.stats as st
from hypothesis import given
from hypothesis import strategies as some
from pytensor.gradient import NullTypeGradError

from models import ages, dwelling, forward, onward, spells

PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")


def chain(rng, K, m, *, B=2, T=7, S=1, scale=2.0):
    """A random chain with ages, a month without data, one that rules a regime out, and an exit that is never taken."""
    e = rng.normal(scale=scale, size=(B, T, K))
    e[:, 1] = 0.0
    e[0, T // 2, 0] = -np.inf
    hazard = rng.uniform(0.05, 0.95, (B, S, K, m))
    go = rng.random((B, S, K, K)) * (1.0 - np.eye(K))
    if K == 3:
        go[0, :, 0] = [0.0, 0.0, 1.0]
    go /= np.maximum(go.sum(axis=-1, keepdims=True), 1e-300)
    return e, hazard, go, rng.dirichlet(np.ones(K * m), B).reshape(B, K, m)


@given(average=some.floats(1.0001, 300.0), r=some.floats(0.02, 200.0), m=some.sampled_from([1, 2, 5, 24]))
def test_hazards_are_those_of_the_negative_binomial(average, r, m):
    hazard, months, _, _ = (x[0] for x in spells.ends(np.array([[average]]), np.array([[r]]), m))
    law = st.nbinom(r, r / (r + average - 1))
    n = np.arange(m)
    reached = np.append(0.0, law.logsf(n[:-1]))
    seen = np.isfinite(reached) & (reached > -600.0)
    wanted = np.exp(law.logpmf(n) - reached)
    assert hazard[0][seen] == pytest.approx(wanted[seen], rel=1e-9)
    assert np.all((hazard > 0.0) & (hazard <= 1.0))
    assert months[0][:-1] == pytest.approx(np.exp(reached[:-1]), rel=1e-9, abs=1e-12)
    assert months[0][-1] * hazard[0][-1] == pytest.approx(np.exp(reached[-1]), rel=1e-9, abs=1e-12)


@given(average=some.floats(1.0, 5000.0), m=some.integers(1, 24))
def test_a_shape_of_one_is_the_geometric_exactly(average, m):
    hazard, months, _, _ = spells.ends(np.array([[average]]), np.array([[1.0]]), m)
    assert hazard * average == pytest.approx(np.ones((1, 1, m)), rel=1e-9)
    assert months.sum() == pytest.approx(average, rel=1e-9)


@given(average=some.floats(1.01, 100.0), r=some.floats(0.05, 50.0), m=some.sampled_from([1, 3, 24]))
def test_slopes_of_hazards_and_months_are_finite_differences(average, r, m):
    _, _, *slopes = spells.ends(np.array([[average]]), np.array([[r]]), m)
    for place, (step_a, step_r) in enumerate(((1e-6 * (average - 1.0), 0.0), (0.0, 1e-6 * r))):
        ends = [
            spells.ends(np.array([[average + side * step_a]]), np.array([[r + side * step_r]]), m)[:2]
            for side in (1.0, -1.0)
        ]
        for slope, up, down in zip(slopes, *ends, strict=True):
            wanted = (up - down) / (2.0 * (step_a + step_r))
            assert slope[:, place] == pytest.approx(wanted, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("extreme", [1.0, 1.0 + 1e-12, 12_000.0])
@pytest.mark.parametrize("r", [0.01, 1.0, 1000.0])
def test_the_edges_of_what_can_be_stated_have_finite_hazards_and_slopes(extreme, r):
    for found in spells.ends(np.array([[extreme]]), np.array([[r]]), 24):
        assert np.all(np.isfinite(found))


@pytest.mark.parametrize("r", [1e10, 1e30, 1e300])
@pytest.mark.parametrize("average", [1.5, 7.0])
def test_a_shape_without_bounds_is_a_poisson_and_costs_no_more(average, r):
    """A sampler that adapts strays this far: the work must not grow with the shape."""
    hazard = spells.ends(np.array([[average]]), np.array([[r]]), 24)[0][0, 0]
    law, n = st.poisson(average - 1.0), np.arange(24)
    reached = np.append(0.0, law.logsf(n[:-1]))
    assert hazard == pytest.approx(np.exp(law.logpmf(n) - reached), rel=1e-6)


@pytest.mark.parametrize(
    ("K", "m", "T", "S", "scale"),
    [(2, 1, 6, 1, 2.0), (3, 4, 7, 6, 3.0), (3, 5, 9, 1, 2.0), (2, 3, 4, 1, 900.0), (3, 24, 30, 1, 300.0)],
)
def test_the_recursion_by_structure_is_that_of_the_expanded_chain(K, m, T, S, scale):
    e, hazard, go, initial = chain(np.random.default_rng(K + m), K, m, T=T, S=S, scale=scale)
    P = ages.expanded(hazard, go)
    given = (np.repeat(e, m, axis=-1), P if S > 1 else P[:, 0], initial.reshape(2, -1))
    value, d_e, d_P, d_initial = forward.log_likelihood_and_gradients(*given, time_varying=S > 1)
    d_P = d_P.reshape(2, S, K, m, K, m)
    d_hazard = np.einsum("bskaj,bskj->bska", d_P[..., 0], go)
    for a in range(m):
        k = np.arange(K)
        d_hazard[:, :, k, a] -= d_P[:, :, k, a, k, min(a + 1, m - 1)]
    d_go = np.einsum("bska,bskaj->bskj", hazard, d_P[..., 0]) * (1.0 - np.eye(K))
    wanted = (value, d_e.reshape(2, T, K, m).sum(-1), d_hazard, d_go, d_initial.reshape(2, K, m))
    for got, want in zip(ages.gradients(e, hazard, go, initial), wanted, strict=True):
        assert got == pytest.approx(want, rel=1e-10, abs=1e-10)
    before, after, density = ages.forward(e, hazard, go, initial)
    predicted = forward.predicted(*given, time_varying=S > 1).reshape(2, T, K, m).sum(-1)
    assert before == pytest.approx(predicted, abs=1e-10)
    filtered = forward.filtered(*given, time_varying=S > 1).reshape(2, T, K, m)
    assert after == pytest.approx(filtered, abs=1e-10)
    assert density == pytest.approx(forward.one_step_log_density(*given, time_varying=S > 1), abs=1e-10)
    assert ages.step(filtered[:, -1], hazard[:, -1], go[:, -1]).reshape(2, -1) == pytest.approx(
        np.einsum("bi,bij->bj", filtered[:, -1].reshape(2, -1), P[:, -1])
    )


def test_evidence_of_many_hundred_nats_a_month_loses_no_regime():
    """A regime that the data speak against for years comes back the month they speak for it."""
    T, m = 40, 6
    e = np.zeros((1, T, 2))
    e[0, :-1, 1] = -800.0
    e[0, -1, 0] = -9000.0
    hazard, go = np.full((1, 1, 2, m), 0.2), np.array([[[[0.0, 1.0], [1.0, 0.0]]]])
    value, smoothed, *_ = ages.gradients(e, hazard, go, np.full((1, 2, m), 0.5 / m))
    assert value[0] == pytest.approx(np.log(0.5) + 38 * np.log(0.8) + np.log(0.2), abs=1e-9)
    assert smoothed[0, -1] == pytest.approx([0.0, 1.0])
    assert smoothed[0, -2] == pytest.approx([1.0, 0.0])


def test_an_impossible_series_is_minus_infinity_with_gradient_zero():
    e, hazard, go, initial = chain(np.random.default_rng(2), 3, 4)
    e[0, 4] = -np.inf
    e[1, 2, 0] = np.nan
    value, *slopes = ages.gradients(e, hazard, go, initial)
    assert np.all(np.isneginf(value))
    assert all(np.all(slope == 0.0) for slope in slopes)
    before, _, density = ages.forward(e, hazard, go, initial)
    assert np.isneginf(density[0, 4:]).all()
    assert np.isfinite(density[0, :4]).all()
    assert np.isnan(before[0, 4:]).all()


@pytest.mark.parametrize("S", [1, 6])
def test_a_graph_has_the_value_and_slopes_of_the_kernels_compiled_or_not(S):
    rng = np.random.default_rng(4)
    e, hazard, go, initial = (x[1] for x in chain(rng, 3, 4, S=S))
    inputs = [pt.tensor(shape=x.shape) for x in (e, hazard, go, initial)]
    value = dwelling.aged_log_likelihood(*inputs)
    slopes = pytensor.grad(2.0 * value, inputs)
    wanted = ages.gradients(e[None], hazard[None], go[None], initial[None])
    for mode in (PYTHON, "NUMBA"):
        got, *found = pytensor.function(inputs, [value, *slopes], mode=mode)(e, hazard, go, initial)
        assert got == pytest.approx(wanted[0][0], abs=1e-12)
        for slope, want in zip(found, wanted[1:], strict=True):
            assert slope == pytest.approx(2.0 * want[0], abs=1e-12)


def test_slopes_reach_through_both_operations_to_average_and_shape():
    e, _, go, _ = (x[1] for x in chain(np.random.default_rng(6), 3, 4))
    average, shape = pt.vector("average", shape=(3,)), pt.vector("shape", shape=(3,))
    hazard, months = dwelling.ends(average, shape, 5)
    value = dwelling.aged_log_likelihood(e, hazard[None], go, months / months.sum())
    at = np.array([1.7, 4.0, 30.0]), np.array([0.4, 1.0, 6.0])
    function = pytensor.function(
        [average, shape], [value, *pytensor.grad(value, [average, shape])], mode="NUMBA"
    )
    _, *slopes = function(*at)
    for n, slope in enumerate(slopes):
        for k in range(3):
            ends = []
            for side in (1e-6, -1e-6):
                moved = [x.copy() for x in at]
                moved[n][k] += side
                ends.append(float(function(*moved)[0]))
            assert slope[k] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_there_is_no_second_derivative():
    average = pt.vector("average", shape=(2,))
    hazard, _ = dwelling.ends(average, np.ones(2), 3)
    slope = pytensor.grad(hazard.sum(), average)
    with pytest.raises(NullTypeGradError, match="only first derivatives exist"):
        pytensor.grad(slope.sum(), average)


def test_paths_follow_the_law_of_the_chain_with_its_ages():
    """Backward through the last months and forward from them, against the expanded chain."""
    rng = np.random.default_rng(8)
    K, m, L, H, R = 3, 4, 3, 4, 60_000
    e, hazard, go, initial = (x[:1] for x in chain(rng, K, m, T=L))
    e[0, 2] = [0.3, -0.5, 0.0]
    _, filtered, _ = ages.forward(e, hazard, go, initial)
    _, smoothed, *_ = ages.gradients(e, hazard, go, initial)
    path = np.empty((R, L + H), dtype=np.int8)
    onward.paths_of(filtered[0], hazard[0], go[0], hazard[0], go[0], rng.random((R, L + H)), path)
    law = filtered[0, -1]
    wanted = [*smoothed[0]]
    for _ in range(H):
        law = ages.step(law, hazard[0, 0], go[0, 0])
        wanted.append(law.sum(-1))
    for t, want in enumerate(wanted):
        share = np.bincount(path[:, t], minlength=K) / R
        assert np.all(np.abs(share - want) < 4.5 * np.sqrt(0.25 / R)), t
    same = (path[:, 0] == 1) & (path[:, 1] == 1)  # a pair within the tail
    P = ages.expanded(hazard, go)[0, 0]
    given = (np.repeat(e, m, axis=-1)[0], P, initial[0].ravel())
    pairs = forward.smoothed_pairs(*given, time_varying=False)[0].reshape(K, m, K, m)
    assert abs(same.mean() - pairs[1, :, 1].sum()) < 4.5 * np.sqrt(0.25 / R)


def test_a_path_without_memory_is_drawn_as_a_markov_chain():
    rng = np.random.default_rng(9)
    P = np.array([[0.9, 0.1], [0.3, 0.7]])
    leave, go = np.array([[[0.1], [0.3]]]), np.array([[[0.0, 1.0], [1.0, 0.0]]])
    law = np.array([[[0.5], [0.5]], [[0.2], [0.8]]])
    path = np.empty((40_000, 4), dtype=np.int8)
    onward.paths_of(law, leave, go, leave, go, rng.random((40_000, 4)), path)
    second = np.array([0.2, 0.8])
    first = sum(second[j] * 0.5 * P[:, j] / (0.5 * P[:, j].sum()) for j in range(2))
    for t, want in enumerate((first, second, second @ P, second @ P @ P)):
        assert (path[:, t] == 1).mean() == pytest.approx(want[1], abs=0.012)
