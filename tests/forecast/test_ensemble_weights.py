"""Weights: equal where nothing speaks, exact by quadrature, and a sentence that does not say more than the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from forecast.ensemble import Weights, weigh

H = 3


def scores(models: int, months: int, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"m{i}": rng.normal(-30.0, 1.0, months) for i in range(models)}


def means(found: Weights) -> list[float]:
    return [weight.mean for weight in found.weights.values()]


@given(st.integers(1, 5), st.integers(0, 80))
@settings(max_examples=20, deadline=None)
def test_models_that_foresee_alike_weigh_alike(models: int, months: int) -> None:
    same = np.random.default_rng(months).normal(-30.0, 2.0, months)
    found = weigh({f"m{i}": same for i in range(models)}, seed=1)
    assert means(found) == pytest.approx([1 / models] * models, abs=1e-9)


@given(st.permutations(range(4)), st.integers(0, 9))
@settings(max_examples=10, deadline=None)
def test_names_and_order_mean_nothing(order: list[int], seed: int) -> None:
    told = scores(4, 30, seed)
    names = list(told)
    found, other = weigh(told, seed=1), weigh({names[i]: told[names[i]] for i in order}, seed=1)
    for name in names:
        assert found.weights[name].mean == pytest.approx(other.weights[name].mean, abs=1e-9)
        assert found.weights[name].q05 == pytest.approx(other.weights[name].q05, abs=1e-9)


@pytest.mark.parametrize("models", [2, 3, 4, 5])
def test_quadrature_agrees_with_brute_force(models: int) -> None:
    told = scores(models, 36, models)
    found = weigh(told, seed=1)
    drawn = np.random.default_rng(5).dirichlet(np.full(models, 2.0), 400_000)
    log_density = np.log(drawn @ np.exp(np.array(list(told.values())) + 30.0)).sum(axis=1) / H
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    assert means(found) == pytest.approx(mass @ drawn, abs=0.003)
    order = np.argsort(drawn[:, 0])
    exact = drawn[order, 0][np.searchsorted(mass[order].cumsum(), [0.05, 0.95])]
    assert [found.weights["m0"].q05, found.weights["m0"].q95] == pytest.approx(exact, abs=0.01)


def test_two_models_agree_with_an_integral() -> None:
    told = scores(2, 24, 3)
    p = np.exp(np.array(list(told.values())) + 30.0)

    def density(w: float) -> float:
        return float(beta.pdf(w, 2, 2) * np.prod(w * p[0] + (1 - w) * p[1]) ** (1 / H))

    wanted = quad(lambda w: w * density(w), 0, 1)[0] / quad(density, 0, 1)[0]
    assert weigh(told, seed=1).weights["m0"].mean == pytest.approx(wanted, abs=1e-5)


def test_without_a_month_only_the_prior_speaks() -> None:
    found = weigh(scores(3, 0), seed=1)
    weight = found.weights["m1"]
    assert (weight.mean, weight.q05, weight.q95) == pytest.approx(
        (1 / 3, *beta.ppf([0.05, 0.95], 2, 4)), abs=1e-3
    )
    assert found.sentence == "There are too few months to tell the models apart."


@given(st.floats(-50, 50), st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_only_differences_count(shift: float, seed: int) -> None:
    told = scores(3, 30, seed)
    moved = {name: values + shift + np.arange(30) for name, values in told.items()}
    assert means(weigh(moved, seed=1)) == pytest.approx(means(weigh(told, seed=1)), abs=1e-9)


def test_a_model_that_is_always_better_takes_most_but_never_all() -> None:
    told = scores(3, 60)
    found = weigh(told | {"best": np.max(list(told.values()), axis=0) + 6.0}, seed=1)
    assert 0.7 < found.weights["best"].mean < 1.0
    assert found.best == "best"
    assert found.told_apart
    assert found.sentence.startswith(
        "The data can tell the models apart: in nats a month, with 90 % intervals, best"
    )


def test_a_longer_record_of_the_same_lead_weighs_more() -> None:
    lead = np.tile([1.5, -0.5], 15)
    short, long = (weigh({"a": np.tile(lead, n), "b": np.zeros(30 * n)}, seed=1).weights["a"] for n in (1, 6))
    assert long.mean > short.mean > 0.5
    assert long.q95 - long.q05 < short.q95 - short.q05


def test_one_model_by_itself_weighs_one_and_is_compared_all_the_same() -> None:
    told = scores(2, 40)
    alone = weigh({"m0": told["m0"]}, seed=1)
    assert alone.weights["m0"].mean == 1.0
    assert alone.sentence == "m0 is the only model, so nothing is weighed."
    found = weigh({"m0": told["m0"] + 9.0, "m1": told["m1"]}, compared=["m1"], seed=1)
    assert list(found.weights) == ["m0"]
    assert found.told_apart
    assert found.lead["m1"].q05 > 0.0
    assert found.elpd["m0"] > found.elpd["m1"]


def test_a_lead_that_hangs_on_one_month_tells_nothing_apart() -> None:
    lead = np.zeros(30)
    lead[25] = 5.0
    found = weigh({"switching-level": lead, "local-level": np.zeros(30)}, seed=1)
    assert not found.told_apart
    assert found.sentence == (
        "The data cannot tell the models apart: in nats a month, with 90 % intervals, switching-level leads "
        "local-level by 0.06 (−0.02 to 0.20)."
    )


@pytest.mark.parametrize("months", [30, 120])
def test_the_interval_of_a_lead_allows_for_months_that_hang_together(months: int) -> None:
    """It holds the true mean of stretches that overlap about nine times in ten; as if apart, it would six times."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(300):
        x = np.convolve(rng.standard_normal(months + 2), np.ones(3), mode="valid")
        lead = weigh({"a": 100.0 + x, "b": np.full(months, 50.0)}, seed=1).lead["b"]
        held += lead.q05 <= 50.0 / H <= lead.q95
    assert 0.84 < held / 300 < 0.95


def test_too_few_months_are_said_to_be_too_few() -> None:
    found = weigh({"a": np.full(29, 5.0), "b": np.zeros(29)}, seed=1)
    assert not found.told_apart
    assert found.sentence == "There are too few months to tell the models apart."


@pytest.mark.parametrize("told", [{}, {"a": [1.0], "b": [1.0, 2.0]}])
def test_what_cannot_be_weighed_is_refused(told: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="wanted models over the same ones"):
        weigh(told, seed=1)


def test_models_that_are_all_compared_are_refused() -> None:
    with pytest.raises(ValueError, match="wanted models over the same ones"):
        weigh({"a": [1.0]}, compared=["a"], seed=1)
