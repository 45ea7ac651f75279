"""A statement is accepted only if it can be true of its quantity; every objection says what would be."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from priors.quantities import Quantity, names_in, quantity_of
from priors.refusal import Refusal, nearest
from priors.statement import KINDS, Chips, ExpertChips, Explicit, Interval, Pool, Quartiles, Shares, Statement

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "normal": ("mu", "sigma"),
    "lognormal": ("mu", "sigma"),
    "shifted-lognormal": ("shift", "mu", "sigma"),
    "signed-lognormal": ("sign", "mu", "sigma"),
    "beta": ("alpha", "beta"),
    "gamma": ("alpha", "beta"),
    "halfnormal": ("sigma",),
    "exponential": ("lam",),
    "studentt": ("nu", "mu", "sigma"),
}
FREE = {"mu", "sign", "shift"}  # every other parameter is positive

_MISSING = {
    "because": "say why in a sentence: a prior without a reason is refused",
    "author": "add it here, or once for the file under [defaults]",
    "date": "add it here, or once for the file under [defaults]",
    "source": "add it here, or once for the file under [defaults]",
}


def statement(key: str, raw: Mapping[str, Any]) -> Statement:
    """The record for one entry; ``where`` in a refusal is the entry's key and field.

    Raises:
        Refusal: without a file, which only the caller knows.
    """
    quantity = quantity_of(key)
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        remedy = nearest(kind if isinstance(kind, str) else "", KINDS)
        raise Refusal(where=f"{key}.kind", got=kind, wanted="the kind of statement", remedy=remedy)
    if "quantity" in raw:
        raise Refusal(where=f"{key}.quantity", got=raw["quantity"], wanted="no such key")
    try:
        read = KINDS[kind].model_validate({**raw, "quantity": key})
    except ValidationError as error:
        raise _told(key, KINDS[kind], error.errors(include_url=False)[0]) from None
    if isinstance(read, Shares) != (quantity.scale == "shares"):
        wanted = 'kind = "shares"' if quantity.scale == "shares" else 'any kind but "shares"'
        raise Refusal(where=f"{key}.kind", got=kind, wanted=wanted)
    if isinstance(read, Shares):
        _check_alternatives(key, read)
    else:
        _check_unit(key, quantity, read.unit)
        _check_family(key, quantity, read)
        _check_bounds(key, quantity, read)
    return read


def numbers(statement: Statement) -> Iterator[tuple[str, float, bool]]:
    """Every value a statement names on the quantity's scale: (field, value, may touch a bound).

    The outermost edges of a histogram only say where the belief ends, so they may touch a bound.
    """
    speakers: tuple[tuple[str, object], ...] = (("", statement),)
    if isinstance(statement, Pool):
        speakers = tuple((f"experts[{i}].", expert) for i, expert in enumerate(statement.experts))
    for prefix, said in speakers:
        if isinstance(said, Chips | ExpertChips):
            last = len(said.edges) - 1
            yield from ((f"{prefix}edges[{i}]", edge, i in (0, last)) for i, edge in enumerate(said.edges))
        elif hasattr(said, "quartiles"):
            yield from ((f"{prefix}quartiles[{i}]", value, False) for i, value in enumerate(said.quartiles))
        elif hasattr(said, "low") and hasattr(said, "high"):
            yield from ((f"{prefix}low", said.low, False), (f"{prefix}high", said.high, False))


def _check_alternatives(key: str, said: Shares) -> None:
    own = names_in(key).get("scenario")
    if own in said.to or own in said.never:
        raise Refusal(
            where=f"{key}.to",
            got=own,
            wanted="the other scenarios",
            remedy="a regime does not exit to itself",
        )


def _check_unit(key: str, quantity: Quantity, unit: str) -> None:
    wanted = quantity.unit or ""
    if wanted.startswith("… "):
        fits = re.search(rf"\S {wanted[2:]}\b", unit) is not None
        told = f'a unit such as "deaths {wanted[2:]}"'
    else:
        fits = re.match(rf"{wanted}\b", unit) is not None
        told = f'a unit that begins "{wanted}"'
    if not fits:
        quarters = "quarter" in unit and "month" in wanted
        remedy = "convert the numbers: a quarter is three months" if quarters else None
        raise Refusal(where=f"{key}.unit", got=unit, wanted=told, remedy=remedy)


def _check_family(key: str, quantity: Quantity, said: Interval | Quartiles | Chips | Explicit | Pool) -> None:
    where = f"{key}.family"
    if isinstance(said, Interval) and said.about == "one spell":
        if quantity.name != "dwell":
            raise Refusal(where=f"{key}.about", got=said.about, wanted="no `about` outside dwell")
        if said.family is not None:
            raise Refusal(
                where=where,
                got=said.family,
                wanted='no family beside about = "one spell"',
                remedy="remove it",
            )
    if said.family is not None and said.family not in quantity.families:
        remedy = nearest(said.family, quantity.families)
        raise Refusal(where=where, got=said.family, wanted=f"a family for {quantity.name}", remedy=remedy)
    if not isinstance(said, Explicit):
        if said.family in ("studentt", "signed-lognormal"):
            remedy = 'write it out with kind = "distribution"'
            raise Refusal(where=where, got=said.family, wanted="a family two numbers settle", remedy=remedy)
        return
    names = PARAMETERS[said.family]
    if set(said.parameters) != set(names):
        raise Refusal(
            where=f"{key}.parameters", got=sorted(said.parameters), wanted=f"exactly {', '.join(names)}"
        )
    for name, value in said.parameters.items():
        where = f"{key}.parameters.{name}"
        if name not in FREE and value <= 0:
            raise Refusal(where=where, got=value, wanted="a number above 0")
        if name == "sign" and value not in (-1.0, 1.0):
            raise Refusal(where=where, got=value, wanted="1 (above one) or -1 (below one)")
        if name == "shift" and value < quantity.above:
            raise Refusal(where=where, got=value, wanted=f"at least {quantity.above:g}")


def _check_bounds(key: str, quantity: Quantity, said: Statement) -> None:
    unbounded = getattr(said, "family", None) in ("normal", "studentt") and quantity.name == "level"
    for field, value, outermost in numbers(said):
        if value > quantity.most or (unbounded and value < -quantity.most):
            wanted = (
                f"a number from {-quantity.most:,.0f} on" if value < 0 else f"at most {quantity.most:,.0f}"
            )
            raise Refusal(where=f"{key}.{field}", got=value, wanted=wanted)
        inside = quantity.above < value < quantity.below
        if unbounded or (outermost and value in (quantity.above, quantity.below)):
            continue  # the level of a stream of real numbers may be any; an edge may touch a bound
        if inside and value < quantity.least:
            raise Refusal(where=f"{key}.{field}", got=value, wanted=f"at least {quantity.least:f}")
        if inside:
            continue
        wanted = f"a number above {quantity.above:g}"
        remedy = None
        if quantity.name == "dwell":
            wanted = "more than 1 month"
            remedy = "a regime lasts at least the month it is seen in"
        elif quantity.scale == "share":
            wanted = "a probability between 0 and 1, both excluded"
            remedy = f"write {value / 100:g} for {value:g} %" if 1 < value < 100 else None
        raise Refusal(where=f"{key}.{field}", got=value, wanted=wanted, remedy=remedy)


def _told(key: str, record: type[Statement], error: ErrorDetails) -> Refusal:
    """One error of the parser in the words of a `Refusal`."""
    where = _field(key, error["loc"])
    kind, got, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "objection":
        return Refusal(
            where=f"{where}.{context['field']}",
            got=context["got"],
            wanted=context["wanted"],
            remedy=context["remedy"],
        )
    if kind == "missing":
        name = error["loc"][-1]
        wanted = f"{name} = …" if isinstance(name, str) else "one more number"
        return Refusal(where=where, wanted=wanted, remedy=_MISSING.get(str(name)))
    if kind == "extra_forbidden":
        known = (set(record.model_fields) - {"quantity"}) if len(error["loc"]) == 1 else set()
        return Refusal(
            where=where,
            got=error["loc"][-1],
            wanted=f'a key of kind "{record.model_fields["kind"].default}"',
            remedy=nearest(str(error["loc"][-1]), known) if known else None,
        )
    if kind.startswith("float") or kind == "finite_number":
        quoted = isinstance(got, str)
        return Refusal(
            where=where,
            got=got,
            wanted="a finite number",
            remedy="write it without quotes" if quoted else None,
        )
    if kind.startswith("date"):
        return Refusal(where=where, got=got, wanted="a date such as 2026-06-15, without quotes or time")
    if kind == "string_too_short":
        return Refusal(where=where, got=got, wanted="a text", remedy=_MISSING.get(str(error["loc"][-1])))
    if kind == "too_short":
        return Refusal(where=where, got=got, wanted=f"at least {context['min_length']}")
    if kind.startswith("union_tag"):
        got = got.get("kind") if isinstance(got, dict) else got
        return Refusal(where=f"{where}.kind", got=got, wanted="interval, quartiles or chips")
    wanted = error["msg"].removeprefix("Input should be ")
    return Refusal(where=where, got=got, wanted=wanted)


def _field(key: str, location: tuple[int | str, ...]) -> str:
    """``odds.x.leave.y.experts[1].low`` from the parser's path, without the tag it adds for a union."""
    steps = [step for i, step in enumerate(location) if not (i == 2 and location[0] == "experts")]
    text = key
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text
