"""The text of a prior file becomes entries by key, or a refusal that names the line."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from priors.quantities import complete, expected
from priors.refusal import Refusal, shown

LARGEST = 4_000_000  # bytes; a prior file is a page, not a data set


def read(path: str | os.PathLike[str]) -> str:
    """The text of a file: UTF-8, with or without a byte order mark."""
    file = os.fspath(path)
    try:
        size = Path(path).stat().st_size
        raw = Path(path).read_bytes() if size <= LARGEST else b""
    except FileNotFoundError:
        raise Refusal(file=file, wanted="a file in TOML", remedy="there is no such file") from None
    except OSError as error:
        raise Refusal(file=file, wanted="a file in TOML", remedy=_reason(path, error)) from None
    if size > LARGEST:
        raise Refusal(file=file, got=f"{size} bytes", wanted=f"at most {LARGEST} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Refusal(
            file=file,
            where=f"line {line}",
            got=raw[error.start : error.end],
            wanted="text in UTF-8",
            remedy="save the file again as UTF-8",
        ) from None


def _reason(path: str | os.PathLike[str], error: OSError) -> str:
    if Path(path).is_dir():  # Windows calls it a lack of permission
        return "this is a directory"
    return (error.strerror or "it cannot be read").lower()


def parse(text: str, file: str) -> dict[str, Any]:
    """The TOML document, lists as tuples; anything that is not TOML is a `Refusal` with its line."""
    if not text.strip():
        wanted = 'schema = 1, name = "…" and the priors'
        raise Refusal(file=file, wanted=wanted, remedy="the file is empty")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _misspelt(str(error), text, file) from None
    except RecursionError:
        raise Refusal(file=file, wanted="valid TOML", remedy="brackets are nested too deep") from None
    return {key: _frozen(value) for key, value in document.items()}


def entries(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every entry under its dotted key, as the grammar of quantities cuts the nested tables."""
    for word, value in document.items():
        yield from _descend((word,), value)


def place(where: str, text: str) -> str:
    """An entry or field with the line it stands on, where it can be found: ``dwell.calm.mass (line 12)``."""
    words = [word.partition("[")[0] for word in where.split(".")]
    for upto in range(len(words), 0, -1):
        head = r"\s*\.\s*".join(re.escape(word) for word in words[:upto])
        if header := re.search(rf"^[ \t]*\[[ \t]*{head}[ \t]*[].]", text, re.MULTILINE):
            break
    else:
        return where
    at = header.start()
    if upto < len(words):
        body = re.compile(rf"^[ \t]*(?:{re.escape(words[upto])}[ \t]*[.=]|(\[))", re.MULTILINE)
        found = body.search(text, header.end())
        at = found.start() if found and not found[1] else at
    return f"{where} (line {text.count(chr(10), 0, at) + 1})"


def _descend(path: tuple[str, ...], value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    key = ".".join(path)
    whole = complete(path)
    if whole is None:
        raise Refusal(where=key, got=path[-1], wanted="the key of a quantity", remedy=expected(path))
    if not isinstance(value, dict):
        raise Refusal(where=key, got=value, wanted="a table", remedy=expected(path[:-1] or path))
    _check_id(path)
    if whole:
        yield key, value
        return
    if not value:
        raise Refusal(where=key, wanted="an entry in this table", remedy=expected(path))
    for word, inner in value.items():
        yield from _descend((*path, word), inner)


def _check_id(path: tuple[str, ...]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", path[-1]):
        raise Refusal(
            where=".".join(path),
            got=path[-1],
            wanted="an id: a small letter, then at most 40 small letters, digits and hyphens",
        )


def _misspelt(message: str, text: str, file: str) -> Refusal:
    """What the TOML reader says, with the line quoted; a key given twice in plain words."""
    reason, _, rest = message.partition(" (at ")
    found = re.match(r"line (\d+)", rest)
    line = int(found[1]) if found else text.count("\n") + 1
    quoted = text.split("\n")[line - 1 : line] or [""]
    if "overwrite" in reason or "Cannot declare" in reason or "Cannot mutate" in reason:
        return Refusal(
            file=file,
            where=f"line {line}",
            got=quoted[0].strip(),
            wanted="each table and each key once",
            remedy="it stands in the file already: remove one of the two",
        )
    return Refusal(
        file=file,
        where=f"line {line}",
        got=quoted[0].strip(),
        wanted="valid TOML",
        remedy=shown(reason)[1:-1],
    )


def _frozen(value: Any) -> Any:
    """Lists become tuples, so that a statement cannot be changed after it was read."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value
