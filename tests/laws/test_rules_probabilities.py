"""Laws of simulated probabilities: they sum to one, know no order of paths, and leave the inner noise out."""

from datetime import date
from itertools import pairwise, product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.rules import ScenarioSet, parse
from forecast.scenarios import Estimate, combine, estimate, pooled, probabilities
from forecast.scenarios.nested import Array, quantiles

QUARTERS = ["2026Q2", "2026Q3", "2026Q4", "2027Q1", "2027Q2"]


def scenario_set() -> ScenarioSet:
    ruled = [
        {
            "id": name,
            "title": name,
            "resolves": {"any": [{"stream": "deaths", "take": "max", bound: value}]},
            "because": "x",
            "author": "x",
            "date": date(2020, 1, 1),
        }
        for name, bound, value in (("calm", "at_most", 2), ("war", "at_least", 9))
    ]
    data = {
        "schema": 1,
        "reference": "usual",
        "precedence": ["war", "calm"],
        "scenario": [ruled[0], {"id": "usual", "title": "usual"}, ruled[1]],
    }
    return parse(data, file="scenarios.toml")


RULES = scenario_set()
futures = arrays(np.int8, (8, 5, len(QUARTERS)), elements=st.integers(-1, 2))


def labelled(found: Array) -> xr.DataArray:
    return xr.DataArray(found, dims=("draw", "path", "quarter"), coords={"quarter": QUARTERS})


@settings(max_examples=12, deadline=None)
@given(futures)
def test_rows_sum_to_one_and_first_passage_only_grows(found: Array) -> None:
    result = probabilities(labelled(found), RULES, current="2026Q2", last_resolved="war", chains=2)
    for row in [*result.resolved.values(), *result.transitions.values()]:
        if all(e is not None for e in row.values()):
            assert sum(e.mean for e in row.values() if e) == pytest.approx(1.0, abs=1e-12)
        else:
            assert not any(row.values())
    assert set(result.first_passage) == {"calm", "usual"}
    for quarter, share in result.unresolved.items():
        assert share == pytest.approx((found[..., QUARTERS.index(quarter)] == -1).mean())


@settings(max_examples=12, deadline=None)
@given(arrays(np.int8, (8, 5, 5), elements=st.integers(0, 2)))
def test_first_passage_is_cumulative_and_leaves_the_running_quarter_out(found: Array) -> None:
    result = probabilities(labelled(found), RULES, current="2026Q2", last_resolved=None, chains=2)
    for i, name in enumerate(RULES.ids):
        row = [e.mean for e in result.first_passage[name].values() if e]
        assert all(a <= b for a, b in pairwise(row))
        assert row[-1] == pytest.approx((found[..., 1:] == i).any(axis=-1).mean())


def test_a_quarter_that_stays_unresolved_is_no_passage_and_leaves_no_future_out() -> None:
    """All 64 futures of three quarters, each resolved to one of three scenarios or not at all, counted by hand."""
    every = np.array(list(product(range(-1, 3), repeat=3)), np.int8)
    found = xr.DataArray(
        np.repeat(every[None], 8, axis=0),
        dims=("draw", "path", "quarter"),
        coords={"quarter": QUARTERS[:3]},
    )
    result = probabilities(found, RULES, current=None, last_resolved=None, chains=2)
    for name in RULES.ids:
        means = [e.mean for e in result.first_passage[name].values() if e]
        assert means == pytest.approx([1 - (3 / 4) ** n for n in (1, 2, 3)])
    assert result.unresolved[QUARTERS[0]] == 1 / 4
    told = result.resolved[QUARTERS[0]]["war"]
    assert told is not None
    assert told.mean == pytest.approx(1 / 3)  # of a single quarter: given that it resolves


def test_what_one_rule_can_tell_is_no_likelier_for_what_the_others_cannot() -> None:
    """War is decided by itself; whether it is calm nobody knows. Half of the futures hold a war in any quarter."""
    rng = np.random.default_rng(3)
    war = rng.random((400, 50, 5)) < 0.5
    found = labelled(np.where(war, np.int8(2), np.int8(-1)))
    result = probabilities(found, RULES, current=None, last_resolved=None, chains=2)
    means = [e.mean for e in result.first_passage["war"].values() if e]
    assert means == pytest.approx([1 - 0.5**n for n in range(1, 6)], abs=0.01)


def test_before_any_quarter_can_be_resolved_there_is_no_first_passage() -> None:
    found = np.full((8, 5, 5), -1, np.int8)
    found[..., 2] = 2
    result = probabilities(labelled(found), RULES, current=None, last_resolved=None, chains=2)
    for row in (result.first_passage["war"], pooled([result], [1.0]).first_passage["war"]):
        assert [e and e.mean for e in row.values()] == [None, None, 1.0, 1.0, 1.0]


@settings(max_examples=12, deadline=None)
@given(futures, st.permutations(range(5)))
def test_permuting_paths_changes_nothing(found: Array, order: list[int]) -> None:
    one, other = (
        probabilities(labelled(f), RULES, current=None, last_resolved=None, chains=2)
        for f in (found, found[:, order])
    )
    for a, b in ((one.resolved, other.resolved), (one.transitions, other.transitions)):
        for row in a:
            for column, left in a[row].items():
                right = b[row][column]
                assert (left is None) == (right is None)
                if left and right:
                    assert (left.mean, left.q05, left.q95) == pytest.approx(
                        (right.mean, right.q05, right.q95)
                    )


@settings(deadline=None)
@given(arrays(np.bool_, (8, 6)))
def test_an_estimate_is_a_probability_inside_its_draws(hits: Array) -> None:
    found = estimate(hits, chains=2)
    assert found is not None
    assert found.mean == pytest.approx(hits.mean())
    assert 0 <= found.q05 <= found.q95 <= 1
    assert found.weights.sum() == pytest.approx(1)
    assert found.share == 1
    assert found.inflation >= 1 - 1e-9


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)))
def test_quantiles_with_equal_weights_are_the_usual_ones(values: Array) -> None:
    at = (0.05, 0.5, 0.95)
    weights = np.full(len(values), 1 / len(values))
    assert quantiles(values, weights, at) == pytest.approx(np.quantile(values, at))


def nested(rng: np.random.Generator, a: float, b: float, paths: int) -> tuple[Array, Array]:
    truth = rng.beta(a, b, 1000)
    return truth, rng.random((1000, paths)) < truth[:, None]


@pytest.mark.parametrize(("a", "b"), [(6.0, 50.0), (2.9, 60.0), (50.0, 6.0)])
def test_the_interval_is_that_of_the_true_probabilities(a: float, b: float) -> None:
    """A nested trial with known p_d: the naive quantiles are much too wide, ours are right."""
    rng = np.random.default_rng(7)
    truth, hits = nested(rng, a, b, 100)
    found = estimate(hits, chains=4)
    assert found is not None
    right = np.quantile(truth, (0.05, 0.95))
    naive = np.quantile(hits.mean(axis=1), (0.05, 0.95))
    assert (found.q05, found.q95) == pytest.approx(tuple(right), abs=0.012)
    assert found.q95 - found.q05 < 0.93 * (naive[1] - naive[0])
    assert abs(found.mean - truth.mean()) < 4 * found.mcse
    assert found.mcse == pytest.approx(hits.mean(axis=1).std(ddof=1) / found.ess**0.5)
    assert (found.inflation > 1.5) == found.needs_more_paths
    inner = found.mean * (1 - found.mean) / 100
    assert found.inflation == pytest.approx((truth.var() + inner) / truth.var(), rel=0.1)


def test_dependent_trials_of_a_path_are_not_taken_for_independent_ones() -> None:
    """Three transitions of one path that agree carry the noise of one."""
    rng = np.random.default_rng(3)
    truth, hits = nested(rng, 12.0, 28.0, 100)
    found = estimate(3 * hits.astype(int), np.full(hits.shape, 3), chains=4)
    single = estimate(hits, chains=4)
    assert found is not None
    assert single is not None
    assert (found.q05, found.q95, found.inflation) == pytest.approx(
        (single.q05, single.q95, single.inflation)
    )
    assert (found.q05, found.q95) == pytest.approx(tuple(np.quantile(truth, (0.05, 0.95))), abs=0.02)


def test_a_question_that_seldom_arises_is_answered_by_the_ratio_of_means() -> None:
    rng = np.random.default_rng(4)
    truth, hits = nested(rng, 30.0, 30.0, 200)
    arises = rng.random(hits.shape) < rng.beta(2.0, 10.0, (1000, 1))
    found = estimate(hits & arises, arises, chains=4)
    assert found is not None
    assert found.mean == pytest.approx((hits & arises).sum() / arises.sum())
    assert found.share == pytest.approx(arises.mean())
    assert (found.q05, found.q95) == pytest.approx(tuple(np.quantile(truth, (0.05, 0.95))), abs=0.025)


def test_sticky_draws_count_for_less() -> None:
    rng = np.random.default_rng(5)
    truth = np.repeat(rng.beta(6.0, 50.0, 100), 10)  # every draw ten times
    found = estimate(rng.random((1000, 400)) < truth[:, None], chains=4)
    assert found is not None
    assert found.ess < 300


def test_what_never_or_always_happens_is_certain_and_no_noise() -> None:
    for value in (0, 1):
        found = estimate(np.full((8, 5), value), chains=2)
        assert found is not None
        assert (found.mean, found.q05, found.q95, found.mcse) == (value, value, value, 0.0)
        assert not found.needs_more_paths
    assert estimate(np.zeros((8, 5)), np.zeros((8, 5)), chains=2) is None


def test_spread_that_noise_explains_asks_for_more_paths() -> None:
    hits = np.tile(np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0]]), (2, 1))
    found = estimate(hits, chains=2)
    assert found is not None
    assert found.needs_more_paths
    with pytest.raises(ValueError, match="8 draws are not 3 chains"):
        estimate(hits, chains=3)


def test_an_ensemble_holds_the_disagreement_of_its_models() -> None:
    rng = np.random.default_rng(6)
    low, high = (estimate(nested(rng, a, 100 - a, 100)[1], chains=4) for a in (20.0, 60.0))
    assert low is not None
    assert high is not None
    both = combine([low, high], [0.25, 0.75])
    assert both is not None
    assert both.mean == pytest.approx(0.25 * low.mean + 0.75 * high.mean)
    assert both.q05 == pytest.approx(low.q05 + (low.q95 - low.q05) * 0.2 / 0.9, abs=0.03)
    assert both.q05 < low.q95
    assert both.q95 > high.mean
    assert both.mcse == pytest.approx(((0.25 * low.mcse) ** 2 + (0.75 * high.mcse) ** 2) ** 0.5)


def alone(found: Estimate | None) -> tuple[float, float, float]:
    assert found is not None
    return found.mean, found.q05, found.q95


def test_a_model_of_weight_zero_or_without_an_answer_changes_nothing() -> None:
    rng = np.random.default_rng(8)
    one = estimate(nested(rng, 6.0, 50.0, 100)[1], chains=4)
    other = estimate(nested(rng, 60.0, 50.0, 100)[1], chains=4)
    assert alone(combine([one, None], [0.5, 0.5])) == pytest.approx(alone(one))
    assert alone(combine([one, other], [1.0, 0.0])) == pytest.approx(alone(one))
    assert combine([None, None], [0.5, 0.5]) is None


@settings(max_examples=12, deadline=None)
@given(futures, futures)
def test_the_ensemble_s_transition_is_that_of_the_pooled_futures(first: Array, second: Array) -> None:
    """Equal weights and equally many futures: the ratio of means over both, not the mean of two ratios."""
    parts = [
        probabilities(labelled(f), RULES, current=None, last_resolved=None, chains=2) for f in (first, second)
    ]
    together = probabilities(
        labelled(np.concatenate([first, second])), RULES, current=None, last_resolved=None, chains=2
    )
    for table, expected in (
        (pooled(parts, [0.5, 0.5]).transitions, together.transitions),
        (pooled(parts, [0.5, 0.5]).resolved, together.resolved),
        (pooled(parts, [0.5, 0.5]).first_passage, together.first_passage),
    ):
        for row in expected:
            for column, right in expected[row].items():
                left = table[row][column]
                assert (left is None) == (right is None)
                if left and right:
                    assert left.mean == pytest.approx(right.mean)
