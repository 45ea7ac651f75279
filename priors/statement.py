"""A belief is data with a reason: six kinds of statement, each a frozen record."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812  the field is called date
from math import fsum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Record(BaseModel):
    """Frozen, exact in its keys, strict in its types: a quoted number is not a number."""

    # Built at first use: commands that read no prior file should not wait for nine validators.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class _Between(_Record):
    """The middle ``mass`` of the belief lies between ``low`` and ``high``, equal tails outside."""

    low: float
    high: float
    mass: float

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.low >= self.high:
            raise _objection("low", self.low, f"a number below high = {self.high:g}")
        if not 0 < self.mass < 1:
            percent = 1 < self.mass < 100
            remedy = f"write {self.mass / 100:g} for {self.mass:g} %" if percent else None
            raise _objection("mass", self.mass, "a probability between 0 and 1", remedy)
        return self


class _Quarters(_Record):
    """A quarter of the belief lies below, between and above three values."""

    quartiles: tuple[float, float, float]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.quartiles[0] < self.quartiles[1] < self.quartiles[2]:
            raise _objection("quartiles", self.quartiles, "three increasing numbers")
        return self


class _Stacks(_Record):
    """Chips laid into bins: ``chips[i]`` between ``edges[i]`` and ``edges[i+1]``."""

    edges: tuple[float, ...] = Field(min_length=2)
    chips: tuple[float, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise _objection("edges", self.edges, "increasing numbers")
        if len(self.chips) != len(self.edges) - 1:
            wanted = f"one stack between each two edges: {len(self.edges) - 1} numbers"
            raise _objection("chips", self.chips, wanted)
        if min(self.chips) < 0:
            raise _objection("chips", self.chips, "no negative number of chips")
        if not sum(self.chips):
            raise _objection("chips", self.chips, "at least one chip")
        return self


class _Stated(_Record):
    """What every statement carries: the quantity it is about and the reason for it."""

    quantity: str  # the dotted key
    because: Text
    author: Text
    date: Date
    source: Text
    known_from: Date  # when it could have been known: the date, unless stated

    @model_validator(mode="before")
    @classmethod
    def _known_since_written(cls, data: Any) -> Any:
        if isinstance(data, dict) and "known_from" not in data and "date" in data:
            return {**data, "known_from": data["date"]}
        return data


class _Measured(_Stated):
    """A statement about one number, in a unit."""

    unit: Text


class _Fitted(_Measured):
    """A statement that a distribution is fitted to."""

    family: str | None = None  # the quantity's own unless stated


class Interval(_Fitted, _Between):
    """An equal-tailed interval: P(X < low) = P(X > high) = (1 − mass)/2."""

    kind: Literal["interval"] = "interval"
    about: Literal["the average spell", "one spell"] = "the average spell"  # of a dwell
    worth: float | None = Field(default=None, gt=0)  # of one spell: as if so many ends had been observed

    @model_validator(mode="after")
    def _worth_of_spells(self) -> Self:
        if self.worth is not None and self.about != "one spell":
            raise _objection("worth", self.worth, 'no worth unless about = "one spell"')
        return self


class Quartiles(_Fitted, _Quarters):
    """Three values that split the belief into quarters."""

    kind: Literal["quartiles"] = "quartiles"


class Chips(_Fitted, _Stacks):
    """A histogram laid by hand."""

    kind: Literal["chips"] = "chips"


class Explicit(_Measured):
    """A distribution written out by its parameters."""

    kind: Literal["distribution"] = "distribution"
    family: str
    parameters: Mapping[str, float]


class Shares(_Stated):
    """Shares over alternatives, worth so many observed cases; ``never`` lists those ruled out."""

    kind: Literal["shares"] = "shares"
    to: Mapping[str, float]
    worth: float
    never: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, share in self.to.items():
            if share <= 0:
                leave = f'take it out of "to" and write never = ["{name}"]' if share == 0 else None
                raise _objection(f"to.{name}", share, "a share above 0", leave)
        if both := sorted(set(self.to) & set(self.never)):
            raise _objection("never", both[0], 'a name that has no share under "to"')
        total = fsum(self.to.values())
        if abs(total - 1) > 1e-6:
            remedy = "write 0.6 for 60 %" if abs(total - 100) <= 1 else None
            raise _objection("to", round(total, 6), "shares that add up to 1", remedy)
        if self.worth <= 0:
            raise _objection("worth", self.worth, "a number of cases above 0")
        return self


class _Voice(_Record):
    """Someone in a pool, heard in proportion to ``weight``."""

    name: Text
    weight: float = Field(gt=0)


class ExpertInterval(_Voice, _Between):
    """One expert's equal-tailed interval."""

    kind: Literal["interval"] = "interval"


class ExpertQuartiles(_Voice, _Quarters):
    """One expert's quartiles."""

    kind: Literal["quartiles"] = "quartiles"


class ExpertChips(_Voice, _Stacks):
    """One expert's chips."""

    kind: Literal["chips"] = "chips"


Expert = Annotated[ExpertInterval | ExpertQuartiles | ExpertChips, Field(discriminator="kind")]


class Pool(_Fitted):
    """Several experts, pooled linearly: the mixture of what they say, by weight."""

    kind: Literal["pool"] = "pool"
    experts: tuple[Expert, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [expert.name for expert in self.experts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise _objection("experts", twice[0], "each name once")
        return self


Statement = Interval | Quartiles | Chips | Shares | Explicit | Pool

KINDS: Mapping[str, type[Statement]] = {
    "interval": Interval,
    "quartiles": Quartiles,
    "chips": Chips,
    "shares": Shares,
    "distribution": Explicit,
    "pool": Pool,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriorSet(Mapping[str, Statement]):
    """Every belief of one forecast by its dotted key, in the order of the file.

    Two sets are equal when they say the same: comments, layout and the file's place do not count.
    """

    name: str
    statements: Mapping[str, Statement]
    source: str  # the file as its owner named it

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON of name and statements."""
        said = {key: statement.model_dump(mode="json") for key, statement in self.statements.items()}
        canonical = json.dumps(
            {"schema": 1, "name": self.name, "statements": said},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(canonical.encode("utf-8")).hexdigest()

    def __getitem__(self, key: str) -> Statement:
        return self.statements[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PriorSet) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)


def _objection(field: str, got: object, wanted: str, remedy: str | None = None) -> PydanticCustomError:
    """A mistake inside one record, in the parts a `Refusal` is told in."""
    return PydanticCustomError(
        "objection",
        "{field}: got {got}; wanted {wanted}",
        {"field": field, "got": got, "wanted": wanted, "remedy": remedy},
    )
