"""The rule that was written answers, on the figures of the day it names; what cannot be known yet waits."""

from datetime import date

import pytest

from forecast import ledger as book
from forecast.ledger import answer_key
from forecast.ledger.settling import settle
from forecast.rules import parse
from forecast.streams import Source, StreamDefinition

Q3, Q4 = "2026Q3", "2026Q4"
NOW = "2027-06-01T00:00:00Z"
COVERAGE = {"from": "2025-01", "to": "2027-03"}
RELEASES = {"final": {"to": "2026-12", "published": {"2025-12": date(2026, 5, 1), "2026-12": date(2027, 5, 1)}},
            "candidate": {"from": "2027-01"}}  # fmt: skip


def rules(at_least=100.0, release="first"):
    said = {"because": "b", "author": "a", "date": date(2026, 1, 1)}
    calm = {"stream": "deaths", "take": "sum", "at_most": 10.0}
    war = {"stream": "deaths", "take": "max", "at_least": at_least}
    scenarios = [
        {"id": "calm", "title": "Calm", "resolves": {"all": [calm]}, **said},
        {"id": "contained", "title": "Contained"},
        {"id": "war", "title": "War", "resolves": {"any": [war]}, **said},
    ]
    return parse(
        {"schema": 1, "reference": "contained", "release": release, "precedence": ["war", "calm"], "scenario": scenarios},
        file="scenarios.toml",
    )  # fmt: skip


def stream(**changes):
    given = {"id": "deaths", "source": "counts", "where": {"stream": "deaths"}, "measure": "count"}
    return StreamDefinition.model_validate({**given, "family": "poisson", "effect": "free", **changes})


def source(**changes):
    given = {
        "id": "counts",
        "file": "counts.csv",
        "format": "tidy",
        "coverage": COVERAGE,
        "citation": "Counts",
    }
    return Source.model_validate({**given, **changes})


@pytest.fixture
def counts(tmp_path):
    """Writes the figures; 20 a month unless stated."""

    def write(name="counts.csv", *, last="2027-03", **months):
        stated = {key[1:].replace("_", "-"): value for key, value in months.items()}
        span = [f"{y}-{m:02d}" for y in (2025, 2026, 2027) for m in range(1, 13) if f"{y}-{m:02d}" <= last]
        rows = [
            f"{month},all,deaths,{stated.get(month, 20)}"
            for month in span
            if stated.get(month, 20) is not None
        ]
        text = "\n".join(["month,front,stream,count", *rows, ""])
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path

    return write


@pytest.fixture
def asked(tmp_path, record):
    """A ledger with one forecast whose questions carry an answer key."""

    def issue(definition=None, release="first"):
        path = tmp_path / "asked.sqlite"
        key = answer_key.written(rules(release=release), [definition or stream()], window_from="2025-01")
        book.append_forecast(path, record(answer_key=key, release=release), issued_at="2026-06-30T12:00:00Z")
        return path

    return issue


def settled(path, root, today=date(2027, 6, 1), sources=None):
    found = settle(path, sources or [source()], root=root, today=today, recorded_at=NOW, set_by="the rule")
    return {(one.quarter, one.release): (one.outcome, one.as_of, one.new) for one in found}


def test_closed_questions_resolve_by_their_rule_and_open_ones_wait(asked, counts):
    path, root = asked(), counts(m2026_08=130)
    assert settled(path, root, date(2026, 10, 15)) == {
        ("2026Q3", "first"): (None, None, False)
    }  # expected by 30 October
    assert settled(path, root, date(2026, 11, 2)) == {("2026Q3", "first"): ("war", "2026-10-30", True)}
    assert settled(path, root) == {
        ("2026Q3", "first"): ("war", "2026-10-30", False),
        ("2026Q4", "first"): ("contained", "2027-01-30", True),
    }
    found = {answer.question[:6]: answer for answer in book.answers(path)}
    assert "it was 130" in found[Q3].reason
    assert found[Q3].source.startswith("Counts (counts.csv, sha256 ")
    assert {line.quarter for line in book.track_record(path)} == {"2026Q3", "2026Q4"}
    assert book.verify(path).ok


def test_the_rule_of_the_day_it_was_asked_holds(asked, counts):
    """Nothing but the files of figures comes from the workspace as it is now."""
    path, root = (
        asked(stream(masks=[{"months": ["2026-08"], "because": "x", "known_from": date(2026, 1, 1)}])),
        counts(m2026_08=130),
    )
    assert (
        settled(path, root)["2026Q3", "first"][0] == "unresolved"
    )  # the month is missing in the rules, and data go on


def test_first_and_final_figures_are_both_kept_and_the_declared_ones_score(asked, counts, tmp_path):
    path = asked(stream(reporting={"vintages": "vintages.csv"}))
    root = counts(m2026_08=90)
    lines = ["vintage,month,front,stream,count"]
    for day, august in (("2026-05-01", None), ("2026-11-20", 110), ("2027-05-01", 90)):
        lines += [f"{day},{m},all,deaths,20" for m in ("2026-01", "2026-02")]
        lines += [] if august is None else [f"{day},2026-07,all,deaths,20", f"{day},2026-08,all,deaths,{august}", f"{day},2026-09,all,deaths,20"]  # fmt: skip
    (tmp_path / "vintages.csv").write_text("\n".join([*lines, ""]), encoding="utf-8", newline="")
    released = [source(releases=RELEASES)]
    assert settled(path, root, date(2026, 12, 1), released) == {
        ("2026Q3", "first"): ("war", "2026-11-20", True)
    }
    assert settled(path, root, sources=released)["2026Q3", "annual"] == ("contained", "2027-06-01", True)
    assert {line.outcome for line in book.track_record(path) if line.quarter == Q3} == {"war"}
    both = {(one.release, one.outcome, one.stands) for one in book.answers(path) if one.question[:6] == Q3}
    assert both == {("first", "war", True), ("annual", "contained", True)}


def test_figures_that_only_exist_as_final_leave_the_first_release_unanswered(asked, counts):
    path, root = asked(), counts()
    gone = {"final": {"to": "2026-12"}, "candidate": {"from": "2027-01"}}
    found = settled(path, root, sources=[source(releases=gone)])
    assert found["2026Q3", "first"] == (None, None, False)
    assert found["2026Q3", "annual"] == ("contained", "2027-06-01", True)
    assert book.track_record(path) == ()


def test_what_may_yet_be_known_waits_and_what_was_missed_is_mended_by_a_new_row(asked, counts):
    path = asked()
    ends = [source(coverage={"from": "2025-01", "to": "2026-08"})]
    assert settled(path, counts(last="2026-08"), sources=ends)["2026Q3", "first"] == (None, None, False)
    gap = [source(coverage="rows")]
    assert settled(path, counts(m2026_09=None), sources=gap)["2026Q3", "first"] == (
        "unresolved",
        "2027-06-01",
        True,
    )
    assert book.track_record(path)[-1:] == tuple(one for one in book.track_record(path) if one.quarter == Q4)
    assert settled(path, counts(m2026_09=300), sources=gap)["2026Q3", "first"] == ("war", "2026-10-30", True)
    assert [(one.kind, one.outcome, one.stands) for one in book.answers(path) if one.question[:6] == Q3] == [
        ("resolution", "unresolved", False),
        ("correction", "war", True),
    ]


def test_figures_revised_in_place_are_pointed_out_and_change_nothing(asked, counts):
    path = asked()
    settled(path, counts(m2026_08=130))
    before = book.head(path)
    found = settle(
        path, [source()], root=counts(m2026_08=30), today=date(2027, 6, 1), recorded_at=NOW, set_by="x"
    )
    assert {one.quarter: one.contested for one in found} == {"2026Q3": "contained", "2026Q4": None}
    assert book.head(path) == before


def test_an_annulled_question_is_let_be_and_one_without_a_key_is_named(asked, counts, ledger):
    path, root = asked(), counts()
    question = next(one.id for one in book.questions(path, on=date(2027, 6, 1)) if one.quarter == Q3)
    book.resolve(
        path, question, "annulled", source="s", as_of="2026-12-01", reason="r", set_by="d", recorded_at=NOW
    )
    assert [quarter for quarter, _ in settled(path, root)] == ["2026Q4"]
    assert set(settled(ledger, root).values()) == {(None, None, False)}


def test_the_figures_of_one_theatre_do_not_answer_another_s_questions(asked, counts, record):
    path, root = asked(), counts(m2026_08=130)
    key = answer_key.written(rules(), [stream()], window_from="2025-01")
    other = record(run="other", title="Elsewhere", answer_key=key, timing="retrospective")
    book.append_forecast(path, other, issued_at="2026-06-30T12:00:00Z")
    found = settle(
        path, [source()], root=root, today=date(2027, 6, 1), recorded_at=NOW, set_by="x", theatre="Frontier"
    )
    assert [(one.quarter, one.outcome) for one in found] == [
        (Q3, "war"),
        (Q4, "contained"),
        (Q3, None),
        (Q4, None),
    ]
    assert "asked by “Elsewhere”" in found[-1].reason
    own = {one.id for one in book.questions(path, on=date(2027, 6, 1)) if one.theatre == "Frontier"}
    assert {answer.question for answer in book.answers(path)} == own
