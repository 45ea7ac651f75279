"""Prior files are read whole or refused; two sets differ in entries and in fields."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from priors.document import entries, parse, place, read
from priors.quantities import GRAMMAR
from priors.refusal import Refusal, nearest
from priors.statement import PriorSet, Statement
from priors.validity import statement

SCHEMA = 1
SHAREABLE = ("author", "date", "source")  # what [defaults] may give once for a file


def load(path: str | os.PathLike[str]) -> PriorSet:
    """The prior set a file states.

    Raises:
        Refusal: the file cannot be read, is not TOML, or states something that cannot be true.
    """
    return loads(read(path), os.fspath(path))


def loads(text: str, file: str) -> PriorSet:
    """The prior set a text states; ``file`` is what refusals call it."""
    document = parse(text, file)
    name = _heading(document, file)
    shared = _defaults(document.pop("defaults", {}), file)
    words = {quantity.name for quantity in GRAMMAR}
    for word in document:
        if word not in words:
            known = words | {"schema", "name", "defaults"}
            raise Refusal(
                file=file,
                where=place(word, text),
                got=word,
                wanted="the name of a quantity",
                remedy=nearest(word, known),
            )
    try:
        statements = {key: statement(key, {**shared, **raw}) for key, raw in entries(document)}
    except Refusal as told:
        raise told.within(file, place(told.where or "", text)) from None
    if not statements:
        raise Refusal(
            file=file, wanted="at least one prior, such as [dwell.<scenario>]", remedy="the file states none"
        )
    return PriorSet(name=name, statements=statements, source=file)


def dumps(name: str, statements: Iterable[Statement]) -> str:
    """The text of a prior file that says exactly this: `loads` of it has the same fingerprint."""
    import tomlkit

    document = tomlkit.document()
    document.add("schema", tomlkit.item(SCHEMA))
    document.add("name", tomlkit.item(name))
    for said in statements:
        table = tomlkit.table()
        for field, value in _written(said).items():
            table.add(field, _inline(value) if isinstance(value, dict) else value)
        parent: Any = document
        *path, last = said.quantity.split(".")
        for word in path:
            if word not in parent:
                parent.add(word, tomlkit.table(is_super_table=True))
            parent = parent[word]
        parent.add(last, table)
    return tomlkit.dumps(document)


def _inline(shares: Mapping[str, float]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    table.update(shares)
    return table


def _written(said: Statement) -> dict[str, Any]:
    """The fields worth writing, in the order a reader wants them: kind, numbers, unit, then the reason."""
    fields = said.model_dump(exclude={"quantity"})
    defaults = {name: field.default for name, field in type(said).model_fields.items() if name != "kind"}
    worth = {name: value for name, value in fields.items() if value != defaults.get(name, ...)}
    if said.known_from == said.date:
        del worth["known_from"]
    last = ("because", "author", "date", "source", "known_from")
    order = ("kind", *(name for name in worth if name not in ("kind", *last)), *last)
    return {name: worth[name] for name in order if name in worth}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of one entry that says something else; None where it was or is absent."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry that came, went or says something else."""

    key: str
    change: Literal["added", "removed", "changed"]
    before: Statement | None
    after: Statement | None
    fields: tuple[FieldChange, ...]  # of a changed entry


def diff(a: PriorSet, b: PriorSet) -> tuple[Change, ...]:
    """What ``b`` says otherwise than ``a``, in the order of ``a``, then what is new in ``b``."""
    changes = []
    for key in (*a, *(key for key in b if key not in a)):
        before, after = a.get(key), b.get(key)
        if before == after:
            continue
        fields: tuple[FieldChange, ...] = ()
        if before is not None and after is not None:
            fields = _fields(before.model_dump(), after.model_dump())
        kind: Literal["added", "removed", "changed"] = (
            "added" if before is None else "removed" if after is None else "changed"
        )
        changes.append(Change(key=key, change=kind, before=before, after=after, fields=fields))
    return tuple(changes)


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field=field, before=before.get(field), after=after.get(field))
        for field in (*before, *(field for field in after if field not in before))
        if before.get(field) != after.get(field)
    )


def _heading(document: dict[str, Any], file: str) -> str:
    schema, name = document.pop("schema", None), document.pop("name", None)
    if type(schema) is not int or schema < 1:
        raise Refusal(file=file, where="schema", got=schema, wanted=f"schema = {SCHEMA}")
    if schema > SCHEMA:
        raise Refusal(
            file=file,
            where="schema",
            got=schema,
            wanted=f"schema = {SCHEMA}",
            remedy=f"needs scenariocast ≥ the release that brought schema {schema}",
        )
    if not isinstance(name, str) or not name.strip():
        raise Refusal(
            file=file, where="name", got=name, wanted='a name for the set, such as name = "frontier"'
        )
    return name


def _defaults(shared: Any, file: str) -> Mapping[str, Any]:
    if not isinstance(shared, dict):
        raise Refusal(file=file, where="defaults", got=shared, wanted="a table")
    for field in shared:
        if field == "because":
            remedy = "each entry gives its own reason"
            raise Refusal(file=file, where="defaults.because", wanted="no reason for all", remedy=remedy)
        if field not in SHAREABLE:
            raise Refusal(
                file=file,
                where=f"defaults.{field}",
                got=field,
                wanted="only author, date, source",
                remedy=nearest(field, SHAREABLE),
            )
    return shared
