"""A rule is read out as one plain sentence."""

from collections.abc import Mapping

from forecast.rules.grammar import AllOf, AnyOf, Condition

REMAINDER = "When no other rule holds."


def in_words(rule: AllOf | AnyOf | Condition | None, titles: Mapping[str, str]) -> str:
    """The rule as one sentence, such as "Days of fire: at least 10 in any of the three months.".

    Args:
        rule: a scenario's `resolves`; None for the remainder.
        titles: stream id -> title; a stream without one is named by its id.
    """
    return REMAINDER if rule is None else f"{_whole(rule, titles)}."


def condition_in_words(condition: Condition, titles: Mapping[str, str]) -> str:
    """One condition as a phrase, such as "Deaths: at most 9 in each of the three months"."""
    return _phrase(condition, titles, monthwise=False)


def _whole(rule: AllOf | AnyOf | Condition, titles: Mapping[str, str]) -> str:
    phrase = _phrase(rule, titles, monthwise=False)
    return phrase[0].upper() + phrase[1:] if isinstance(rule, AllOf) and rule.same_month else phrase


def _phrase(rule: AllOf | AnyOf | Condition, titles: Mapping[str, str], *, monthwise: bool) -> str:
    match rule:
        case Condition():
            subject = " plus ".join(titles.get(stream) or stream for stream in rule.streams)
            return f"{subject}: {_amount(rule)}" + ("" if monthwise else _span(rule))
        case AllOf():
            joined = "; and ".join(_nested(part, titles, monthwise or rule.same_month) for part in rule.all)
            once = rule.same_month and not monthwise
            return f"in one and the same month, {joined}" if once else joined
        case AnyOf():
            return "; or ".join(_nested(part, titles, monthwise) for part in rule.any)


def _nested(part: AllOf | AnyOf | Condition, titles: Mapping[str, str], monthwise: bool) -> str:
    phrase = _phrase(part, titles, monthwise=monthwise)
    parts = part.all if isinstance(part, AllOf) else part.any if isinstance(part, AnyOf) else ()
    return f"({phrase})" if len(parts) > 1 else phrase


def _amount(condition: Condition) -> str:
    bound = "at most" if condition.at_least is None else "at least"
    if condition.times is None:
        return f"{bound} {condition.limit:,.10g}"
    times = "" if condition.limit == 1 else f"{condition.limit:,.10g} times "
    return f"{bound} {times}the monthly mean of the twelve months before"


def _span(condition: Condition) -> str:
    months = f"the {'three' if condition.window == 'quarter' else 'six'} months"
    take = {
        "max": f"in {'each' if condition.at_least is None else 'any'} of {months}",
        "mean": f"on average over {months}",
        "sum": f"in {months} together",
        "last": f"in the last of {months}",
    }[condition.take]
    return f" {take}" if condition.times is None else f", {take}"
