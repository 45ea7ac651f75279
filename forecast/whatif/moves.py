"""What a driver is set to, over which months ahead: from the words of the command line to a path of values."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecast.config import Driver as Declared
from forecast.months import MONTH_PATTERN
from priors.refusal import Refusal

MONTH = MONTH_PATTERN.strip("^$")
SET = re.compile(rf"([a-z][a-z0-9-]*)=([+-]?[0-9]+(?:\.[0-9]+)?)(?:@({MONTH})(?:(\.\.\.?|…)({MONTH})?)?)?")
WANTED = "driver=value, driver=value@2026-07 or driver=value@2026-07..2026-09"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A driver set to a value; a state or an amount keeps it until its last month, an event lasts a month."""

    driver: str
    value: float
    first: str | None = None  # None: the first month of the first quarter forecast
    last: str | None = None  # None: the last month simulated; for an event, its first month
    lasting: bool = False  # an event that goes on in every month to the end, written "2026-07.."


def parse(text: str) -> Move:
    """``mediation=1@2026-07..2026-09`` as a move.

    Raises:
        Refusal: for anything else.
    """
    found = SET.fullmatch(text.strip())
    if found is None:
        raise Refusal(where="--set", got=text, wanted=WANTED)
    driver, value, first, dots, last = found[1], found[2], found[3], found[6], found[7]
    return Move(
        driver=driver, value=float(value), first=first, last=last, lasting=bool(dots) and last is None
    )


def path_of(moves: Sequence[Move], declared: Declared, at: Mapping[str, float], *, start: str) -> list[float]:
    """A driver's values in the months ahead, after the moves that concern it.

    Args:
        moves: those of this driver, later ones over earlier ones.
        declared: the driver.
        at: its value in each month ahead without them.
        start: the month from which a move without a month holds.

    Raises:
        Refusal: a month that is not ahead, or a value that the driver's kind cannot take.
    """
    values = dict(at)
    for move in moves:
        first = move.first or start
        brief = declared.kind == "event" and not move.lasting
        last = move.last or (first if brief else max(at))
        for month in (first, last):
            if month not in at:
                wanted = f"a month from {min(at)} to {max(at)}: those are simulated"
                raise Refusal(where=f"--set {move.driver}", got=month, wanted=wanted)
        if last < first:
            raise Refusal(where=f"--set {move.driver}", got=f"{first}..{last}", wanted="months in order")
        try:
            declared.check(move.value)
        except ValueError as error:
            raise Refusal(where=f"--set {move.driver}", remedy=str(error)) from None
        values |= {month: move.value for month in at if first <= month <= last}
    return list(values.values())
