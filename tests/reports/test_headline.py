"""The headline knows its cases, and likelihood never shares a sentence with confidence."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reports import words
from reports.brief import Brief
from reports.document import Document
from reports.front import confidence, moved, skill, watch
from reports.headline import banners, headline
from reports.text import read
from reports.trust import Track

Edit = Callable[..., Brief]


def told(brief: Brief) -> str:
    return " ".join(read(spans) for spans in headline(brief)).replace("\u00a0", " ")


def first_quarter(brief: Brief, *means: float, words_: str = "likely") -> list[dict[str, Any]]:
    rest = [quarter.model_dump() for quarter in brief.quarters[1:]]
    row = [{"mean": p, "q05": p / 2, "q95": (1 + p) / 2, "words": words_} for p in means]
    return [{"quarter": "2026Q3", "resolved": row}, *rest]


def test_a_leader_and_the_severest_scenario(frontier: Brief) -> None:
    assert told(frontier) == (
        "Contained conflict is rated likely to very likely in 2026 Q3 (74 %, 57–87 %); "
        "escalation to regional war is very unlikely (10 %, 5–18 %)."
    )


def test_the_severest_leads_then_the_runner_up_is_named(frontier: Brief, edit: Edit) -> None:
    text = told(edit(frontier, quarters=first_quarter(frontier, 0.1, 0.3, 0.6)))
    assert text.startswith("Escalation to regional war is likely in 2026 Q3 (60 %")
    assert "contained conflict is likely (30 %" in text


def test_a_tie_has_no_leader(frontier: Brief, edit: Edit) -> None:
    text = told(edit(frontier, quarters=first_quarter(frontier, 0.42, 0.2, 0.38)))
    assert text == (
        "No scenario leads in 2026 Q3: managed de-escalation (42 %) and escalation to regional war (38 %) lie within five points."
    )


def test_no_precedent_is_said_in_a_sentence_of_its_own(second: Brief) -> None:
    assert told(second) == (
        "Quiet is almost certain in 2020 Q1 (over 99 %, 97–over 99 %); violent has almost no chance (under 1 %, under 1–3 %). "
        "No precedent in the data for violent: this probability rests on the priors."
    )


def test_a_refused_run_claims_nothing(refused: Brief) -> None:
    assert told(refused) == "No forecast is issued: one of ten checks failed."
    assert not any(band in told(refused) for band in words.BANDS)


def test_a_refused_run_earns_no_likelihood_word(documents: Mapping[str, Document]) -> None:
    assert [bar.words for bar in documents["refused"].front.bars] == ["", "", ""]
    assert all(bar.words for bar in documents["frontier"].front.bars)


def test_no_future_decides(frontier: Brief, edit: Edit) -> None:
    rest = [quarter.model_dump() for quarter in frontier.quarters[1:]]
    silent = {"quarter": "2026Q3", "resolved": [None, None, None], "unresolved": 1.0}
    assert (
        told(edit(frontier, quarters=[silent, *rest])) == "In no simulated future does a rule decide 2026 Q3."
    )


def test_banners_stand_in_order(frontier: Brief, refused: Brief, second: Brief, edit: Edit) -> None:
    forced = edit(refused, verdict={**refused.verdict.model_dump(), "forced": True})
    assert [banner.kind for banner in banners(frontier)] == ["retrospective"]
    assert [banner.kind for banner in banners(refused)] == ["refused", "retrospective"]
    assert [banner.kind for banner in banners(forced)] == ["forced", "retrospective"]
    assert banners(second) == ()
    reason = " ".join(read(spans) for spans in banners(refused)[0].sentences)
    assert "R-hat, worst: 1.04, wanted < 1.01. Run longer chains." in reason


def test_what_moved_knows_first_run_no_change_causes_and_no_causes(frontier: Brief, edit: Edit) -> None:
    def after(now: float, moves: list[dict[str, Any]]) -> str:
        shift = {"quarter": "2026Q3", "scenario": "contained", "before": 0.70, "after": now}
        change = {"run": "r", "as_of": "2026-03-31", "shifts": [shift], "moves": moves}
        return " ".join(read(spans) for spans in moved(edit(frontier, change=change))).replace("\u00a0", " ")

    assert read(moved(frontier)[0]) == "First run: nothing to compare with yet."
    assert after(0.702, []).startswith("No change since 31 March 2026")
    assert "contained conflict in 2026 Q3 70 → 74 %" in after(0.7431, [])
    causes = [{"cause": "new months", "shift": 0.052}, {"cause": "edited prior", "shift": -0.011}]
    assert after(0.7431, causes) == "Since 31 March 2026, in points: new months +5 · edited prior −1."


def test_what_to_watch_prefers_the_strongest_signposts(frontier: Brief, edit: Edit) -> None:
    signs = [
        {
            "condition": f"hostile days ≥ {n}",
            "scenario": "regional-war",
            "before": 0.10,
            "after": 0.1 + n / 50,
        }
        for n in (1, 7, 3, 5)
    ]
    text = [read(spans).replace("\u00a0", " ") for spans in watch(edit(frontier, signposts=signs))]
    assert text[0] == "If hostile days ≥ 7: escalation to regional war 10 → 24 %."
    assert len(text) == 3


def test_a_short_record_is_called_too_short() -> None:
    close = Track(
        resolved=7,
        needed=29,
        scores=[{"baseline": "the Markov chain", "bits": 0.1, "low": -0.3, "high": 0.5}],
    )
    text = [read(spans) for spans in skill(close)]
    assert text == [
        "Seven forecasts resolved.",
        "Better than the Markov chain by 0.1 bit ± 0.4: too few to tell (about 29 more quarters).",
    ]
    assert "No issued forecast has been resolved yet." in [read(spans) for spans in skill(None)]


def test_confidence_counts_its_reservations(
    frontier: Brief, refused: Brief, second: Brief, edit: Edit
) -> None:
    assert read(confidence(frontier)[0]) == "Moderate: two of four reservations hold."
    assert read(confidence(second)[0]) == "Moderate: one of four reservations holds."
    assert read(confidence(refused)[0]).startswith("Low:")
    calm = edit(
        second, scenarios=[{**scenario.model_dump(), "precedents": 5} for scenario in second.scenarios]
    )
    assert read(confidence(calm)[0]) == "High: none of four reservations holds."


@pytest.mark.parametrize("name", ["frontier", "refused", "second"])
def test_likelihood_and_confidence_never_share_a_sentence(
    documents: Mapping[str, Document], name: str
) -> None:
    front = documents[name].front
    sentences = [*front.headline, *(spans for line in front.lines for spans in line.sentences)]
    likelihood = (*words.BANDS, "unlikely", "likely")
    for spans in sentences:
        text = read(spans).lower()
        sure = any(text.startswith(level) for level in ("high:", "moderate:", "low:")) or "confidence" in text
        assert not (sure and any(word in text for word in likelihood))
