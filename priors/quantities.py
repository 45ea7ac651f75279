"""The grammar of what may be believed: every quantity's key, unit, bounds and meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Literal

from priors.refusal import Refusal, nearest

Scale = Literal["positive", "share", "real", "shares"]

POSITIVE = ("lognormal", "gamma", "halfnormal", "exponential")
REACH: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"times": (1e-6, 1e6), "percent": (0.0, 10_000.0), "…": (0.0, 1e7)}
)
"""The least and the most that a number may be, by the first word of its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One kind of thing an analyst can state.

    Every number lies strictly between ``above`` and ``below``, from ``least`` to ``most``: beyond those lies a slip
    of the pen, and arithmetic that overflows. ``families`` are those a statement may name;
    the first is taken when it names none. ``unit`` is how the unit of a statement begins; ``… per month``
    asks for something counted per month; shares have no unit.
    """

    pattern: str  # dotted key; <…> stands for an id
    scale: Scale
    families: tuple[str, ...]
    unit: str | None
    above: float
    below: float
    meaning: str
    least: float = -inf
    most: float = inf

    @property
    def name(self) -> str:
        """First word of the key."""
        return self.pattern.split(".")[0]


def _positive(pattern: str, unit: str, meaning: str, families: tuple[str, ...] = POSITIVE) -> Quantity:
    least, most = REACH[unit.split()[0]]
    return Quantity(
        pattern=pattern,
        scale="positive",
        families=families,
        unit=unit,
        above=0.0,
        below=inf,
        meaning=meaning,
        least=least,
        most=most,
    )


def _share(pattern: str, unit: str, meaning: str) -> Quantity:
    return Quantity(
        pattern=pattern,
        scale="share",
        families=("beta",),
        unit=unit,
        above=0.0,
        below=1.0,
        meaning=meaning,
    )


def _shares(pattern: str, meaning: str) -> Quantity:
    return Quantity(
        pattern=pattern,
        scale="shares",
        families=("dirichlet",),
        unit=None,
        above=0.0,
        below=1.0,
        meaning=meaning,
    )


GRAMMAR: tuple[Quantity, ...] = (
    Quantity(
        pattern="dwell.<scenario>",
        scale="positive",
        families=("shifted-lognormal",),
        unit="months",
        above=1.0,
        below=inf,
        meaning="How long the regime lasts on average once it has begun, with every driver at its reference.",
        most=12_000.0,
    ),
    Quantity(
        pattern="shape.<scenario>",
        scale="positive",
        families=("lognormal",),
        unit="shape",
        above=0.0,
        below=inf,
        meaning="Whether spells of the regime have a length of their own: 1 for none, above for spells of much the same "
        "length, below for many short ones and a few long ones.",
        least=0.01,
        most=1000.0,
    ),
    _shares("exits.<scenario>", "Where the regime goes when it ends: shares over the other scenarios."),
    _positive(
        "effect.<stream>.<scenario>",
        "times",
        "The stream in this regime, as a multiple of the neighbouring regime on the side of the reference.",
        ("lognormal", "signed-lognormal"),
    ),
    _positive(
        "level.<stream>",
        "… per month",
        "The stream in the reference scenario: geometric mean over window and horizon.",
        ("lognormal", "gamma", "normal", "studentt"),
    ),
    _share(
        "chance.<stream>.<scenario>",
        "probability",
        "Probability that a yes-or-no stream says yes in a month of the regime.",
    ),
    _positive("wander.<stream>", "percent per month", "How far the stream's level moves in a typical month."),
    Quantity(
        pattern="drift.<stream>.<scenario>",
        scale="real",
        families=("normal", "studentt"),
        unit="percent per month",
        above=-100.0,
        below=inf,
        meaning="Steady growth (or, below zero, decline) of the stream's level in the regime.",
        most=REACH["percent"][1],
    ),
    _positive(
        "swing.<scenario>",
        "times",
        "How far levels move in a month of the regime, as a multiple of the reference scenario's.",
    ),
    _positive(
        "spread.<stream>",
        "percent",
        "How far single months scatter around their mean beyond chance: 1/√φ in percent of the mean.",
    ),
    _share(
        "zero.<stream>",
        "share",
        "Share of months that are zero for a reason of their own, such as no report.",
    ),
    _positive(
        "season.<stream>", "percent", "How far a calendar month typically stands from the year's average."
    ),
    _positive(
        "trend.<stream>",
        "percent per month",
        "How far the level typically rises or falls in a month because of a trend that lasts a while.",
    ),
    _share("damping.<stream>", "share", "Share of the trend that is left a month later."),
    _share(
        "outlier.<stream>", "share", "Share of months that are out of all proportion to those around them."
    ),
    _share(
        "persist.<stream>.on", "probability", "Probability that a yes-or-no stream stays at yes next month."
    ),
    _share(
        "persist.<stream>.off", "probability", "Probability that a yes-or-no stream stays at no next month."
    ),
    _shares("start", "The regime in the first month of the window: shares over the scenarios."),
    _positive(
        "odds.<driver>.leave.<scenario>",
        "times",
        "What one unit of the driver multiplies the monthly odds of leaving the regime by.",
        ("lognormal",),
    ),
    _positive(
        "odds.<driver>.toward.<from>.<to>",
        "times",
        "What one unit of the driver multiplies the odds of this exit by, against the row's commonest exit.",
        ("lognormal",),
    ),
    _positive("pooling.fronts", "percent", "How far the fronts differ from one another."),
    _positive("pooling.levels", "percent", "How far a front's level typically stands from an even share."),
)


def quantity_of(key: str) -> Quantity:
    """The quantity a dotted key belongs to; a key outside the grammar is a `Refusal`."""
    segments = tuple(key.split("."))
    for quantity in GRAMMAR:
        if _begins(quantity, segments) and len(segments) == quantity.pattern.count(".") + 1:
            return quantity
    raise Refusal(where=key, wanted="the key of a quantity", remedy=expected(segments))


def names_in(key: str) -> dict[str, str]:
    """The ids a key names by the role they play: ``{"stream": …, "scenario": …}``."""
    roles = quantity_of(key).pattern.split(".")
    return {role[1:-1]: part for role, part in zip(roles, key.split("."), strict=True) if role[0] == "<"}


def complete(segments: tuple[str, ...]) -> bool | None:
    """Whether a path of table names is a whole key, only the beginning of one, or (None) neither."""
    begun = [quantity for quantity in GRAMMAR if _begins(quantity, segments)]
    if not begun:
        return None
    return any(quantity.pattern.count(".") + 1 == len(segments) for quantity in begun)


def expected(segments: tuple[str, ...]) -> str:
    """What could have stood where a path leaves the grammar."""
    for upto in range(1, len(segments) + 1):
        if complete(segments[:upto]) is None:
            before = [q.pattern.split(".") for q in GRAMMAR if _begins(q, segments[: upto - 1])]
            options = {pattern[upto - 1] for pattern in before if len(pattern) >= upto}
            return nearest(segments[upto - 1], options) if options else "the key is too long"
    patterns = sorted(q.pattern for q in GRAMMAR if _begins(q, segments))
    return "write " + " or ".join(f"[{pattern}]" for pattern in patterns)


def _begins(quantity: Quantity, segments: tuple[str, ...]) -> bool:
    pattern = quantity.pattern.split(".")
    return len(segments) <= len(pattern) and all(
        want == part or want[0] == "<" for want, part in zip(pattern, segments, strict=False)
    )
