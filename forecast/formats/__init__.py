"""The formats of incident files: one registry, each format a reader from checked cells to typed rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from forecast.formats import dated, monthly, spells
from forecast.formats.reading import Reading, Rows
from forecast.formats.sheet import Sheet, header, renamed, sheet
from priors.refusal import Refusal

__all__ = ["FORMATS", "Format", "Reading", "Rows", "guess", "read"]

Shape = Literal["monthly", "dated", "spells"]
NO_COLUMNS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a format is known by its header, read, and shaped."""

    name: str
    shape: Shape
    signature: frozenset[str]  # columns that only this format has together
    reader: Callable[[Sheet], Rows]
    keep: tuple[str, ...] | None = None  # columns held in memory; all if None


def _format(
    name: str,
    shape: Shape,
    signature: tuple[str, ...],
    reader: Callable[[Sheet], Rows],
    keep: tuple[str, ...] | None = None,
) -> tuple[str, Format]:
    return name, Format(name=name, shape=shape, signature=frozenset(signature), reader=reader, keep=keep)


_UCDP = (*dated.UCDP_REQUIRED, *dated.UCDP_FILTERS)

FORMATS: Mapping[str, Format] = MappingProxyType(
    dict(
        (
            _format("tidy", "monthly", monthly.COLUMNS, monthly.tidy),
            _format("chronology", "spells", spells.REQUIRED, spells.chronology),
            _format("events", "dated", dated.EVENTS_COLUMNS, dated.events),
            _format(
                "ucdp-ged", "dated", dated.UCDP_REQUIRED, lambda s: dated.ucdp(s, name="ucdp-ged"), _UCDP
            ),
            _format(
                "ucdp-candidate",
                "dated",
                dated.UCDP_REQUIRED,
                lambda s: dated.ucdp(s, name="ucdp-candidate"),
                _UCDP,
            ),
            _format(
                "acled",
                "dated",
                dated.ACLED_REQUIRED,
                dated.acled,
                (*dated.ACLED_REQUIRED, *dated.ACLED_FILTERS),
            ),
        )
    )
)
"""Every format but `table`, which a column map makes monthly; where two fit alike the first is the guess."""


def read(
    path: Path, format: str, *, name: str | None = None, columns: Mapping[str, str] = NO_COLUMNS
) -> Rows:
    """The rows of a file in one of the `FORMATS`.

    Args:
        path: the file.
        format: name of the format.
        name: what messages call the file.
        columns: the format's names to the file's, where the file calls a column otherwise.

    Raises:
        Refusal: for a file that is not of this format.
    """
    chosen = FORMATS[format]
    keep = None if chosen.keep is None else (*chosen.keep, *columns.values())
    cells = sheet(path, name=name, keep=keep)
    return chosen.reader(renamed(cells, columns) if columns else cells)


def guess(path: Path, *, name: str | None = None) -> str:
    """The format whose columns the file has, or comes nearest to having; its reader says what is amiss.

    Raises:
        Refusal: if it has not half of the columns of any.
    """
    columns = frozenset(column.strip().lower() for column in header(path, name=name))
    shares = {f.name: len(f.signature & columns) / len(f.signature) for f in FORMATS.values()}
    nearest = max(shares, key=lambda format: shares[format])  # the first of equals
    if shares[nearest] >= 0.5:
        return nearest
    raise Refusal(
        file=name or str(path),
        where="line 1",
        got=", ".join(sorted(columns)),
        wanted=f"the columns of {' | '.join(FORMATS)}",
        remedy="give --format, or --columns month=…,count=… and --stream",
    )
