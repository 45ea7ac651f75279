"""Skill is a difference to a reference on the same targets, told with its doubt, or not told at all."""

from forecast.skill.calibration import Bias, Coverage, Reliability, bias, coverage, effective, reliability
from forecast.skill.comparison import Comparison, compare, diebold_mariano, relative_skill
from forecast.skill.first_passage import Passage, passages
from forecast.skill.interleaved import Running, interleaved, running
from forecast.skill.oracle import power
from forecast.skill.standing import Against, Honesty, honesty, honesty_of
from forecast.skill.tables import Line, sliced

__all__ = [
    "Against",
    "Bias",
    "Comparison",
    "Coverage",
    "Honesty",
    "Line",
    "Passage",
    "Reliability",
    "Running",
    "bias",
    "compare",
    "coverage",
    "diebold_mariano",
    "effective",
    "honesty",
    "honesty_of",
    "interleaved",
    "passages",
    "power",
    "relative_skill",
    "reliability",
    "running",
    "sliced",
]
