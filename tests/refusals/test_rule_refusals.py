"""Every mistake in `scenarios.toml` is told by file, place, what stood there and what to write instead."""

import copy
import datetime
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.rules import check_streams, parse, resolve
from forecast.streams import StreamDefinition
from priors.refusal import Refusal

type Document = dict[str, Any]

SOUND: Document = {
    "schema": 1,
    "reference": "usual",
    "precedence": ["war", "calm"],
    "scenario": [
        {
            "id": "calm",
            "title": "Calm",
            "resolves": {"all": [{"stream": "deaths", "take": "sum", "at_most": 3}]},
            "because": "Nobody flees.",
            "author": "desk",
            "date": datetime.date(2020, 1, 1),
        },
        {"id": "usual", "title": "As usual"},
        {
            "id": "war",
            "title": "War",
            "resolves": {
                "any": [
                    {"stream": "deaths", "take": "max", "at_least": 100},
                    {
                        "all": [
                            {"stream": "deaths", "take": "max", "at_least": 50},
                            {"sum": ["clashes", "strikes"], "take": "last", "at_least": 3},
                        ]
                    },
                ]
            },
            "because": "Airports close.",
            "author": "desk",
            "date": datetime.date(2020, 1, 1),
        },
    ],
}


def war(d: Document) -> Document:
    found: Document = d["scenario"][2]
    return found


def first(d: Document) -> Document:
    found: Document = war(d)["resolves"]["any"][0]
    return found


def nested(d: Document) -> Document:
    found: Document = war(d)["resolves"]["any"][1]
    return found


def change(table: Callable[[Document], Document], **values: Any) -> Callable[[Document], object]:
    return lambda d: table(d).update(values)


def whole(d: Document) -> Document:
    return d


def drop(table: Callable[[Document], Document], key: str) -> Callable[[Document], object]:
    return lambda d: table(d).pop(key)


CASES: dict[str, tuple[Callable[[Document], object], str]] = {
    "unknown key in a condition": (
        change(first, at_leest=3),
        r"scenario 'war'\.resolves\.any\[0\]\.at_leest: got 'at_leest'.*did you mean 'at_least'\?",
    ),
    "unknown key deep in a rule": (
        change(nested, samemonth=True),
        r"any\[1\]\.samemonth.*did you mean 'same_month'\?",
    ),
    "unknown key in a scenario": (change(war, resolve={}), r"scenario 'war'\.resolve:.*did you mean 'resolves'\?"),
    "unknown key in the file": (change(whole, refrence="war"), r"refrence:.*did you mean 'reference'\?"),
    "a reason shared by all rules": (
        change(whole, defaults={"because": "x"}),
        r"defaults\.because.*known: author, date, source",
    ),
    "both thresholds": (change(first, at_most=3), r"any\[0\]: got 'at_least and at_most'; wanted either"),
    "no threshold": (drop(first, "at_least"), r"got 'neither at_least nor at_most'"),
    "stream and sum": (change(first, sum=["a", "b"]), r"got 'stream and sum'; wanted either stream or sum"),
    "neither stream nor sum": (drop(first, "stream"), r"got 'neither stream nor sum'"),
    "a sum of one": (lambda d: nested(d)["all"][1].update(sum=["clashes"]), r"sum: .*wanted at least two streams"),
    "a stream twice in a sum": (
        lambda d: nested(d)["all"][1].update(sum=["clashes", "clashes"]),
        r"each stream once in a sum",
    ),
    "no take": (drop(first, "take"), r"any\[0\]\.take: wanted this key; it is missing"),
    "unknown take": (change(first, take="maximum"), r"got 'maximum'; wanted max \| mean \| sum \| last; did you mean"),
    "unknown times": (change(first, times="trailing-6"), r"got 'trailing-6'; wanted trailing-12"),
    "unknown window": (change(first, window="year"), r"got 'year'; wanted quarter \| two-quarters"),
    "threshold as text": (change(first, at_least="100"), r"at_least: got '100'; wanted a number"),
    "threshold as yes": (change(first, at_least=True), r"at_least: got True; wanted a number"),
    "threshold without end": (change(first, at_least=float("inf")), r"got inf; wanted a finite number"),
    "empty any": (change(war, resolves={"any": []}), r"any: got \[\]; wanted at least one condition"),
    "empty all": (change(nested, all=[]), r"any\[1\]\.all: got \[\]; wanted at least one condition"),
    "all beside any": (change(nested, any=[]), r"all and any do not stand side by side"),
    "same month in an any": (
        lambda d: war(d)["resolves"].update(same_month=True),
        r"same_month.*nest it",
    ),
    "a rule that is a number": (change(war, resolves=3), r"resolves: got 3; wanted a condition"),
    "a bare condition": (
        change(war, resolves={"stream": "deaths", "take": "max", "at_least": 3}),
        r"got 'a bare condition'; wanted resolves = \{ all",
    ),
    "two windows in one month": (
        lambda d: (nested(d).update(same_month=True), nested(d)["all"][0].update(window="two-quarters")),
        r"wanted one window for all conditions of a same_month rule",
    ),
    "no reason": (drop(war, "because"), r"scenario 'war': wanted because beside the rule"),
    "no author, no date": (
        lambda d: (war(d).pop("author"), war(d).pop("date")),
        r"wanted author and date beside the rule",
    ),
    "an empty reason": (change(war, because="  "), r"because.*words, not an empty text"),
    "a date in quotes": (change(war, date="2020-01-01"), r"got '2020-01-01'; wanted a date .* without quotes"),
    "no remainder": (
        lambda d: d["scenario"][1].update({k: v for k, v in war(d).items() if k not in ("id", "title")}),
        r"got '0 of them'; wanted exactly one scenario without a rule",
    ),
    "two remainders": (drop(war, "resolves"), r"got '2 of them: usual, war'"),
    "one scenario": (lambda d: d.update(scenario=[d["scenario"][1]]), r"wanted at least two scenarios"),
    "an id twice": (lambda d: war(d).update(id="calm"), r"got 'calm'; wanted each scenario id once"),
    "an id that differs by case": (change(war, id="Calm"), r"scenario 'Calm'\.id: got 'Calm'; wanted an id: a small"),
    "a title twice, by case": (change(war, title="CALM"), r"got 'calm'; wanted each scenario title once"),
    "no id": (drop(war, "id"), r"scenario number 3\.id: wanted this key"),
    "unknown reference": (change(whole, reference="usul"), r"reference: got 'usul'.*did you mean 'usual'\?"),
    "unknown in the precedence": (
        change(whole, precedence=["wor", "calm"]),
        r"precedence: got 'wor'.*did you mean 'war'\?",
    ),
    "twice in the precedence": (change(whole, precedence=["war", "war", "calm"]), r"got 'war'; wanted each scenario once"),
    "missing in the precedence": (change(whole, precedence=["war"]), r"precedence.*calm is missing"),
    "the remainder in the precedence": (
        change(whole, precedence=["war", "calm", "usual"]),
        r"got 'usual'.*leave the remainder out",
    ),
    "one bracket": (lambda d: d.update(scenario=d["scenario"][0]), r"scenario: .*write \[\[scenario\]\] with two"),
    "a scenario that is no table": (lambda d: d["scenario"].append(3), r"scenario number 4: got 3; wanted a table"),
    "unknown release": (change(whole, release="last"), r"release: got 'last'; wanted first \| annual"),
    "a flag in words": (change(whole, ordinal="yes"), r"ordinal: got 'yes'; wanted true or false"),
    "a newer file": (change(whole, schema=2), r"schema: got 2; wanted at most 1;.*newer scenariocast"),
    "no schema": (drop(whole, "schema"), r"schema: wanted this key"),
    "an escape sequence": (change(war, id="\x1b[31mwar"), r"scenario '\\x1b\[31mwar'\.id"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_refused_by_name(case: str) -> None:
    spoil, message = CASES[case]
    document = copy.deepcopy(SOUND)
    spoil(document)
    with pytest.raises(Refusal, match=rf"^scenarios\.toml: .*{message}") as refused:
        parse(document, file="scenarios.toml")
    assert refused.value.file == "scenarios.toml"
    assert str(refused.value).isprintable()


def test_the_sound_document_is_accepted() -> None:
    rules = parse(SOUND, file="scenarios.toml")
    assert rules.ids == ("calm", "usual", "war")
    assert rules.remainder == "usual"
    assert rules.streams == ("deaths", "clashes", "strikes")


def stream(name: str, family: str = "negative-binomial") -> StreamDefinition:
    return StreamDefinition(id=name, source="s", measure="value", family=family, effect="free")  # type: ignore[arg-type]


def test_an_unknown_stream_is_refused_with_the_nearest() -> None:
    rules = parse(SOUND, file="scenarios.toml")
    known = [stream("deaths"), stream("clashes"), stream("strike")]
    with pytest.raises(
        Refusal, match=r"scenario 'war'\.resolves: got 'strikes'; wanted a stream; did you mean 'strike'\?"
    ):
        check_streams(rules, known, file="scenarios.toml")


@pytest.mark.parametrize(("bound", "value"), [("at_least", 0), ("at_least", -1), ("at_most", -0.5)])
def test_a_threshold_that_decides_nothing_is_refused_for_counts(bound: str, value: float) -> None:
    document = copy.deepcopy(SOUND)
    document["scenario"] = document["scenario"][:2]
    document["precedence"] = ["calm"]
    document["scenario"][0]["resolves"] = {"all": [{"stream": "deaths", "take": "mean", bound: value}]}
    rules = parse(document, file="scenarios.toml")
    check_streams(rules, [stream("deaths", "gaussian")], file="scenarios.toml")
    with pytest.raises(Refusal, match=rf"got '{bound} = .*wanted (at least|more than) 0"):
        check_streams(rules, [stream("deaths")], file="scenarios.toml")


def counted(name: str, measure: str, family: str = "poisson") -> StreamDefinition:
    return StreamDefinition(id=name, source="s", measure=measure, family=family, effect="free")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "most"),
    [
        ({"stream": "truce", "take": "max"}, 1),
        ({"stream": "truce", "take": "sum"}, 3),
        ({"stream": "truce", "take": "sum", "window": "two-quarters"}, 6),
        ({"stream": "fire", "take": "last"}, 31),
        ({"stream": "fire", "take": "sum"}, 93),
        ({"sum": ["fire", "truce"], "take": "mean"}, 32),
        ({"sum": ["fire", "truce"], "take": "sum"}, 96),
    ],
)
def test_a_threshold_out_of_the_reach_of_its_window_is_refused(condition: Document, most: float) -> None:
    """At most a month's days, once for each month of a sum; a multiple of a baseline has no such end."""
    known = [counted("fire", "days"), counted("truce", "in-force", "bernoulli"), counted("deaths", "best")]

    def check(**more: object) -> None:
        document = copy.deepcopy(SOUND)
        document["scenario"] = document["scenario"][:2]
        document["precedence"] = ["calm"]
        document["scenario"][0]["resolves"] = {"all": [condition | more]}
        check_streams(parse(document, file="scenarios.toml"), known, file="scenarios.toml")

    check(at_least=most)
    check(at_most=most - 0.5)
    check(at_least=most + 1, times="trailing-12")
    with pytest.raises(Refusal, match=rf"got 'at_least = {most + 0.5:g}'; wanted at most {most}: "):
        check(at_least=most + 0.5)
    with pytest.raises(Refusal, match=rf"got 'at_most = {most}'; wanted less than {most}: "):
        check(at_most=most)
    free = (
        {**condition, "stream": "deaths"}
        if "stream" in condition
        else {**condition, "sum": ["fire", "deaths"]}
    )
    condition = free
    check(at_least=1e6)


def test_author_and_date_may_stand_once_for_a_file() -> None:
    document: Document = tomllib.loads(
        """
        schema = 1
        reference = "calm"
        precedence = ["war"]
        [defaults]
        author = "desk"
        date = 2020-01-01
        [[scenario]]
        id = "calm"
        title = "Calm"
        [[scenario]]
        id = "war"
        title = "War"
        resolves = { any = [{ stream = "deaths", take = "max", at_least = 3 }] }
        because = "Airports close."
        known_from = 2020-02-01
        """
    )
    rules = parse(document, file="scenarios.toml")
    assert (rules["war"].author, rules["war"].known) == ("desk", datetime.date(2020, 2, 1))
    assert rules["calm"].author is None


def test_a_panel_without_the_stream_and_a_panel_with_a_gap_are_refused() -> None:
    rules = parse(SOUND, file="scenarios.toml")
    panel = xr.DataArray(
        np.zeros((3, 3)),
        dims=("stream", "month"),
        coords={"stream": ["deaths", "clash", "strikes"], "month": ["2020-01", "2020-02", "2020-03"]},
    )
    with pytest.raises(Refusal, match=r"got 'clashes'; wanted a stream of the panel; did you mean 'clash'\?"):
        resolve(rules, panel, window_end="2020-03")
    gap = panel.assign_coords(month=["2020-01", "2020-02", "2020-04"])
    with pytest.raises(Refusal, match="wanted consecutive months"):
        resolve(rules, gap, window_end="2020-04")
    with pytest.raises(Refusal, match="got 'March 2020'; wanted a month"):
        resolve(rules, panel, window_end="March 2020")
