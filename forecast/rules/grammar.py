"""A scenario is a question with a written answer key: the grammar of `scenarios.toml` as frozen records."""

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from forecast.streams import Id, Record
from priors.refusal import Refusal, nearest

Take = Literal["max", "mean", "sum", "last"]
Window = Literal["quarter", "two-quarters"]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[datetime.date, Field(strict=True)]


class Condition(Record):
    """One number of a window against a threshold, or against a multiple of the months before it.

    The number is the `take` over the window's months of a stream, or of the month-by-month sum of several.
    """

    stream: Id | None = None
    sum: tuple[Id, ...] | None = Field(default=None, min_length=2)
    take: Take
    at_least: Number | None = None
    at_most: Number | None = None
    times: Literal["trailing-12"] | None = (
        None  # the threshold counts means of the 12 months before the window
    )
    window: Window = "quarter"  # or six months: the quarter and the one before

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams it looks at."""
        return self.sum or (str(self.stream),)

    @property
    def limit(self) -> float:
        """The number after `at_least` or `at_most`."""
        return float(self.at_most if self.at_least is None else self.at_least)  # type: ignore[arg-type]  # _whole

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.stream is None) == (self.sum is None):
            raise Refusal(got=_given(self, "stream", "sum"), wanted="either stream or sum, one of the two")
        if (self.at_least is None) == (self.at_most is None):
            raise Refusal(got=_given(self, "at_least", "at_most"), wanted="either at_least or at_most")
        if len(set(self.streams)) < len(self.streams):
            raise Refusal(got=list(self.streams), wanted="each stream once in a sum")
        return self


class AllOf(Record):
    """Every part holds; with `same_month`, every part holds in one and the same month of the window."""

    all: tuple["Rule", ...] = Field(min_length=1)
    same_month: Flag = False

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if self.same_month and len({condition.window for condition in conditions(self)}) > 1:
            raise Refusal(
                got="quarter and two-quarters", wanted="one window for all conditions of a same_month rule"
            )
        return self


class AnyOf(Record):
    """At least one part holds."""

    any: tuple["Rule", ...] = Field(min_length=1)


def _kind(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", None)
    if keys is None:
        return None
    return next((f"rule:{word}" for word in ("all", "any") if word in keys), "rule:condition")


Rule = Annotated[
    Annotated[AllOf, Tag("rule:all")]
    | Annotated[AnyOf, Tag("rule:any")]
    | Annotated[Condition, Tag("rule:condition")],
    Discriminator(_kind),
]
AllOf.model_rebuild()
AnyOf.model_rebuild()


class Defaults(Record):
    """Who wrote the file, when, from what: once for all its rules. A reason is never shared."""

    author: Text | None = None
    date: Day | None = None
    source: Text | None = None


class Scenario(Record):
    """A scenario and the rule that resolves a quarter to it; without a rule it is the remainder."""

    id: Id
    title: Text
    narrative: str = ""
    resolves: Rule | None = None
    because: Text | None = None
    author: Text | None = None
    date: Day | None = None
    source: Text | None = None
    known_from: Day | None = None

    @property
    def is_remainder(self) -> bool:
        """Whether it holds when no rule does."""
        return self.resolves is None

    @property
    def known(self) -> datetime.date | None:
        """The day from which the rule was known."""
        return self.known_from or self.date

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if isinstance(self.resolves, Condition):
            raise Refusal(got="a bare condition", wanted="resolves = { all = […] } or { any = […] }")
        absent = [word for word in ("because", "author", "date") if getattr(self, word) is None]
        if self.resolves is not None and absent:
            raise Refusal(
                wanted=f"{' and '.join(absent)} beside the rule",
                remedy="every rule carries its reason, its author and its date",
            )
        return self


class ScenarioSet(Record):
    """The scenarios in their ordinal order, and the order in which their rules are tried."""

    schema_: Annotated[int, Field(alias="schema", strict=True, ge=1, le=1)]
    reference: Id  # effects are stated relative to it
    release: Literal["first", "annual"] = "first"  # of the figures that score
    precedence: tuple[Id, ...]  # the first rule that holds wins
    ordinal: Flag = True
    defaults: Defaults = Defaults()
    scenarios: tuple[Scenario, ...] = Field(alias="scenario")

    @property
    def ids(self) -> tuple[str, ...]:
        """Scenario ids in ordinal order."""
        return tuple(scenario.id for scenario in self.scenarios)

    @property
    def remainder(self) -> str:
        """The scenario without a rule."""
        return next(scenario.id for scenario in self.scenarios if scenario.is_remainder)

    @property
    def streams(self) -> tuple[str, ...]:
        """Every stream that a rule looks at, in the order in which they are first named."""
        used = (
            stream
            for scenario in self.scenarios
            for c in conditions(scenario.resolves)
            for stream in c.streams
        )
        return tuple(dict.fromkeys(used))

    def __getitem__(self, scenario: str) -> Scenario:
        """The scenario of an id."""
        return self.scenarios[self.ids.index(scenario)]

    def rule(self, scenario: str) -> AllOf | AnyOf:
        """The rule of a scenario that has one."""
        rule = self[scenario].resolves
        assert isinstance(
            rule, AllOf | AnyOf
        )  # parsed: never a bare condition, and the remainder is not asked
        return rule

    @model_validator(mode="before")
    @classmethod
    def _signed(cls, data: Any) -> Any:
        """Author, date and source of `[defaults]` reach every scenario that has a rule."""
        if not isinstance(data, dict) or not isinstance(data.get("defaults"), dict):
            return data
        shared = {k: v for k, v in data["defaults"].items() if k in Defaults.model_fields}
        scenarios = data.get("scenario")
        if not isinstance(scenarios, list | tuple):
            return data
        signed = [{**shared, **s} if isinstance(s, dict) and "resolves" in s else s for s in scenarios]
        return {**data, "scenario": signed}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.scenarios) < 2:
            raise Refusal(got=list(self.ids), wanted="at least two scenarios")
        for what, names in (("id", self.ids), ("title", tuple(s.title for s in self.scenarios))):
            if twice := [name for name, n in Counter(map(str.casefold, names)).items() if n > 1]:
                raise Refusal(got=twice[0], wanted=f"each scenario {what} once")
        rest = [scenario.id for scenario in self.scenarios if scenario.is_remainder]
        if len(rest) != 1:
            raise Refusal(
                got=f"{len(rest)} of them{': ' if rest else ''}{', '.join(rest)}",
                wanted="exactly one scenario without a rule",
                remedy="it is the remainder, which holds when no rule does",
            )
        if self.reference not in self.ids:
            raise Refusal(
                where="reference",
                got=self.reference,
                wanted="a scenario id",
                remedy=nearest(self.reference, self.ids),
            )
        self._check_precedence()
        return self

    def _check_precedence(self) -> None:
        ruled = [name for name in self.ids if name != self.remainder]
        for name in self.precedence:
            if name == self.remainder:
                raise Refusal(
                    where="precedence",
                    got=name,
                    wanted="scenarios that have a rule",
                    remedy="leave the remainder out",
                )
            if name not in ruled:
                raise Refusal(
                    where="precedence", got=name, wanted="a scenario id", remedy=nearest(name, ruled)
                )
        if twice := [name for name, n in Counter(self.precedence).items() if n > 1]:
            raise Refusal(where="precedence", got=twice[0], wanted="each scenario once")
        if absent := [name for name in ruled if name not in self.precedence]:
            raise Refusal(
                where="precedence",
                got=list(self.precedence),
                wanted=f"every scenario that has a rule; {absent[0]} is missing",
            )


def conditions(rule: AllOf | AnyOf | Condition | None) -> Iterator[Condition]:
    """The conditions of a rule, depth first, in the order written."""
    match rule:
        case None:
            return
        case Condition():
            yield rule
        case AllOf():
            for part in rule.all:
                yield from conditions(part)
        case AnyOf():
            for part in rule.any:
                yield from conditions(part)


def _given(record: Record, *keys: str) -> str:
    given = [key for key in keys if getattr(record, key) is not None]
    return " and ".join(given) if given else f"neither {' nor '.join(keys)}"
