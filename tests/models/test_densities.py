"""One-step densities of every model: exact where nothing walks, every family as it is written, gaps without effect."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from forecast.fitting import from_prior
from models import CATALOGUE, Reporting, Setting, Stream, derived, emissions, forward
from models.densities import one_step
from priors import PriorSet, distribution

CELLS = [0.0, 1.0, 7.0, np.nan, 60.0]


def drawn(
    name: str, panel: xr.DataArray, priors: PriorSet, setting: Setting, draws: int = 6
) -> tuple[xr.Dataset, Setting]:
    posterior = from_prior(panel, CATALOGUE[name], priors, setting, draws=draws, seed=3)
    return posterior.draws, posterior.setting


def test_a_model_whose_levels_stand_still_gives_the_exact_forward_pass(rich) -> None:
    panel, priors, setting = rich
    draws, seen = drawn("regimes", panel, priors, setting)
    chain = derived.regimes(draws, panel, seen)
    wanted = forward.one_step_log_density(
        *(chain[name].values[0] for name in ("log_emission", "transition", "initial")), time_varying=True
    )
    P = draws["persistence"].sel(stream="curfew").values[0]
    own = derived.states(panel.sel(stream="curfew").values)
    wanted = wanted + forward.one_step_log_density(own, P, forward.stationary(P), time_varying=False)
    found = one_step(draws, panel, seen, priors, number=1, seed=1)
    assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", ["switching-level", "local-level"])
def test_a_seed_decides_and_a_missing_month_adds_nothing(rich, beliefs, name: str) -> None:
    panel, priors, setting = rich
    chain = beliefs({"persist.truce.off": (0.7, 0.95), "persist.truce.on": (0.5, 0.9)})
    priors = PriorSet(name="both", statements={**dict(priors.items()), **dict(chain.items())}, source="both")
    draws, seen = drawn(name, panel, priors, replace(setting, labels=None))
    found = one_step(draws, panel, seen, priors, number=50, seed=1)
    assert np.isfinite(found).all()
    assert np.array_equal(found, one_step(draws, panel, seen, priors, number=50, seed=1))
    assert not np.array_equal(found, one_step(draws, panel, seen, priors, number=50, seed=2))
    gap = panel.copy()
    gap[:, 3] = np.nan
    later = one_step(draws, gap, seen, priors, number=50, seed=1)
    assert later[:, 3] == pytest.approx(0.0, abs=1e-12)
    assert np.array_equal(later[:, :3], found[:, :3])


def test_the_months_after_do_not_reach_back(rich) -> None:
    panel, priors, setting = rich
    draws, seen = drawn("switching-level", panel, priors, setting)
    cut = panel.copy()
    cut[:, 4:] = np.nan
    whole, early = (one_step(draws, given, seen, priors, number=50, seed=1) for given in (panel, cut))
    assert np.array_equal(whole[:, :4], early[:, :4])


def test_a_sampled_walk_is_not_looked_at(rich) -> None:
    panel, priors, setting = rich
    draws, seen = drawn("switching-level", panel, priors, setting)
    walks = xr.DataArray([s.level == "walk" for s in seen.streams], dims="stream")
    blind = draws.assign(level=draws["level"].where(~walks, 99.0))
    whole, other = (one_step(given, panel, seen, priors, number=20, seed=1) for given in (draws, blind))
    assert np.array_equal(whole, other)


@pytest.mark.parametrize(
    "family",
    [
        "negative-binomial",
        "poisson",
        "zero-inflated-negative-binomial",
        "zero-inflated-poisson",
        "hurdle-negative-binomial",
        "hurdle-poisson",
        "gaussian",
    ],
)
def test_every_family_has_the_density_of_its_formula(beliefs, family: str) -> None:
    """Where the mean is known and steps are all but nothing, only the formula is left."""
    sure = (6.0 * (1 - 1e-9), 6.0 * (1 + 1e-9))
    priors = beliefs(
        {"level.s": sure, "wander.s": (1e-9, 2e-9), "spread.s": (30.0, 90.0), "zero.s": (0.1, 0.4)}
    )
    setting = Setting(
        scenarios=("all",),
        reference="all",
        streams=(Stream(id="s", family=family, level="walk", effect="none"),),
        horizon=2,
        reporting={"s": Reporting(release=(0, 1, 0, 1, 1, 0, 0), mean=(0.3,), sd=(0.1,))},
    )
    panel = xr.DataArray(
        np.array([CELLS]), dims=("stream", "month"), coords={"stream": ["s"], "month": range(5)}
    )
    draws, seen = drawn("local-level", panel, priors, setting)
    (_, given), *_ = derived.parameters(draws, panel, seen)
    wanted = emissions.log_density(
        panel.values.T, family, **{name: value[0, :] for name, value in given.items()}
    )
    found = one_step(draws, panel, seen, priors, number=3, seed=1)
    assert found == pytest.approx(wanted[..., 0], abs=1e-5)


def test_a_mean_is_as_unknown_as_its_prior_says(beliefs) -> None:
    """The first month's density is that of its family, averaged over the prior of its mean."""
    priors = beliefs({"wander.s": (1e-9, 2e-9), "spread.s": (30.0, 90.0), "level.s": (4.0, 30.0)})
    setting = Setting(
        scenarios=("all",),
        reference="all",
        streams=(Stream(id="s", family="negative-binomial", level="walk", effect="none"),),
        horizon=2,
    )
    panel = xr.DataArray([[25.0, 9.0]], dims=("stream", "month"), coords={"stream": ["s"], "month": range(2)})
    draws, seen = drawn("local-level", panel, priors, setting)
    mean = distribution(priors["level.s"]).ppf((np.arange(4000) + 0.5) / 4000)
    phi = draws["dispersion"].values.reshape(-1, 1)
    wanted = np.exp(emissions.log_density(25.0, "negative-binomial", mean=mean, dispersion=phi)).mean(axis=1)
    found = np.exp(one_step(draws, panel, seen, priors, number=20_000, seed=1)[:, 0])
    assert found == pytest.approx(wanted, rel=0.03)


def test_a_mean_whose_prior_is_not_lognormal_is_the_draws_own(beliefs) -> None:
    gamma = beliefs({"wander.s": (1e-9, 2e-9), "spread.s": (30.0, 90.0), "level.s": (4.0, 9.0)})
    law = replace_family(gamma)
    setting = Setting(
        scenarios=("all",),
        reference="all",
        streams=(Stream(id="s", family="negative-binomial", level="walk", effect="none"),),
        horizon=2,
    )
    panel = xr.DataArray([[3.0, 9.0]], dims=("stream", "month"), coords={"stream": ["s"], "month": range(2)})
    draws, seen = drawn("local-level", panel, law, setting)
    (_, given), *_ = derived.parameters(draws, panel, seen)
    wanted = emissions.log_density(
        panel.values.T, "negative-binomial", **{name: value[0, :] for name, value in given.items()}
    )
    found = one_step(draws, panel, seen, law, number=3, seed=1)
    assert found == pytest.approx(wanted[..., 0], abs=1e-5)


def replace_family(priors: PriorSet) -> PriorSet:
    """The same beliefs with a gamma law of the level."""
    said = priors["level.s"].model_copy(update={"family": "gamma"})
    return PriorSet(name="g", statements={**dict(priors.items()), "level.s": said}, source="g")
