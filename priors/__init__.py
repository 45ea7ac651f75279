"""Beliefs as data: statements with reasons, and the distributions they stand for."""

from priors.crosscheck import check, commonest
from priors.elicit import Distribution, Spell, distribution, outlasts, side_of, spell
from priors.library import Change, FieldChange, diff, dumps, load, loads
from priors.quantities import GRAMMAR, Quantity, names_in, quantity_of
from priors.refusal import Refusal, nearest
from priors.schema import schema
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
    "schema",
    "side_of",
    "spell",
]
