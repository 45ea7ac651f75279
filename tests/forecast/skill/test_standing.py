"""A short record is told as short, an empty one as empty, and of many forecasts of one quarter the first counts."""

from dataclasses import replace

import numpy as np
import pytest

from forecast import score
from forecast.ledger import Scored
from forecast.skill import honesty, honesty_of

IDS = ("calm", "contained", "war")
CHAIN = [[0.7, 0.25, 0.05], [0.1, 0.8, 0.1], [0.1, 0.4, 0.5]]


def line(quarter, p, outcome, *, reference=(0.2, 0.6, 0.2), horizon=1, issued="", run="r"):
    """One scored forecast beside one reference."""

    def three(q):
        return {name: float(getattr(score, name)(q, IDS.index(outcome))) for name in ("ign", "rps", "brier")}

    return Scored(
        run=run,
        question=f"{quarter}-ab",
        quarter=quarter,
        horizon=horizon,
        outcome=outcome,
        forced=False,
        issued_at=issued or f"{quarter[:4]}-0{3 * int(quarter[5]) - 2}-02T00:00:00Z",
        p=tuple(p),
        references={"markov-chain": three(reference)},
        **three(list(p)),
    )


def said(scored, **changes):
    chosen = {"scenarios": IDS, "chain": CHAIN, "known": 18, "seed": 1, **changes}
    return honesty(scored, **chosen)


def quarters(n):
    return [f"{2026 + q // 4}Q{q % 4 + 1}" for q in range(n)]


def test_an_empty_record_says_so_and_what_could_be_shown():
    found = said([])
    assert (found.resolved, found.against, found.skill_process, found.calibration) == (0, (), None, {})
    assert found.sentence.startswith("Nothing has resolved yet: nothing can be said of this record's skill.")
    assert (
        "After 8 resolved quarters even a forecaster who knew the true process would beat" in found.sentence
    )
    assert 0.05 < found.perfect < 0.6
    assert said([], chain=None).sentence.endswith("skill.")


def test_a_short_record_cannot_show_skill():
    found = said([line(quarter, (0.1, 0.8, 0.1), "contained") for quarter in quarters(3)])
    assert found.resolved == found.perfect_after == 3
    assert found.sentence.endswith("this record cannot show skill yet.")
    (against,) = [one for one in found.against if one.score == "ign"]
    assert against.comparison.sentence == "too few"
    assert against.comparison.gain == pytest.approx(np.log2((0.997 * 0.8 + 0.001) / (0.997 * 0.6 + 0.001)))
    assert found.calibration["war"].difference == pytest.approx(0.1)
    assert found.calibration["war"].low < 0 < found.calibration["war"].high


def test_the_process_passes_its_alarm_only_for_a_better_model():
    better = said([line(q, (0.02, 0.96, 0.02), "contained", reference=(0.5, 0, 0.5)) for q in quarters(60)])
    even = said([line(q, (0.2, 0.6, 0.2), "contained") for q in quarters(60)])
    assert better.skill_process > better.alarm == 20
    assert (better.alarmed, even.alarmed) == (True, False)
    assert even.skill_process == 1.0
    assert even.reference_test == pytest.approx(1.0)


def test_each_horizon_has_its_process_and_its_bound():
    ahead = [line(q, (0.02, 0.96, 0.02), "contained", reference=(0.5, 0, 0.5)) for q in quarters(60)]
    found = said([*ahead, *(replace(one, horizon=2) for one in ahead)])
    assert [(one.horizon, one.n, one.alarm) for one in found.processes] == [(1, 60, 20), (2, 60, 40)]
    assert found.processes[0].value == found.skill_process
    assert 1 < found.processes[1].value < found.skill_process  # each of the two has half the quarters
    assert said([line("2026Q1", (0.1, 0.8, 0.1), "war", horizon=4)]).skill_process is None


def test_the_reference_test_is_the_product_of_likelihood_ratios():
    found = said([line(q, (0.1, 0.8, 0.1), "contained") for q in quarters(2)])
    assert found.reference_test == pytest.approx((0.7986 / 0.5992) ** 2, rel=1e-3)


def test_of_several_forecasts_of_a_quarter_the_first_counts():
    early = line("2026Q3", (0.1, 0.8, 0.1), "war", issued="2026-07-01T00:00:00Z")
    late = line("2026Q3", (0.0, 0.1, 0.9), "war", issued="2026-09-20T00:00:00Z", run="late")
    ahead = line("2026Q3", (0.3, 0.4, 0.3), "war", horizon=2, issued="2026-04-01T00:00:00Z")
    edited = replace(late, question="2026Q3-cd", run="by other rules")
    found = said([edited, late, early, ahead])
    assert (found.scored, found.set_aside) == (2, 2)
    assert found.means[1]["ign"] == pytest.approx(early.ign)
    assert found.means[2]["ign"] == pytest.approx(ahead.ign)


def test_without_an_order_the_ranked_score_is_left_out():
    found = said([line(q, (0.1, 0.8, 0.1), "contained") for q in quarters(4)], ordinal_scale=False)
    assert {one.score for one in found.against} == {"ign", "brier"}
    assert found.skill_process >= 1.0


def test_it_is_read_from_a_ledger(tmp_path):
    record = {
        "scenarios": [{"id": name} for name in IDS],
        "scenario_transitions": {"mean": CHAIN},
        "resolved_history": [{"quarter": "2026Q1", "resolved": "calm"}],
        "provenance": {"seed": 3},
    }
    nothing = honesty_of(tmp_path / "absent.sqlite", record)
    assert nothing.resolved == 0
    assert honesty_of(None, {**record, "scenario_transitions": {"mean": [[None]]}}).perfect is None
