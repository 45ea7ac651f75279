"""The parts of a brief that let a reader check it: gate, models, track record, sensitivity, ledger head, provenance."""

from typing import Literal

from reports.parts import Day, Estimate, Id, MonthName, Probability, QuarterName, Record


class Check(Record):
    """One condition of the gate."""

    name: str
    value: float | None = None
    limit: str
    ok: bool
    advice: str | None = None


class Verdict(Record):
    """Whether the run may be issued, and why."""

    ok: bool
    forced: bool = False
    checks: tuple[Check, ...] = ()


class Fitted(Record):
    """One model: its weight in the ensemble and its own checks."""

    name: str
    role: Literal["used", "compared"] = "used"
    weight: Estimate
    origins: int = 0  # stretches of months it was weighed on
    refits: tuple[MonthName, ...] = ()  # last months of the fits behind them, beside that of all months
    pareto_k: float | None = None  # the largest
    density_error: float | None = None  # largest Monte Carlo error of a log density
    verdict: Verdict


class Gain(Record):
    """What was gained over a reference on resolved forecasts; positive is better than the reference."""

    score: Literal["ign", "rps", "brier"]
    horizon: int  # quarters
    reference: str
    n: int
    gain: float  # in the unit of the score: bits for IGN
    low: float | None = None  # None: too few to say
    high: float | None = None
    sentence: str


class Process(Record):
    """The skill process against the Markov chain at one horizon."""

    horizon: int  # quarters
    n: int
    value: float
    alarm: float  # what forecasts that are no better reach once in twenty records at most
    alarmed: bool


class Calibrated(Record):
    """How often a scenario was said, one quarter ahead, and how often it came."""

    scenario: Id
    n: int
    said: Probability
    came: Probability
    difference: float
    low: float
    high: float


class Past(Record):
    """One issued forecast of one quarter and what came of it."""

    run: str
    as_of: Day
    quarter: QuarterName
    probabilities: tuple[float, ...]
    resolved: Id | None


class Track(Record):
    """The record so far, beside what a record of that length could show at all."""

    resolved: int  # quarters
    scored: int = 0  # forecasts
    set_aside: int = 0  # later ones of the same quarter and horizon
    begun: int = 0  # issued when their quarter had begun
    first: QuarterName | None = None
    last: QuarterName | None = None
    gains: tuple[Gain, ...] = ()
    skill_process: float | None = None
    alarm: float | None = None
    alarmed: bool = False
    processes: tuple[Process, ...] = ()
    reference_test: float | None = None
    calibration: tuple[Calibrated, ...] = ()
    sentence: str
    past: tuple[Past, ...] = ()


class Carried(Record):
    """How far one group of priors carries one probability."""

    group: str
    scenario: Id
    sensitivity: float | None = None
    sensitive: bool
    trusted: bool  # whether the draws can speak for such priors


class Tipping(Record):
    """The median of one prior at which one probability earns another likelihood word."""

    key: str
    scenario: Id
    stated: float | None = None
    now: Probability | None = None
    tips_at: float | None = None
    to_word: str | None = None


class Sensitivity(Record):
    """What the headline of one quarter rests on."""

    quarter: QuarterName
    limit: float  # from which on a probability is called sensitive
    groups: tuple[Carried, ...] = ()
    tipping: tuple[Tipping, ...] = ()


class Head(Record):
    """Length and hash of the ledger before this run's own row."""

    count: int
    head: str | None  # None: empty


class Provenance(Record):
    """What a replay needs."""

    data_sha256: str | None = None
    priors_sha256: str | None = None
    scenarios_sha256: str | None = None
    lock_sha256: str | None = None
    seed: int | None = None
    engine: str | None = None
    python: str | None = None
    versions: tuple[tuple[str, str], ...] = ()
