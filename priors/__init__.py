"""Beliefs as data: statements with reasons, and the distributions they stand for."""

from priors.library import Change, FieldChange, diff, dumps, load, loads
from priors.refusal import Refusal, nearest
from priors.statement import Chips, Explicit, Interval, Pool, PriorSet, Quartiles, Shares, Statement

__all__ = [
    "Change",
    "Chips",
    "Explicit",
    "FieldChange",
    "Interval",
    "Pool",
    "PriorSet",
    "Quartiles",
    "Refusal",
    "Shares",
    "Statement",
    "diff",
    "dumps",
    "load",
    "loads",
    "nearest",
]
