"""Written rules resolve a window of months to a scenario: their grammar, their parsing, their truth."""

from forecast.rules.grammar import AllOf, AnyOf, Condition, Rule, Scenario, ScenarioSet, conditions
from forecast.rules.parsing import check_streams, parse
from forecast.rules.truth import UNRESOLVED, Bounds, bounds_of, resolve, resolve_many
from forecast.rules.words import condition_in_words, in_words

__all__ = [
    "UNRESOLVED",
    "AllOf",
    "AnyOf",
    "Bounds",
    "Condition",
    "Rule",
    "Scenario",
    "ScenarioSet",
    "bounds_of",
    "check_streams",
    "condition_in_words",
    "conditions",
    "in_words",
    "parse",
    "resolve",
    "resolve_many",
]
