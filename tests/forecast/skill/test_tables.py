"""A slice compares what both forecast, at the horizon of the slice."""

import numpy as np
import pandas as pd
import pytest

from forecast.skill import sliced

ORIGINS = [f"{2005 + q // 4}Q{q % 4 + 1}" for q in range(48)]


def table(gain):
    """Two forecasters over 48 quarters and two horizons; ours is better by ``gain(horizon)``."""
    rng, rows = np.random.default_rng(1), []
    for step, origin in enumerate(ORIGINS):
        for horizon in (1, 4):
            base = float(rng.gamma(9, 0.1))
            key = {"origin": origin, "target": f"t{step + horizon}", "horizon": horizon}
            rows += [
                {**key, "model": "reference", "ign": base},
                {**key, "model": "ours", "ign": base - gain(horizon) + (-1) ** step * 0.2},
            ]
    return pd.DataFrame(rows)


def call(frame, over, **changes):
    chosen = {"score": "ign", "model": "ours", "reference": "reference", "spacing": 1, "seed": 3, **changes}
    return sliced(frame, over=over, **chosen)


def test_each_horizon_has_its_line():
    near, far = call(table(lambda h: 0.4 if h == 1 else 0.0), "horizon")
    assert (near.label, far.label) == (1, 4)
    assert near.comparison.sentence.startswith("better")
    assert far.comparison.sentence.startswith("cannot be told apart")
    assert near.comparison.n == 48
    assert near.comparison.skill is None


def test_only_what_both_forecast_counts():
    frame = table(lambda h: 0.1)
    gone = (frame["model"] == "ours") & (frame["origin"] < "2008Q1") & (frame["horizon"] == 1)
    near, far = call(frame[~gone], "horizon")
    assert (near.comparison.n, far.comparison.n) == (36, 48)
    (whole,) = call(frame[~gone], None)
    assert whole.label is None
    assert whole.comparison.n == 84


def test_slices_by_origin_are_told_without_an_interval():
    lines = call(table(lambda h: 0.1), "origin")
    assert [line.label for line in lines] == ORIGINS
    assert {line.comparison.sentence for line in lines} == {"too few"}


def test_horizons_in_months_overlap_less_between_quarterly_origins():
    frame = table(lambda h: 0.2)
    frame["horizon"] *= 3
    assert (
        call(frame, "horizon", spacing=3)[1].comparison == call(table(lambda h: 0.2), "horizon")[1].comparison
    )


def test_a_forecast_that_stands_twice_is_refused():
    frame = table(lambda h: 0.1)
    with pytest.raises(ValueError, match="stands twice"):
        call(pd.concat([frame, frame.iloc[:1]]), None)
