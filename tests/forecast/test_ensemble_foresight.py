"""What a model would have foreseen: equal to sums over the prior that need no sampler, labels left out, k obeyed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp

from forecast import ensemble
from forecast.ensemble import foresight
from forecast.fitting import Posterior, from_prior
from models import CATALOGUE, Setting, Stream
from models.densities import one_step
from priors import PriorSet, loads

T, BURN_IN, AHEAD, MANY = 14, 8, 3, 8000
COUNTS = [6, 4, 9, 5, 22, 30, 6, 3, 5, 8, 4, 26, 40, 7]
TRUCE = [1, 1, 0, 1, 0, 0, 1, 1, np.nan, 1, 1, 0, 0, 1]
SAID = {
    "dwell.calm": ("months", 3, 12),
    "dwell.war": ("months", 1.2, 5),
    "level.deaths": ("deaths per month", 3, 9),
    "spread.deaths": ("percent", 30, 60),
    "effect.deaths.war": ("times", 3, 8),
    "chance.truce.calm": ("probability", 0.6, 0.95),
    "chance.truce.war": ("probability", 0.05, 0.3),
}


def world(model: str) -> tuple[xr.DataArray, PriorSet, Setting]:
    """A series that goes to war twice, beliefs about it, and labels that call two quiet months war."""
    walk = model == "switching-level"
    said = SAID | ({"wander.deaths": ("percent per month", 2, 8)} if walk else {})
    why = (
        'because = "A test."\nauthor = "t"\ndate = 2026-01-01\nsource = "s"\nkind = "interval"\nmass = 0.9\n'
    )
    text = 'schema = 1\nname = "test"\n' + "".join(
        f'[{key}]\n{why}unit = "{unit}"\nlow = {low}\nhigh = {high}\n'
        for key, (unit, low, high) in said.items()
    )
    streams = (
        Stream(
            id="deaths", family="negative-binomial", level="walk" if walk else "constant", effect="increasing"
        ),
        Stream(id="truce", family="bernoulli", level=None, effect="free"),
    )
    labels = np.zeros((T, 2))
    labels[[6, 13], 1] = np.log(300.0)
    setting = Setting(
        scenarios=("calm", "war"),
        reference="calm",
        streams=streams,
        horizon=3,
        basis=6,
        labels=tuple(map(tuple, labels)),
    )
    panel = xr.DataArray(
        np.array([COUNTS, TRUCE], dtype=float),
        dims=("stream", "month"),
        coords={"stream": ["deaths", "truce"], "month": [f"2025-{m:02d}" for m in range(1, T + 1)]},
    )
    return panel, loads(text, "priors.toml"), setting


def scored(prior: Posterior, setting: Setting) -> np.ndarray:
    return one_step(prior.draws, prior.panel, setting, prior.priors, number=10, seed=9)


def conditioned(
    panel: xr.DataArray, model: Any, priors: PriorSet, setting: Setting, **given: Any
) -> Posterior:
    """A posterior without a sampler: draws from the prior, chosen anew in proportion to their likelihood."""
    prior = from_prior(panel, model, priors, setting, draws=MANY, seed=given["seed"])
    log_likelihood = scored(prior, setting).sum(axis=1)
    mass = np.exp(log_likelihood - logsumexp(log_likelihood))
    size = given["chains"] * given["draws"]
    chosen = np.random.default_rng(given["seed"]).choice(MANY, size=size, p=mass / mass.sum())
    chains = [
        prior.draws.isel(chain=0, draw=part).expand_dims("chain")
        for part in chosen.reshape(given["chains"], -1)
    ]
    return replace(prior, draws=xr.concat(chains, "chain").transpose("chain", "draw", ...))


@pytest.fixture(scope="module", params=["regimes", "switching-level"])
def case(request: pytest.FixtureRequest) -> tuple[Posterior, np.ndarray]:
    """A posterior that saw everything, and the densities of each stretch by sums over the prior."""
    panel, priors, setting = world(request.param)
    model = CATALOGUE[request.param]
    seen = model.view(setting)
    posterior = conditioned(panel, model, priors, seen, seed=1, chains=4, draws=500)
    prior = from_prior(panel, model, priors, setting, draws=4 * MANY, seed=77)
    density = scored(prior, replace(seen, labels=None))
    wanted = [
        logsumexp(density[:, : t + AHEAD].sum(axis=1)) - logsumexp(density[:, :t].sum(axis=1))
        for t in range(BURN_IN, T - AHEAD + 1)
    ]
    return posterior, np.array(wanted)


@pytest.fixture
def refits(monkeypatch: pytest.MonkeyPatch) -> list[xr.DataArray]:
    """Fits without a sampler, and the panels they were given."""
    given: list[xr.DataArray] = []

    def fit(panel: xr.DataArray, model: Any, priors: PriorSet, setting: Setting, **rest: Any) -> Posterior:
        assert setting.labels is None
        given.append(panel)
        return conditioned(panel, model, priors, setting, **rest)

    monkeypatch.setattr(foresight, "fit", fit)
    monkeypatch.setattr(foresight, "compile_model", lambda *_: "compiled")
    return given


def test_densities_are_those_of_someone_who_had_not_seen_the_months(case, refits) -> None:
    posterior, wanted = case
    found = ensemble.foresee(posterior, seed=3, burn_in=BURN_IN, ahead=AHEAD)
    assert found.origins == tuple(f"2025-{m:02d}" for m in range(BURN_IN, T - AHEAD + 1))
    assert np.all(found.k < ensemble.MOST_K)
    assert np.all(found.error < 0.2)
    assert np.abs(found.log_density - wanted).max() < 0.2
    assert np.abs(found.log_density - wanted).mean() < 0.1


def test_where_weights_are_not_trusted_the_model_is_fitted_to_what_had_been_seen(
    case, refits, monkeypatch: pytest.MonkeyPatch
) -> None:
    posterior, wanted = case
    monkeypatch.setattr(foresight, "MOST_K", -1.0)  # no weights are good enough: every origin is fitted
    found = ensemble.foresee(posterior, seed=3, burn_in=BURN_IN, ahead=AHEAD)
    assert set(found.refits) == set(found.origins)
    assert np.all(np.isneginf(found.k))
    assert np.abs(found.log_density - wanted).max() < 0.25
    for panel in refits:
        last = int(np.flatnonzero(~np.isnan(panel.values).all(axis=0))[-1])
        assert f"2025-{last + 1:02d}" in found.refits


def test_a_seed_decides(case, refits) -> None:
    posterior, _ = case
    one, same = (ensemble.foresee(posterior, seed=3, burn_in=BURN_IN) for _ in range(2))
    assert np.array_equal(one.log_density, same.log_density)
    assert one.refits == same.refits


def test_too_short_a_panel_has_no_origin(case, refits) -> None:
    posterior, _ = case
    found = ensemble.foresee(posterior, seed=3, burn_in=T)
    assert found.origins == ()
    assert found.log_density.size == 0
    assert not refits
