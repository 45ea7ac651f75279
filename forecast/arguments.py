"""Words of the command line become what the verbs take, or one line that says what was wanted."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from priors.refusal import Refusal

if TYPE_CHECKING:
    from forecast.streams import Coverage

HEAD = re.compile(
    "[0-9a-f]{16,64}"
)  # the foot of a report prints sixteen digits of a hash, its last page all


def column_map(text: str | None) -> Mapping[str, str] | None:
    """``month=month,front=country`` as our names to the file's.

    Raises:
        Refusal: for a part without its equals sign.
    """
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    for name, sign, column in pairs:
        if not (name and sign and column):
            raise Refusal(
                where="--columns", got=text, wanted="name=column,…", remedy="month=month,count=deaths"
            )
    return {name.strip(): column.strip() for name, _, column in pairs}


def span(text: str | None) -> "Coverage | Literal['rows'] | None":
    """``1989-01..2021-12`` as a coverage, both ends included.

    Raises:
        Refusal: for anything that is not two months in order.
    """
    if text is None:
        return None
    if text == "rows":
        return "rows"
    from forecast.streams import Coverage

    first, dots, last = text.partition("..")
    try:
        return Coverage.model_validate({"from": first, "to": last if dots else None})
    except ValueError:
        raise Refusal(where="--coverage", got=text, wanted="1989-01..2021-12, or rows") from None


def writable(path: Path) -> Path:
    """A file that can be written where it is wanted.

    Raises:
        Refusal: if its folder does not exist, or it is one.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise Refusal(file=str(path), wanted="a file in a folder that exists", remedy="make the folder first")
    return path


def exported(file: Path) -> str | None:
    """The text of a file that holds a ledger's export; None for anything that is not text beginning with a brace.

    Raises:
        Refusal: if it cannot be read, or is no UTF-8.
    """
    try:
        with file.open("rb") as stream:
            if stream.read(1) != b"{":
                return None
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(
            file=str(file), wanted="a ledger, or the text exported from one", remedy=str(error)
        ) from error


def anchored(head: str | None, export: str) -> str | None:
    """The whole hash that a report's foot begins, looked up in an exported ledger; as given if no entry bears it.

    Raises:
        Refusal: for anything that no report prints.
    """
    if head is None:
        return None
    if not HEAD.fullmatch(head):
        wanted = "a hash as a report prints it: 16 to 64 of 0-9 and a-f"
        raise Refusal(where="--head", got=head, wanted=wanted)
    found = re.search(rf'"hash":"({head}[0-9a-f]*)"', export)
    return found[1] if found else head
