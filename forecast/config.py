"""What forecast.toml, labels.toml and drivers.csv may say, as frozen records; each looks at itself alone.

The text under a field is its description in the JSON Schema and what a refusal says was wanted.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, model_validator

from forecast.streams import Id, Month, Record, Source, StreamDefinition

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Chosen = StrictBool | Annotated[tuple[Id, ...], Field(min_length=1)]

type Option = Literal["season", "trend", "outliers"]
OPTIONS: tuple[Option, ...] = ("season", "trend", "outliers")


class Described(Record):
    """A record whose fields say in their own words what they want."""

    model_config = ConfigDict(use_attribute_docstrings=True)


SHORTEST, LONGEST = (
    12,
    2400,
)  # months that models learn from: what a rule may look back on; more is a slip of the hand


class Window(Described):
    """The months the models learn from."""

    from_: Month = Field(alias="from")
    """the first month, such as "2021-10" """
    to: Month | None = None
    """the last month, such as "2026-05"; absent: the last covered month"""
    months: int | None = Field(default=None, ge=SHORTEST, le=LONGEST)
    """how many months up to the last one models learn from, 12 to 2400; absent: all. `from` is then what replays of the past begin with"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to is not None and self.to <= self.from_:
            raise ValueError(f"the window ends ({self.to}) before it starts ({self.from_}): swap the two")
        return self


class Clock(Described):
    """The clock is an input: what is known, what lies ahead, how old data may be."""

    window: Window
    """the months the models learn from: { from = "YYYY-MM" }"""
    as_of: datetime.date | Literal["today"]
    """a date such as 2026-06-30 without quotes (what was known then), or "today" for a live run"""
    quarters: int = Field(ge=1, le=8)
    """a whole number of quarters to forecast, 1 to 8"""
    max_age_months: int = Field(ge=0, le=120)
    """a whole number of months: data older than this at as_of fail the freshness check"""
    seed: int = Field(ge=0, lt=2**32)
    """a whole number from 0 to 4294967295: the same seed gives the same forecast"""


class ModelSettings(Described):
    """A model's own settings, [models.<name>]."""

    regimes: tuple[Id, ...] | None = Field(default=None, min_length=2)
    """a list of at least two scenario ids: the latent regimes, where they are fewer than the scenarios"""
    basis: int | None = Field(default=None, ge=1, le=64)
    """a whole number from 1 to 64: how many curves a wandering level is made of"""
    season: Chosen = False
    """true (every stream that has a level) or a list of stream ids: levels with a season of twelve months"""
    trend: Chosen = False
    """true (every level that walks) or a list of stream ids: levels that rise or fall by a trend that fades"""
    outliers: Chosen = False
    """true (every stream that has a level) or a list of stream ids: some months are out of all proportion"""

    def gives(self, option: Option, stream: StreamDefinition) -> bool:
        """Whether a stream has an option: it is named, or every stream that can have it does."""
        said: bool | tuple[str, ...] = getattr(self, option)
        named = stream.id in said if isinstance(said, tuple) else said
        return named and can_have(option, stream)


def can_have(option: Option, stream: StreamDefinition) -> bool:
    """Whether a stream's declaration leaves room for an option: it has a level, and a trend wants it to walk."""
    return stream.family != "bernoulli" and (option != "trend" or stream.level == "walk")


class Models(Described):
    """Which models are fitted, and what each counts for."""

    use: tuple[Id, ...] = Field(min_length=1)
    """a list of model names: weighted in the ensemble"""
    compare: tuple[Id, ...] = ()
    """a list of model names: fitted and scored at weight 0"""
    latent_from: Id | None = None
    """the model that latent regimes are reported from"""
    chain: Literal["theatre", "front"] = "theatre"
    """"theatre" (one chain of regimes for all), or "front" (one per front)"""
    settings: dict[Id, ModelSettings] = Field(default_factory=dict)
    """tables [models.<name>] with a model's own settings"""

    @model_validator(mode="before")
    @classmethod
    def _settings_apart(cls, raw: Any) -> Any:
        """In the file the settings stand beside the lists: every table among them belongs to a model."""
        if not isinstance(raw, Mapping):
            return raw
        tables = {key: value for key, value in raw.items() if isinstance(value, Mapping)}
        return {key: value for key, value in raw.items() if key not in tables} | {"settings": tables}

    @model_validator(mode="after")
    def _once(self) -> Self:
        fitted = (*self.use, *self.compare)
        if twice := sorted({name for name in fitted if fitted.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} stands twice in use and compare: keep one of them")
        return self

    @property
    def fitted(self) -> tuple[str, ...]:
        """Every model that is fitted: those used, then those compared."""
        return (*self.use, *self.compare)


class Simulation(Described):
    """How many futures are drawn; what too few cost is measured and gated, so the numbers are no beliefs."""

    draws: int = Field(default=1000, ge=100, le=100_000)
    """a whole number from 100 to 100000: posterior draws that futures are simulated from"""
    paths: int = Field(default=400, ge=100, le=100_000)
    """a whole number from 100 to 100000: futures per posterior draw"""


class Front(Described):
    """A part of the theatre, for maps and for one chain per front."""

    id: Id
    title: Text
    """the name that reports print"""
    at: tuple[Number, Number] | None = None
    """[latitude, longitude] of the label, in degrees"""

    @model_validator(mode="after")
    def _on_earth(self) -> Self:
        if self.at is not None and not (abs(self.at[0]) <= 90 and abs(self.at[1]) <= 180):
            raise ValueError("at is [latitude, longitude] in degrees: -90 to 90, then -180 to 180")
        return self


class Driver(Described):
    """Something outside the streams that changes the odds of leaving a regime, or where it leaves to."""

    id: Id
    title: Text
    """the name that reports print"""
    kind: Literal["event", "state", "amount"]
    """event (0 or 1 in its month), state (0 or 1 until changed) or amount (a number until changed)"""
    use: Literal["history", "what-if"] = "history"
    """"history" (rows of drivers.csv enter the fit), or "what-if" (a lever alone)"""
    lag: Literal[0, 1] = 1
    """0 (acts in the same month) or 1 (in the next)"""
    reference: Number | None = None
    """the value at which the priors of dwell and exits hold; 0 for an event or a state"""
    future: Literal["last", "own-history", "none"] | dict[Month, Number] | None = None
    """"last", "own-history", "none", or a path such as { "2026-07" = 1 }"""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "amount" and self.reference is None:
            raise ValueError("an amount needs reference = …: the value at which the priors of dwell hold")
        if self.use == "what-if" and self.future not in (None, "none"):
            raise ValueError(
                "a what-if driver stays at its reference until a lever moves it: take out future"
            )
        if self.kind == "amount" and self.future == "own-history":
            raise ValueError('an amount has no chain of its own: future = "last" | "none" or a path')
        if self.use == "history" and self.kind != "event" and self.future is None:
            raise ValueError(
                'a driver with a history needs future = "last" | "own-history" | "none" or a path'
            )
        ahead = self.future.values() if isinstance(self.future, dict) else ()
        for value in (self.at_rest, *ahead):
            self.check(value)
        return self

    def check(self, value: float) -> None:
        """Raise ValueError for a value that the driver's kind cannot take."""
        if self.kind != "amount" and value not in (0.0, 1.0):
            raise ValueError(f'{value:g} where kind = "{self.kind}" allows 0 or 1')

    @property
    def at_rest(self) -> float:
        """The reference value x0: before its first row a driver is there."""
        return 0.0 if self.reference is None else self.reference

    @property
    def ahead(self) -> Literal["last", "own-history", "none"] | Mapping[str, float]:
        """How it goes on: an event that nobody foresees does not happen again."""
        return "none" if self.future is None else self.future


class Lever(Described):
    """A recommendation as a what-if: the drivers it sets."""

    id: Id
    title: Text
    """the name that reports print"""
    drivers: dict[Id, Number] = Field(min_length=1)
    """the drivers it sets, such as { mediation = 1 }"""
    because: Text
    """why this recommendation would move these drivers, in a sentence"""


def _named(raw: Any) -> Any:
    """Tables [kind.<id>] become records that know their id."""
    if not isinstance(raw, Mapping):
        return raw
    tables = ("sources", "streams", "fronts", "drivers", "levers")
    return {
        kind: {name: _with_id(name, table) for name, table in entries.items()}
        if kind in tables and isinstance(entries, Mapping)
        else entries
        for kind, entries in raw.items()
    }


def _with_id(name: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        return table
    if "id" in table:
        raise ValueError(f"{name}: the name of the table is the id; take the key id out")
    return {"id": name, **table}


class Configuration(Described):
    """The whole of forecast.toml."""

    title: Text | None = None
    """the title of the reports"""
    question: Text | None = None
    """what is asked, in a sentence"""
    organisation: Text | None = None
    """who publishes the forecast"""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en-GB"
    """a language code such as "en-GB" """
    citation: Text | None = None
    """how the forecast is to be cited"""
    licence: Text | None = None
    """the licence of the forecast, such as "CC-BY-4.0" """
    time: Clock
    """the table [time]: window, as_of, quarters, max_age_months, seed"""
    models: Models
    """the table [models] with use = ["…"]"""
    simulate: Simulation = Simulation()
    """the table [simulate]: draws, paths"""
    sources: dict[Id, Source] = Field(min_length=1)
    """a table [sources.<id>] for each file of incidents"""
    streams: dict[Id, StreamDefinition] = Field(min_length=1)
    """a table [streams.<id>] for each stream"""
    fronts: dict[Id, Front] = Field(default_factory=dict)
    """a table [fronts.<id>] for each front"""
    drivers: dict[Id, Driver] = Field(default_factory=dict)
    """a table [drivers.<id>] for each driver"""
    levers: dict[Id, Lever] = Field(default_factory=dict)
    """a table [levers.<id>] for each lever"""

    _tables_named = model_validator(mode="before")(_named)


class Label(Described):
    """Evidence besides the streams: these months were of this regime, by so much."""

    months: tuple[Month, ...] = Field(min_length=1)
    """a list of months such as ["2025-10"]"""
    scenario: Id
    """the id of a scenario"""
    ratio: Number = Field(ge=1)
    """a number of at least 1: how many times likelier than each alternative, apart from what the streams show"""
    because: Text
    """what, outside the streams, says so, in a sentence"""
    author: Text
    """who vouches for it: here, or once under [defaults]"""
    date: datetime.date
    """a date such as 2026-06-15: when it was written, here or once under [defaults]"""
    source: Text
    """where it can be looked up: here, or once under [defaults]"""
    known_from: datetime.date | None = None
    """a date such as 2026-06-15: from when it was known; absent: its date"""

    @property
    def known(self) -> datetime.date:
        """The day from which an origin knows of it."""
        return self.known_from or self.date


class Labels(Described):
    """The whole of labels.toml."""

    label: tuple[Label, ...] = Field(min_length=1)
    """a table [[label]] for each piece of evidence"""


class DriverRow(Described):
    """A row of drivers.csv: from this month (in this month, for an event) the driver has this value."""

    month: Month
    """a month such as "2025-10" """
    driver: Id
    """the id of a driver of forecast.toml"""
    value: Number
    """a number with a point for the decimals"""
    known_from: datetime.date
    """a date YYYY-MM-DD: from when it was known"""
