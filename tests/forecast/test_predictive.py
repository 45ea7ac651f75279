"""In-sample checks of a fit: exact against enumeration, calm where the model is right, loud where it is wrong."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest, nbinom, norm

from forecast import predictive
from forecast.checks import Check
from forecast.fitting import Posterior
from models import Setting, Stream, emissions
from priors import PriorSet

KS_LIMIT = 0.001
PHI = 4.0


def stream(name: str, family: str = "negative-binomial") -> Stream:
    return Stream(id=name, family=family, level="constant", effect="none")


def posterior(
    rows: dict[str, np.ndarray],
    *,
    level: np.ndarray,
    streams: tuple[Stream, ...] | None = None,
    effect: tuple[float, ...] = (0.0,),
    P: np.ndarray | None = None,
) -> Posterior:
    """A fit written down by hand: log levels ``[draw, stream, month]``, one dispersion, effects by regime."""
    regimes = tuple(f"r{k}" for k in range(len(effect)))
    draws, S, T = level.shape
    told = streams or tuple(stream(name) for name in rows)
    months = list(range(T))
    held = xr.Dataset(
        {
            "level": (("chain", "draw", "stream", "month"), level[None]),
            "effect": (
                ("chain", "draw", "stream", "regime"),
                np.broadcast_to(effect, (1, draws, S, len(effect))),
            ),
            "dispersion": (("chain", "draw", "stream"), np.full((1, draws, S), PHI)),
            "zero": (("chain", "draw", "stream"), np.full((1, draws, S), np.nan)),
        },
        coords={"stream": list(rows), "month": months, "regime": list(regimes)},
    )
    if P is not None:
        K = len(P)
        held["transition"] = (
            ("chain", "draw", "regime_from", "regime_to"),
            np.broadcast_to(P, (1, draws, K, K)),
        )
        held["initial"] = (("chain", "draw", "regime"), np.full((1, draws, K), 1 / K))
        held = held.assign_coords(regime_from=list(regimes), regime_to=list(regimes))
    return Posterior(
        model="local-level" if P is None else "regimes",
        draws=held,
        statistics=xr.Dataset(),
        panel=xr.DataArray(
            np.array(list(rows.values()), dtype=float),
            dims=("stream", "month"),
            coords={"stream": list(rows), "month": months},
        ),
        setting=Setting(scenarios=regimes, reference="r0", streams=told, horizon=0),
        priors=PriorSet(name="none", statements={}, source="none"),
    )


def drawn(rng: np.random.Generator, mean: float, months: int) -> np.ndarray:
    return rng.negative_binomial(PHI, PHI / (PHI + mean), months).astype(float)


def by_name(found: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in found}


def test_data_of_the_model_itself_pass_and_lie_inside_as_often_as_they_should() -> None:
    y = drawn(np.random.default_rng(1), 30.0, 2000)
    fit = posterior({"deaths": y}, level=np.full((1, 1, 2000), np.log(30.0)))
    found = by_name(predictive.checks(fit, seed=2))
    cover = found["inside 90\u00a0% predictive interval, deaths"]
    low, high = nbinom.ppf((0.05, 0.95), PHI, PHI / (PHI + 30.0))
    assert cover.value == pytest.approx(np.mean((y >= low) & (y <= high)))
    assert cover.ok
    assert found["randomised PIT, p-value, deaths"].ok


@pytest.mark.parametrize("times", [0.4, 2.5])
def test_a_level_that_is_wrong_is_refused(times: float) -> None:
    y = drawn(np.random.default_rng(3), 30.0, 80)
    fit = posterior({"deaths": y}, level=np.full((1, 1, 80), np.log(30.0 * times)))
    found = by_name(predictive.checks(fit, seed=4))
    assert not found["randomised PIT, p-value, deaths"].ok
    if times < 1:
        assert not found["inside 90\u00a0% predictive interval, deaths"].ok


def test_the_distribution_is_that_of_enumerating_every_past_path() -> None:
    """P(Y ≤ y) of each month from all paths of regimes up to it, for several draws at once."""
    rng = np.random.default_rng(5)
    P = np.array([[0.8, 0.2], [0.3, 0.7]])
    effect, T, D = (0.0, 1.5), 4, 3
    level = np.log(5.0) + 0.3 * rng.standard_normal((D, 1, T))
    y = np.array([4.0, 30.0, np.nan, 12.0])
    fit = posterior({"deaths": y}, level=level, effect=effect, P=P)
    ((_, below, upto),) = predictive.bounds(fit.draws, fit.panel, fit.setting, predictive.law(fit))

    def mean(d: int, t: int, k: int) -> float:
        return float(np.exp(level[d, 0, t] + effect[k]))

    def share(m: float) -> float:
        return PHI / (PHI + m)

    for t in (0, 1, 3):
        total = np.zeros(2)
        for d in range(D):
            weights = np.zeros(2)
            for path in product(range(2), repeat=t + 1):
                weight = 0.5
                for s, k in enumerate(path):
                    weight *= 1.0 if s == 0 else P[path[s - 1], k]
                    if s < t and not np.isnan(y[s]):
                        weight *= nbinom.pmf(y[s], PHI, share(mean(d, s, k)))
                weights[path[-1]] += weight
            weights /= weights.sum()
            for k in range(2):
                at = nbinom.cdf((y[t] - 1, y[t]), PHI, share(mean(d, t, k)))
                total += weights[k] * at / D
        np.testing.assert_allclose((below[t], upto[t]), total, rtol=1e-10)
    assert np.isnan(below[2])
    assert np.isnan(upto[2])


def test_the_transforms_are_the_pseudo_residuals_of_the_model() -> None:
    rng = np.random.default_rng(6)
    y, level = drawn(rng, 8.0, 40), np.log(8.0) + 0.2 * rng.standard_normal((25, 1, 40))
    fit = posterior({"deaths": y}, level=level)
    residuals = emissions.pseudo_residuals(
        y,
        "negative-binomial",
        np.ones((25, 40, 1)),
        rng=np.random.default_rng(7),
        mean=np.exp(level[:, 0, :, None]),
        dispersion=PHI,
    )
    wanted = kstest(norm.cdf(residuals), "uniform").pvalue
    found = by_name(predictive.checks(fit, seed=7))
    assert found["randomised PIT, p-value, deaths"].value == pytest.approx(wanted, rel=1e-9)


def test_yes_or_no_streams_and_streams_without_a_month_are_left_out() -> None:
    rng = np.random.default_rng(8)
    rows = {
        "deaths": drawn(rng, 10.0, 60),
        "agreement": rng.integers(0, 2, 60).astype(float),
        "unseen": np.full(60, np.nan),
    }
    streams = (stream("deaths"), stream("agreement", "bernoulli"), stream("unseen"))
    fit = posterior(rows, level=np.full((2, 3, 60), np.log(10.0)), streams=streams)
    assert list(by_name(predictive.checks(fit, seed=9))) == [
        "inside 90\u00a0% predictive interval, deaths",
        "randomised PIT, p-value, deaths",
    ]


def test_a_gaussian_stream_needs_no_randomisation() -> None:
    rng = np.random.default_rng(10)
    prices = 50.0 * (1.0 + rng.standard_normal(300) / np.sqrt(PHI))
    fit = posterior(
        {"price": prices}, level=np.full((1, 1, 300), np.log(50.0)), streams=(stream("price", "gaussian"),)
    )
    first, second = (predictive.checks(fit, seed=seed) for seed in (1, 2))
    assert first == second
    assert all(check.ok for check in first)


def test_a_seed_decides_the_transforms_and_nothing_else() -> None:
    rng = np.random.default_rng(11)
    fit = posterior({"days": drawn(rng, 0.8, 60)}, level=np.full((1, 1, 60), np.log(0.8)))
    one, again, other = (predictive.checks(fit, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one[0] == other[0]
    assert one[1].value != other[1].value


def test_blind_to_the_data_the_law_is_that_of_the_chain() -> None:
    P = np.array([[0.9, 0.1], [0.4, 0.6]])
    y = np.array([500.0, 500.0, 500.0])
    fit = posterior({"deaths": y}, level=np.full((2, 1, 3), np.log(5.0)), effect=(0.0, 2.0), P=P)
    law = predictive.law(fit, blind=True)
    start = np.array([0.5, 0.5])
    np.testing.assert_allclose(law[0, 1], [start, start @ P, start @ P @ P])
    assert predictive.law(fit)[0, 1, 2, 1] > law[0, 1, 2, 1]
