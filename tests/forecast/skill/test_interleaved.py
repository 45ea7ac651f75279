"""Overlapping forecasts are judged in as many processes as quarters overlap, and their mean passes no bound by chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import score
from forecast.skill import interleaved, running

scores = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25)


@given(scores)
def test_one_quarter_ahead_it_is_the_skill_process(pairs):
    theirs, ours = np.array(pairs).T
    assert interleaved(np.arange(len(pairs)), theirs, ours, horizon=1) == pytest.approx(
        score.skill_process(theirs, ours)
    )


@given(scores, st.integers(1, 5), st.integers(0, 9000))
def test_it_is_the_mean_of_processes_over_every_hth_quarter(pairs, horizon, first):
    theirs, ours = np.array(pairs).T
    when = first + np.arange(len(pairs))
    found = interleaved(when, theirs, ours, horizon=horizon)
    last = [
        score.skill_process(theirs[r::horizon], ours[r::horizon])[-1] for r in range(min(horizon, len(pairs)))
    ]
    assert found[-1] == pytest.approx((sum(last) + horizon - len(last)) / horizon)


def test_a_quarter_that_is_missing_leaves_the_others_where_they_are():
    """2, 4, 6, 8 and 9: the odd process has one quarter alone, and stakes nothing on its first."""
    theirs, ours = np.full(5, 0.6), np.full(5, 0.1)
    found = interleaved([2, 4, 6, 8, 9], theirs, ours, horizon=2)
    even = score.skill_process(theirs[:4], ours[:4])
    assert found == pytest.approx([*(1 + even) / 2, (1 + even[-1]) / 2])


@pytest.mark.parametrize("horizon", [1, 2, 4])
def test_forecasters_of_equal_skill_pass_the_alarm_less_than_once_in_twenty(horizon):
    """Two who lean to either side of a sum of h shocks, at random: no better, though overlapping outcomes go together.

    At a length fixed beforehand the mean over records is one at most; whenever one looks the bound is 20 h.
    """
    rng = np.random.default_rng(7)
    worlds, n = 2000, 60
    shocks = rng.normal(size=(worlds, n + horizon))
    up = sum(shocks[:, h : h + n] for h in range(horizon)) > 0
    lean = rng.choice([0.2, 0.8], size=(2, worlds, n))
    rps = (lean - up) ** 2
    ends, alarms = [], 0
    for theirs, ours in zip(*rps, strict=True):
        path = interleaved(np.arange(n), theirs, ours, horizon=horizon)
        ends.append(path[-1])
        alarms += (path >= score.ALARM * horizon).any()
    assert np.mean(ends) < 1 + 4 * np.std(ends) / np.sqrt(worlds)
    assert alarms / worlds < 0.05


def test_a_better_forecaster_is_found_out():
    told = running(np.arange(120), np.full(120, 0.5), np.full(120, 0.1), horizon=4)
    assert (told.n, told.alarm, told.alarmed) == (120, 80, True)
    assert told.value > 80


@pytest.mark.parametrize("quarters", [[2, 1], [1, 1], [[1], [2]], [1]])
def test_quarters_ascend_and_have_two_scores_each(quarters):
    with pytest.raises(ValueError, match="quarters that ascend"):
        interleaved(quarters, [0.1, 0.2], [0.1, 0.2], horizon=2)
