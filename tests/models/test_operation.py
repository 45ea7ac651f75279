"""The PyTensor operation is the recursion, with its gradient, compiled and uncompiled alike."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.gradient import NullTypeGradError

from models import forward

PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
B, T, K = 3, 5, 3
CASES = {
    "one series": ((), (), (), None),
    "one series, monthly": ((), (T - 1,), (), None),
    "one matrix for all": ((B,), (), (), None),
    "one matrix each": ((B,), (B,), (), None),
    "one matrix a month": ((B,), (T - 1,), (), None),
    "one matrix each and a month": ((B,), (B, T - 1), (B,), None),
    "months not told by length": ((B,), (B,), (B,), False),
    "one series, several matrices": ((), (B,), (), False),
    "several initial laws": ((), (), (B,), None),
}


def arguments(case, seed=0):
    e_axes, P_axes, law_axes, time_varying = CASES[case]
    rng = np.random.default_rng(seed)
    e = rng.normal(scale=2.0, size=(*e_axes, T, K))
    e[..., 1, :] = 0.0
    e[..., 3, 0] = -np.inf
    return (e, rng.dirichlet(np.ones(K), (*P_axes, K)), rng.dirichlet(np.ones(K), law_axes)), time_varying


def build(case, mode):
    """Compile a graph with known lengths: the values, and the slopes of their weighted sum over the batch."""
    values, time_varying = arguments(case)
    inputs = [pt.tensor(shape=x.shape) for x in values]
    value = forward.markov_log_likelihood(*inputs, time_varying=time_varying)
    weight = np.arange(1.0, B + 1) if value.ndim else np.float64(2.0)
    slopes = pytensor.grad((weight * value).sum(), inputs)
    return pytensor.function(inputs, [value, *slopes], mode=mode), weight


@pytest.mark.parametrize("case", CASES)
def test_a_graph_has_the_value_and_weighted_slopes_of_the_recursion(case):
    function, weight = build(case, PYTHON)
    values, time_varying = arguments(case)
    value, *slopes = function(*values)
    np.testing.assert_allclose(value, forward.log_likelihood(*values, time_varying=time_varying), rtol=1e-13)
    for n, slope in enumerate(slopes):
        assert slope.shape == values[n].shape
        finite = np.isfinite(values[n])
        for index in zip(*np.nonzero(finite), strict=True):
            ends = []
            for h in (1e-6, -1e-6):
                moved = [x.copy() for x in values]
                moved[n][index] += h
                ends.append((weight * forward.log_likelihood(*moved, time_varying=time_varying)).sum())
            assert slope[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=2e-5)
        assert np.all(slope[~finite] == 0.0)


@pytest.mark.parametrize("case", ["one series", "one matrix a month"])
def test_a_graph_compiled_by_numba_is_the_graph(case):
    values, _ = arguments(case)
    results = [build(case, mode)[0](*values) for mode in ("NUMBA", PYTHON)]
    for compiled, interpreted in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, interpreted, rtol=1e-13, atol=1e-13)


def test_an_impossible_or_undefined_series_is_minus_infinity_with_gradient_zero():
    inputs = [pt.tensor(shape=s) for s in ((T, K), (K, K), (K,))]
    value = forward.markov_log_likelihood(*inputs)
    function = pytensor.function(inputs, [value, *pytensor.grad(value, inputs)], mode=PYTHON)
    (e, P, law), _ = arguments("one series")
    impossible, undefined, endless = e.copy(), e.copy(), e.copy()
    impossible[2] = -np.inf
    undefined[2] = np.nan
    endless[2] = np.inf
    for broken in (impossible, undefined, endless):
        result, *slopes = function(broken, P, law)
        assert result == -np.inf
        assert all(np.all(slope == 0.0) for slope in slopes)
    result, *slopes = function(e - 1e5 * np.arange(K), P, law)
    assert np.isfinite(result)
    assert all(np.all(np.isfinite(slope)) for slope in slopes)


def test_lengths_unknown_when_the_graph_is_built_are_checked_when_it_runs():
    inputs = [pt.tensor(shape=s) for s in ((None, None, K), (None, K, K), (K,))]
    value = forward.markov_log_likelihood(*inputs, time_varying=False)
    function = pytensor.function(inputs, value, mode=PYTHON)
    (e, P, law), _ = arguments("one matrix each")
    np.testing.assert_allclose(function(e, P, law), forward.log_likelihood(e, P, law), rtol=1e-13)
    with pytest.raises(ValueError, match="the same number of series in every argument"):
        function(e, P[:2], law)


def test_shapes_are_inferred_without_running():
    inputs = [pt.tensor(shape=s) for s in ((None, None, K), (None, None, K, K), (None, K))]
    value = forward.markov_log_likelihood(*inputs)
    function = pytensor.function(inputs, value.shape, mode=PYTHON)
    (e, P, law), _ = arguments("one matrix each and a month")
    np.testing.assert_array_equal(function(e, P, law), [B])


def test_a_transition_that_reads_two_ways_is_refused():
    e = pt.tensor(shape=(4, 5, K))
    with pytest.raises(ValueError, match="one matrix per series or one per month"):
        forward.markov_log_likelihood(e, pt.tensor(shape=(4, K, K)), np.ones(K) / K)
    with pytest.raises(ValueError, match="say time_varying=True or False"):
        forward.markov_log_likelihood(e, pt.tensor(shape=(None, K, K)), np.ones(K) / K)
    with pytest.raises(ValueError, match="transition: got 2 axes; wanted 3 or 4, as time_varying=True"):
        forward.markov_log_likelihood(e, np.eye(K), np.ones(K) / K, time_varying=True)
    with pytest.raises(ValueError, match="got 1, 2 and 1 axes"):
        forward.markov_log_likelihood(e[0, 0], np.eye(K), np.ones(K) / K)


def test_there_is_no_second_derivative():
    law = pt.vector("law")
    slope = pytensor.grad(forward.markov_log_likelihood(np.zeros((3, 2)), np.full((2, 2), 0.5), law), law)
    with pytest.raises(NullTypeGradError, match="only first derivatives exist"):
        pytensor.grad(slope.sum(), law)
