"""Every mistake in a prior file is told by file, entry, what came, what was wanted and what to do."""

import pickle
import re
from pathlib import Path

import pytest

from priors import Refusal, diff, load, loads, nearest
from priors.document import LARGEST

HEAD = 'schema = 1\nname = "x"\n'
WHO = 'author = "a"\ndate = 2026-06-15\nsource = "s"\n'
WHY = 'because = "b"\n' + WHO
SOUND = "kind = 'interval'\nlow = 3\nhigh = 18\nmass = 0.9\nunit = 'months'\n" + WHY


def interval(key="dwell.calm", *, low="3", high="18", mass="0.9", unit="months", more=""):
    said = f"kind = 'interval'\nlow = {low}\nhigh = {high}\nmass = {mass}\nunit = '{unit}'\n{more}\n"
    return f"{HEAD}[{key}]\n{said}{WHY}"


def shares(to, *, key="exits.calm", worth="6", more=""):
    return f"{HEAD}[{key}]\nkind = 'shares'\nto = {{ {to} }}\nworth = {worth}\n{more}\n{WHY}"


def entry(key, body):
    return f"{HEAD}[{key}]\n{body}\n{WHY}"


def pool(experts):
    return entry("odds.talks.leave.war", f"kind = 'pool'\nunit = 'times'\nexperts = [{experts}]")


CATALOGUE = {
    # the file
    "empty file": ("", "the file is empty"),
    "only blanks": ("\n \n", "the file is empty"),
    "not TOML": (HEAD + "[dwell.calm\n", r"line 3: got '\[dwell.calm'; wanted valid TOML"),
    "unclosed text": (HEAD + 'x = "abc\n', "line 3: .* valid TOML"),
    "NUL byte": (HEAD + "x = 'a\x00b'\n", r"line 3: got .*\\x00.* valid TOML"),
    "nested too deep": ("x = " + "[" * 100_000, "nested too deep"),
    "table twice": (
        HEAD + "[dwell.calm]\n" + SOUND + "[dwell.calm]\n",
        "line 13: got '\\[dwell.calm\\]'; wanted each table and each key once; .*remove one",
    ),
    "key twice": (interval(more="low = 4"), "line 9: got 'low = 4'.* each table and each key once"),
    "no entry": (HEAD, "at least one prior"),
    # its head
    "no schema": ('name = "x"\n', "schema: wanted schema = 1"),
    "schema as text": ('schema = "1"\n', "schema: got '1'"),
    "schema as truth": ("schema = true\n", "schema: got True"),
    "newer schema": (
        "schema = 2\nname = 'x'\n",
        "got 2; wanted schema = 1; needs scenariocast ≥ .* schema 2",
    ),
    "no name": ("schema = 1\n", "name: wanted a name"),
    "reason for all": (HEAD + "[defaults]\nbecause = 'b'\n", "defaults.because: .* each entry gives its own"),
    "unknown default": (HEAD + "[defaults]\nautor = 'b'\n", "defaults.autor: .* did you mean 'author'"),
    "default not a table": (HEAD + "defaults = 3\n", "defaults: got 3; wanted a table"),
    # keys
    "unknown quantity": (interval("dwel.calm"), "dwel.*: got 'dwel'; .* did you mean 'dwell'"),
    "a value where a table belongs": (
        HEAD + "[dwell]\nkind = 'interval'\n",
        r"dwell.kind \(line 4\): .*\[dwell.<scenario>\]",
    ),
    "key too long": (
        interval("persist.truce.on.x"),
        r"persist.truce.on.kind \(line 4\): wanted the kind of statement",
    ),
    "wrong word in a key": (interval("persist.truce.onn"), "got 'onn'; .* did you mean 'on'"),
    "wrong verb of odds": (interval("odds.talks.leaves.war"), "got 'leaves'; .* did you mean 'leave'"),
    "capital in an id": (interval("dwell.Calm"), r"dwell.Calm \(line 3\): got 'Calm'; wanted an id"),
    "Cyrillic in an id": (interval('dwell."с-alm"'), "wanted an id"),
    "id too long": (interval("dwell." + "a" * 42), "wanted an id"),
    "empty table": (
        HEAD + "[dwell]\n",
        r"dwell \(line 3\): wanted an entry in this table; write \[dwell.<scenario>\]",
    ),
    # what every statement carries
    "no kind": (entry("dwell.calm", "low = 3"), r"dwell.calm.kind \(line 3\): wanted the kind"),
    "unknown kind": (
        entry("dwell.calm", "kind = 'intervall'"),
        "got 'intervall'; .* did you mean 'interval'",
    ),
    "kind no text": (entry("dwell.calm", "kind = ['interval']"), "wanted the kind of statement"),
    "no reason": (
        HEAD + "[dwell.calm]\n" + SOUND.replace('because = "b"\n', ""),
        r"dwell.calm.because \(line 3\): wanted because = …; .* a prior without a reason is refused",
    ),
    "blank reason": (
        HEAD + "[dwell.calm]\n" + SOUND.replace('"b"', '"  "'),
        "dwell.calm.because.*: got '  '; wanted a text; say why",
    ),
    "no author": (
        HEAD + "[dwell.calm]\n" + SOUND.replace('author = "a"\n', ""),
        r"author.* under \[defaults\]",
    ),
    "no date": (
        HEAD + "[dwell.calm]\n" + SOUND.replace("date = 2026-06-15\n", ""),
        "dwell.calm.date.*defaults",
    ),
    "no source": (
        HEAD + "[dwell.calm]\n" + SOUND.replace('source = "s"\n', ""),
        "dwell.calm.source.*defaults",
    ),
    "quoted date": (
        HEAD + "[dwell.calm]\n" + SOUND.replace("2026-06-15", '"2026-06-15"'),
        "dwell.calm.date.* got '2026-06-15'; wanted a date .* without quotes",
    ),
    "a moment, not a day": (
        HEAD + "[dwell.calm]\n" + SOUND.replace("2026-06-15", "2026-06-15T10:00:00"),
        "dwell.calm.date.* without quotes or time",
    ),
    "a key too many": (interval(more="hihg = 3"), "got 'hihg'; .* kind \"interval\"; did you mean 'high'"),
    "its own key inside": (interval(more="quantity = 'dwell.war'"), "dwell.calm.quantity.* no such key"),
    # numbers
    "an average spell of ages": (
        interval(high="1e300"),
        r"dwell.calm.high .*got 1000.*; wanted at most 12,000",
    ),
    "a level beyond counting": (
        interval("level.deaths", high="2e7", unit="deaths per month"),
        "level.deaths.high .*wanted at most 10,000,000",
    ),
    "a percent beyond reason": (
        interval("wander.deaths", high="10001", unit="percent per month"),
        "wander.deaths.high .*wanted at most 10,000",
    ),
    "odds beyond reason": (
        interval("odds.talks.leave.war", high="1e7", unit="times"),
        "leave.war.high .*wanted at most 1,000,000",
    ),
    "odds next to nothing": (
        interval("odds.talks.leave.war", low="1e-7", unit="times"),
        "leave.war.low .*wanted at least 0.000001",
    ),
    "missing number": (
        entry("dwell.calm", "kind = 'interval'\nlow = 3"),
        "dwell.calm.high.* wanted high = …",
    ),
    "number as text": (interval(low="'1e-3'"), "got '1e-3'; wanted a finite number; .* without quotes"),
    "truth for a number": (interval(low="true"), "dwell.calm.low.*got True; wanted a finite number"),
    "not a number": (interval(low="nan"), "dwell.calm.low.*got nan; wanted a finite number"),
    "infinite": (interval(high="inf"), "dwell.calm.high.*got inf; wanted a finite number"),
    "beyond floats": (interval(high="1" + "0" * 400), "dwell.calm.high.* wanted a finite number"),
    "low above high": (
        interval(low="18", high="3"),
        "dwell.calm.low.*got 18; wanted a number below high = 3",
    ),
    "low equals high": (interval(low="3", high="3"), "wanted a number below high = 3"),
    "mass in percent": (
        interval(mass="90"),
        r"dwell.calm.mass \(line 7\): got 90; wanted a probability.*; write 0.9 for 90 %",
    ),
    "mass of one": (interval(mass="1.0"), "mass.* got 1; wanted a probability between 0 and 1"),
    "mass of zero": (interval(mass="0"), "mass.* got 0; wanted a probability"),
    "less than a month": (interval(low="0.5"), "got 0.5; wanted more than 1 month"),
    "exactly one month": (interval(low="1"), "got 1; wanted more than 1 month"),
    "months in quarters": (interval(unit="quarters"), "got 'quarters'; .* a quarter is three months"),
    "no unit": (entry("dwell.calm", "kind = 'interval'\nlow = 3\nhigh = 18\nmass = 0.9"), "dwell.calm.unit"),
    "level per year": (
        interval("level.deaths", unit="deaths per year"),
        'level.deaths.unit.*a unit such as "deaths per month"',
    ),
    "effect in percent": (
        interval("effect.deaths.war", unit="percent"),
        "got 'percent'; .* begins \"times\"",
    ),
    "effect of zero": (
        interval("effect.deaths.war", low="0", unit="times"),
        "got 0; wanted a number above 0",
    ),
    "negative percent": (interval("wander.deaths", low="-2", unit="percent per month"), "number above 0"),
    "percent of nothing": (interval("wander.deaths", unit="percent"), 'begins "percent per month"'),
    "loss beyond all": (interval("drift.deaths.war", low="-120", unit="percent per month"), "above -100"),
    "chance in percent": (
        interval("chance.truce.war", low="55", high="95", unit="probability"),
        "chance.truce.war.low.* got 55; .* write 0.55 for 55 %",
    ),
    "certain": (interval("persist.truce.on", low="0.7", high="1.0", unit="probability"), "both excluded"),
    "one spell of something else": (
        interval("level.deaths", unit="deaths per month", more="about = 'one spell'"),
        "level.deaths.about.* no `about` outside dwell",
    ),
    "about what": (
        interval(more="about = 'a spell'"),
        "dwell.calm.about.* 'the average spell' or 'one spell'",
    ),
    "worth of an average": (interval(more="worth = 5"), "dwell.calm.worth.* unless about"),
    "family of a spell": (interval(more="about = 'one spell'\nfamily = 'beta'"), "no family beside about"),
    "unfit family": (interval(more="family = 'normal'"), "dwell.calm.family.* a family for dwell"),
    "unknown family": (
        interval("level.deaths", unit="deaths per month", more="family = 'lognorml'"),
        "did you mean 'lognormal'",
    ),
    "two numbers for three": (
        interval("drift.d.war", unit="percent per month", more="family = 'studentt'"),
        'kind = "distribution"',
    ),
    # quartiles, chips
    "quartiles that fall": (
        entry("dwell.calm", "kind = 'quartiles'\nquartiles = [3, 9, 6]\nunit = 'months'"),
        "dwell.calm.quartiles.* three increasing numbers",
    ),
    "two quartiles": (
        entry("dwell.calm", "kind = 'quartiles'\nquartiles = [3, 9]\nunit = 'months'"),
        "dwell.calm.quartiles",
    ),
    "chips for edges": (
        entry("dwell.calm", "kind = 'chips'\nedges = [2, 3, 4]\nchips = [1, 2, 3]\nunit = 'months'"),
        "dwell.calm.chips.* between each two edges: 2 numbers",
    ),
    "negative chips": (
        entry("dwell.calm", "kind = 'chips'\nedges = [2, 3, 4]\nchips = [1, -2]\nunit = 'months'"),
        "no negative number of chips",
    ),
    "no chips": (
        entry("dwell.calm", "kind = 'chips'\nedges = [2, 3, 4]\nchips = [0, 0]\nunit = 'months'"),
        "at least one chip",
    ),
    "edges that fall": (
        entry("dwell.calm", "kind = 'chips'\nedges = [2, 2, 4]\nchips = [1, 2]\nunit = 'months'"),
        "dwell.calm.edges.* increasing numbers",
    ),
    "an edge out of bounds": (
        entry("dwell.calm", "kind = 'chips'\nedges = [0.5, 2, 4]\nchips = [1, 2]\nunit = 'months'"),
        r"dwell.calm.edges\[0\].* more than 1 month",
    ),
    # shares
    "shares of .99": (
        shares("war = 0.39, peace = 0.6"),
        "exits.calm.to.* got 0.99; wanted shares that add up to 1",
    ),
    "shares of 1.01": (shares("war = 0.41, peace = 0.6"), "got 1.01; wanted shares that add up to 1"),
    "shares in percent": (shares("war = 40, peace = 60"), "got 100; .* write 0.6 for 60 %"),
    "a negative share": (
        shares("war = -0.1, peace = 1.1"),
        "exits.calm.to.war.* got -0.1; wanted a share above 0",
    ),
    "a zero share": (shares("war = 0.0, peace = 1.0"), r'take it out of "to" and write never = \["war"\]'),
    "shared and never": (
        shares("war = 0.4, peace = 0.6", more="never = ['war']"),
        "exits.calm.never.* got 'war'",
    ),
    "an exit to itself": (shares("calm = 0.4, war = 0.6"), "got 'calm'; .* does not exit to itself"),
    "worth nothing": (shares("war = 1.0", worth="0"), "exits.calm.worth.* a number of cases above 0"),
    "worth below nothing": (shares("war = 1.0", worth="-1"), "exits.calm.worth.* got -1"),
    "no shares": (shares(""), "got 0; wanted shares that add up to 1"),
    "a unit of shares": (
        shares("war = 1.0", more="unit = 'percent'"),
        "got 'unit'; wanted a key of kind \"shares\"",
    ),
    "an interval of exits": (interval("exits.calm"), "got 'interval'; wanted kind = \"shares\""),
    "shares of a dwell": (shares("war = 1.0", key="dwell.calm"), 'wanted any kind but "shares"'),
    # written out, pooled
    "parameters amiss": (
        entry(
            "spread.d", "kind = 'distribution'\nfamily = 'gamma'\nparameters = { mu = 1 }\nunit = 'percent'"
        ),
        "spread.d.parameters.* wanted exactly alpha, beta",
    ),
    "parameter below zero": (
        entry(
            "spread.d",
            "kind = 'distribution'\nfamily = 'gamma'\nparameters = { alpha = -1, beta = 1 }\nunit = 'percent'",
        ),
        "spread.d.parameters.alpha.* got -1; wanted a number above 0",
    ),
    "sign of two": (
        entry(
            "effect.d.war",
            "kind = 'distribution'\nfamily = 'signed-lognormal'\nunit = 'times'\n"
            "parameters = { sign = 2, mu = 0, sigma = 1 }",
        ),
        "effect.d.war.parameters.sign.* got 2",
    ),
    "shift below a month": (
        entry(
            "dwell.war",
            "kind = 'distribution'\nfamily = 'shifted-lognormal'\nunit = 'months'\n"
            "parameters = { shift = 0, mu = 0, sigma = 1 }",
        ),
        "dwell.war.parameters.shift.* at least 1",
    ),
    "a pool of one": (
        pool("{ name = 'a', weight = 1, kind = 'interval', low = 1, high = 2, mass = 0.9 }"),
        "odds.talks.leave.war.experts.* at least 2",
    ),
    "the same expert twice": (
        pool("{ name = 'a', weight = 1, kind = 'interval', low = 1, high = 2, mass = 0.9 }, " * 2),
        "got 'a'; wanted each name once",
    ),
    "an expert without weight": (
        pool("{ name = 'a', weight = 0, kind = 'interval', low = 1, high = 2, mass = 0.9 }, " * 2),
        r"experts\[0\].weight.*got 0; wanted greater than 0",
    ),
    "an expert's mass": (
        pool("{ name = 'a', weight = 1, kind = 'interval', low = 1, high = 2, mass = 90 }, " * 2),
        r"experts\[0\].mass.*write 0.9 for 90 %",
    ),
    "an expert of another kind": (
        pool("{ name = 'a', weight = 1, kind = 'shares', to = { a = 1 } }, " * 2),
        r"experts\[0\].kind.* got 'shares'; wanted interval, quartiles or chips",
    ),
    "an expert out of bounds": (
        pool(
            "{ name = 'a', weight = 1, kind = 'interval', low = -1, high = 2, mass = 0.9 }, "
            "{ name = 'b', weight = 1, kind = 'interval', low = 1, high = 2, mass = 0.9 }"
        ),
        r"experts\[0\].low.* got -1; wanted a number above 0",
    ),
}


@pytest.mark.parametrize(("text", "message"), CATALOGUE.values(), ids=CATALOGUE)
def test_a_malformed_prior_file_is_refused_in_one_line(text, message):
    with pytest.raises(Refusal, match=message) as caught:
        loads(text, "priors.toml")
    told = str(caught.value)
    assert told.startswith("priors.toml: ")
    assert "\n" not in told
    assert told.isprintable()


def test_the_sound_form_of_the_catalogue_is_accepted():
    """Each case above differs from these in its one mistake only."""
    assert list(loads(HEAD + "[dwell.calm]\n" + SOUND, "x")) == ["dwell.calm"]
    assert list(loads(interval(), "x")) == ["dwell.calm"]
    assert list(loads(shares("war = 0.4, peace = 0.6"), "x")) == ["exits.calm"]
    two = [f"{{ name = '{n}', weight = 1, kind = 'interval', low = 1, high = 2, mass = 0.9 }}" for n in "ab"]
    assert list(loads(pool(", ".join(two)), "x")) == ["odds.talks.leave.war"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ('schema = 1\nname = "señal"\n'.encode("latin-1"), "line 2: got .*; wanted text in UTF-8"),
        ('schema = 1\nname = "x"\n'.encode("utf-16"), "line 1: got .*; save the file again as UTF-8"),
        (b"", "the file is empty"),
        (b"#" * (LARGEST + 1), f"wanted at most {LARGEST} bytes"),
    ],
    ids=["latin-1", "utf-16", "empty", "too large"],
)
def test_a_file_that_holds_no_text_is_refused(tmp_path, raw, message):
    path = tmp_path / "priors.toml"
    path.write_bytes(raw)
    with pytest.raises(Refusal, match=message):
        load(path)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path):
    text = interval()
    path = tmp_path / "priors.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode("utf-8"))
    assert diff(load(path), loads(text, "x")) == ()


def test_a_file_that_is_not_there_is_named_as_it_was_given(tmp_path):
    with pytest.raises(Refusal, match="no such file") as caught:
        load("nowhere/priors.toml")
    assert str(caught.value).startswith("nowhere/priors.toml: ")
    with pytest.raises(Refusal, match="directory"):
        load(Path(tmp_path))


def test_a_message_escapes_what_a_terminal_would_obey_and_cuts_what_is_long():
    told = str(Refusal(file="a\x1b[31m", where="b", got="\x1b]0;x\x07" + "y" * 1000, wanted="c"))
    assert told.isprintable()
    assert len(told) < 200


def test_absent_parts_leave_no_trace():
    assert str(Refusal(file="f", remedy="r")) == "f: r"
    assert str(Refusal(where="w", got=3, wanted="x")) == "w: got 3; wanted x"


def test_a_refusal_comes_back_from_another_process_unchanged():
    told = Refusal(file="f", where="w", got="g" * 200, wanted="x", remedy="r")
    assert str(pickle.loads(pickle.dumps(told))) == str(told)


def test_the_nearest_name_is_offered_or_what_is_known():
    assert nearest("contaned", ["contained", "regional-war"]) == "did you mean 'contained'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert re.search("and 8 more", nearest("zzz", [f"name{i}" for i in range(20)]))
    assert nearest("zzz", []) == "none is known"
