"""What a cell may hold: one check per kind of value, and the failure told with line, value and remedy."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from forecast.formats.sheet import Sheet
from forecast.months import MONTH_PATTERN
from forecast.streams import ID_PATTERN, slug
from priors.refusal import Refusal, nearest, shown

_MIDNIGHT = r"([ T]00:00(:00(\.0+)?)?)?"
_WHOLE = r"^[0-9]{1,7}(\.0*)?$"
_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?$"
_DAY = rf"^(19|20|21)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}{_MIDNIGHT}$"
_LONG_DAY = r"^[0-9]{1,2} [A-Z][a-z]+ (19|20|21)[0-9]{2}$"


_TURNS = ("LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI")  # marks that turn the direction of writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of cell: which texts are one, what is wanted, and what to do about one that is not."""

    wanted: str
    accepts: Callable[[pd.Series], pd.Series]  # texts to truth
    remedy: Callable[[str], str]

    def or_empty(self) -> "Kind":
        """The same, where a cell may also be empty."""
        return Kind(
            wanted=f"{self.wanted}, or nothing",
            accepts=lambda texts: self.accepts(texts) | (texts == ""),
            remedy=self.remedy,
        )


def _matches(pattern: str) -> Callable[[pd.Series], pd.Series]:
    return lambda texts: texts.str.fullmatch(pattern.removeprefix("^").removesuffix("$"))


def _is_day(texts: pd.Series) -> pd.Series:
    return _matches(_DAY)(texts) & pd.to_datetime(texts.str[:10], format="%Y-%m-%d", errors="coerce").notna()


def _is_day_in_words(texts: pd.Series) -> pd.Series:
    return _matches(_LONG_DAY)(texts) & pd.to_datetime(texts, format="%d %B %Y", errors="coerce").notna()


def _remedy_for_a_date(text: str) -> str:
    if re.fullmatch(r"[2-6][0-9]{4}(\.0)?", text):
        return "a spreadsheet's day number; format the column as a date and export again"
    if re.search(r"[/]", text) or re.fullmatch(r"[0-9]{1,2}[.-][0-9]{1,2}[.-][0-9]{2,4}", text):
        return "day and month cannot be told apart; write the year first, with hyphens"
    if re.fullmatch(r"[0-9]{4}-?W[0-9]{2}.*", text):
        return "weeks straddle months; add them up by month, or give dated events"
    if "T" in text or ":" in text:
        return "a time of day or a time zone can move an event to another month; give the local day alone"
    if re.match(r"0[0-9]{3}-", text):
        return "mend the year"
    return "mend it, or leave the row out"


def _remedy_for_a_month(text: str) -> str:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", text):
        return 'a month is "YYYY-MM" or its first day; days and weeks belong to format "events"'
    return _remedy_for_a_date(text)


def _remedy_for_a_number(text: str) -> str:
    if not text:
        return "write the number"
    if re.fullmatch(r"-?[0-9]{1,3}([, '’\u00a0\u202f][0-9]{3})+", text):
        return "write it without thousands separators"
    if re.fullmatch(r"-?[0-9]+,[0-9]+", text):
        return "write a decimal point, not a comma"
    if text.startswith("-") and len(text) > 1:
        return "a count cannot be negative"
    if re.fullmatch(r"[0-9]+\.[0-9]+", text):
        return 'counts are whole; a rate or share needs measure = "value"'
    if not text.isascii() and text.isdigit():
        return "write the digits 0 to 9"
    if re.fullmatch(r"[0-9.]+([eE]\+?[0-9]+)?", text):
        return "that is more than any month can hold; mend it"
    return "leave the cell empty where the figure is not known, and put remarks in another column"


def _remedy_for_a_name(text: str) -> str:
    for letter in unicodedata.normalize("NFKD", text):
        if not letter.isascii() and not unicodedata.combining(letter):
            called = unicodedata.name(letter, f"U+{ord(letter):04X}")
            return f"it holds {called}, which is no letter of the Latin alphabet; type it again"
    return "begin with a letter; at most 41 letters, digits and hyphens"


def _is_name(texts: pd.Series) -> pd.Series:
    known = {text: _is_one_name(text) for text in texts.unique()}
    return texts.map(known).astype(bool)


def _is_one_name(text: str) -> bool:
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return all(" " <= c <= "~" for c in bare) and re.fullmatch(ID_PATTERN, slug(text)) is not None


def _is_disguised(text: str) -> bool:
    """Whether a text could command a terminal, or show its letters in another order than it holds them."""
    return any(
        (unicodedata.category(c) == "Cc" and c not in "\t\n\r") or unicodedata.bidirectional(c) in _TURNS
        for c in text
    )


MONTH = Kind(
    wanted='a month "YYYY-MM"',
    accepts=_matches(MONTH_PATTERN.removesuffix("$") + rf"(-01{_MIDNIGHT})?"),
    remedy=_remedy_for_a_month,
)
DAY = Kind(wanted='a day "YYYY-MM-DD"', accepts=_is_day, remedy=_remedy_for_a_date)
DAY_IN_WORDS = Kind(
    wanted='a day "YYYY-MM-DD" or "15 January 2024"',
    accepts=lambda texts: _is_day(texts) | _is_day_in_words(texts),
    remedy=_remedy_for_a_date,
)
COUNT = Kind(wanted="a whole number from 0", accepts=_matches(_WHOLE), remedy=_remedy_for_a_number)
NUMBER = Kind(wanted="a number", accepts=_matches(_NUMBER), remedy=_remedy_for_a_number)
NAME = Kind(wanted="a name", accepts=_is_name, remedy=_remedy_for_a_name)
FILLED = Kind(wanted="an entry", accepts=lambda texts: texts.str.strip() != "", remedy=lambda _: "fill it in")
TEXT = Kind(
    wanted="plain text",
    accepts=lambda texts: ~texts.map(_is_disguised).astype(bool),
    remedy=lambda _: "it holds control characters; type it again",
)
LINK = Kind(
    wanted="a link that starts with http",
    accepts=_matches(r"https?://[^\s<>\"]+"),
    remedy=lambda _: "give the address of the public source",
)


def one_of(*names: str) -> Kind:
    """A cell that holds one of a few words."""
    return Kind(
        wanted=" | ".join(names),
        accepts=lambda texts: texts.isin(names),
        remedy=lambda text: nearest(text, names),
    )


def check_columns(sheet: Sheet, *, required: Iterable[str], optional: Iterable[str] | None = ()) -> None:
    """Refuse a header that lacks a column, or has one that is not known.

    Args:
        sheet: the file.
        required: columns it must have.
        optional: columns it may have; any others if None.
    """
    needed = tuple(required)
    spare = [column for column in sheet.header if column not in needed]
    unknown = [] if optional is None else [column for column in spare if column not in set(optional)]
    if absent := [column for column in needed if column not in sheet.header]:
        raise Refusal(
            file=sheet.file,
            where="line 1",
            got=f"no column {absent[0]!r} among {', '.join(sheet.header)}",
            wanted=", ".join(needed),
            remedy=_renamed(absent[0], spare),
        )
    if unknown:
        raise Refusal(
            file=sheet.file,
            where="line 1",
            got=f"column {unknown[0]!r}",
            wanted=", ".join((*needed, *(optional or ()))),
            remedy='remove the column, or read the file as format "table"',
        )


def _renamed(absent: str, spare: list[str]) -> str:
    for column in spare:
        plain = "".join(c for c in column if c.isascii())
        if strange := [c for c in column if not c.isascii()]:
            called = unicodedata.name(strange[0], f"U+{ord(strange[0]):04X}")
            if len(plain) >= len(absent) - 2 and nearest(plain, [absent]).startswith("did"):
                return f"column {shown(column)} holds {called}; type {absent!r} again"
        if column.strip().lower() == absent:
            return f"write {absent!r} for {column!r}"
    found = nearest(absent, spare)
    if found.startswith("did"):
        return f"rename the column: {found}"
    return f"add the column {absent!r}, or name yours with a column map"


def check_cells(sheet: Sheet, kinds: Mapping[str, Kind]) -> None:
    """Refuse a sheet in which a cell is not of its column's kind, naming the first such line.

    All cells are checked before the first is told, so that the message says how many there are.
    """
    import pandera.pandas as pa  # half a second, only where a file is read

    schema = pa.DataFrameSchema(
        {
            column: pa.Column("str", pa.Check(kind.accepts, name=column, error=kind.wanted), nullable=False)
            for column, kind in kinds.items()
        }
    )
    try:
        schema.validate(sheet.cells, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases
    else:
        return
    order = {column: place for place, column in enumerate(kinds)}
    failures = failures.assign(order=failures["column"].map(order)).sort_values(["index", "order"])
    first = failures.iloc[0]
    line, column, value = int(first["index"]), str(first["column"]), str(first["failure_case"])
    more = f" ({len(failures) - 1} more like it)" if len(failures) > 1 else ""
    raise Refusal(
        file=sheet.file,
        where=f"line {line}, column {column}",
        got=value,
        wanted=kinds[column].wanted,
        remedy=kinds[column].remedy(value) + more,
    )


def check_once(sheet: Sheet, columns: Iterable[str], *, what: str, remedy: str) -> None:
    """Refuse a sheet in which two rows agree in all of the columns, naming both lines."""
    key = sheet.cells[list(columns)]
    if (again := key.duplicated()).any():
        line = int(key.index[again][0])
        values = key.loc[line]
        first = int(key.index[(key == values).all(axis=1)][0])
        raise Refusal(
            file=sheet.file,
            where=f"lines {first} and {line}",
            got=", ".join(values),
            wanted=f"every {what} once",
            remedy=remedy,
        )


def days(texts: pd.Series) -> pd.Series:
    """Checked texts as dates; empty ones as NaT."""
    iso = pd.to_datetime(texts.str[:10].where(_is_day(texts)), format="%Y-%m-%d")
    if iso.notna().all():
        return iso
    return iso.fillna(pd.to_datetime(texts.where(_is_day_in_words(texts)), format="%d %B %Y"))


def numbers(texts: pd.Series) -> pd.Series:
    """Checked texts as numbers; empty ones as NaN (missing, never zero)."""
    return texts.where(texts != "").astype("float64")


def names(texts: pd.Series) -> pd.Series:
    """Checked texts as ids."""
    return texts.map({text: slug(text) for text in texts.unique()})
