"""Weights tell how much of them is noise, and weights that rest on bad importance weights are refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.checks import Verdict
from forecast.ensemble import Foresight
from forecast.fitted import Fitted
from forecast.weighing import pareto, weighed

ORIGINS = 30


def model(
    name: str,
    *,
    error: float = 0.0,
    k: float = 0.2,
    used: bool = True,
    alone: bool = False,
    origins: int = ORIGINS,
) -> Fitted:
    rng = np.random.default_rng(len(name))
    seen = Foresight(
        origins=tuple(f"2020-{place:02d}" for place in range(origins)),
        log_density=rng.normal(-9.0, 1.0, origins),
        error=np.full(origins, error),
        k=np.full(origins, k),
        refits=(),
    )
    nothing: Any = None
    return Fitted(
        name=name,
        used=used,
        posterior=nothing,
        foresight=None if alone else seen,
        verdict=Verdict(checks=()),
    )


def test_exact_densities_leave_no_noise() -> None:
    found = weighed([model("walk"), model("regimes")], seed=1)
    assert dict(found.noise) == pytest.approx({"walk": 0.0, "regimes": 0.0}, abs=1e-12)


def test_noise_grows_with_the_error_of_the_densities_and_is_that_of_two_weights_alike() -> None:
    small, large = (
        weighed([model("walk", error=error), model("regimes", error=error)], seed=1) for error in (0.05, 0.5)
    )
    assert 0 < small.noise["walk"] < large.noise["walk"] < 0.2
    assert small.noise["walk"] == pytest.approx(small.noise["regimes"])
    assert small.weights.weights == large.weights.weights, "the published weights are those of the densities"


def test_a_model_alone_has_no_noise_and_no_importance_weights() -> None:
    assert weighed([model("walk", alone=True)], seed=1).noise == {"walk": 0.0}
    assert pareto([model("walk", alone=True)]) == ()


def test_a_record_too_short_to_weigh_has_no_importance_weights_either() -> None:
    assert pareto([model("walk", origins=0), model("regimes", origins=0)]) == ()


@given(k=st.floats(-np.inf, 2.0, exclude_max=True))
def test_the_largest_k_of_a_used_model_must_lie_below_its_limit(k: float) -> None:
    (check,) = pareto([model("walk", k=k), model("regimes", k=5.0, used=False)])
    assert check.ok == (k < 0.7)
    assert check.limit == "< 0.7"


def test_a_k_that_is_no_number_fails() -> None:
    (check,) = pareto([model("walk", k=float("nan"))])
    assert not check.ok
    assert check.value is None
