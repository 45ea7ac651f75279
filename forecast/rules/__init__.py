"""Written rules resolve a window of months to a scenario: their grammar, their parsing, their truth."""

from forecast.rules.grammar import AllOf, AnyOf, Condition, Rule, Scenario, ScenarioSet, conditions
from forecast.rules.parsing import check_streams, parse

__all__ = [
    "AllOf",
    "AnyOf",
    "Condition",
    "Rule",
    "Scenario",
    "ScenarioSet",
    "check_streams",
    "conditions",
    "parse",
]
