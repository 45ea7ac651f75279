"""The worlds of the bench are what they say they are, and the engine comes near the best that can be said of them."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

BENCH = Path(__file__).parents[2] / "bench"
if not BENCH.is_dir():
    pytest.skip("the benches do not travel with the tests", allow_module_level=True)
sys.path.insert(0, str(BENCH))

import simulated_worlds  # noqa: E402
from simulated import certified, forecasters, oracle, worlds  # noqa: E402
from simulated.page import tables  # noqa: E402
from simulated.summary import expected, rows  # noqa: E402

from forecast import score  # noqa: E402
from forecast.fitting import Posterior  # noqa: E402
from forecast.simulation import simulate  # noqa: E402
from priors import PriorSet  # noqa: E402

K, S = len(worlds.SCENARIOS), len(worlds.STREAMS)


def known(world: worlds.World) -> Posterior:
    """A posterior of one draw: the truth."""
    truth = {
        "level": (("stream", "month"), world.level[:, : world.months]),
        "wander": (("stream",), world.step),
        "effect": (("stream", "regime"), world.effect),
        "dispersion": (("stream",), world.spread**-2.0),
        "zero": (("stream",), np.zeros(S)),
        "transition": (("regime_from", "regime_to"), world.transition),
        "initial": (("regime",), world.initial),
    }
    draws = {name: (("chain", "draw", *dims), value[None, None]) for name, (dims, value) in truth.items()}
    regimes = list(worlds.SCENARIOS)
    coords = {"stream": list(worlds.STREAMS), "regime": regimes, "regime_from": regimes, "regime_to": regimes}
    return Posterior(
        model="switching-level",
        draws=xr.Dataset(draws, coords=coords),
        statistics=xr.Dataset(),
        panel=oracle.panel(world),
        setting=forecasters.setting(forecasters.ARMS["engine"]),
        priors=PriorSet(name="none", statements={}, source="none"),
    )


@pytest.mark.parametrize("number", [0, 3, 11])
def test_the_engine_that_knows_the_truth_says_what_the_oracle_says(number):
    """Filter, futures and rules by the engine's code, against those of the worlds, which share no line with it."""
    world = worlds.world("plain", number)
    futures = simulate(known(world), months=worlds.AHEAD, paths=20_000, seed=number)
    assert futures["filtered"].values[0] == pytest.approx(oracle.filtered(world), abs=1e-9)
    paths = 20_000
    rng = worlds.generator("plain", number, "a test")
    ours = oracle.futures(world, oracle.filtered(world), paths=paths, rng=rng)
    p, q = (forecasters.resolved(oracle.panel(world), found) for found in (futures, ours))
    error = np.sqrt(2.0 * np.maximum(p, 0.01) * (1.0 - p) / paths)
    assert np.all(np.abs(p - q) < 4.5 * error)
    for month in (0, 11):
        a, b = (found["count"].isel(month=month).values.reshape(-1, S) for found in (futures, ours))
        at = np.quantile(a, (0.1, 0.5, 0.9), axis=0)
        shares = [(drawn[None] <= at[:, None]).mean(axis=1) for drawn in (a, b)]
        assert shares[0] == pytest.approx(shares[1], abs=4.5 * np.sqrt(0.5 / paths))


@pytest.mark.parametrize("kind", ["plain", "heavy", "zeros"])
@pytest.mark.parametrize(("mean", "spread"), [(1.2, 0.3), (30.0, 0.45)])
def test_counts_scatter_as_their_density_says(kind, mean, spread):
    rng = np.random.default_rng(5)
    n = 100_000
    drawn = worlds.scattered(kind, np.full(n, mean), np.array(spread), rng)
    y = np.arange(4_000.0)
    density = np.exp(worlds.log_density(kind, y, np.full(y.size, mean), np.array(spread)))
    assert density.sum() == pytest.approx(1.0, abs=1e-4)
    below = np.cumsum(density)
    at = np.searchsorted(below, (0.02, 0.2, 0.5, 0.8, 0.98))
    shares = (drawn[:, None] <= at).mean(axis=0)
    assert shares == pytest.approx(below[at], abs=4.5 * np.sqrt(0.25 / n))


def test_spells_that_are_not_geometric_last_as_long_as_geometric_ones():
    leave, go = np.array([0.08, 0.16, 0.09]), np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]], dtype=float)
    P, regime = worlds._aged(leave, go)
    assert P.sum(axis=1) == pytest.approx(1.0)
    for k in range(K):
        own = P[np.ix_(regime == k, regime == k)]
        lasts = np.linalg.solve(np.eye(len(own)) - own, np.ones(len(own)))[0]
        assert lasts == pytest.approx(1.0 / leave[k], rel=0.02)
    assert own[0, 1] > 1.0 - leave[2]  # a young spell is less likely to end


def test_states_move_as_their_matrix_says():
    P = worlds.world("plain", 1).transition
    n = 50_000
    for start in range(K):
        state = np.full(n, start)
        to = worlds.moved(worlds.steps_of(P), state, np.random.default_rng(start))
        assert np.bincount(to, minlength=K) / n == pytest.approx(P[start], abs=4.5 * np.sqrt(0.25 / n))


def test_a_world_is_its_number():
    first, again = (worlds.world("trend", 7) for _ in range(2))
    assert np.array_equal(first.counts, again.counts)
    assert not np.array_equal(first.counts[:, :60], worlds.world("trend", 8).counts[:, :60])
    assert worlds.SHORTEST <= first.months <= worlds.LONGEST
    assert first.months % 3 == 0


@given(
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
)
def test_nobody_is_expected_to_beat_the_oracle(p, q):
    p, q = np.array(p) / sum(p), np.array(q) / sum(q)
    for rule in (score.ign, score.rps):
        assert expected(q, q, rule) == pytest.approx(0.0, abs=1e-12)
        assert expected(p, q, rule) >= -1e-5  # the floor of the ignorance score costs the oracle as much


def test_a_run_that_was_cut_short_goes_on(tmp_path, monkeypatch):
    asked = []

    def question(kind, arm, number):
        asked.append(number)
        return {"number": number}

    monkeypatch.setattr(simulated_worlds, "WORK", tmp_path)
    monkeypatch.setattr(simulated_worlds, "question", question)
    simulated_worlds.run("plain", "engine", 3)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_text(encoding="utf-8")
    kept.write_text(whole[:-4], encoding="utf-8", newline="")
    simulated_worlds.run("plain", "engine", 4)
    assert asked == [0, 1, 2, 2, 3]
    assert [json.loads(line)["number"] for line in kept.read_text(encoding="utf-8").splitlines()] == [
        0,
        1,
        2,
        3,
    ]


def test_results_of_other_code_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(simulated_worlds, "STORED", tmp_path)
    told = {"ours.csv": simulated_worlds.code("engine")[:12], "theirs.csv": "0" * 12}
    for name, code in told.items():
        (tmp_path / name).write_text(f"arm,code\nengine,{code}\n", encoding="utf-8", newline="")
    assert simulated_worlds.check() == 1
    assert capsys.readouterr().out == "theirs.csv: the code has changed since\n"


def test_blank_beliefs_are_part_of_their_own_results_alone(monkeypatch):
    before = {arm: certified.code(arm) for arm in ("engine", "blank")}
    monkeypatch.setattr(certified, "BLANK", ())
    assert certified.code("engine") == before["engine"]
    assert certified.code("blank") == before["engine"] != before["blank"]


@pytest.mark.recovery
def test_the_engine_comes_near_the_oracle_and_nearer_than_a_chain_of_outcomes():
    answers = [simulated_worlds.question("plain", "engine", number) for number in range(6)]
    said = {name: np.array([one["said"][name] for one in answers]) for name in answers[0]["said"]}
    said = {name: p / p.sum(axis=-1, keepdims=True) for name, p in said.items()}
    lost = {name: expected(p, said["oracle"], score.ign).mean(axis=0) for name, p in said.items()}
    assert np.all(lost["engine"] < (0.15, 0.15))
    assert lost["engine"][0] < 0.5 * lost["markov-chain"][0]
    table = rows("plain", "engine", answers * 9, "hash")
    (mean,) = [
        row
        for row in table
        if (row["forecaster"], row["measure"], row["of"], row["horizon"])
        == ("engine", "bits: expected loss", "", "1 quarter")
    ]
    assert float(mean["value"]) == pytest.approx(lost["engine"][0], abs=1e-4)
    page = tables([{key: str(value) for key, value in row.items()} for row in table])
    assert f"| engine | {float(mean['value']):.3f} ({float(mean['error']):.3f}) |" in page
