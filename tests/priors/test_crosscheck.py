"""A set is held against the workspace it is for: unknown names, useless entries and gaps are refused."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import priors
from priors import Refusal, check, commonest, distribution, load, loads, side_of

WHY = 'because = "b"\nauthor = "a"\ndate = 2026-06-15\nsource = "s"\n'
ORDER = ("peace", "calm", "war")


@dataclass(frozen=True)
class Declared:
    """A stream as a workspace declares it."""

    family: str = "negative-binomial"
    level: str | None = "walk"
    effect: str = "free"


STREAMS = {
    "deaths": Declared(effect="increasing"),
    "days": Declared(level="constant"),
    "truce": Declared(family="bernoulli", level="constant"),
    "raids": Declared(family="zero-inflated-poisson", effect="none"),
    "index": Declared(family="gaussian"),
}
UNITS = {
    "dwell": "months",
    "effect": "times",
    "level": "n per month",
    "chance": "probability",
    "persist": "probability",
    "wander": "percent per month",
    "drift": "percent per month",
    "zero": "share",
}


def interval(key, low=None, high=None, more=""):
    kind = key.split(".")[0]
    unit = UNITS.get(kind, "times" if kind == "odds" else "percent")
    low, high = (0.2, 0.8) if low is None and unit in ("probability", "share") else (low or 2, high or 8)
    return (
        f'[{key}]\nkind = "interval"\nlow = {low}\nhigh = {high}\nmass = 0.9\nunit = "{unit}"\n{more}\n{WHY}'
    )


def shares(key, to, more=""):
    return f'[{key}]\nkind = "shares"\nto = {{ {to} }}\nworth = 6\n{more}\n{WHY}'


CALM = shares("exits.calm", "peace = 0.4, war = 0.6")
NEEDS = {"switching-level": ("dwell.calm",)}
USABLE = (
    "dwell.calm",
    "exits.calm",
    "exits.war",
    "effect.deaths.war",
    "effect.days.war",
    "level.index",
    "zero.raids",
)


def checked(*texts, needs=NEEDS, scenarios=ORDER, usable=USABLE):
    text = 'schema = 1\nname = "x"\n' + "\n".join(texts)
    check(
        loads(text, "priors.toml"),
        scenarios=scenarios,
        reference="calm",
        streams=STREAMS,
        drivers=("talks",),
        needs=needs,
        usable=usable,
    )


SOUND = (
    interval("dwell.calm"),
    CALM,
    interval("effect.deaths.war"),
    interval("effect.days.war", 0.5, 2),
    interval("zero.raids"),
    interval("level.index", -1, 1, 'family = "normal"'),
    shares("start", "peace = 0.2, calm = 0.8", 'never = ["war"]'),
    interval("odds.talks.leave.war"),
    interval("odds.talks.toward.calm.peace"),
)


def test_a_set_that_fits_is_accepted():
    checked(*SOUND)


AMISS = {
    "unknown scenario": (
        interval("dwell.clam"),
        "dwell.clam: got 'clam'; wanted a scenario of .*mean 'calm'",
    ),
    "unknown stream": (interval("effect.death.war"), "got 'death'; wanted a stream .* did you mean 'deaths'"),
    "unknown driver": (
        interval("odds.talk.leave.war"),
        "got 'talk'; wanted a driver .* did you mean 'talks'",
    ),
    "unknown exit of odds": (interval("odds.talks.toward.calm.pease"), "got 'pease'; wanted a scenario"),
    "unknown exit": (shares("exits.war", "peace = 0.4, clam = 0.6"), "exits.war.to: got 'clam'; .*'calm'"),
    "unknown never": (
        shares("exits.war", "peace = 0.4, calm = 0.6", 'never = ["xyz"]'),
        "exits.war.never: got 'xyz'; .* known: calm, peace",
    ),
    "a forgotten exit": (
        shares("exits.war", "peace = 1.0"),
        r"exits.war.to: got \['peace'\]; wanted a share for 'calm' too; .* never = \[\"calm\"\]",
    ),
    "a forgotten start": (shares("start", "peace = 0.5, calm = 0.5"), "start.to: .* a share for 'war' too"),
    "an effect of the reference": (interval("effect.deaths.calm"), "no effect of the reference.*take it out"),
    "an effect of none": (interval("effect.raids.war"), 'declares effect = "none"'),
    "an effect of yes or no": (interval("effect.truce.war"), "effect.truce.war: wanted chance.<stream>"),
    "a chance of counts": (interval("chance.deaths.war"), "no chance: the stream's family is negative-binom"),
    "persistence of counts": (interval("persist.deaths.on"), "no persist"),
    "a wander that stands still": (interval("wander.days"), "wander.days: .* forecast.toml"),
    "zeros of their own": (interval("zero.deaths"), "no zero: the stream's family is negative-binomial"),
    "spread of a Poisson": (interval("spread.raids"), "no spread: .* zero-inflated-poisson"),
    "a normal level of counts": (
        interval("level.deaths", more='family = "normal"'),
        "level.deaths.family: got 'normal'; wanted a family above zero: the stream counts",
    ),
    "the wrong side": (interval("effect.deaths.war", 0.5, 2), "low: got 0.5; wanted a number above 1"),
    "useless": (interval("pooling.fronts"), "pooling.fronts: wanted an entry that some model"),
    "a staying exit": (interval("odds.talks.toward.war.war"), "another scenario to go to"),
    "odds without exits": (interval("odds.talks.toward.war.peace"), "exits.war beside it"),
    "odds of the commonest": (interval("odds.talks.toward.calm.war"), "other than the commonest"),
}


@pytest.mark.parametrize(("text", "message"), AMISS.values(), ids=AMISS)
def test_an_entry_that_does_not_fit_is_refused(text, message):
    with pytest.raises(Refusal, match=message) as caught:
        checked(interval("dwell.calm"), CALM, text)
    assert str(caught.value).startswith("priors.toml: ")


def test_odds_of_an_exit_ruled_out_are_refused():
    exits = shares("exits.war", "calm = 1.0", 'never = ["peace"]')
    with pytest.raises(Refusal, match=r"got 'peace'; wanted an exit that exits\.war does not rule out"):
        checked(interval("dwell.calm"), exits, interval("odds.talks.toward.war.peace"))


def test_exits_of_two_scenarios_have_nothing_to_share():
    with pytest.raises(Refusal, match=r"exits\.calm: wanted an entry that some model"):
        checked(
            interval("dwell.calm"),
            shares("exits.calm", "war = 1.0"),
            scenarios=("calm", "war"),
            usable=("dwell.calm",),
        )


def test_a_gap_names_the_model_and_the_meaning():
    needs = {"switching-level": ("dwell.calm", "dwell.war", "spread.deaths", "wander.deaths")}
    message = (
        r"dwell.war and 2 more \(spread.deaths, wander.deaths…\): model 'switching-level' needs it; "
        r"add \[dwell.war\]: How long"
    )
    with pytest.raises(Refusal, match=message):
        checked(interval("dwell.calm"), needs=needs)


def test_the_commonest_exit_is_the_first_of_equals():
    said = loads('schema = 1\nname = "x"\n' + shares("exits.calm", "war = 0.5, peace = 0.5"), "x")[
        "exits.calm"
    ]
    assert commonest(said) == "war"


def test_the_frontier_set_fits_the_frontier():
    """Every entry has a law that honours it: intervals to the last digit, the rest within a tenth."""
    frontier = load(Path(priors.__file__).with_name("frontier.toml"))
    order = ("de-escalation", "contained", "regional-war")
    streams = {
        "deaths-pakistan": Declared(effect="free"),
        "deaths-afghanistan": Declared(),
        "attacks-pakistan": Declared(),
        "hostile-days": Declared(level="constant", effect="increasing"),
        "agreement": Declared(family="bernoulli", level="constant"),
    }
    check(
        frontier,
        scenarios=order,
        reference="contained",
        streams=streams,
        drivers={key.split(".")[1] for key in frontier if key.startswith("odds.")},
        needs={"switching-level": [key for key in frontier if key.split(".")[0] not in ("start", "odds")]},
        usable=(),
    )
    for key, said in frontier.items():
        side = None
        if key.startswith("effect."):
            _, stream, scenario = key.split(".")
            side = side_of(streams[stream].effect, scenario, scenarios=order, reference="contained")
        law = distribution(said, side=side)
        near = 1e-9 if said.kind == "interval" else 0.1
        for (_, asked), (_, got) in zip(law.asked, law.achieved, strict=True):
            assert got == pytest.approx(asked, rel=near)
