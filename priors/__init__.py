"""Beliefs as data: statements with reasons, and the distributions they stand for.

Names are fetched at first use: a command that reads no prior file answers without waiting for the parser.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from priors.refusal import Refusal, nearest

if TYPE_CHECKING:
    from priors.crosscheck import StreamFacts, check, commonest
    from priors.elicit import Distribution, Spell, distribution, outlasts, side_of, spell
    from priors.library import Change, FieldChange, diff, dumps, load, loads
    from priors.quantities import GRAMMAR, Quantity, names_in, quantity_of
    from priors.statement import Chips, Explicit, Interval, Pool, PriorSet, Quartiles, Shares, Statement

__all__ = [
    "GRAMMAR",
    "Change",
    "Chips",
    "Distribution",
    "Explicit",
    "FieldChange",
    "Interval",
    "Pool",
    "PriorSet",
    "Quantity",
    "Quartiles",
    "Refusal",
    "Shares",
    "Spell",
    "Statement",
    "StreamFacts",
    "check",
    "commonest",
    "diff",
    "distribution",
    "dumps",
    "load",
    "loads",
    "names_in",
    "nearest",
    "outlasts",
    "quantity_of",
    "side_of",
    "spell",
]

_ROOMS = ("quantities", "statement", "library", "elicit", "crosscheck")  # the light ones first


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it."""
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"priors.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
