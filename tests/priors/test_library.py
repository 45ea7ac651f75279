"""A prior file is read into a frozen mapping; two of them differ in what they say, not in how."""

import pickle
import re
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

import priors
from priors import GRAMMAR, Interval, Refusal, Shares, diff, dumps, load, loads, names_in, quantity_of

HEAD = 'schema = 1\nname = "x"\n'
WHY = 'because = "b"\nauthor = "a"\ndate = 2026-06-15\nsource = "s"\n'
DWELL = f'{HEAD}[dwell.calm]\nkind = "interval"\nlow = 3\nhigh = 18\nmass = 0.9\nunit = "months"\n{WHY}'
EXITS = f'[exits.calm]\nkind = "shares"\nto = {{ war = 0.6, peace = 0.4 }}\nworth = 6\n{WHY}'


def test_a_set_is_a_mapping_from_dotted_keys_to_statements(tmp_path):
    path = tmp_path / "priors.toml"
    path.write_text(DWELL + EXITS, encoding="utf-8", newline="")
    read = load(path)
    assert (read.name, read.source, list(read)) == ("x", str(path), ["dwell.calm", "exits.calm"])
    dwell = read["dwell.calm"]
    assert isinstance(dwell, Interval)
    assert (dwell.quantity, dwell.low, dwell.unit, dwell.known_from) == (
        "dwell.calm",
        3,
        "months",
        date(2026, 6, 15),
    )
    assert isinstance(read["exits.calm"], Shares)


def test_a_statement_cannot_be_changed():
    said = loads(DWELL, "x")["dwell.calm"]
    with pytest.raises(ValidationError, match="frozen"):
        said.low = 4.0


def test_a_set_reaches_another_process_unchanged():
    read = loads(DWELL + EXITS, "x")
    assert pickle.loads(pickle.dumps(read)) == read


def test_author_date_and_source_may_be_given_once_and_overruled():
    body = DWELL.replace(WHY, 'because = "b"\nauthor = "c"\n')
    text = body.replace(HEAD, f'{HEAD}[defaults]\nauthor = "a"\ndate = 2026-06-15\nsource = "s"\n')
    said = loads(text, "x")["dwell.calm"]
    assert (said.author, said.source, said.date) == ("c", "s", date(2026, 6, 15))
    assert loads(text.replace('author = "c"\n', ""), "x").fingerprint == loads(DWELL, "x").fingerprint


def test_known_from_may_be_later_or_earlier_than_the_date():
    assert loads(f"{DWELL}known_from = 2024-01-01\n", "x")["dwell.calm"].known_from == date(2024, 1, 1)


def test_the_fingerprint_of_a_file_does_not_move_between_versions():
    """A ledger holds these: a change of canonical form would make every old forecast look edited."""
    assert loads(DWELL + EXITS, "x").fingerprint == (
        "455467d1fe9431dd5cdb923ad67389d8ef571f3c6bba72042ccf94cd78946e5b"
    )


def test_whole_numbers_and_layout_do_not_count():
    other = DWELL.replace("low = 3", "low = 3.0  # months").replace("\n[dwell.calm]", "\n\n[ dwell . calm ]")
    assert loads(other, "y") == loads(DWELL, "x")
    assert diff(loads(other, "y"), loads(DWELL, "x")) == ()


def test_a_difference_names_entries_and_fields():
    a, b = loads(DWELL, "a"), loads(DWELL.replace("low = 3", "low = 4") + EXITS, "b")
    changed, added = diff(a, b)
    assert (changed.key, changed.change) == ("dwell.calm", "changed")
    assert [(f.field, f.before, f.after) for f in changed.fields] == [("low", 3, 4)]
    assert (added.key, added.change, added.before, added.after) == (
        "exits.calm",
        "added",
        None,
        b["exits.calm"],
    )
    assert [change.change for change in diff(b, a)] == ["changed", "removed"]


def test_another_kind_differs_in_every_field_of_its_own():
    quartiles = DWELL.replace("interval", "quartiles").replace(
        "low = 3\nhigh = 18\nmass = 0.9", "quartiles = [4, 7, 10]"
    )
    (change,) = diff(loads(DWELL, "a"), loads(quartiles, "b"))
    fields = {f.field: (f.before, f.after) for f in change.fields}
    assert fields["kind"] == ("interval", "quartiles")
    assert fields["mass"] == (0.9, None)
    assert fields["quartiles"] == (None, (4, 7, 10))


def test_every_kind_survives_being_written_out():
    text = f"""{DWELL}{EXITS}
[wander.deaths]
kind = "quartiles"
quartiles = [2, 4, 8]
unit = "percent per month"
{WHY}
[season.deaths]
kind = "chips"
edges = [5, 10, 20]
chips = [1, 3]
unit = "percent"
{WHY}
[spread.deaths]
kind = "distribution"
family = "gamma"
parameters = {{ alpha = 2, beta = 0.1 }}
unit = "percent of the mean"
{WHY}
[odds.talks.leave.war]
kind = "pool"
unit = "times the odds"
experts = [
    {{ name = "a", weight = 2, kind = "interval", low = 1.5, high = 8, mass = 0.9 }},
    {{ name = "b", weight = 1, kind = "chips", edges = [0.5, 1, 2], chips = [2, 8] }},
]
{WHY}"""
    read = loads(text, "x")
    assert len({said.kind for said in read.values()}) == 6
    assert loads(dumps("x", read.values()), "y") == read


def test_every_pattern_of_the_grammar_is_recognised_by_its_own_example():
    for quantity in GRAMMAR:
        key = re.sub("<(.*?)>", r"\1", quantity.pattern)
        assert quantity_of(key) is quantity
        roles = re.findall("<(.*?)>", quantity.pattern)
        assert names_in(key) == {role: role for role in roles}


def test_a_key_outside_the_grammar_is_refused():
    with pytest.raises(Refusal, match=r"dwel\.calm: wanted the key of a quantity; did you mean 'dwell'"):
        quantity_of("dwel.calm")
    with pytest.raises(Refusal, match=r"write \[effect.<stream>.<scenario>\]"):
        quantity_of("effect.deaths")


def test_the_frontier_speaks_for_every_entry():
    frontier = load(Path(priors.__file__).with_name("frontier.toml"))
    assert frontier.name == "frontier"
    assert len(frontier) == 57
    assert all(len(said.because) > 40 for said in frontier.values())
