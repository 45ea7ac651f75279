"""The headline knows its cases, and likelihood never shares a sentence with confidence."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reports import words
from reports.brief import Brief
from reports.document import Document
from reports.front import confidence, moved, watch
from reports.headline import banners, headline
from reports.text import read
from reports.track import skill
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


def test_what_moved_knows_first_run_no_change_causes_and_no_causes(
    frontier: Brief, grown: Brief, edit: Edit
) -> None:
    def after(now: float, moves: list[dict[str, Any]], as_of: str = "2026-03-31", **more: Any) -> str:
        shift = {"quarter": "2026Q3", "scenario": "contained", "before": 0.70, "after": now, "mcse": 0.03}
        change = {"run": "r", "as_of": as_of, "shifts": [shift], "moves": moves, **more}
        return " ".join(read(spans) for spans in moved(edit(frontier, change=change))).replace("\u00a0", " ")

    assert read(moved(frontier)[0]) == "First run: nothing to compare with yet."
    assert after(0.702, []).startswith("No change since the report of 31 March 2026")
    assert after(0.7431, []) == (
        "Since the report of 31 March 2026, 2026 Q3: contained conflict 70 → 74 %. "
        "All of it is within the noise of the simulation."
    )
    assert after(0.7431, [], "2026-06-30").startswith("Since run r of the same date, 2026 Q3:")
    assert "noise" not in after(0.7631, [])
    assert after(0.9, [], same_rules=False).endswith(
        "The rules were edited: the same words ask another question."
    )
    causes = [{"cause": "new months", "shift": 0.052}, {"cause": "edited prior", "shift": -0.011}]
    assert (
        after(0.7431, causes)
        == "Since the report of 31 March 2026, in points: new months +5 · edited prior −1."
    )
    text = read(moved(grown)[0]).replace("\u00a0", " ")
    assert text == (
        "Since the report of 31 March 2026, 2026 Q3: managed de-escalation 13 → 16 %, contained conflict 73 → 74 %, "
        "escalation to regional war 14 → 10 %."
    )


def test_both_sides_of_a_change_add_to_a_hundred(grown: Brief) -> None:
    texts = read(moved(grown)[0]).replace("\u00a0", " ")
    pairs = re.findall(r"(\d+) → (\d+) %", texts)
    assert [sum(map(int, side)) for side in zip(*pairs, strict=True)] == [100, 100]


def test_what_to_watch_is_told_as_a_condition_once_for_each_stream(grown: Brief, edit: Edit) -> None:
    def told(**parts: Any) -> list[str]:
        signs = [{**sign.model_dump(), **parts} for sign in grown.signposts]
        return [read(spans).replace("\u00a0", " ") for spans in watch(edit(grown, signposts=signs))]

    assert told() == [
        "If June 2026 brings at least 5 days of hostilities between the two states, escalation to regional war in "
        "2026 Q3 rises from 10 % to about 24 %.",
        "If May 2026 turns out to have brought at most 120 deaths in Pakistan, escalation to regional war in "
        "2026 Q3 falls from 10 % to about 5 %.",
    ]
    assert "brings no days" in told(side="at most", count=0.0)[0]
    assert "brings any days" in told(side="at least", count=1.0)[0]
    assert told(stream="agreement", side="at most", count=0.0)[0].startswith(
        "If June 2026 sees no ceasefire or agreement in force, escalation"
    )


def test_a_signpost_within_the_noise_is_not_spoken_of(grown: Brief, edit: Edit) -> None:
    noisy = [{**sign.model_dump(), "shift_mcse": 0.2} for sign in grown.signposts]
    assert read(watch(edit(grown, signposts=noisy))[1]).startswith("That alone is escalation to regional war")


def test_a_short_record_is_called_too_short(grown: Brief, edit: Edit) -> None:
    assert [read(spans).replace("\u00a0", " ") for spans in skill(grown.track)] == [
        "Seven quarters resolved, 2026 Q3 to 2028 Q1.",
        "One quarter ahead: +0.104 bits a forecast over the Markov chain (−0.31 to +0.52): "
        "cannot be told apart (too few for a test).",
        "After 7 resolved quarters this record cannot show skill yet.",
    ]
    bare = Track(resolved=0, sentence="Nothing has resolved yet.")
    assert [read(spans) for spans in skill(bare)] == ["Nothing has resolved yet."]
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


@pytest.mark.parametrize("name", ["frontier", "refused", "second", "grown"])
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
