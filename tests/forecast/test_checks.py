"""The publish gate: each check holds at its limit, fails beyond it, and never passes a number that is none."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from forecast import checks
from forecast.checks import Check, Verdict

CHAINS, DRAWS = 4, 1000


def chains(rng: np.random.Generator, **columns: np.ndarray) -> xr.Dataset:
    good = rng.standard_normal((CHAINS, DRAWS, 3))
    found = {"good": (("chain", "draw", "part"), good)}
    return xr.Dataset(
        found | {name: (("chain", "draw", f"part of {name}"), value) for name, value in columns.items()}
    )


def sampler(rng: np.random.Generator, divergences: int = 0) -> xr.Dataset:
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging.flat[:divergences] = True
    return xr.Dataset(
        {
            "diverging": (("chain", "draw"), diverging),
            "energy": (("chain", "draw"), rng.standard_normal((CHAINS, DRAWS))),
        }
    )


def named(found: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in found}


def test_independent_draws_converge() -> None:
    rng = np.random.default_rng(1)
    found = checks.convergence(chains(rng), sampler(rng), reported=["good"])
    assert list(named(found)) == ["R-hat", "bulk ESS", "tail ESS", "divergences", "E-BFMI"]
    assert all(check.ok for check in found)


def test_a_chain_elsewhere_fails_r_hat_and_bulk_ess() -> None:
    rng = np.random.default_rng(2)
    apart = rng.standard_normal((CHAINS, DRAWS, 1))
    apart[0] += 3.0
    found = named(checks.convergence(chains(rng, apart=apart), sampler(rng), reported=["good", "apart"]))
    assert not found["R-hat"].ok
    assert not found["bulk ESS"].ok


def test_draws_that_hardly_move_fail_the_effective_sizes() -> None:
    rng = np.random.default_rng(3)
    walk = rng.standard_normal((CHAINS, DRAWS, 1)).cumsum(axis=1)
    found = named(checks.convergence(chains(rng, walk=walk), sampler(rng), reported=["walk"]))
    assert not found["bulk ESS"].ok
    assert not found["tail ESS"].ok


def test_one_divergence_is_one_too_many() -> None:
    rng = np.random.default_rng(4)
    found = named(checks.convergence(chains(rng), sampler(rng, divergences=1), reported=["good"]))
    assert not found["divergences"].ok
    assert found["divergences"].value == 1.0


def test_energy_that_creeps_fails_e_bfmi() -> None:
    rng = np.random.default_rng(5)
    creeping = sampler(rng)
    creeping["energy"] = creeping["energy"].cumsum("draw")
    assert not named(checks.convergence(chains(rng), creeping, reported=["good"]))["E-BFMI"].ok


def test_what_never_moves_or_does_not_exist_is_passed_over() -> None:
    rng = np.random.default_rng(6)
    idle = {"never": np.zeros((CHAINS, DRAWS, 2)), "absent": np.full((CHAINS, DRAWS, 2), np.nan)}
    found = checks.convergence(chains(rng, **idle), sampler(rng), reported=["never", "absent", "good"])
    alone = checks.convergence(chains(np.random.default_rng(6)), sampler(rng), reported=["good"])
    assert all(check.ok for check in found)
    assert found[0] == alone[0]


def test_a_quantity_that_is_no_number_in_some_draws_fails() -> None:
    rng = np.random.default_rng(7)
    broken = rng.standard_normal((CHAINS, DRAWS, 1))
    broken[2, 17] = np.nan
    found = named(checks.convergence(chains(rng, broken=broken), sampler(rng), reported=["good", "broken"]))
    assert not found["R-hat"].ok
    assert found["R-hat"].value is None


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 0.02), min_size=1, max_size=6))
def test_the_least_exact_probability_decides(errors: list[float]) -> None:
    error, _ = checks.precision(errors, [1.0])
    assert error.ok is (max(errors) <= 0.005)
    assert error.value == max(errors)


@pytest.mark.parametrize("errors", [[0.001, np.nan], [np.nan, 0.001]])
def test_an_unknown_error_is_not_a_small_one(errors: list[float]) -> None:
    error, _ = checks.precision(errors, [1.0])
    assert not error.ok
    assert error.value is None


def test_half_of_the_spread_may_be_noise_and_no_more() -> None:
    assert checks.precision([0.001], [1.0, 1.5])[1].ok
    assert not checks.precision([0.001], [1.0, 1.51])[1].ok
    assert not checks.precision([0.001], [np.inf])[1].ok


@pytest.mark.parametrize(("age", "ok"), [(0, True), (3, True), (4, False)])
def test_data_may_be_as_old_as_stated(age: int, ok: bool) -> None:
    assert checks.freshness(age, 3).ok is ok


@settings(deadline=None)
@given(st.integers(1, 200))
def test_an_honest_interval_is_refused_less_than_once_in_two_hundred(months: int) -> None:
    refused = [
        hits for hits in range(months + 1) if not checks.predictive({"s": (hits, months)}, mass=0.9)[0].ok
    ]
    assert refused == list(range(len(refused)))
    assert binom.pmf(refused, months, 0.9).sum() < 0.005
    assert checks.predictive({"s": (months, months)}, mass=0.9)[0].ok


def test_transforms_that_are_uniform_pass_and_a_bias_fails() -> None:
    rng = np.random.default_rng(8)
    fair, biased = checks.uniform({"fair": rng.random(60), "biased": rng.beta(2.0, 0.8, 60)})
    assert fair.ok
    assert not biased.ok


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_regimes_are_themselves_and_no_other(seed: int) -> None:
    law = np.random.default_rng(seed).dirichlet([0.3, 0.3, 0.3], 40)
    assert checks.same_regimes(law, law).value == pytest.approx(1.0)
    swapped = checks.same_regimes(law, law[:, [1, 0, 2]])
    assert swapped.value == 0.0
    assert not swapped.ok


def test_a_regime_that_no_month_was_in_has_not_changed_its_meaning() -> None:
    law = np.random.default_rng(9).dirichlet([0.5, 0.5], 40)
    with_a_third = np.column_stack([law, np.zeros(40)])
    assert checks.same_regimes(with_a_third, with_a_third).value == pytest.approx(1.0)
    come = with_a_third.copy()
    come[0] = (0.0, 0.0, 1.0)
    assert not checks.same_regimes(with_a_third, come).ok


def test_a_verdict_holds_when_all_hold_and_is_json() -> None:
    good = checks.below("one", 1.0, 2.0, "x")
    bad = checks.above("two", float("nan"), 2.0, "x")
    assert Verdict(checks=(good,)).ok
    assert not Verdict(checks=(good, bad)).ok
    record = Verdict(checks=(good, bad), forced=True).record()
    assert json.loads(json.dumps(record, allow_nan=False))["checks"][1]["value"] is None
    assert record["forced"] is True
    assert (good.limit, bad.limit) == ("< 2", "> 2")
    assert not checks.below("at the limit", 2.0, 2.0, "x").ok
    assert checks.below("at the limit", 2.0, 2.0, "x", strictly=False).ok
