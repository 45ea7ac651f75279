# ruff: noqa: D417 (options that several commands share describe themselves)
"""Commands that keep the record: resolve what has closed, tell how it stands, hand it on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from forecast import bookkeeping
from forecast.commands import Answer, Directory, Json, Place, Theatre, chosen
from priors.refusal import Refusal, nearest

if TYPE_CHECKING:
    from forecast.clock import Clock
    from forecast.streams import Coverage, Source
    from forecast.workspace import Workspace

FORMATS = ("jsonl", "csv", "parquet", "hub")
BY_RULE = "the rule of the question"


def attach(ledger: App) -> None:
    """Hang the commands of this module into `forecast ledger`."""
    for name, command in (("resolve", ledger_resolve), ("score", ledger_score), ("export", ledger_export)):
        ledger.command(command, name=name)


def ledger_resolve(
    directory: Directory = None,
    *,
    theatre: Theatre = None,
    output: Place = None,
    data: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    coverage: str | None = None,
    as_of: date | None = None,
    question: str | None = None,
    outcome: str | None = None,
    because: str | None = None,
    release: str | None = None,
    supersedes: int | None = None,
    set_by: str | None = None,
    json: Json = False,
) -> Answer:
    """Answer every closed question by the rule it was asked with and score its forecasts; or, by hand, one of them.

    Args:
        data: source=file: read a source of forecast.toml from this file, such as a new export.
        coverage: the months that files of --data speak for, 2021-10..2026-09; up to their last row if absent.
        as_of: what was known then (YYYY-MM-DD); today if absent.
        question: the id of one question, to be answered by hand with --outcome, --because and --set-by.
        outcome: a scenario, or unresolved, ambiguous, annulled.
        because: why, in a sentence.
        release: the release of the figures, first or annual; the one that scores if absent.
        supersedes: the number of the entry that this corrects.
        set_by: who says so.
    """
    from forecast import clock
    from forecast.workspace import load

    workspace, file = load(chosen(directory, theatre)), bookkeeping.ledger_file(directory, theatre, output)
    at = clock.read(workspace.config.time.model_copy(update={"as_of": "today"}), as_of=as_of)
    if question is not None or outcome is not None:
        answer = {"question": question, "outcome": outcome, "because": because, "set_by": set_by}
        return _by_hand(file, answer, at, release=release, supersedes=supersedes, as_json=json)
    _refuse_idle({"--because": because, "--release": release, "--supersedes": supersedes})
    from forecast.ledger.settling import settle
    from forecast.recordkeeping import words

    found = settle(
        file,
        _sources(workspace, data, coverage),
        root=workspace.root,
        today=at.as_of,
        recorded_at=at.issued_at,
        set_by=set_by or BY_RULE,
        theatre=workspace.title,
    )
    return Answer(text=words.settled(found), data=[asdict(one) for one in found], as_json=json)


def ledger_score(
    directory: Directory = None, *, theatre: Theatre = None, output: Place = None, json: Json = False
) -> Answer:
    """The track record: scores against every reference, the skill process, calibration, and what could be shown at all.

    Of a ledger that several theatres share, each theatre's own, the one last issued first.
    """
    import json as codec

    from forecast.ledger import check_sound, entries

    file = bookkeeping.ledger_file(directory, theatre, output)
    check_sound(file)
    records = [codec.loads(entry.payload) for entry in reversed(entries(file)) if entry.kind == "forecast"]
    if not records:
        raise Refusal(file=str(file), got="no forecast", remedy="`forecast run` issues the first")
    newest: dict[str, Any] = {}
    for record in records:
        newest.setdefault(record["title"], record)
    told = [_standing(file, record) for record in newest.values()]
    (text, data), *others = told
    if others:
        text = "\n\n".join(f"{title}\n\n{said}" for title, (said, _) in zip(newest, told, strict=True))
        data = {**data, "others": [one for _, one in others]}
    return Answer(text=text, data=data, as_json=json)


def _standing(file: Path, record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """One theatre's track record, in words and in numbers.

    Args:
        file: the ledger.
        record: the theatre's newest forecast.
    """
    from forecast.ledger import answers, questions
    from forecast.recordkeeping import words
    from forecast.skill import honesty_of, passages

    title = record["title"]
    found, passed = honesty_of(file, record), passages(file, theatre=title)
    asked = [one for one in questions(file, on=date.max) if one.theatre == title]
    own = {one.id for one in asked}
    answered = [one for one in answers(file) if one.question in own]
    data = {"title": title, **asdict(found), "first_passages": [asdict(one) for one in passed]}
    return words.standing(found, passed, asked, answered), data


def ledger_export(
    directory: Directory = None,
    *,
    theatre: Theatre = None,
    output: Place = None,
    format: str = "jsonl",
    canonical: Annotated[bool, Parameter(negative=(), help="What jsonl always is; may be left out.")] = True,
    to: Annotated[Path | None, Parameter(name=("--to", "-o"))] = None,
) -> Answer:
    """The whole ledger, for others.

    Args:
        format: jsonl (anyone can check it without us), csv or parquet (tidy tables), hub (hubverse.io).
        to: for jsonl a file, the screen if absent; for the others a folder that is new or empty.
    """
    if format not in FORMATS:
        raise Refusal(
            where="--format", got=format, wanted=" | ".join(FORMATS), remedy=nearest(format, FORMATS)
        )
    if format == "jsonl":
        return bookkeeping.ledger_export(
            directory, theatre=theatre, output=output, canonical=canonical, to=to
        )
    from forecast import exports
    from forecast.ledger import check_sound

    file = bookkeeping.ledger_file(directory, theatre, output)
    check_sound(file)
    if to is None or (to.exists() and (not to.is_dir() or any(to.iterdir()))):
        raise Refusal(
            where="--to", got=to, wanted=f"a folder for {format}, new or empty", remedy="name one with --to"
        )
    if format == "hub":
        done = exports.write_hub(file, to)
        lines = [f"wrote {len(done.files)} files to {to}"]
        lines += [f"left out, as an earlier run has the same origin: {run}" for run in done.left_out]
        return Answer(text="\n".join(lines), data=None)
    written = exports.write_tables(file, to, format=format, on=date.today())
    return Answer(text="\n".join(f"wrote {path}" for path in written), data=None)


def _refuse_idle(given: Mapping[str, object]) -> None:
    """What only an answer by hand can use is refused beside the rule's own answers."""
    for name, value in given.items():
        if value is not None:
            remedy = "name the question that is answered by hand"
            raise Refusal(where=name, got=value, wanted="--question beside it", remedy=remedy)


def _by_hand(
    file: Path,
    said: dict[str, str | None],
    at: "Clock",
    *,
    release: str | None,
    supersedes: int | None,
    as_json: bool,
) -> Answer:
    """One answer that a person gives, with a reason and a name."""
    from forecast.ledger import answers, resolve

    given = {key: value for key, value in said.items() if value}
    if absent := [key for key in said if key not in given]:
        raise Refusal(
            where=f"--{absent[0].replace('_', '-')}",
            got="nothing",
            wanted="question, outcome, because and set-by, all four",
            remedy="an answer by hand carries its reason and who gave it",
        )
    resolve(
        file,
        given["question"],
        given["outcome"],
        source="by hand",
        as_of=at.as_of.isoformat(),
        reason=given["because"],
        set_by=given["set_by"],
        recorded_at=at.issued_at,
        release=release,
        supersedes=supersedes,
    )
    last = answers(file)[-1]
    return Answer(
        text=f"entry {last.seq}: {last.question} is {last.outcome}", data=asdict(last), as_json=as_json
    )


def _sources(workspace: "Workspace", data: Sequence[str], coverage: str | None) -> "list[Source]":
    """The workspace's sources, some of them read from other files."""
    from forecast.arguments import span

    known = {source.id: source for source in workspace.sources}
    if coverage is not None and not data:
        raise Refusal(
            where="--coverage", got=coverage, wanted="--data beside it", remedy="name the file it is of"
        )
    for text in data:
        name, sign, file = text.partition("=")
        if not (sign and name in known and file):
            raise Refusal(where="--data", got=text, wanted="source=file", remedy=nearest(name, known))
        stated = span(coverage) or _until_last_row(known[name])
        known[name] = known[name].model_copy(update={"file": str(Path(file).resolve()), "coverage": stated})
    return list(known.values())


def _until_last_row(source: "Source") -> "Coverage | str":
    """The coverage of a newer export: from where the source's begins, to its last row."""
    return source.coverage if source.coverage == "rows" else source.coverage.model_copy(update={"to": None})
