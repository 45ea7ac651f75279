"""The parts of a brief that analysts add by hand: labels, drivers, and levers with what follows from them."""

from typing import Literal

from reports.parts import Day, Id, MonthName, Probability, QuarterName, Record, Row


class Label(Record):
    """Months that an analyst vouches for, by how much, and why."""

    months: tuple[MonthName, ...]
    scenario: Id
    ratio: float  # times likelier than each alternative, apart from what the streams show
    because: str
    author: str
    date: Day
    source: str
    known_from: Day


class Belief(Record):
    """A statement about a driver's odds, with its reason."""

    key: str
    says: str
    unit: str
    because: str
    author: str
    date: Day
    source: str


class Reading(Record):
    """The last row of a driver that was known."""

    month: MonthName
    value: float
    known_from: Day


class Driver(Record):
    """Something outside the streams that moves the odds of leaving a regime."""

    id: Id
    title: str
    kind: str
    use: Literal["history", "what-if"]
    lag: int
    reference: float
    last: Reading | None = None
    ahead: str
    odds: tuple[Belief, ...] = ()


class Course(Record):
    """One quarter with a lever pulled, beside the same without; the shift is paired, path for path."""

    quarter: QuarterName
    before: Row
    after: tuple[Probability | None, ...]
    shift: Row


class Lever(Record):
    """A what-if: what it sets, why, the beliefs it works by, and (when computed) what follows."""

    id: Id
    title: str
    because: str | None = None
    sets: tuple[tuple[str, float], ...] = ()
    beliefs: tuple[Belief, ...] = ()
    courses: tuple[Course, ...] = ()
