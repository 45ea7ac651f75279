"""Expected evidence of a spell: the published table, the formula's limits, and what the frontier's beliefs could see."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.elicited import at_medians, visibility
from forecast.elicited.evidence import LENGTHS, NEEDED, UNSEEN, spell_evidence
from forecast.fitting import Posterior
from forecast.months import span
from models import CATALOGUE, Setting, Stream
from priors import load, loads

REGIMES = ("de-escalation", "contained", "regional-war")
WINDOW = span("2021-10", "2026-05")
FRONTIER = Path(__file__).parents[2] / "priors" / "frontier.toml"
AGREEMENT = Stream(id="agreement", family="bernoulli", level="constant", effect="free")
COUNTED = (
    Stream(id="deaths-pakistan", family="negative-binomial", level="walk", effect="free"),
    Stream(id="deaths-afghanistan", family="negative-binomial", level="walk", effect="free"),
    Stream(id="attacks-pakistan", family="negative-binomial", level="walk", effect="free"),
    Stream(id="hostile-days", family="negative-binomial", level="constant", effect="increasing"),
)


def frontier(streams: tuple[Stream, ...], *, reference: str = "contained") -> Posterior:
    setting = Setting(scenarios=REGIMES, reference=reference, streams=streams, horizon=13)
    names = [stream.id for stream in streams]
    panel = xr.DataArray(
        np.full((len(names), len(WINDOW)), np.nan),
        dims=("stream", "month"),
        coords={"stream": names, "month": list(WINDOW)},
    )
    return at_medians(panel, CATALOGUE["switching-level"], load(FRONTIER), setting)


# The design's table for deaths in Pakistan: δ = 0.5, φ = 11, by σ and L. It prints one decimal and no mean; a mean of
# 100 deaths in a window of 57 months is the round pair that gives all twenty figures.
TABLE = {
    0.00: {2: 2.4, 3: 3.5, 6: 6.7, 10: 10.2},
    0.03: {2: 2.3, 3: 3.2, 6: 5.6, 10: 7.9},
    0.05: {2: 2.1, 3: 3.0, 6: 4.8, 10: 6.2},
    0.12: {2: 1.7, 3: 2.2, 6: 2.9, 10: 3.2},
    0.17: {2: 1.5, 3: 1.8, 6: 2.1, 10: 2.2},
}


@pytest.mark.parametrize(
    ("step", "length", "printed"), [(s, L, value) for s, row in TABLE.items() for L, value in row.items()]
)
def test_the_table_of_de_escalation_in_pakistan(step: float, length: int, printed: float) -> None:
    found = spell_evidence(length, effect=0.5, step=step, noise=1 / 11 + 1 / 100, months=57)
    assert found == pytest.approx(printed, abs=0.055)


@pytest.mark.parametrize(("length", "printed"), [(1, 3.0), (2, 5.4), (3, 7.2)])
def test_war_is_seen_in_afghanistan_within_a_month_or_two(length: int, printed: float) -> None:
    found = spell_evidence(length, effect=1.9, step=0.19, noise=1 / 2 + 1 / 60, months=57)
    assert found == pytest.approx(printed, abs=0.055)


def test_an_agreement_on_record_is_worth_two_and_a_half_nats_a_month() -> None:
    chances = {"de-escalation": 0.9, "contained": 0.05, "regional-war": 0.05}
    beliefs = "\n".join(
        f'[chance.agreement.{regime}]\nkind = "distribution"\nfamily = "beta"\nbecause = "x"\n'
        f'parameters = {{ alpha = {p * 1e7}, beta = {(1 - p) * 1e7} }}\nunit = "probability in a month"'
        for regime, p in chances.items()
    )
    chain = "\n".join(
        f'[dwell.{k}]\nkind = "interval"\nlow = 2.0\nhigh = 8.0\nmass = 0.9\nunit = "months"\nbecause = "x"\n'
        f'[exits.{k}]\nkind = "shares"\nworth = 5\nbecause = "x"\nto = {{ {", ".join(f"{j} = 0.5" for j in REGIMES if j != k)} }}'
        for k in REGIMES
    )
    signed = '[defaults]\nauthor = "x"\ndate = 2026-01-01\nsource = "x"\n'
    priors = loads(f'schema = 1\nname = "one"\n{signed}{chain}\n{beliefs}', "priors.toml")
    setting = Setting(scenarios=REGIMES, reference="contained", streams=(AGREEMENT,), horizon=3)
    panel = xr.DataArray(
        np.full((1, 12), np.nan),
        dims=("stream", "month"),
        coords={"stream": ["agreement"], "month": list(span("2025-01", "2025-12"))},
    )
    seen = visibility(at_medians(panel, CATALOGUE["regimes"], priors, setting))
    told = seen["de-escalation"]
    assert told is not None
    assert told["expected_log_bayes_factor"][0]["value"] == pytest.approx(2.376, abs=1e-3)
    assert told["seen_after_months"] == 2
    blind = seen["regional-war"]
    assert blind is not None
    assert not blind["visible"]
    assert blind["sentence"] == UNSEEN


positive = st.floats(0.01, 3.0)
lengths = st.integers(1, 30)


@settings(deadline=None)
@given(length=lengths, effect=positive, step=st.floats(0.0, 0.5), noise=positive, months=st.integers(30, 80))
def test_evidence_is_that_of_a_level_which_starts_anywhere(
    length: int, effect: float, step: float, noise: float, months: int
) -> None:
    """The projection equals a start with a huge variance, solved as it stands."""
    spell = np.zeros(months)
    first = (months - length) // 2
    spell[first : first + length] = 1.0
    t = np.arange(1.0, months + 1.0)
    V = step**2 * np.minimum.outer(t, t) + 1e7 * noise + noise * np.eye(months)
    direct = 0.5 * effect**2 * spell @ np.linalg.solve(V, spell)
    found = spell_evidence(length, effect=effect, step=step, noise=noise, months=months)
    assert found == pytest.approx(direct, rel=1e-4, abs=1e-4)


@settings(deadline=None)
@given(length=st.integers(1, 15), effect=positive, step=st.floats(0.0, 0.5), noise=positive)
def test_a_level_that_moves_more_hides_more_and_a_larger_effect_shows_more(
    length: int, effect: float, step: float, noise: float
) -> None:
    at = spell_evidence(length, effect=effect, step=step, noise=noise, months=57)
    assert spell_evidence(length, effect=effect, step=step + 0.1, noise=noise, months=57) <= at * (1 + 1e-9)
    assert spell_evidence(length, effect=effect, step=step, noise=noise * 2, months=57) < at
    assert spell_evidence(length, effect=2 * effect, step=step, noise=noise, months=57) == pytest.approx(
        4 * at
    )


def test_a_spell_that_fills_the_window_shows_nothing() -> None:
    assert spell_evidence(12, effect=2.0, step=0.1, noise=0.1, months=12) == pytest.approx(0.0, abs=1e-9)
    assert spell_evidence(40, effect=2.0, step=0.1, noise=0.1, months=12) == pytest.approx(0.0, abs=1e-9)


def test_the_frontier_sees_war_at_once_and_de_escalation_by_its_agreement_stream() -> None:
    """Deaths and days of fire alone need half a year for what an agreement on record adds in two months."""
    deaths_and_days = tuple(stream for stream in COUNTED if stream.id != "attacks-pakistan")
    every, few = visibility(frontier((*COUNTED, AGREEMENT))), visibility(frontier(deaths_and_days))
    war, calm, calm_by_few = every["regional-war"], every["de-escalation"], few["de-escalation"]
    assert war is not None
    assert calm is not None
    assert calm_by_few is not None
    assert war["seen_after_months"] == 1
    assert max(calm["by_stream"], key=calm["by_stream"].get) == "agreement"
    assert calm["seen_after_months"] <= 2
    assert calm_by_few["seen_after_months"] >= 5


def test_the_medians_are_those_of_the_statements() -> None:
    middle = frontier((*COUNTED, AGREEMENT)).draws.isel(chain=0, draw=0)
    priors = load(FRONTIER)
    low, high = (getattr(priors["level.deaths-pakistan"], end) for end in ("low", "high"))
    level = middle["level"].sel(stream="deaths-pakistan")
    np.testing.assert_allclose(level, 0.5 * np.log(low * high), rtol=1e-12)
    low, high = (getattr(priors["dwell.regional-war"], end) for end in ("low", "high"))
    assert 1.0 / middle["hazard"].sel(regime="regional-war").item() == pytest.approx(
        1.0 + np.sqrt((low - 1.0) * (high - 1.0))
    )
    assert middle["transition"].sel(
        regime_from="contained", regime_to="regional-war"
    ).item() == pytest.approx(0.6 * middle["hazard"].sel(regime="contained").item())


def test_the_answer_is_the_contract_of_the_record() -> None:
    seen = visibility(frontier((*COUNTED, AGREEMENT)))
    assert tuple(seen) == REGIMES
    assert seen["contained"] is None
    for told in (seen["de-escalation"], seen["regional-war"]):
        assert told is not None
        assert [point["months"] for point in told["expected_log_bayes_factor"]] == list(LENGTHS)
        assert told["visible"] is (told["at_median_dwell"] >= NEEDED)
        assert sum(told["by_stream"].values()) == pytest.approx(told["at_median_dwell"])


def test_a_model_without_regimes_has_none_to_see() -> None:
    setting = Setting(scenarios=REGIMES, reference="contained", streams=COUNTED, horizon=13)
    panel = frontier(COUNTED).panel
    assert visibility(at_medians(panel, CATALOGUE["local-level"], load(FRONTIER), setting)) == {}
