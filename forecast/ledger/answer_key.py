"""The answer key of a question: rules and stream definitions as they were when it was asked, whole enough to be applied."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from forecast.rules import ScenarioSet
from forecast.streams import Month, Record, StreamDefinition


class AnswerKey(Record):
    """What resolves a question; a file edited later has no say in it."""

    rules: ScenarioSet
    streams: tuple[StreamDefinition, ...]  # those that the rules look at, masks included
    window_from: Month  # months before it are unknown to the rules


def written(rules: ScenarioSet, streams: Iterable[StreamDefinition], *, window_from: str) -> dict[str, Any]:
    """The key as JSON values."""
    known = {stream.id: stream for stream in streams}
    key = AnswerKey(
        rules=rules, streams=tuple(known[name] for name in rules.streams), window_from=window_from
    )
    return key.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"rules": {"defaults"}})


def read(key: Mapping[str, Any]) -> AnswerKey:
    """The key as records; JSON has no dates, and the rules' are strict."""
    rules = {**key["rules"], "scenario": [_dated(scenario) for scenario in key["rules"]["scenario"]]}
    return AnswerKey.model_validate({**key, "rules": rules})


def _dated(scenario: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(scenario[name]) for name in ("date", "known_from") if name in scenario}
    return {**scenario, **days}
