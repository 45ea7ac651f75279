"""What an analyst wrote becomes a `ScenarioSet`, or one line that says what to mend."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from forecast.rules.grammar import (
    AllOf,
    AnyOf,
    Condition,
    Defaults,
    Scenario,
    ScenarioSet,
    Take,
    Window,
    conditions,
)
from forecast.rules.truth import MONTHS, bounds_of
from forecast.streams import Record, StreamDefinition
from priors.refusal import Refusal, nearest, shown

LONGEST = 31.0  # days of the longest month

_RECORD_OF_TAG: Mapping[str, type[Record]] = {
    "rule:all": AllOf,
    "rule:any": AnyOf,
    "rule:condition": Condition,
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "take": get_args(Take),
    "window": get_args(Window),
    "times": ("trailing-12",),
    "release": ("first", "annual"),
}


def parse(data: Mapping[str, Any], *, file: str) -> ScenarioSet:
    """The scenario set of a parsed TOML document.

    Args:
        data: the document as `tomllib` gives it.
        file: its name, for messages.

    Raises:
        Refusal: for the first mistake found, with the place, what stood there and the nearest valid name.
    """
    newest = 1
    if isinstance(schema := data.get("schema"), int) and schema > newest:
        raise Refusal(
            file=file,
            where="schema",
            got=schema,
            wanted=f"at most {newest}",
            remedy="the file was written for a newer scenariocast: upgrade",
        )
    try:
        return ScenarioSet.model_validate(dict(data))
    except ValidationError as error:
        raise _refusal(error.errors()[0], data, file) from None


def check_streams(rules: ScenarioSet, streams: Iterable[StreamDefinition], *, file: str) -> None:
    """Every stream of a rule is known, and every threshold on a count can be missed as well as met.

    Raises:
        Refusal: for an unknown stream (with the nearest name), or a threshold that decides nothing.
    """
    known = {stream.id: stream for stream in streams}
    for scenario in rules.scenarios:
        where = f"scenario {scenario.id!r}.resolves"
        for condition in conditions(scenario.resolves):
            for name in condition.streams:
                if name not in known:
                    raise Refusal(
                        file=file, where=where, got=name, wanted="a stream", remedy=nearest(name, known)
                    )
            if not all(known[name].counts for name in condition.streams):
                continue
            if condition.at_most is not None and condition.at_most < 0:
                raise Refusal(
                    file=file,
                    where=where,
                    got=f"at_most = {condition.at_most:g}",
                    wanted="at least 0: a count is never below it",
                )
            if condition.at_least is not None and condition.at_least <= 0:
                raise Refusal(
                    file=file,
                    where=where,
                    got=f"at_least = {condition.at_least:g}",
                    wanted="more than 0: every count is at least that",
                )
            _check_reach(condition, known, where=where, file=file)


def _check_reach(
    condition: Condition, known: Mapping[str, StreamDefinition], *, where: str, file: str
) -> None:
    """A fixed threshold lies within what the window can hold: yes-or-no streams and days have a most."""
    if condition.times is not None:
        return
    bounds = [bounds_of(known[name]) for name in condition.streams]
    most = sum(LONGEST if bound.upper is None else bound.upper for bound in bounds)
    if condition.take == "sum":
        most *= MONTHS[condition.window]
    if condition.at_least is not None and condition.at_least > most:
        raise Refusal(
            file=file,
            where=where,
            got=f"at_least = {condition.at_least:g}",
            wanted=f"at most {most:g}: {' + '.join(condition.streams)} is never above it",
        )
    if condition.at_most is not None and condition.at_most >= most:
        raise Refusal(
            file=file,
            where=where,
            got=f"at_most = {condition.at_most:g}",
            wanted=f"less than {most:g}: {' + '.join(condition.streams)} is at most that",
        )


def _refusal(error: ErrorDetails, data: Mapping[str, Any], file: str) -> Refusal:
    loc = error["loc"]
    where = _place(loc, data)
    kind = error["type"]
    found = error.get("ctx", {}).get("error")
    if isinstance(found, Refusal):
        inner = ".".join(part for part in (where, found.where) if part)
        return found.within(file, inner or None)
    last = str(loc[-1]) if loc else ""
    if kind == "missing":
        return Refusal(file=file, where=where, wanted="this key", remedy="it is missing")
    if kind == "extra_forbidden":
        return _unknown_key(loc, where, file)
    got = error["input"]
    if kind == "literal_error":
        words = _WORDS[last]
        return Refusal(
            file=file,
            where=where,
            got=got,
            wanted=" | ".join(words),
            remedy=nearest(str(got), words) if len(words) > 1 else None,
        )
    if kind.startswith("union_tag"):
        wanted = "a condition { stream = …, take = …, at_least = … } or a rule { all = […] } or { any = […] }"
        return Refusal(file=file, where=where, got=got, wanted=wanted)
    if kind == "string_pattern_mismatch":
        wanted = "an id: a small letter, then at most 40 small letters, digits and hyphens"
        return Refusal(file=file, where=where, got=got, wanted=wanted)
    if kind in ("tuple_type", "model_type", "model_attributes_type", "dict_type"):
        wanted = "a list" if kind == "tuple_type" else "a table"
        remedy = "write [[scenario]] with two brackets" if loc == ("scenario",) else None
        return Refusal(file=file, where=where, got=got, wanted=wanted, remedy=remedy)
    return Refusal(file=file, where=where, got=got, wanted=_wanted(error))


def _wanted(error: ErrorDetails) -> str:
    plain = {
        "float_type": "a number",
        "finite_number": "a finite number",
        "bool_type": "true or false",
        "int_type": "a whole number",
        "date_type": "a date such as 2026-06-15, without quotes",
        "string_type": "text in quotes",
        "string_too_short": "words, not an empty text",
        "too_short": "at least two streams" if error["loc"][-1:] == ("sum",) else "at least one condition",
    }
    return plain.get(error["type"], error["msg"])


def _unknown_key(loc: tuple[int | str, ...], where: str | None, file: str) -> Refusal:
    tags = [part for part in loc if isinstance(part, str) and part in _RECORD_OF_TAG]
    key = str(loc[-1])
    record: type[Record] = ScenarioSet
    if tags:
        record = _RECORD_OF_TAG[tags[-1]]
    elif loc[0] == "scenario":
        record = Scenario
    elif loc[0] == "defaults" and len(loc) > 1:
        record = Defaults
    valid = [field.alias or name for name, field in record.model_fields.items()]
    if record is AnyOf and key in ("all", "same_month"):
        remedy = "nest it: any = [ { all = […] }, … ]"
    elif record is AllOf and key == "any":
        remedy = "all and any do not stand side by side: nest one in the other"
    else:
        remedy = nearest(key, valid)
    return Refusal(file=file, where=where, got=key, wanted="a key of this table", remedy=remedy)


def _place(loc: tuple[int | str, ...], data: Mapping[str, Any]) -> str | None:
    """A place in words: ``scenario 'regional-war'.resolves.any[0].at_least``."""
    place = ""
    parts = [part for part in loc if part not in _RECORD_OF_TAG]
    if len(parts) > 1 and parts[0] == "scenario" and isinstance(parts[1], int):
        entry = data["scenario"][parts[1]]
        name = entry.get("id") if isinstance(entry, dict) else None
        place = f"scenario {shown(name)}" if isinstance(name, str) else f"scenario number {parts[1] + 1}"
        parts = parts[2:]
    for part in parts:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
    return place or None
