"""What a workspace says about its numbers: sources, and the streams cut from them, as frozen records."""

import datetime
import re
import unicodedata
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from forecast.months import MONTH_PATTERN, shift

ID_PATTERN = r"^[a-z][a-z0-9-]{0,40}$"
TAKEN = ("scenario", "all")  # what a backtest calls its windows, and all streams together
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Month = Annotated[str, StringConstraints(pattern=MONTH_PATTERN)]

Format = Literal["ucdp-ged", "ucdp-candidate", "acled", "events", "tidy", "chronology", "table"]
Measure = Literal["events", "best", "low", "high", "count", "value", "days", "in-force"]
Family = Literal[
    "poisson",
    "negative-binomial",
    "zero-inflated-poisson",
    "zero-inflated-negative-binomial",
    "hurdle-poisson",
    "hurdle-negative-binomial",
    "bernoulli",
    "gaussian",
]

MEASURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tidy": ("count", "value"),
        "table": ("count", "value"),
        "events": ("events", "count"),
        "ucdp-ged": ("events", "best", "low", "high"),
        "ucdp-candidate": ("events", "best", "low", "high"),
        "acled": ("events", "best"),
        "chronology": ("events", "days", "in-force"),
    }
)
"""The measures that the rows of a format can carry."""

TABLE_COLUMNS = ("month", "front", "count", "vintage", "source")
"""What a column map of the `table` format may name; month and count it must."""


class Record(BaseModel):
    """Frozen, closed: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Coverage(Record):
    """The months a source covers, both ends included; without `to`, up to its last row."""

    from_: Month = Field(alias="from")
    to: Month | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to is not None and self.to < self.from_:
            raise ValueError(f"coverage ends ({self.to}) before it starts ({self.from_})")
        return self


class Release(Record):
    """The months whose figures are of one release class (final, candidate); an absent end is open.

    `published` tells how far the release reached before: `{ "2023-12" = 2024-06-24, "2024-12" = 2025-07-21 }` says
    that from 24 June 2024 it ended with 2023-12. Without it the release is taken to have reached `to` at all times.
    """

    from_: Month | None = Field(default=None, alias="from")
    to: Month | None = None
    published: dict[Month, datetime.date] = Field(default_factory=dict)  # last month: since which day

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if not self.published:
            return self
        ordered = sorted(self.published)
        if ordered[-1] != self.to:
            raise ValueError(f"published ends with {ordered[-1]}; it must end with to = {self.to}")
        if any(self.published[a] >= self.published[b] for a, b in pairwise(ordered)):
            raise ValueError("published: a release that reaches further came out later; order the dates")
        return self

    def end(self, day: datetime.date | None) -> str:
        """Its last month as figures stood on a day (None: as they stand); "" before its first publication."""
        if day is None or not self.published:
            return self.to or "9999-12"
        return max((month for month, since in self.published.items() if since <= day), default="")


class Source(Record):
    """A file of incidents: where it lies, how it reads, which months it speaks for."""

    id: Id
    file: str
    format: Format
    coverage: Coverage | Literal["rows"]  # "rows": only the months that have a row
    releases: dict[Id, Release] = Field(default_factory=dict)
    citation: str | None = None
    licence: str | None = None
    coded_by: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)  # `table`: our name = the file's name
    stream: Id | None = None  # `table`: what its counts are counts of
    front: Id | None = None  # `table` without a front column: where they are

    @model_validator(mode="after")
    def _coded_months(self) -> Self:
        """A month without a row of a chronology is quiet or uncoded: only a stated span can tell which."""
        if self.format == "chronology" and self.coverage == "rows":
            raise ValueError("a chronology states from and to: who coded which months")
        return self

    @model_validator(mode="after")
    def _column_map(self) -> Self:
        if self.format != "table":
            if self.columns or self.stream or self.front:
                raise ValueError('columns, stream and front belong to format = "table"')
            return self
        if unknown := sorted(set(self.columns) - set(TABLE_COLUMNS)):
            raise ValueError(f"columns names {unknown}; a table has {', '.join(TABLE_COLUMNS)}")
        if absent := [name for name in ("month", "count") if name not in self.columns]:
            raise ValueError(f'columns lacks {absent}; write columns = {{ month = "…", count = "…" }}')
        if self.stream is None:
            raise ValueError('a table needs stream = "…": what its counts are counts of')
        return self

    @model_validator(mode="after")
    def _one_release_a_month(self) -> Self:
        spans = [self.releases[name] for name in self.classes]
        for earlier, later in pairwise(spans):
            if later.from_ is None or earlier.to is None or later.from_ <= earlier.to:
                raise ValueError("two releases claim the same month; let one end before the next starts")
            if later.from_ != shift(earlier.to, 1):
                raise ValueError(
                    f"no release claims the months after {earlier.to} and before {later.from_}: "
                    f"let the later one start in {shift(earlier.to, 1)}"
                )
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """The releases in the order of their months; the first is what the others are held against."""
        return tuple(sorted(self.releases, key=lambda name: self.releases[name].from_ or ""))

    def release(self, month: str, day: datetime.date | None) -> int:
        """The place in `classes` of a month's figure as it stood on a day (None: as it stands)."""
        return sum(month > self.releases[name].end(day) for name in self.classes[:-1])

    def splice(self, day: datetime.date | None) -> str | None:
        """The first month that is not of the first release: where final figures give way to provisional."""
        end = self.releases[self.classes[0]].end(day) if len(self.classes) > 1 else ""
        return shift(end, 1) if end else None


class Mask(Record):
    """Months taken out of a stream, with the reason."""

    months: tuple[Month, ...] = Field(min_length=1)
    because: str = Field(min_length=1)
    author: str | None = None
    date: datetime.date | None = None
    known_from: datetime.date | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.known_from is None and self.date is None:
            raise ValueError("a mask needs known_from (or date): an origin before it does not know of it")
        return self

    @property
    def known(self) -> datetime.date:
        """The day from which the mask is applied."""
        known = self.known_from or self.date
        assert known is not None  # _dated
        return known


class Reporting(Record):
    """How a stream's figures have been revised: the file of their vintages."""

    vintages: str


def _values(where: Any) -> Any:
    """`column = value` and `column = [value, …]` alike become tuples of text."""
    if not isinstance(where, Mapping):
        return where
    return {
        column: tuple(str(v) for v in value) if isinstance(value, list | tuple) else (str(value),)
        for column, value in where.items()
    }


Where = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_values)]


class StreamDefinition(Record):
    """A stream: the rows of one source that pass `where`, measured by month."""

    id: Id
    title: str = ""
    source: Id
    where: Where = Field(default_factory=dict)
    measure: Measure
    family: Family
    level: Literal["walk", "constant"] | None = None
    effect: Literal["increasing", "decreasing", "free", "none"]
    masks: tuple[Mask, ...] = ()
    reporting: Reporting | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.id in TAKEN:
            raise ValueError(f"a stream cannot be called {self.id}: backtests call something else so")
        if empty := [column for column, values in self.where.items() if not values]:
            raise ValueError(f"where: {empty[0]} lists no value")
        return self

    @property
    def name(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.id

    @property
    def counts(self) -> bool:
        """Whether the family speaks of whole numbers."""
        return self.family != "gaussian"


def slug(name: str) -> str:
    """A name as an id: lower case without accents, a hyphen for all else (`Côte d'Ivoire` → `cote-d-ivoire`)."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-")
