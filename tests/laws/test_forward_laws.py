"""What holds of the recursion for every series: symmetry, nesting, limits and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import forward

patient = settings(deadline=None)  # the first call compiles


@st.composite
def series(draw, max_months=30, max_states=5):
    """Draw a possible series: log emissions, one or monthly transitions, an initial law."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    T, K = draw(st.integers(1, max_months)), draw(st.integers(1, max_states))
    e = rng.normal(scale=draw(st.sampled_from([0.1, 3.0, 300.0])), size=(T, K))
    months = (T - 1,) if draw(st.booleans()) else ()
    return e, rng.dirichlet(np.ones(K), (*months, K)), rng.dirichlet(np.ones(K))


@patient
@given(series(), st.integers(0, 1000))
def test_the_order_of_the_states_does_not_matter(case, seed):
    e, P, law = case
    order = np.random.default_rng(seed).permutation(len(law))
    moved = e[:, order], P[..., order, :][..., order], law[order]
    np.testing.assert_allclose(forward.log_likelihood(*moved), forward.log_likelihood(e, P, law), rtol=1e-10)
    np.testing.assert_allclose(forward.smoothed(*moved), forward.smoothed(e, P, law)[:, order], atol=1e-10)


@patient
@given(series())
def test_probabilities_sum_to_one_and_pairs_to_their_margins(case):
    for function in (forward.predicted, forward.filtered, forward.smoothed):
        np.testing.assert_allclose(function(*case).sum(axis=-1), 1.0, atol=1e-10)
    smoothed, pairs = forward.smoothed(*case), forward.smoothed_pairs(*case)
    np.testing.assert_allclose(pairs.sum(axis=2), smoothed[:-1], atol=1e-10)
    np.testing.assert_allclose(pairs.sum(axis=1), smoothed[1:], atol=1e-10)


@patient
@given(series())
def test_one_step_densities_sum_to_the_likelihood_and_its_gradient_is_the_smoothed_law(case):
    value, d_e, d_P, d_law = forward.log_likelihood_and_gradients(*case)
    np.testing.assert_allclose(forward.one_step_log_density(*case).sum(), value, rtol=1e-12)
    np.testing.assert_allclose(d_e, forward.smoothed(*case), atol=1e-12)
    _, P, law = case
    pairs = forward.smoothed_pairs(*case)
    np.testing.assert_allclose(d_P * P, pairs if P.ndim == 3 else pairs.sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(d_law * law, forward.smoothed(*case)[0], atol=1e-10)


@patient
@given(series(), st.data())
def test_a_missing_month_is_a_transition_through_it(case, data):
    e, P, law = case
    T = len(e)
    if T < 3:
        return
    monthly = P if P.ndim == 3 else np.broadcast_to(P, (T - 1, *P.shape))
    gap = data.draw(st.integers(1, T - 2))
    e = e.copy()
    e[gap] = 0.0
    bridged = np.concatenate(
        [monthly[: gap - 1], (monthly[gap - 1] @ monthly[gap])[None], monthly[gap + 1 :]]
    )
    without = forward.log_likelihood(np.delete(e, gap, axis=0), bridged, law)
    np.testing.assert_allclose(forward.log_likelihood(e, P, law), without, rtol=1e-10, atol=1e-10)


@patient
@given(series())
def test_one_matrix_is_the_same_matrix_every_month(case):
    e, P, law = case
    P = P[0] if P.ndim == 3 and len(P) else P
    if P.ndim == 3:
        return
    monthly = np.repeat(P[None], len(e) - 1, axis=0)
    for name in ("log_likelihood", "smoothed", "filtered", "predicted", "most_likely_path"):
        function = getattr(forward, name)
        np.testing.assert_array_equal(function(e, P, law), function(e, monthly, law))


@patient
@given(series())
def test_no_path_beats_the_most_likely_one(case):
    e, P, law = case
    T = len(e)
    monthly = P if P.ndim == 3 else np.broadcast_to(P, (T - 1, *P.shape))

    def joint(path):
        steps = np.log(monthly[np.arange(T - 1), path[:-1], path[1:]]).sum()
        return np.log(law[path[0]]) + e[np.arange(T), path].sum() + steps

    best = joint(forward.most_likely_path(e, P, law))
    for path in forward.sample_paths(e, P, law, rng=np.random.default_rng(0), size=5):
        assert joint(path) <= best + 1e-9 * abs(best)


def test_ten_thousand_months_stay_finite():
    rng = np.random.default_rng(2)
    T, K = 10_000, 3
    e, P, law = rng.normal(scale=30.0, size=(T, K)) - 500.0, rng.dirichlet(np.ones(K), K), np.ones(K) / K
    value, *slopes = forward.log_likelihood_and_gradients(e, P, law)
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(slope)) for slope in slopes)
    np.testing.assert_allclose(forward.smoothed(e, P, law).sum(axis=-1), 1.0, atol=1e-9)


def test_a_forecast_far_ahead_is_the_stationary_law():
    P = np.random.default_rng(3).dirichlet(np.ones(4), 4)
    far = forward.predicted(np.zeros((500, 4)), P, [1.0, 0.0, 0.0, 0.0])[-1]
    np.testing.assert_allclose(far, forward.stationary(P), atol=1e-8)


@patient
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_stationary_law_is_left_as_it_is(seed, K):
    P = np.random.default_rng(seed).dirichlet(np.full(K, 0.5), (3, K))
    law = forward.stationary(P)
    np.testing.assert_allclose(np.einsum("bi,bij->bj", law, P), law, atol=1e-9)
    np.testing.assert_allclose(law.sum(axis=-1), 1.0, atol=1e-9)


def test_a_periodic_chain_has_a_stationary_law():
    np.testing.assert_allclose(forward.stationary([[0.0, 1.0], [1.0, 0.0]]), [0.5, 0.5], atol=1e-15)


def test_the_likeliest_emission_of_an_excluded_state_does_not_hide_the_others():
    e = np.array([[0.0, 0.0], [-2000.0, 0.0], [0.0, -1.0]])
    always_first = np.array([[1.0, 0.0], [0.0, 1.0]])
    value, *slopes = forward.log_likelihood_and_gradients(e, always_first, [1.0, 0.0])
    assert value == -2000.0
    assert all(np.all(np.isfinite(slope)) for slope in slopes)
    np.testing.assert_array_equal(forward.smoothed(e, always_first, [1.0, 0.0]), [[1.0, 0.0]] * 3)


def test_an_impossible_series_has_no_likelihood_and_no_posterior():
    e = np.zeros((2, 4, 2))
    e[0, 2] = -np.inf
    P, law = np.full((2, 2), 0.5), [0.5, 0.5]
    np.testing.assert_array_equal(forward.log_likelihood(e, P, law), [-np.inf, 0.0])
    np.testing.assert_array_equal(
        forward.one_step_log_density(e, P, law), [[0.0, 0.0, -np.inf, -np.inf], [0.0] * 4]
    )
    value, *slopes = forward.log_likelihood_and_gradients(e, P, law)
    assert value[0] == -np.inf
    assert np.all(slopes[0][0] == 0.0)
    assert np.isnan(forward.smoothed(e, P, law)[0]).all()
    assert np.isnan(forward.smoothed_pairs(e, P, law)[0]).all()
    np.testing.assert_array_equal(np.isnan(forward.filtered(e, P, law)[0, :, 0]), [False, False, True, True])
    assert np.isfinite(forward.smoothed(e, P, law)[1]).all()
    with pytest.raises(ValueError, match="got 1 series that no path of states allows"):
        forward.most_likely_path(e, P, law)
    with pytest.raises(ValueError, match="got 1 series that no path of states allows"):
        forward.sample_paths(e, P, law, rng=np.random.default_rng(0))


def test_a_transition_with_as_many_rows_as_there_are_steps_is_monthly():
    rng = np.random.default_rng(6)
    e, law, three = rng.normal(size=(4, 2)), [0.5, 0.5], rng.dirichlet(np.ones(2), (3, 2))
    assert forward.log_likelihood(e, three, law).shape == ()
    assert forward.log_likelihood(e, three, law, time_varying=False).shape == (3,)
    assert forward.log_likelihood(e, three[:2], law).shape == (2,)
    assert forward.log_likelihood(np.stack([e, e]), three, law).shape == (2,)


def test_as_many_axes_as_the_series_have_means_a_matrix_for_each_series():
    """Three series of four months: an axis of length three is the batch, whatever the months would make of it."""
    rng = np.random.default_rng(6)
    e, law, three = rng.normal(size=(3, 4, 2)), [0.5, 0.5], rng.dirichlet(np.ones(2), (3, 2))
    each = [forward.log_likelihood(e[n], three[n], law) for n in range(3)]
    monthly = [forward.log_likelihood(e[n], three, law) for n in range(3)]
    for initial in (law, np.full((3, 2), 0.5)):
        np.testing.assert_allclose(forward.log_likelihood(e, three, initial), each)
    np.testing.assert_allclose(forward.log_likelihood(e, three, law, time_varying=False), each)
    np.testing.assert_allclose(forward.log_likelihood(e, three, law, time_varying=True), monthly)
    np.testing.assert_allclose(forward.log_likelihood(e, three[None], law), monthly)
    value, _, slope, _ = forward.log_likelihood_and_gradients(e, three, law)
    np.testing.assert_allclose(value, each)
    assert slope.shape == three.shape


def test_a_transition_that_still_reads_two_ways_is_refused_until_told():
    rng = np.random.default_rng(6)
    e, law, three = rng.normal(size=(2, 3, 4, 2)), [0.5, 0.5], rng.dirichlet(np.ones(2), (3, 2))
    with pytest.raises(ValueError, match="say time_varying=True or False"):
        forward.log_likelihood(e, three, law)
    with pytest.raises(ValueError, match="say time_varying"):
        forward.log_likelihood(e[0, 0], three, np.full((3, 2), 0.5))
    assert forward.log_likelihood(e, np.stack([three, three]), law).shape == (2, 3)


@pytest.mark.parametrize(
    ("e", "P", "law", "message"),
    [
        (np.zeros(3), np.eye(3), np.ones(3) / 3, r"log_emission: got shape \(3,\); wanted \[..., T, K\]"),
        (np.zeros((0, 2)), np.eye(2), np.ones(2) / 2, "T and K at least 1"),
        (
            np.zeros((4, 2)),
            np.eye(3),
            np.ones(2) / 2,
            r"transition: got shape \(3, 3\); wanted \[..., 2, 2\]",
        ),
        (np.zeros((4, 2)), np.eye(2), np.ones(3) / 3, r"initial: got shape \(3,\); wanted \[..., 2\]"),
        (np.zeros((3, 4, 2)), np.eye(2), np.ones((2, 2)) / 2, "wanted shapes that broadcast"),
        (np.full((4, 2), np.nan), np.eye(2), np.ones(2) / 2, "log_emission: got NaN"),
        (np.full((4, 2), np.inf), np.eye(2), np.ones(2) / 2, "log_emission: got NaN or"),
        (np.zeros((4, 2)), np.full((2, 2), np.nan), np.ones(2) / 2, "transition, initial: got NaN"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(e, P, law, message):
    with pytest.raises(ValueError, match=message):
        forward.log_likelihood(e, P, law)


def test_transitions_that_are_not_laws_have_no_stationary_law():
    with pytest.raises(ValueError, match="wanted rows of probabilities that sum to one"):
        forward.stationary([[0.5, 0.4], [0.5, 0.5]])
    with pytest.raises(ValueError, match="more than one closed class"):
        forward.stationary(np.eye(2))
    with pytest.raises(ValueError, match=r"wanted \[..., K, K\]"):
        forward.stationary(np.ones((2, 3)) / 3)
    with pytest.raises(ValueError, match=r"wanted \[..., 3, K, K\], as time_varying=True"):
        forward.log_likelihood(np.zeros((4, 2)), np.eye(2), [0.5, 0.5], time_varying=True)


def test_a_state_once_all_but_excluded_returns_where_the_chain_has_no_other_way():
    """The way from the first state to the last leads through the second, which month two speaks against."""
    P = np.array([[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]])
    e = np.zeros((3, 3))
    e[1, 1] = -1500.0
    e[2, :2] = -5000.0
    law = np.array([1.0, 0.0, 0.0])
    value, *slopes = forward.log_likelihood_and_gradients(e, P, law)
    assert value == pytest.approx(np.log(0.1 * 0.1) - 1500.0, rel=1e-14)
    assert all(np.all(np.isfinite(slope)) for slope in slopes)
    np.testing.assert_allclose(forward.smoothed(e, P, law), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(forward.smoothed_pairs(e, P, law)[1, 1], [0.0, 0.0, 1.0], atol=1e-14)
    np.testing.assert_array_equal(forward.most_likely_path(e, P, law), [0, 1, 2])
    np.testing.assert_array_equal(
        forward.sample_paths(e, P, law, rng=np.random.default_rng(0), size=3), [[0, 1, 2]] * 3
    )
    assert forward.one_step_log_density(e, P, law).sum() == pytest.approx(value, rel=1e-14)
