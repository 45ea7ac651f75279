"""A TOML file becomes a frozen record, or one refusal with its file, key, line, value and what was wanted."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from forecast.months import MONTH_PATTERN
from forecast.streams import ID_PATTERN
from priors.document import parse, read
from priors.refusal import Refusal, nearest

SCHEMA = 1
PATTERNS = {
    ID_PATTERN: "an id: a small letter, then at most 40 small letters, digits and hyphens",
    MONTH_PATTERN: 'a month "YYYY-MM"',
}
TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list [ … ]",
    "dict_type": "a table",
    "model_type": "a table",
    "date_type": "a date such as 2026-06-30, without quotes",
    "string_too_short": "a text that is not empty",
    "too_short": "a list or table that is not empty",
}


def text_of(path: Path, name: str) -> str:
    """The text of a file of the workspace; ``name`` is what refusals call it."""
    if not path.is_file():
        remedy = "this is a directory" if path.is_dir() else "there is no such file"
        raise Refusal(file=name, wanted="a file of this name", remedy=remedy)
    try:
        text = read(path)
    except Refusal as told:
        raise told.within(name, told.where) from None
    if not text.strip():
        raise Refusal(file=name, wanted="what `forecast init` writes", remedy="the file is empty")
    return text


def document(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text whose `schema` this version reads, without that key."""
    tables = parse(text, file)
    schema = tables.pop("schema", None)
    if isinstance(schema, int) and schema > SCHEMA:
        remedy = f"needs scenariocast ≥ the release that brought schema {schema}"
        raise Refusal(file=file, where="schema", got=schema, wanted=f"schema = {SCHEMA}", remedy=remedy)
    if type(schema) is not int or schema != SCHEMA:
        raise Refusal(
            file=file, where="schema", got=schema, wanted=f"schema = {SCHEMA}", remedy="add the line"
        )
    return tables


def record[T: BaseModel](kind: type[T], raw: Mapping[str, Any], *, file: str, text: str) -> T:
    """The record of a parsed document.

    Args:
        kind: what the document is to be.
        raw: the document.
        file: its name.
        text: where lines are looked up.

    Raises:
        Refusal: for one mistake; a misspelt key comes before what is missing because of it.
    """
    try:
        return kind.model_validate(dict(raw), strict=True)
    except ValidationError as error:
        raise _refusal(kind, raw, error.errors(include_url=False), file, text) from None


def place(path: Sequence[str | int], text: str) -> str:
    """A path into a TOML document as its owner sees it: ``time.seed (line 14)``."""
    words = [f" {part + 1}" if isinstance(part, int) else f".{part}" for part in path]
    dotted = "".join(words).lstrip(".")
    line = _line(path, text)
    return dotted if line is None else f"{dotted} (line {line})"


def _line(path: Sequence[str | int], text: str) -> int | None:
    """The line of the key, or else of the deepest table on the way to it."""
    names = [part for part in path if isinstance(part, str)]
    entry = next((part for part in path if isinstance(part, int)), 0)  # which of several [[…]]
    met: Counter[str] = Counter()
    inside: int | None = 0  # how deep the current table lies on the path; None: beside it
    depth, found = 0, None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.-]+)\s*\]", line):
            table = header[2].split(".")
            met[header[2]] += 1
            on_path = names[: len(table)] == table and (header[1] == "[" or met[header[2]] == entry + 1)
            inside = here = len(table) if on_path else None
        elif inside is not None and (key := re.match(r"\s*([\w-]+)\s*[=.]", line)):
            here = inside + 1 if names[inside : inside + 1] == [key[1]] else None
        else:
            continue
        if here is not None and here > depth:
            depth, found = here, number
    return found


def _refusal(
    kind: type[BaseModel], raw: Mapping[str, Any], errors: list[ErrorDetails], file: str, text: str
) -> Refusal:
    error = min(errors, key=_rank)
    path = _path(raw, error)
    owner, field = _walk(kind, error["loc"])
    where = place(path, text) or None
    got, kind_of, context = error["input"], error["type"], error.get("ctx", {})
    said = field.description.strip() if field and field.description else None
    if kind_of == "extra_forbidden":
        wanted = f"a key of {place(path[:-1], '') or file}"
        return Refusal(
            file=file, where=where, got=path[-1], wanted=wanted, remedy=nearest(str(path[-1]), _keys(owner))
        )
    if kind_of == "missing":
        wanted = said or f"{path[-1]} = …"
        return Refusal(file=file, where=where, wanted=wanted, remedy=f"it is missing: add {path[-1]}")
    if kind_of == "value_error":
        return Refusal(file=file, where=where, remedy=str(context["error"]))
    if kind_of == "literal_error":
        choices = [word.strip("'") for word in re.split(r", | or ", context["expected"])]
        wanted = said or " | ".join(choices)
        return Refusal(file=file, where=where, got=got, wanted=wanted, remedy=nearest(str(got), choices))
    if kind_of == "string_pattern_mismatch":
        wanted = PATTERNS.get(context["pattern"], said or context["pattern"])
        return Refusal(file=file, where=where, got=got, wanted=wanted)
    remedy = _unquoted(kind_of, got)
    return Refusal(
        file=file, where=where, got=got, wanted=said or TYPES.get(kind_of, error["msg"]), remedy=remedy
    )


def _unquoted(kind_of: str, got: object) -> str | None:
    """What to do about a number that is written as something else."""
    if kind_of == "int_type" and isinstance(got, float):
        return "write it without a decimal point"
    return (
        "write it without quotes" if kind_of in ("int_type", "float_type") and isinstance(got, str) else None
    )


def _rank(error: ErrorDetails) -> int:
    """A misspelt key first; last what only says that a table is none of some words."""
    if error["type"] == "extra_forbidden":
        return 0
    if error["type"] == "literal_error":
        return 1 if isinstance(error["input"], str) else 3
    return 2


def _path(raw: Any, error: ErrorDetails) -> tuple[str | int, ...]:
    """The keys of the file on the way to a mistake, without the parser's own marks."""
    path: list[str | int] = []
    node = raw
    for part in error["loc"]:
        in_table = isinstance(node, Mapping) and part in node
        in_list = isinstance(node, tuple) and isinstance(part, int) and part < len(node)
        if in_table or in_list:
            node = node[part]
        elif not (part == error["loc"][-1] and error["type"] == "missing"):
            continue
        path.append(part)
    return tuple(path)


def _walk(kind: type[BaseModel], loc: Iterable[str | int]) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The record that the parser's steps lead into, and the field they end at (None for an entry of a table).

    Steps that are no keys, such as the branches of a union, are passed over.
    """
    owner: type[BaseModel] | None = kind
    field: FieldInfo | None = None
    entry = False
    for part in loc:
        if entry:  # the name of a table, or a place in a list
            field, entry = None, False
        elif found := _keys(owner).get(str(part)):
            field, entry = found, get_origin(found.annotation) in (dict, tuple)
            owner = _record_in(found.annotation)
    return owner, field


def _keys(owner: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """The keys of a record as they stand in a file."""
    if owner is None:
        return {}
    return {field.alias or name: field for name, field in owner.model_fields.items()}


def _record_in(annotation: Any) -> type[BaseModel] | None:
    """The record that a field holds, alone, in a list or in a table."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _record_in(part))), None)
