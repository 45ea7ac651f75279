"""A prior set fits a workspace when every entry is about something in it, and nothing a model needs is missing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from priors.elicit import check_side, side_of
from priors.quantities import names_in, quantity_of
from priors.refusal import Refusal, nearest
from priors.statement import PriorSet, Shares, Statement


class StreamFacts(Protocol):
    """What of a stream decides which beliefs about it make sense."""

    @property
    def family(self) -> str:
        """Emission family, such as "negative-binomial"."""

    @property
    def level(self) -> str | None:
        """How the level moves: "walk", "constant" or None."""

    @property
    def effect(self) -> str:
        """Direction over the scenarios: "increasing", "decreasing", "free" or "none"."""


def check(
    priors: PriorSet,
    *,
    scenarios: Sequence[str],
    reference: str,
    streams: Mapping[str, StreamFacts],
    drivers: Iterable[str],
    needs: Mapping[str, Iterable[str]],
    usable: Iterable[str],
) -> None:
    """Refuse a set that names what the workspace has not, says what nothing can use, or lacks what a model needs.

    Args:
        priors: the set.
        scenarios: ids in their order, calmest first.
        reference: the scenario that effects are stated against.
        streams: what is declared of each stream, by id.
        drivers: ids of every declared driver, what-if drivers included.
        needs: by model used, the keys it cannot do without.
        usable: every key that some model of the catalogue can use; ``start`` and the odds of declared
            drivers are added to it.

    Raises:
        Refusal: naming the entry, or the model and the entry it misses.
    """
    known = {"scenario": tuple(scenarios), "stream": tuple(streams), "driver": tuple(drivers)}
    known |= {"from": known["scenario"], "to": known["scenario"]}
    needs = {model: tuple(keys) for model, keys in needs.items()}
    can_use = {"start", *usable, *(key for keys in needs.values() for key in keys)}
    for key, said in priors.items():
        names = names_in(key)
        for role, name in names.items():
            if name not in known[role]:
                kind = "scenario" if role in ("from", "to") else role
                remedy = nearest(name, known[role])
                raise _refusal(priors, key, got=name, wanted=f"a {kind} of this workspace", remedy=remedy)
        if isinstance(said, Shares):
            _check_shares(priors, key, said, scenarios)
        elif "driver" in names:
            _check_odds(priors, key, names)
            continue
        elif "stream" in names:
            _check_stream(priors, key, streams[names["stream"]])
        if quantity_of(key).name == "effect":
            _check_effect(priors, key, said, streams[names["stream"]], scenarios, reference)
        if key not in can_use:
            raise _refusal(
                priors,
                key,
                wanted="an entry that some model, lever or what-if driver can use",
                remedy=f"take it out, or {nearest(key, can_use - set(priors))}",
            )
    for model, keys in needs.items():
        if missing := [key for key in keys if key not in priors]:
            more = f" and {len(missing) - 1} more ({', '.join(missing[1:4])}…)" if len(missing) > 1 else ""
            raise Refusal(
                file=priors.source,
                wanted=f"{missing[0]}{more}: model {model!r} needs it",
                remedy=f"add [{missing[0]}]: {quantity_of(missing[0]).meaning}",
            )


def _refusal(
    priors: PriorSet, key: str, *, wanted: str, got: object = None, remedy: str | None = None
) -> Refusal:
    return Refusal(file=priors.source, where=key, got=got, wanted=wanted, remedy=remedy)


def _check_shares(priors: PriorSet, key: str, said: Shares, scenarios: Sequence[str]) -> None:
    """Every alternative has a share or is ruled out, and nothing else stands there."""
    others = [name for name in scenarios if name != names_in(key).get("scenario")]
    for field, named in (("to", said.to), ("never", said.never)):
        for name in named:
            if name not in others:
                raise _refusal(
                    priors,
                    f"{key}.{field}",
                    got=name,
                    wanted="a scenario of this workspace",
                    remedy=nearest(name, others),
                )
    if missing := [name for name in others if name not in said.to and name not in said.never]:
        raise _refusal(
            priors,
            f"{key}.to",
            got=sorted(said.to),
            wanted=f"a share for {missing[0]!r} too",
            remedy=f'if it cannot happen, write never = ["{missing[0]}"]',
        )


def _check_odds(priors: PriorSet, key: str, names: Mapping[str, str]) -> None:
    """Odds of an exit are stated against the row's commonest exit, which therefore has none of its own."""
    if "to" not in names:
        return
    if names["from"] == names["to"]:
        raise _refusal(priors, key, got=names["to"], wanted="another scenario to go to")
    exits = priors.get(f"exits.{names['from']}")
    if not isinstance(exits, Shares):
        raise _refusal(priors, key, wanted=f"exits.{names['from']} beside it", remedy="state the exits first")
    if names["to"] in exits.never:
        raise _refusal(
            priors, key, got=names["to"], wanted=f"an exit that exits.{names['from']} does not rule out"
        )
    if names["to"] == commonest(exits):
        raise _refusal(
            priors,
            key,
            got=names["to"],
            wanted="an exit other than the commonest",
            remedy="the odds of the others are stated against it: state the inverse for one of them",
        )


def commonest(exits: Shares) -> str:
    """The exit with the largest share (the first of equals): what odds of exits are stated against."""
    return max(exits.to, key=lambda name: exits.to[name])


def _check_stream(priors: PriorSet, key: str, stream: StreamFacts) -> None:
    """A belief that the stream's declaration rules out is named with the line of the declaration."""
    quantity, family = quantity_of(key).name, stream.family
    rules = {
        "effect": (family != "bernoulli", "chance.<stream>.<scenario> instead: the stream is bernoulli"),
        "level": (family != "bernoulli", "chance.<stream>.<scenario> instead: the stream is bernoulli"),
        "chance": (family == "bernoulli", f"no chance: the stream's family is {family}"),
        "persist": (family == "bernoulli", f"no persist: the stream's family is {family}"),
        "wander": (stream.level == "walk", 'no wander, or level = "walk" in forecast.toml'),
        "trend": (stream.level == "walk", 'no trend, or level = "walk" in forecast.toml'),
        "damping": (stream.level == "walk", 'no damping, or level = "walk" in forecast.toml'),
        "season": (family != "bernoulli", "no season: the stream is bernoulli"),
        "outlier": (family != "bernoulli", "no outlier: the stream is bernoulli"),
        "zero": (family.startswith(("zero-inflated", "hurdle")), f"no zero: the stream's family is {family}"),
        "spread": (
            family != "bernoulli" and not family.endswith("poisson"),
            f"no spread: the stream's family is {family}",
        ),
    }
    fits, wanted = rules.get(quantity, (True, ""))
    if not fits:
        raise _refusal(priors, key, wanted=wanted)
    stated = getattr(priors[key], "family", None)
    if quantity == "level" and stated in ("normal", "studentt") and family != "gaussian":
        raise _refusal(
            priors,
            f"{key}.family",
            got=stated,
            wanted="a family above zero: the stream counts",
            remedy='leave it out or write "lognormal"',
        )


def _check_effect(
    priors: PriorSet,
    key: str,
    said: Statement,
    stream: StreamFacts,
    scenarios: Sequence[str],
    reference: str,
) -> None:
    scenario = names_in(key)["scenario"]
    if scenario == reference:
        wanted = "no effect of the reference scenario: it is 1"
        raise _refusal(priors, key, wanted=wanted, remedy="take it out")
    if stream.effect == "none":
        wanted = 'no effect: forecast.toml declares effect = "none" for the stream'
        raise _refusal(priors, key, wanted=wanted, remedy="take it out")
    side = side_of(stream.effect, scenario, scenarios=scenarios, reference=reference)
    if side is not None:
        try:
            check_side(said, side)
        except Refusal as told:
            raise told.within(priors.source, told.where) from None
