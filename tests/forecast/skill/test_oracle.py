"""An oracle wins as seldom as it was found to, and its references are those that forecasts are held against."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from forecast.skill.oracle import _learn, _outcomes, power
from models.baselines import SCENARIOS

NEIGHBOURS = np.array([[0.92, 0.08, 0.0], [0.08, 0.84, 0.08], [0.0, 0.09, 0.91]])  # monthly
FRONTIER = np.array([[0.88, 0.10, 0.02], [0.03, 0.94, 0.03], [0.06, 0.34, 0.60]])


@pytest.mark.parametrize(
    ("monthly", "n", "share"), [(NEIGHBOURS, 11, 0.32), (FRONTIER, 11, 0.28), (FRONTIER, 72, 0.73)]
)
def test_what_an_oracle_can_show(monthly, n, share, monkeypatch):
    """As it was simulated before, with a persistence of .9 that does not learn."""
    module = importlib.import_module("forecast.skill.oracle")
    monkeypatch.setattr(
        module, "_learn", lambda seen, K: replace(_learn(seen, K), stays=np.full(len(seen), 0.9))
    )
    assert module._power.__wrapped__(
        n, tuple(map(tuple, np.linalg.matrix_power(monthly, 3).tolist())), 8, 3, 1500
    ) == pytest.approx(share, abs=0.04)


def test_the_references_are_those_of_the_record():
    seen = _outcomes(FRONTIER, 25, 40, np.random.default_rng(1))
    learnt = _learn(seen, 3)
    for steps in (1, 4):
        found = learnt.references(steps)
        for world in range(40):
            for p, name in zip(found, ("climatology", "markov-chain", "persistence"), strict=True):
                assert p[world] == pytest.approx(SCENARIOS[name](seen[world].tolist(), 3, steps))


def test_worlds_follow_the_chain_from_the_start():
    worlds = _outcomes(NEIGHBOURS, 3, 40_000, np.random.default_rng(2))
    law = np.linalg.matrix_power(NEIGHBOURS, 2000)[0]
    assert np.bincount(worlds[:, 0]) / 40_000 == pytest.approx(law, abs=0.01)
    moved = np.bincount(worlds[worlds[:, 1] == 1, 2]) / np.sum(worlds[:, 1] == 1)
    assert moved == pytest.approx(NEIGHBOURS[1], abs=0.01)


def test_the_same_seed_gives_the_same_share_and_a_longer_record_shows_more():
    few, many = (power(n, FRONTIER, burn_in=8, seed=4) for n in (3, 40))
    assert few == power(3, FRONTIER, burn_in=8, seed=4)
    assert few < many


@pytest.mark.parametrize(("n", "chain"), [(0, NEIGHBOURS), (3, NEIGHBOURS * 2), (3, NEIGHBOURS[0])])
def test_what_is_no_chain_is_refused(n, chain):
    with pytest.raises(ValueError, match="wanted"):
        power(n, chain, burn_in=8, seed=1)
