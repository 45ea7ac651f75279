"""What to watch agrees with enumeration, averages to the headline, and ranks what tells more before what tells less."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.signposts import Signpost, signposts

SCENARIOS = ("calm", "tense", "war")
DRAWS = 40
type Joint = Mapping[tuple[int, int], int]  # (figure of the month, scenario or −1) -> so many paths


def model(joint: Joint, *, stream: str = "fire") -> tuple[xr.Dataset, xr.DataArray]:
    """Futures in which every draw holds the joint law exactly."""
    cells = [cell for cell, times in joint.items() for _ in range(times)]
    figures, resolved = np.array(cells).T
    shape = (DRAWS, len(cells))
    futures = xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), np.broadcast_to(figures, shape)[..., None, None]),
            "tail": (("draw", "path", "stream", "tail_month"), np.empty((*shape, 1, 0), int)),
        },
        coords={"stream": [stream], "month": ["2026-06"], "tail_month": []},
    )
    outcomes = xr.DataArray(
        np.broadcast_to(resolved, shape)[..., None].astype(np.int8),
        dims=("draw", "path", "quarter"),
        coords={"quarter": ["2026Q3"]},
    )
    return futures, outcomes


def panel(*streams: str, last: float = 1.0) -> xr.DataArray:
    cells = np.array([[1.0, last]] * len(streams))
    return xr.DataArray(
        cells, dims=("stream", "month"), coords={"stream": list(streams), "month": ["2026-04", "2026-05"]}
    )


def watched(
    *models: tuple[xr.Dataset, xr.DataArray], weights: tuple[float, ...] = (1.0,)
) -> dict[str, Signpost]:
    names = [f"m{n}" for n in range(len(models))]
    found = signposts(
        {name: futures for name, (futures, _) in zip(names, models, strict=True)},
        {name: outcomes for name, (_, outcomes) in zip(names, models, strict=True)},
        dict(zip(names, weights, strict=True)),
        panel=panel("fire"),
        scenarios=SCENARIOS,
        quarter="2026Q3",
        chains=4,
    )
    return {post.scenario: post for post in found}


RISING: Joint = {
    (0, 0): 40, (0, 1): 55, (0, 2): 5, (1, 0): 10, (1, 1): 35, (1, 2): 5,
    (3, 0): 2, (3, 1): 20, (3, 2): 8, (6, 1): 4, (6, 2): 16, (0, -1): 9,
}  # fmt: skip


def share(joint: Joint, k: int, low: float, high: float = np.inf) -> float:
    inside = {cell: n for cell, n in joint.items() if low <= cell[0] <= high and cell[1] >= 0}
    return sum(n for cell, n in inside.items() if cell[1] == k) / sum(inside.values())


def test_chances_are_those_of_enumeration() -> None:
    war = watched(model(RISING))["war"]
    assert war.now == pytest.approx(share(RISING, 2, 0))
    assert (war.month, war.quarter) == ("2026-06", "2026Q3")
    assert (war.side, war.count) == ("at least", 6)  # the cut that tells most
    assert war.chance == pytest.approx(20 / 200)  # nine futures that stay unresolved do not count
    assert war.then == pytest.approx(share(RISING, 2, 6))
    assert war.otherwise == pytest.approx(share(RISING, 2, 0, 5))
    assert war.shift == pytest.approx(war.then - war.now)
    assert [(band.low, band.high) for band in war.bands] == [(0, 0), (1, 2), (3, None)]
    assert [band.mean for band in war.bands] == pytest.approx(
        [share(RISING, 2, low, high) for low, high in ((0, 0), (1, 2), (3, 9))]
    )
    law = [(band.chance, band.mean) for band in war.bands]
    assert war.expected_shift == pytest.approx(sum(c * abs(q - war.now) for c, q in law))
    joint = np.array([[c * q, c * (1 - q)] for c, q in law])
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    assert war.information == pytest.approx(float((joint * np.log2(joint / product)).sum()))
    assert war.then_mcse == pytest.approx(0, abs=1e-12)  # every draw says the same


def test_the_mildest_figure_that_earns_another_word() -> None:
    found = watched(model(RISING))
    assert found["war"].word == "very unlikely"
    rises = found["war"].rises
    assert rises is not None
    assert (rises.side, rises.count, rises.word) == (
        "at least",
        1,
        "unlikely",
    )  # 29 of 100 from one day of fire on
    assert rises.mean == pytest.approx(share(RISING, 2, 1))
    falls = found["war"].falls
    assert falls is None  # five in a hundred on a quiet month is still "very unlikely"
    calm = found["calm"].falls
    assert calm is not None
    assert (calm.side, calm.word) == ("at least", "very unlikely")
    assert calm.mean == pytest.approx(share(RISING, 0, calm.count))
    assert share(RISING, 0, calm.count) < 0.20 <= share(RISING, 0, 0)


def test_models_are_mixed_by_their_weights() -> None:
    flat: Joint = {(0, 1): 60, (0, 2): 20, (6, 1): 90, (6, 2): 30}
    assert sum(RISING.values()) == 209
    war = watched(model(RISING), model(flat), weights=(0.25, 0.75))["war"]
    mass = np.array(
        [[0.25 * 20, 0.25 * 16], [0.75 * 120, 0.75 * 30]]
    )  # months of six and more, wars among them
    at_six = next(band for band in war.bands if band.low == 6)
    assert at_six.mean == pytest.approx(mass[:, 1].sum() / mass[:, 0].sum())
    assert at_six.chance == pytest.approx(mass[:, 0].sum() / (0.25 * 200 + 0.75 * 200))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 400))
def test_bands_average_to_the_headline(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    figures = rng.negative_binomial(0.6, 2 / (2 + most), (DRAWS, 60))
    futures, outcomes = model({(0, 0): 60})
    futures["count"] = (("draw", "path", "stream", "month"), figures[..., None, None])
    outcomes.values = rng.integers(-1, 3, outcomes.shape)
    for post in watched((futures, outcomes)).values():
        chances = np.array([band.chance for band in post.bands])
        means = np.array([band.mean for band in post.bands])
        assert chances.sum() == pytest.approx(1)
        assert chances @ (means - post.now) == pytest.approx(0, abs=1e-12)
        assert post.chance * post.then + (1 - post.chance) * post.otherwise == pytest.approx(post.now)
        assert post.information >= -1e-12
        edges = [band.low for band in post.bands]
        assert edges == sorted(edges)
        assert all(band.high is None or band.high >= band.low for band in post.bands)
        assert post.count == int(post.count)
        assert post.chance <= 0.5


@given(st.lists(st.integers(1, 30), min_size=4, max_size=4))
def test_where_worse_months_mean_worse_quarters_bands_rise(times: list[int]) -> None:
    joint = {(x, k): n * (1 + x) ** k for x, n in enumerate(times) for k in (1, 2)}
    war = watched(model(joint))["war"]
    means = [band.mean for band in war.bands]
    assert means == sorted(means)
    high, low = (war.then, war.otherwise) if war.side == "at least" else (war.otherwise, war.then)
    assert high > war.now > low


def test_a_month_that_says_nothing_has_no_information() -> None:
    joint = {(x, k): 10 * (1 + x) * (1 + k) for x in range(4) for k in range(3)}
    for post in watched(model(joint)).values():
        assert post.information == pytest.approx(0, abs=1e-12)
        assert post.shift == pytest.approx(0, abs=1e-12)
        assert post.rises is None
        assert post.falls is None


def test_a_month_that_is_certain_is_not_watched() -> None:
    assert watched(model({(4, 0): 5, (4, 2): 5})) == {}
    assert watched(model({(4, 0): 996, (9, 2): 4})) == {}


def test_unseen_months_are_watched_and_the_telling_come_first() -> None:
    futures, outcomes = model(RISING)
    quiet = np.resize([0, 1], futures["count"].shape)
    both = xr.Dataset(
        {
            "count": (("draw", "path", "stream", "month"), np.concatenate([futures["count"].values, quiet], axis=2)),
            "tail": (("draw", "path", "stream", "tail_month"), np.concatenate([futures["count"].values, quiet], axis=2)),
        },
        coords={"stream": ["fire", "noise"], "month": ["2026-06"], "tail_month": ["2026-05"]},
    )  # fmt: skip
    seen = panel("fire", "noise")
    seen.loc[{"stream": "fire", "month": "2026-05"}] = np.nan
    found = signposts(
        {"m": both}, {"m": outcomes}, {"m": 1.0},
        panel=seen, scenarios=SCENARIOS, quarter="2026Q3", chains=4,
    )  # fmt: skip
    assert {(post.stream, post.month) for post in found} == {
        ("fire", "2026-05"),
        ("fire", "2026-06"),
        ("noise", "2026-06"),
    }
    assert [post.information for post in found] == sorted((post.information for post in found), reverse=True)
    assert found[-1].stream == "noise"


def test_the_error_of_a_shift_is_what_repetition_shows() -> None:
    rng = np.random.default_rng(3)

    def once() -> Any:
        p = rng.beta(3, 7, (DRAWS * 5, 1))
        figures = (rng.random((DRAWS * 5, 50)) < 0.3).astype(int)
        war = rng.random(figures.shape) < np.where(figures == 1, np.sqrt(p), p)
        futures = xr.Dataset(
            {"count": (("draw", "path", "stream", "month"), figures[..., None, None])},
            coords={"stream": ["fire"], "month": ["2026-06"]},
        )
        found = xr.DataArray(
            np.where(war, 2, 1)[..., None], dims=("draw", "path", "quarter"), coords={"quarter": ["2026Q3"]}
        )
        return watched((futures, found))["war"]

    posts = [once() for _ in range(100)]
    assert np.median([one.shift_mcse for one in posts]) == pytest.approx(
        np.std([one.shift for one in posts]), rel=0.25
    )
