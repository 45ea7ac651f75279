"""The recursion equals the sum over all paths of states, written out."""

import itertools

import numpy as np
import pytest

from models import forward


def enumerate_paths(e, P, law):
    """Return every path and its joint log density, from the definition of the model."""
    T, K = e.shape
    monthly = P if P.ndim == 3 else np.broadcast_to(P, (max(T - 1, 0), K, K))
    paths = np.array(list(itertools.product(range(K), repeat=T)))
    with np.errstate(divide="ignore"):
        joint = np.log(law)[paths[:, 0]] + e[np.arange(T), paths].sum(axis=1)
        for t in range(T - 1):
            joint += np.log(monthly[t])[paths[:, t], paths[:, t + 1]]
    return paths, joint


def by_enumeration(e, P, law):
    """Return value, smoothed, pairs and the filtered laws of every prefix."""
    T, K = e.shape
    states = np.arange(K)
    values, filtered = [], []
    for t in range(1, T + 1):
        paths, joint = enumerate_paths(e[:t], P[: t - 1] if P.ndim == 3 else P, law)
        top = joint.max()
        weight = np.exp(joint - top)
        values.append(top + np.log(weight.sum()))
        weight /= weight.sum()
        filtered.append(weight @ (paths[:, -1:] == states))
    smoothed = np.einsum("n,ntk->tk", weight, paths[:, :, None] == states)
    is_pair = (paths[:, :-1, None] == states)[..., None] & (paths[:, 1:, None] == states)[:, :, None, :]
    pairs = np.einsum("n,ntij->tij", weight, is_pair)
    return np.array(values), np.array(filtered), smoothed, pairs, (paths, joint)


def random_case(rng, n):
    T, K = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    e = rng.normal(scale=3.0, size=(T, K))
    e[rng.random(T) < 0.25] = 0.0
    excluded = rng.random((T, K)) < 0.1
    excluded[:, rng.integers(K)] = False  # one state stays possible throughout
    e[excluded] = -np.inf
    months = (T - 1,) if n % 2 else ()
    return e, rng.dirichlet(np.ones(K), size=(*months, K)), rng.dirichlet(np.ones(K))


@pytest.mark.parametrize("block", range(5))
def test_hundred_random_series_agree_with_enumeration(block):
    rng = np.random.default_rng([2026, block])
    for n in range(100):
        e, P, law = random_case(rng, n)
        values, filtered, smoothed, pairs, (paths, joint) = by_enumeration(e, P, law)
        exact = {"rtol": 0, "atol": 1e-10}
        np.testing.assert_allclose(forward.log_likelihood(e, P, law), values[-1], **exact)
        np.testing.assert_allclose(forward.one_step_log_density(e, P, law).cumsum(), values, **exact)
        np.testing.assert_allclose(forward.filtered(e, P, law), filtered, **exact)
        np.testing.assert_allclose(forward.smoothed(e, P, law), smoothed, **exact)
        np.testing.assert_allclose(forward.smoothed_pairs(e, P, law), pairs, **exact)
        monthly = P if P.ndim == 3 else np.broadcast_to(P, (len(e) - 1, *P.shape))
        ahead = np.concatenate([law[None], np.einsum("ti,tij->tj", filtered[:-1], monthly)])
        np.testing.assert_allclose(forward.predicted(e, P, law), ahead, **exact)
        best = forward.most_likely_path(e, P, law)
        assert joint[(paths == best).all(axis=1)] == pytest.approx(joint.max(), abs=1e-10)


FUNCTIONS = ["log_likelihood", "one_step_log_density", "predicted", "filtered", "smoothed", "smoothed_pairs",
             "most_likely_path"]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("e_batch", "P_batch", "law_batch"),
    [((2, 3), (2, 3), (2, 3)), ((), (4,), ()), ((3,), (2, 1), ()), ((2, 1), (3,), (1,)), ((), (), (3,))],
)
@pytest.mark.parametrize("varying", [False, True])
def test_a_batch_is_its_series_one_by_one(name, e_batch, P_batch, law_batch, varying):
    T, K = 7, 3
    rng = np.random.default_rng(5)
    e = rng.normal(size=(*e_batch, T, K))
    months = (T - 1,) if varying else ()
    P, law = rng.dirichlet(np.ones(K), (*P_batch, *months, K)), rng.dirichlet(np.ones(K), law_batch)
    function = getattr(forward, name)
    together = function(e, P, law)
    batch = np.broadcast_shapes(e_batch, P_batch, law_batch)
    e, law = np.broadcast_to(e, (*batch, T, K)), np.broadcast_to(law, (*batch, K))
    P = np.broadcast_to(P, (*batch, *months, K, K))
    assert together.shape[: len(batch)] == batch
    for index in np.ndindex(batch):
        np.testing.assert_allclose(together[index], function(e[index], P[index], law[index]), atol=1e-13)


def test_drawn_paths_occur_as_often_as_the_smoothed_laws_say():
    rng = np.random.default_rng(11)
    T, K, size = 6, 3, 40_000
    e, law = rng.normal(size=(2, T, K)), rng.dirichlet(np.ones(K))
    P = rng.dirichlet(np.ones(K), (T - 1, K))
    paths = forward.sample_paths(e, P, law, rng=rng, size=size)
    assert paths.shape == (size, 2, T)
    states = np.arange(K)
    share = (paths[..., None] == states).mean(axis=0)
    pair = (
        (paths[..., :-1, None] == states)[..., None] & (paths[..., 1:, None] == states)[..., None, :]
    ).mean(axis=0)
    for seen, expected in ((share, forward.smoothed(e, P, law)), (pair, forward.smoothed_pairs(e, P, law))):
        error = np.sqrt(expected * (1 - expected) / size)
        assert np.all(np.abs(seen - expected) < 4.5 * error + 1e-12)


def difference(function, x, h=1e-6):
    """Central differences of a scalar function in every entry of x."""
    slope = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        slope[index] = (function(up) - function(down)) / (2 * h)
    return slope


@pytest.mark.parametrize("K", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("P_axes", ["one", "month", "series", "series and month"])
def test_gradients_are_finite_differences(K, P_axes):
    rng = np.random.default_rng([K, len(P_axes)])
    B, T = 2, 5
    lead = {"one": (), "month": (T - 1,), "series": (B,), "series and month": (B, T - 1)}[P_axes]
    e, law = rng.normal(size=(B, T, K)), rng.dirichlet(np.ones(K))
    e[:, 2] = 0.0
    P = rng.dirichlet(np.ones(K), (*lead, K))
    if K > 2:
        P[..., 0, :] = [0.0, 1.0, *[0.0] * (K - 2)]  # an excluded exit has a gradient too
    value, d_e, d_P, d_law = forward.log_likelihood_and_gradients(e, P, law)
    assert value == pytest.approx(forward.log_likelihood(e, P, law), abs=1e-13)

    def total(e=e, P=P, law=law):
        return forward.log_likelihood(e, P, law).sum()

    np.testing.assert_allclose(d_e, difference(lambda x: total(e=x), e), atol=1e-5)
    np.testing.assert_allclose(d_P, difference(lambda x: total(P=x), P), atol=1e-5)
    np.testing.assert_allclose(d_law, difference(lambda x: total(law=x), law), atol=1e-5)
