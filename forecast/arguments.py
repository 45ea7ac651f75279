"""Words of the command line become what the verbs take, or one line that says what was wanted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from forecast.streams import Coverage
from priors.refusal import Refusal


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


def span(text: str | None) -> Coverage | Literal["rows"] | None:
    """``1989-01..2021-12`` as a coverage, both ends included.

    Raises:
        Refusal: for anything that is not two months in order.
    """
    if text is None:
        return None
    if text == "rows":
        return "rows"
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
