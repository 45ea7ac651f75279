"""What a prior set implies before any fit: what it could see, how regimes move, what it expects of the counts."""

from forecast.elicited.before import prior_predictive, surprises
from forecast.elicited.chain import implied
from forecast.elicited.evidence import at_medians, visibility
from forecast.elicited.tables import check_table, implied_table

__all__ = [
    "at_medians",
    "check_table",
    "implied",
    "implied_table",
    "prior_predictive",
    "surprises",
    "visibility",
]
