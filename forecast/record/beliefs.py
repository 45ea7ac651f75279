"""What was believed and what became of it: scenarios with their rules, and every prior beside its posterior."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forecast.fitted import Fitted
from forecast.latent import Array
from forecast.record.material import Material
from forecast.rules import AnyOf, Rule, conditions, in_words
from priors import Distribution, Shares, Statement, distribution
from priors.elicit import side_of
from priors.quantities import names_in
from priors.statement import Chips, Explicit, Interval, Pool, Quartiles
from reports import words

type Json = dict[str, Any]

SHOWN = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
MASS = 0.9  # of the interval that is shown; an interval statement is held against the mass it states


def scenarios(material: Material) -> list[Json]:
    """Each scenario: its words, its rule in words, its precedents, and whether the streams can see its regime."""
    rules, titles = material.workspace.scenarios, {s.id: s.name for s in material.panel.definitions}
    support = {} if material.latent is None else material.latent.support()
    return [
        {
            "id": scenario.id,
            "title": scenario.title,
            "order": order,
            "narrative": scenario.narrative,
            "rule": "When no other rule holds."
            if scenario.is_remainder
            else in_words(scenario.resolves, titles),
            "watch": watched(scenario.resolves, titles),
            "rule_because": scenario.because,
            "is_reference": scenario.id == rules.reference,
            "is_remainder": scenario.is_remainder,
            "support_months": support.get(scenario.id),
            "precedents": material.past.precedents[scenario.id],
            "visibility": material.visibility.get(scenario.id),
        }
        for order, scenario in enumerate(rules.scenarios)
    ]


def watched(rule: Rule | None, titles: Mapping[str, str]) -> str | None:
    """The shortest way to a scenario, told as what to look for; None for the remainder.

    Of the ways that a rule offers, the one with the fewest conditions; of those, the last written.
    """
    if rule is None:
        return None
    ways = rule.any if isinstance(rule, AnyOf) else (rule,)
    way = min(reversed(ways), key=lambda each: len(list(conditions(each))))
    return in_words(way, titles).rstrip(".")


def priors(material: Material) -> list[Json]:
    """Every statement of the prior set: what it says and why, its quantiles, and the posterior's where one exists."""
    return [entry for statement in material.workspace.priors.values() for entry in _told(statement, material)]


def says(statement: Statement) -> str:
    """A statement in words, without its unit."""
    match statement:
        case Interval():
            about = " (one spell)" if statement.about == "one spell" else ""
            return f"{words.percent(statement.mass)} between {statement.low:g} and {statement.high:g}{about}"
        case Quartiles():
            low, middle, high = statement.quartiles
            return f"median {middle:g}, half between {low:g} and {high:g}"
        case Chips():
            return f"{sum(statement.chips):g} chips over {statement.edges[0]:g} to {statement.edges[-1]:g}"
        case Explicit():
            given = ", ".join(f"{name} {value:g}" for name, value in statement.parameters.items())
            return f"{statement.family} ({given})"
        case Pool():
            return (
                f"{len(statement.experts)} experts: {', '.join(expert.name for expert in statement.experts)}"
            )
        case Shares():
            parts = [f"{name} {words.percent(share)}" for name, share in statement.to.items()]
            ruled_out = [f"{name} never" for name in statement.never]
            return f"{', '.join([*parts, *ruled_out])}; worth {statement.worth:g} cases"


def _told(statement: Statement, material: Material) -> Iterator[Json]:
    key = str(statement.quantity)
    users = [model for model in material.fitted if _uses(model, key)]
    by_front = material.by_front
    apart = {} if by_front is None else by_front.apart
    law = distribution(statement, side=_side(key, material))
    shared = {
        "kind": statement.kind,
        "says": says(statement),
        "unit": getattr(statement, "unit", "share"),
        "because": statement.because,
        "author": statement.author,
        "date": statement.date.isoformat(),
        "source": statement.source,
        "used_by": [model.name for model in users]
        + ([f"{by_front.joint.model.name} by front"] if by_front is not None and key in apart else []),
    }
    stated = dict(_quantiles(key, law, mass=statement.mass if isinstance(statement, Interval) else MASS))
    for name, quantiles in _quantiles(key, law, mass=MASS):
        after = _levels(apart[name]) if name in apart else _posterior(name, users)
        spread = quantiles["q95"] - quantiles["q05"]
        low, high = stated[name]["q05"], stated[name]["q95"]
        yield {
            "key": name,
            **shared,
            "prior": quantiles,
            "posterior": after,
            "contraction": None if after is None or spread == 0 else (after["q95"] - after["q05"]) / spread,
            "contradicted": None if after is None else not low <= after["q50"] <= high,
        }


def _quantiles(key: str, law: Distribution, *, mass: float) -> Iterator[tuple[str, dict[str, float]]]:
    """Median and the ends of the central interval of some mass, for each part of a statement."""
    levels = law.ppf(np.array([(1 - mass) / 2, 0.5, (1 + mass) / 2]))
    if law.family == "dirichlet":
        for column, name in enumerate(law.parameters):
            yield f"{key}.{name}", dict(zip(SHOWN, levels[:, column].tolist(), strict=True))
    else:
        if law.scale == "hazard":  # told in months, as it was asked
            levels = 1 / levels[::-1]
        yield key, dict(zip(SHOWN, levels.tolist(), strict=True))


def _posterior(name: str, users: list[Fitted]) -> dict[str, float] | None:
    """Quantiles in the first model that uses the statement: the one latent quantities come from, if it does."""
    if not users:
        return None
    return _levels(users[0].posterior.draws["stated"].sel(prior=name).values)


def _levels(draws: Array) -> dict[str, float]:
    return dict(zip(SHOWN, np.quantile(draws, list(SHOWN.values())).tolist(), strict=True))


def _uses(model: Fitted, key: str) -> bool:
    known = [str(name) for name in model.posterior.draws["prior"].values]
    return any(name == key or name.startswith(f"{key}.") for name in known)


def _side(key: str, material: Material) -> Any:
    names = names_in(key)
    if not key.startswith("effect."):
        return None
    effect = next(s.effect for s in material.panel.definitions if s.id == names["stream"])
    rules = material.workspace.scenarios
    return side_of(effect, names["scenario"], scenarios=rules.ids, reference=rules.reference)
