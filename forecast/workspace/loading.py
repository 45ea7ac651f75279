"""A directory, or a bundled theatre, becomes a workspace; a mistake in any file becomes one line."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType

import priors
from forecast import rules
from forecast.config import Configuration, Labels
from forecast.streams import slug
from forecast.workspace import drivers as driver_rows
from forecast.workspace.consistency import DRIVERS, FORECAST, LABELS, SCENARIOS, check
from forecast.workspace.contents import Workspace
from forecast.workspace.documents import document, place, record, text_of
from priors.document import parse
from priors.refusal import Refusal, nearest

PRIORS = "priors.toml"
THEATRES = Path(__file__).parents[1] / "theatres"


def bundled() -> tuple[str, ...]:
    """The names of the theatres that come with the engine."""
    return tuple(sorted(entry.parent.name for entry in THEATRES.glob(f"*/{FORECAST}")))


def bundled_files(theatre: str) -> Mapping[str, Path]:
    """The files of a bundled theatre by their names in a workspace.

    The beliefs are those of the package `priors`, which an analyst edits.

    Raises:
        Refusal: for a name that is not bundled.
    """
    if theatre not in bundled():
        wanted = "a bundled theatre"
        raise Refusal(where="theatre", got=theatre, wanted=wanted, remedy=nearest(theatre, bundled()))
    root = THEATRES / theatre
    inside = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    return MappingProxyType(inside | {PRIORS: Path(priors.__file__).parent / f"{theatre}.toml"})


def load(where: str | os.PathLike[str]) -> Workspace:
    """The workspace in a directory, or the bundled theatre of that name.

    A text that is the name of a bundled theatre means the theatre; write "./frontier" for a directory so called.

    Raises:
        Refusal: if anything in its files cannot be used; the message names file, key and remedy.
    """
    if isinstance(where, str) and where in bundled():
        return _load(THEATRES / where, where, bundled_files(where)[PRIORS], f"priors/{where}.toml")
    root = Path(where)
    if not (root / FORECAST).exists():
        remedy = f"`forecast init {where}` writes one"
        if isinstance(where, str) and not root.exists():
            remedy = f"a workspace or a bundled theatre ({', '.join(bundled())}); {remedy}"
        raise Refusal(file=os.fspath(where), remedy=f"no {FORECAST} in it: {remedy}")
    return _load(root, slug(root.resolve().name)[:41].strip("-") or "workspace", root / PRIORS, PRIORS)


def _load(root: Path, name: str, priors_path: Path, priors_name: str) -> Workspace:
    files = {FORECAST: root / FORECAST, SCENARIOS: root / SCENARIOS, priors_name: priors_path}
    files |= {name: root / name for name in (LABELS, DRIVERS) if (root / name).exists()}
    texts = {name: text_of(path, name) for name, path in files.items()}
    config = record(Configuration, document(texts[FORECAST], FORECAST), file=FORECAST, text=texts[FORECAST])
    scenarios = rules.parse(parse(texts[SCENARIOS], SCENARIOS), file=SCENARIOS)
    beliefs = priors.loads(texts[priors_name], priors_name)
    labels = _labels(texts[LABELS]).label if LABELS in texts else ()
    rows = driver_rows.rows(texts[DRIVERS], config.drivers, file=DRIVERS) if DRIVERS in texts else ()
    try:
        workspace = Workspace(
            root=root,
            name=name,
            config=config,
            scenarios=scenarios,
            priors=beliefs,
            labels=labels,
            drivers=rows,
            files=MappingProxyType(files | dict(_data(config, root))),
        )
        check(workspace)
    except Refusal as told:
        raise _with_line(told, texts) from None
    return workspace


def _labels(text: str) -> Labels:
    """The labels, each with what `[defaults]` gives once for the file."""
    raw = document(text, LABELS)
    shared = raw.pop("defaults", {})
    if not isinstance(shared, dict) or not set(shared) <= {"author", "date", "source"}:
        wanted = "only author, date, source: each label gives its own reason"
        raise Refusal(file=LABELS, where=place(("defaults",), text), got=shared, wanted=wanted)
    entries = raw.get("label")
    if isinstance(entries, tuple):
        raw["label"] = tuple({**shared, **entry} if isinstance(entry, dict) else entry for entry in entries)
    return record(Labels, raw, file=LABELS, text=text)


def _data(config: Configuration, root: Path) -> Iterator[tuple[str, Path]]:
    """The files of incidents and vintages, each inside the workspace (a symlink may lead out of it)."""
    for source in config.sources.values():
        yield source.file, _inside(root, source.file, f"sources.{source.id}.file")
    for stream in config.streams.values():
        if stream.reporting is not None:
            name = stream.reporting.vintages
            yield name, _inside(root, name, f"streams.{stream.id}.reporting.vintages")


def _inside(root: Path, name: str, where: str) -> Path:
    path = PurePosixPath(name)
    foreign = "\\" in name or PureWindowsPath(name).drive or not name.isprintable()
    if foreign or path.is_absolute() or ".." in path.parts or not path.parts:
        wanted = "a path inside the workspace with forward slashes, such as data/counts.csv"
        raise Refusal(file=FORECAST, where=where, got=name, wanted=wanted)
    found = root / path
    if not found.is_file():
        beside = [entry.relative_to(root).as_posix() for entry in found.parent.glob("*") if entry.is_file()]
        remedy = nearest(name, beside) if beside else f"there is nothing in {path.parent}"
        raise Refusal(file=FORECAST, where=where, got=name, wanted="a file of the workspace", remedy=remedy)
    return found


def _with_line(told: Refusal, texts: Mapping[str, str]) -> Refusal:
    """The same refusal with the line of the key it is about; "label 2.months" is the second [[label]]."""
    if told.file not in (FORECAST, LABELS) or not told.where:
        return told
    path: list[str | int] = []
    for part in told.where.split("."):
        name, _, number = part.partition(" ")
        path += [name, int(number) - 1] if number else [name]
    return told.within(told.file, place(path, texts[told.file]))
