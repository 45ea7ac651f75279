"""A filter of particles against answers without any: Kalman filters, normal vectors, quadrature over levels and paths."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import scipy.special
from scipy.stats import multivariate_normal, norm

from models import emissions, forward
from models.kernels import Floats
from models.particles import GAUSSIAN, NEGATIVE_BINOMIAL, PLAIN, Walks, filtered

TINY = 1e-4  # levels move by so little that exp is a straight line
P = np.array([[0.8, 0.2], [0.4, 0.6]])
START = np.array([0.7, 0.3])


def walks(y: Floats, *, draws: int = 1, kind: int = NEGATIVE_BINOMIAL, **given: object) -> Walks:
    """Lay out streams ``y`` ``[W, T]`` for identical draws; what is not given is as plain as can be."""
    W, T = y.shape
    P = np.asarray(given.pop("P", np.ones((1, 1))))
    K = len(P)
    phi = np.broadcast_to(given.pop("phi", 5.0), W)
    constant = np.zeros((W, T))
    for w in range(W):
        if kind == NEGATIVE_BINOMIAL:
            one = emissions.log_density(y[w], "negative-binomial", mean=1.0, dispersion=phi[w])
            constant[w] = one + (np.nan_to_num(y[w]) + phi[w]) * np.log1p(1 / phi[w])
        else:
            constant[w] = 0.5 * np.log(phi[w]) - emissions.HALF_LOG_TWO_PI

    def each(value: object, *shape: int) -> Floats:
        return np.ascontiguousarray(np.broadcast_to(value, (draws, *shape)), dtype=np.float64)

    return Walks(
        rest=each(given.pop("rest", 0.0), T, K),
        transition=each(P, 1, K, K),
        initial=each(given.pop("initial", np.full(K, 1 / K)), K),
        y=y,
        kind=np.full(W, kind),
        zeros=np.full(W, PLAIN),
        constant=each(np.where(np.isnan(y), 0.0, constant), W, T),
        factor=each(given.pop("factor", 0.0), W, T),
        effect=each(given.pop("effect", 0.0), W, K),
        phi=each(phi, W),
        zero=each(0.0, W),
        **{name: each(given.pop(name), W) for name in ("centre", "spread", "step")},
        months=int(given.pop("months", T)),
        **{name: each(value, W) for name, value in given.items()},  # trend and damping
    )


def demeaned(months: int, T: int) -> Floats:
    """Covariance of the first T months of a walk of steps of sd one, less its mean over ``months``."""
    steps = np.tril(np.ones((months, months)), -1)[:, : months - 1]
    path = steps - steps.mean(axis=0)
    return (path @ path.T)[:T, :T]


def sloped(months: int, T: int, trend: float, damping: float) -> Floats:
    """Covariance of what a fading slope heaps up to in the first T months, less its mean over ``months``."""
    law = trend**2 * damping ** np.abs(np.subtract.outer(np.arange(months), np.arange(months)))
    path = np.tril(np.ones((months, months)), -1)
    path -= path.mean(axis=0)
    return (path @ law @ path.T)[:T, :T]


def conditionals(y: Floats, mean: Floats, cov: Floats) -> Floats:
    """Log densities of each seen cell of a normal vector given the seen cells before it; 0 where missing."""
    seen = np.flatnonzero(~np.isnan(y))
    found = np.zeros(y.size)
    before = 0.0
    for n, t in enumerate(seen, start=1):
        part = seen[:n]
        joint = multivariate_normal(mean[part], cov[np.ix_(part, part)]).logpdf(y[part])
        found[t] = joint - before
        before = joint
    return found


@pytest.mark.parametrize("spread", [0.0, 3.0])
@pytest.mark.parametrize("horizon", [0, 6])
def test_levels_follow_the_law_of_a_walk_that_is_told_its_mean(spread: float, horizon: int) -> None:
    rng = np.random.default_rng(4)
    T, noise, step = 15, 1.5, 0.8
    cov = step**2 * demeaned(T + horizon, T) + spread**2
    x = rng.multivariate_normal(np.zeros(T), cov + noise**2 * np.eye(T))
    x[[4, 9, 10]] = np.nan
    given = walks(
        (1.0 + TINY * x)[None],
        kind=GAUSSIAN,
        phi=1 / (TINY * noise) ** 2,
        centre=0.0,
        spread=TINY * spread,
        step=TINY * step,
        months=T + horizon,
    )
    wanted = conditionals(x, np.zeros(T), cov + noise**2 * np.eye(T)) - np.log(TINY) * ~np.isnan(x)
    assert filtered(given, particles=40_000, seed=1)[0] == pytest.approx(wanted, abs=0.03)


@pytest.mark.parametrize("spread", [0.0, 3.0])
@pytest.mark.parametrize(("horizon", "step"), [(0, 0.5), (6, 0.05)])
def test_slopes_follow_the_law_of_a_trend_that_fades(spread: float, horizon: int, step: float) -> None:
    rng = np.random.default_rng(6)
    T, noise, trend, damping = 15, 1.5, 0.6, 0.8
    cov = step**2 * demeaned(T + horizon, T) + sloped(T + horizon, T, trend, damping) + spread**2
    x = rng.multivariate_normal(np.zeros(T), cov + noise**2 * np.eye(T))
    x[[4, 9, 10]] = np.nan
    given = walks(
        (1.0 + TINY * x)[None],
        draws=6,
        kind=GAUSSIAN,
        phi=1 / (TINY * noise) ** 2,
        centre=0.0,
        spread=TINY * spread,
        step=TINY * step,
        months=T + horizon,
        trend=TINY * trend,
        damping=damping,
    )
    wanted = conditionals(x, np.zeros(T), cov + noise**2 * np.eye(T)) - np.log(TINY) * ~np.isnan(x)
    assert filtered(given, particles=30_000, seed=1).mean(axis=0) == pytest.approx(wanted, abs=0.03)


def test_a_trend_of_nothing_is_no_trend() -> None:
    y = np.random.default_rng(3).poisson(20.0, (1, 10)).astype(float)
    given = {"centre": np.log(20.0), "spread": 0.3, "step": 0.2}
    none = filtered(walks(y, **given), particles=40_000, seed=2)
    tiny = filtered(walks(y, trend=1e-9, damping=0.5, **given), particles=40_000, seed=2)
    assert tiny == pytest.approx(none, abs=1e-6)


def test_a_vague_mean_gives_the_kalman_filter_of_a_local_level() -> None:
    statsmodels = pytest.importorskip("statsmodels.tsa.statespace.structural")
    rng = np.random.default_rng(5)
    T, noise, step, spread = 25, 1.0, 0.6, 20.0
    x = np.cumsum(step * rng.standard_normal(T)) + noise * rng.standard_normal(T)
    x[7] = np.nan
    local = statsmodels.UnobservedComponents(x, "local level")
    wanted = local.smooth([noise**2, step**2]).llf_obs[1:]
    given = walks(
        (1.0 + TINY * x)[None],
        kind=GAUSSIAN,
        phi=1 / (TINY * noise) ** 2,
        centre=0.0,
        spread=TINY * spread,
        step=TINY * step,
    )
    found = filtered(given, particles=60_000, seed=3)[0, 1:] + np.log(TINY) * ~np.isnan(x[1:])
    assert found == pytest.approx(wanted, abs=0.05)


def test_the_nile_has_its_published_likelihood() -> None:
    """In the limit of small steps, under a flat start, which leaves the first year out: -632.5456 by KFAS.

    Variances 15098.53 and 1469.178; series and reference: J. Durbin and S. J. Koopman, *Time Series Analysis by State
    Space Methods*, 2nd ed. (2012), section 2.2.
    """
    figures = Path(__file__).parent / "figures" / "nile.csv"
    flow = np.loadtxt(figures, delimiter=",")[:, 1] / 100.0 - 9.0  # in hundreds, about zero
    given = walks(
        (1.0 + TINY * flow)[None],
        draws=4,
        kind=GAUSSIAN,
        phi=1e4 / (TINY**2 * 15098.53),
        centre=0.0,
        spread=TINY * 50.0,
        step=TINY * np.sqrt(1469.178) / 100.0,
    )
    found = filtered(given, particles=30_000, seed=2)[:, 1:].sum(axis=1) + 99 * (np.log(TINY) - np.log(100.0))
    assert found.mean() == pytest.approx(-632.5456, abs=0.1)


def test_without_steps_it_is_the_exact_forward_pass() -> None:
    rng = np.random.default_rng(7)
    y = rng.poisson(8.0, (2, 12)).astype(float)
    y[0, 3] = y[:, 8] = np.nan
    effect, phi, centre = np.array([[0.0, 0.9], [0.0, -0.4]]), np.array([4.0, 9.0]), np.log([8.0, 5.0])
    rest = rng.normal(size=(12, 2))
    given = walks(
        y, P=P, initial=START, effect=effect, phi=phi, centre=centre, spread=0.0, step=1e-12, rest=rest
    )
    mean = np.exp(centre[:, None] + effect)
    density = emissions.log_density(
        y[:, :, None], "negative-binomial", mean=mean[:, None], dispersion=phi[:, None, None]
    )
    wanted = forward.one_step_log_density(density.sum(axis=0) + rest, P, START)
    assert filtered(given, particles=2, seed=1)[0] == pytest.approx(wanted, abs=1e-9)


@pytest.fixture(scope="module")
def short() -> tuple[Walks, float]:
    """Four months, one missing, that a high level explains as well as a war; their likelihood by quadrature."""
    y, phi, step, spread, months = np.array([[12.0, 14.0, np.nan, 50.0]]), 8.0, 0.3, 1.0, 6
    effect, factor = np.array([0.0, 1.5]), np.array([0.0, 0.0, 0.0, 0.3])
    given = {"P": P, "initial": START, "effect": effect[None], "factor": factor[None]}
    laid = walks(y, draws=4000, centre=np.log(6.0), spread=spread, step=step, phi=phi, months=months, **given)
    nodes, mass = scipy.special.roots_hermitenorm(24)
    root = np.linalg.cholesky(step**2 * demeaned(months, 4) + spread**2)
    level = np.log(6.0) + np.array(list(product(nodes, repeat=4))) @ root.T + factor
    weight = np.prod(list(product(mass / mass.sum(), repeat=4)), axis=1)
    density = emissions.log_density(
        y[0, :, None], "negative-binomial", mean=np.exp(level[..., None] + effect), dispersion=phi
    )
    return laid, float(weight @ np.exp(forward.log_likelihood(density, P, START)))


@pytest.mark.parametrize("particles", [1, 30])
def test_estimates_of_the_likelihood_are_right_on_average_however_few_the_particles(
    short: tuple[Walks, float], particles: int
) -> None:
    given, wanted = short
    found = np.exp(filtered(given, particles=particles, seed=11).sum(axis=1))
    assert abs(found.mean() - wanted) < 4 * found.std() / np.sqrt(found.size)
    assert found.std() / np.sqrt(found.size) < 0.1 * wanted


def test_the_predictive_of_the_next_month_sums_to_one() -> None:
    past = np.array([[3.0, 8.0, 5.0, 20.0, 2.0]])
    whole = np.arange(400.0)
    total = 0.0
    for y in whole:
        series = np.append(past, [[y]], axis=1)
        given = walks(
            series,
            P=P,
            initial=START,
            effect=np.array([[0.0, 1.0]]),
            phi=4.0,
            centre=np.log(6.0),
            spread=0.5,
            step=0.3,
        )
        total += np.exp(filtered(given, particles=20, seed=13)[0, -1])
    assert total == pytest.approx(1.0, abs=1e-6)


def test_a_month_scores_as_fresh_data_of_the_same_month_would() -> None:
    """Under the true model the month that came is no better predicted than another draw of it."""
    rng = np.random.default_rng(17)
    T, number, phi, step, effect = 8, 1500, 4.0, 0.4, np.array([0.0, 1.2])
    gains = []
    for _ in range(number):
        z = [int(rng.random() < START[1])]
        for _ in range(T - 1):
            z.append(int(rng.random() < P[z[-1], 1]))
        level = np.log(20.0) + np.linalg.cholesky(step**2 * demeaned(T, T) + 0.09) @ rng.standard_normal(T)
        y = emissions.sample(rng, "negative-binomial", mean=np.exp(level + effect[z]), dispersion=phi)
        again = y.copy()  # the last month is drawn anew from the states of the month before
        fresh = int(rng.random() < P[z[-2], 1])
        total = T * np.log(20.0) - level[:-1].sum()
        pull = step**2 / (step**2 + T**2 * 0.09)
        new = level[-2] + pull * (total - level[-2]) + step * np.sqrt(1 - pull) * rng.standard_normal()
        again[-1] = emissions.sample(
            rng, "negative-binomial", mean=np.exp(new + effect[fresh]), dispersion=phi
        )
        scores = [
            filtered(
                walks(
                    series[None],
                    P=P,
                    initial=START,
                    effect=effect[None],
                    phi=phi,
                    centre=np.log(20.0),
                    spread=0.3,
                    step=step,
                ),
                particles=60,
                seed=1,
            )[0, -1]
            for series in (y, again)
        ]
        gains.append(scores[0] - scores[1])
    assert abs(np.mean(gains)) < 4 * np.std(gains) / np.sqrt(number)
    assert norm.sf(0.1 / (np.std(gains) / np.sqrt(number))) < 0.01  # a leak of 0.1 nats would show


def test_an_impossible_month_has_no_density_and_neither_have_those_after_it() -> None:
    rest = np.zeros((4, 2))
    rest[2] = -np.inf
    given = walks(np.full((1, 4), 3.0), P=P, rest=rest, centre=1.0, spread=0.2, step=0.1)
    found = filtered(given, particles=10, seed=1)[0]
    assert np.isfinite(found[:2]).all()
    assert np.isneginf(found[2:]).all()


def test_no_particle_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0; wanted at least one"):
        filtered(walks(np.ones((1, 2)), centre=0.0, spread=0.1, step=0.1), particles=0, seed=1)
