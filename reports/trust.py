"""The parts of a brief that let a reader check it: gate, models, track record, ledger head, provenance."""

from typing import Literal

from reports.parts import Day, Estimate, Id, MonthName, QuarterName, Record


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


class Score(Record):
    """Bits gained over a baseline on resolved forecasts; positive is better than the baseline."""

    baseline: str
    bits: float
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
    """The record so far."""

    resolved: int
    needed: int | None = None  # further quarters before any claim
    scores: tuple[Score, ...] = ()
    past: tuple[Past, ...] = ()


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
