"""A question is a theatre's own: neither another's, nor one on other figures, is answered by what came of it."""

import json
from datetime import date

import pytest

from forecast import ledger as book
from forecast.ledger.store import append, open_ledger, transaction
from forecast.record.standing import change, track
from forecast.skill import honesty_of, passages
from priors.refusal import Refusal

AT = "2026-06-30T12:00:00Z"
AFTER = {
    "source": "s",
    "reason": "r",
    "set_by": "d",
    "as_of": "2027-08-01",
    "recorded_at": "2027-08-02T00:00:00Z",
}
KEY = {
    "rules": {"scenario": [{"id": "calm"}, {"id": "contained"}, {"id": "war"}]},
    "streams": [
        {
            "id": "deaths",
            "source": "counts",
            "where": {"country": ["Mali"]},
            "measure": "best",
            "level": "walk",
        }
    ],
    "window_from": "2020-01",
}


def measuring(**changes):
    """The answer key with something else measured."""
    return {**KEY, "streams": [{**KEY["streams"][0], **changes}]}


def issue(path, record, run, key=KEY, **changes):
    """Append a forecast and give back its text."""
    text = record(run=run, answer_key=key, **changes)
    book.append_forecast(path, text, issued_at=changes.get("issued_at", AT))
    return json.loads(text)


def asked(path):
    return [(one.quarter, one.theatre) for one in book.questions(path, on=date.max)]


def ids(path, theatre):
    return [one.id for one in book.questions(path, on=date.max) if one.theatre == theatre]


def scored(path):
    return {(one.run, one.quarter): one.outcome for one in book.track_record(path)}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Niger"},
        {"key": measuring(where={"country": ["Niger"]})},
        {"key": measuring(source="acled")},
        {"key": measuring(masks=[{"months": ["2025-05"]}])},
        {"key": {**KEY, "window_from": "2021-01"}},
        {"key": {**KEY, "rules": {**KEY["rules"], "release": "annual"}}},
    ],
    ids=["title", "filter", "source", "mask", "window", "rules"],
)
def test_the_same_rules_ask_another_question_of_another_theatre_or_on_other_figures(
    tmp_path, record, changes
):
    path = tmp_path / "ledger.sqlite"
    issue(path, record, "mali", title="Mali")
    issue(path, record, "niger", **{"title": "Mali", **changes})
    first, _, *others = [one.id for one in book.questions(path, on=date.max)]
    assert len(others) == 2
    book.resolve(path, first, "war", **AFTER)
    book.resolve(path, others[0], "calm", **AFTER)
    assert scored(path) == {("mali", "2026Q3"): "war", ("niger", "2026Q3"): "calm"}
    assert book.verify(path).ok


def test_what_is_only_modelled_otherwise_is_asked_once(tmp_path, record):
    path = tmp_path / "ledger.sqlite"
    issue(path, record, "first", title="Mali")
    head = book.head(path)
    issue(path, record, "second", measuring(level="constant", effect="free"), title="Mali")
    assert book.head(path).count == head.count + 1
    book.resolve(path, ids(path, "Mali")[0], "war", **AFTER)
    assert scored(path) == {("first", "2026Q3"): "war", ("second", "2026Q3"): "war"}


def test_a_question_asked_under_an_earlier_version_s_id_is_found_again(tmp_path, record):
    path = tmp_path / "ledger.sqlite"
    issue(path, record, "first", title="Mali")
    old = tmp_path / "old.sqlite"
    with open_ledger(old, write=True) as connection, transaction(connection):
        for row in book.entries(path):
            payload, subject = row.payload, row.subject
            if row.kind == "question":
                subject = f"{subject[:6]}-abababab"
                payload = json.dumps({**json.loads(payload), "id": subject})
            append(
                connection,
                kind=row.kind,
                subject=subject,
                created_at=AT,
                regards=row.regards,
                payload=payload,
            )
    issue(old, record, "second", title="Mali")
    issue(old, record, "other", title="Niger")
    assert ids(old, "Mali") == ["2026Q3-abababab", "2026Q4-abababab"]
    book.resolve(old, "2026Q3-abababab", "war", **AFTER)
    assert scored(old) == {("first", "2026Q3"): "war", ("second", "2026Q3"): "war"}
    assert book.verify(old).ok


def test_rules_in_words_alone_cannot_tell_two_theatres_apart_and_are_refused(tmp_path, record):
    path = tmp_path / "ledger.sqlite"
    issue(path, record, "mali", key=None, title="Mali")
    before = book.head(path)
    with pytest.raises(Refusal, match=r"got 'Niger: to which scenario will 2026Q3 resolve.*another --output"):
        issue(path, record, "niger", key=None, title="Niger")
    assert book.head(path) == before


def test_a_record_speaks_of_its_own_theatre_and_neither_sets_the_other_s_forecasts_aside(tmp_path, record):
    path = tmp_path / "ledger.sqlite"
    more = {"current_quarter": None, "resolved_history": [], "first_passage": {
        "war": [{"quarter": quarter, "mean": 0.2} for quarter in ("2026Q3", "2026Q4")]
    }}  # fmt: skip
    mali = issue(path, record, "mali", title="Mali", **more)
    niger = issue(path, record, "niger", title="Niger", **more)
    for theatre, outcome in (("Mali", "war"), ("Niger", "calm")):
        book.resolve(path, ids(path, theatre)[0], outcome, **AFTER)
    for forecast, outcome in ((mali, "war"), (niger, "calm")):
        found = honesty_of(path, forecast)
        assert (found.scored, found.set_aside) == (1, 0)
        assert found.means[1]["brier"] == pytest.approx(0.78 if outcome == "war" else 0.98)
        assert [(one["run"], one["resolved"]) for one in track(path, forecast)["past"]] == [
            (forecast["run"], outcome)
        ]
        (one,) = passages(path, theatre=forecast["title"])
        assert (one.run, one.came) == (forecast["run"], outcome == "war")
    assert change(path, {**mali, "title": "Chad"}) is None
    assert len(passages(path)) == 2


def test_two_countries_of_one_title_are_told_apart_by_their_figures(tmp_path, record):
    """Revisions change some months; another country's figures are others in most."""
    path = tmp_path / "ledger.sqlite"
    months = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]

    def seen(changed):
        cells = [{"month": month, "observed": 10.0 + (i < changed)} for i, month in enumerate(months)]
        return {"deaths": [*cells, {"month": "2026-01", "observed": None}]}

    issue(path, record, "first", title="counts", streams=seen(0))
    issue(path, record, "revised", title="counts", streams=seen(11))
    before = book.head(path)
    told = r"11 of 24 are those .* a title of its own in forecast.toml, or another --output"
    with pytest.raises(Refusal, match=told):
        issue(path, record, "another", title="counts", streams=seen(13))
    assert book.head(path) == before
    issue(path, record, "another", title="counts of another", streams=seen(13))
