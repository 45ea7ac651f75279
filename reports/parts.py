"""The parts of a brief: frozen records of numbers and plain text, each the answer to one question of a reader.

Every row of estimates follows the order of the brief's scenarios, calm first. A part that is absent is
``None`` or empty, never a made-up number.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reports.text import plain

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
MonthName = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]  # "2026-05"
QuarterName = Annotated[str, Field(pattern=r"^[0-9]{4}Q[1-4]$")]  # "2026Q3"
Day = Annotated[
    str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
]  # a time may follow
Probability = Annotated[float, Field(ge=0, le=1)]
CellState = Literal["covered", "provisional", "masked", "missing", "outside", "future"]


class Record(BaseModel):
    """Frozen and closed; text is plain; no number is NaN or infinite; its JSON reads back as itself."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _text_is_plain(cls, value: object) -> object:
        if isinstance(value, str):
            return plain(value)
        return (
            tuple(plain(v) if isinstance(v, str) else v for v in value)
            if isinstance(value, tuple | list)
            else value
        )


class Estimate(Record):
    """A quantity with its 90 % interval; `mcse` is the Monte Carlo error of the mean."""

    mean: float
    q05: float
    q95: float
    mcse: float | None = None
    words: str | None = None  # the likelihood phrase its draws earn
    contraction: float | None = None  # sd after / sd before the data
    prior_driven: bool | None = None


Row = tuple[Estimate | None, ...]


class Visibility(Record):
    """Whether the streams can show a regime: expected log Bayes factor by length of its spell."""

    visible: bool
    months: tuple[float, ...]
    log_bayes_factor: tuple[float, ...]


class Scenario(Record):
    """One possible answer to the question, and the rule that resolves it."""

    id: Id
    title: str
    narrative: str | None = None
    rule: str
    watch: str | None = None  # the shortest way to it; None for the remainder
    because: str | None = None
    is_reference: bool = False
    is_remainder: bool = False
    support_months: float | None = None  # expected months of the window in this latent regime
    precedents: int  # quarters of the window that resolved to it
    visibility: Visibility | None = None


class Known(Record):
    """What one stream of a rule knows of the running quarter."""

    stream: Id
    observed: tuple[MonthName, ...]
    simulated: tuple[MonthName, ...]


class Quarter(Record):
    """The forecast of one quarter."""

    quarter: QuarterName
    resolved: Row
    regime: Row | None = None  # of the latent regime in the last month
    unresolved: Probability = 0.0  # share of futures in which the rules stay silent
    observed_months: tuple[MonthName, ...] = ()  # current quarter only: known to every stream of a rule
    simulated_months: tuple[MonthName, ...] = ()
    streams: tuple[Known, ...] = ()  # current quarter only


class Passage(Record):
    """P(some quarter up to this one resolves to the scenario); None where the last quarter already did."""

    scenario: Id
    quarters: tuple[QuarterName, ...]
    estimates: Row


class Matrix(Record):
    """Probabilities from row to column; a row never visited holds None."""

    per: Literal["month", "quarter"]
    rows: tuple[Id, ...]
    columns: tuple[Id, ...]
    cells: tuple[Row, ...]
    from_now: Row | None = None  # the row of the last resolved quarter, from its own futures
    paths: tuple[int, ...] | None = None  # simulated visits behind each row
    noisy: tuple[bool, ...] | None = (
        None  # rows whose intervals the simulation widens, or that few futures visit
    )


class Crosswalk(Record):
    """P(resolved column | latent majority row) per quarter, and how often the two differ."""

    rows: tuple[Id, ...]
    columns: tuple[Id, ...]
    mean: tuple[tuple[float | None, ...], ...]
    differ: Estimate | None


class Month(Record):
    """Posterior mean of each latent regime in one month."""

    month: MonthName
    regime: tuple[float, ...]


class Stand(Record):
    """The regimes of a front in the last month of a quarter."""

    quarter: QuarterName
    regime: Row


class Front(Record):
    """A part of the theatre with a chain of regimes of its own."""

    id: Id
    title: str
    now: Row
    quarters: tuple[Stand, ...]
    dwell_months: Row
    history: tuple[Month, ...] = ()  # as each month's figures came in


class Pooling(Record):
    """What the fronts have together: their average spells, and by how many percent they differ, by statement."""

    model: str
    dwell_months: Row
    apart: tuple[tuple[str, Estimate], ...]


class Flip(Record):
    """The smallest revision of one stream that would have resolved a quarter otherwise."""

    stream: Id
    factor: float
    to: Id


class Resolution(Record):
    """How the written rules resolved one past quarter."""

    quarter: QuarterName
    resolved: Id | None = None
    decided_by: str | None = None
    flip: Flip | None = None


class Noise(Record):
    """How often a rule fires when nothing changes, and when the level alone walks."""

    scenario: Id
    nothing_changes: float | None
    level_walks: float | None


class Cell(Record):
    """One month of one stream: the observation, the model's quantiles, and what is known about it."""

    month: MonthName
    observed: float | None
    q05: float | None = None
    q25: float | None = None
    q50: float | None = None
    q75: float | None = None
    q95: float | None = None
    mean: float | None = None  # the probability, for a Bernoulli stream
    state: CellState


class Splice(Record):
    """The month in which a stream changes from one release to another."""

    month: MonthName
    before: str
    after: str


class Stream(Record):
    """One incident series, its fan and its provenance."""

    id: Id
    title: str
    unit: str | None = None
    family: str
    level: str | None = None
    effect: str | None = None
    source: str | None = None
    first: MonthName | None = None
    last: MonthName | None = None
    splice: Splice | None = None
    cells: tuple[Cell, ...]


class Gap(Record):
    """Months of a stream taken out with a reason, or (`because` None) drawn with the future."""

    stream: Id
    months: tuple[MonthName, ...]
    because: str | None = None
    known_from: Day | None = None


class Coverage(Record):
    """One character per month: ``#`` covered, ``~`` provisional, ``x`` masked, ``.`` missing, ``-`` outside coverage."""

    months: tuple[MonthName, ...]
    rows: tuple[tuple[Id, str], ...]  # (stream, states)


class Release(Record):
    """The months whose figures are of one release, and how far it reached before: month and since which day."""

    name: str
    first: MonthName | None = None
    last: MonthName | None = None
    published: tuple[tuple[MonthName, Day], ...] = ()


class Source(Record):
    """Where numbers came from, under which licence, and which bytes they were."""

    id: str
    citation: str | None = None
    licence: str | None = None
    file: str | None = None
    sha256: str | None = None
    coverage: str | None = None
    releases: tuple[Release, ...] = ()
    notes: tuple[str, ...] = ()


class Quantiles(Record):
    """A distribution in three numbers, on the statement's own scale."""

    q05: float
    q50: float
    q95: float


class Prior(Record):
    """A belief with its reason, and what the data made of it."""

    key: str
    kind: str
    says: str
    unit: str | None = None
    because: str
    author: str | None = None
    date: Day | None = None
    source: str | None = None
    prior: Quantiles | None = None
    posterior: Quantiles | None = None
    contraction: float | None = None
    contradicted: bool | None = None  # the posterior median lies outside the interval that was stated
    used_by: tuple[str, ...] = ()


class Move(Record):
    """One cause of a change of the headline, in probability."""

    cause: str
    shift: float
    mcse: float | None = None


class Shift(Record):
    """One probability before and after."""

    quarter: QuarterName
    scenario: Id
    before: float
    after: float
    mcse: float | None = None  # Monte Carlo error of the difference


class Change(Record):
    """What moved since another run."""

    run: str
    as_of: Day
    same_rules: bool = True
    shifts: tuple[Shift, ...]
    moves: tuple[Move, ...] = ()


class Signpost(Record):
    """If a month of a stream turns out so, the probability of a scenario moves so far."""

    stream: Id
    month: MonthName
    side: Literal["at least", "at most"]
    count: float
    chance: Probability  # that the month is so
    quarter: QuarterName
    scenario: Id
    before: Probability
    after: Probability
    mcse: float | None = None  # of after
    otherwise: Probability  # if the month is not so
    shift_mcse: float | None = None
