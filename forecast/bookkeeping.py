"""Commands about the ledger: each gives an answer, which `forecast.cli` prints."""

import json as codec
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from forecast.commands import BAD_INPUT, DONE, Answer, Directory, Json, Place, Theatre, chosen
from priors.refusal import Refusal

if TYPE_CHECKING:
    from forecast.ledger import Verdict

Records = Annotated[
    Path | None,
    Parameter(
        help="The workspace, a ledger's file, or the text exported from one; the folder one stands in if absent."
    ),
]

ledger = App(name="ledger", help="The record of issued forecasts: append-only, hash-chained, scored.")


def ledger_file(directory: Path | None, theatre: str | None, output: Path | None) -> Path:
    """The ledger's file: of a workspace, or of the folder that a theatre's runs go to."""
    from forecast.archive import LEDGER

    where = chosen(directory, theatre)
    place = output or (Path("workspace") if isinstance(where, str) else where)
    return place if place.is_file() else place / LEDGER


@ledger.command(name="list")
def ledger_list(
    directory: Directory = None, *, theatre: Theatre = None, output: Place = None, json: Json = False
) -> Answer:
    """Every issued forecast, one a line."""
    from forecast import accounts
    from forecast.ledger import check_sound, entries

    file, rows = ledger_file(directory, theatre, output), []
    check_sound(file)  # what was tampered with may hold anything
    for entry in entries(file):
        if entry.kind == "forecast":
            record = codec.loads(entry.payload)
            rows.append(
                {
                    "run": entry.subject,
                    **{key: record[key] for key in ("as_of", "timing", "issued_at", "title")},
                    "forced": bool(record["verdict"]["forced"]),
                    "headline": accounts.leading(record),
                }
            )
    return Answer(text=accounts.ledger_list(rows), data=rows, as_json=json)


@ledger.command(name="show")
def ledger_show(  # noqa: D417
    name: str,
    directory: Directory = None,
    *,
    theatre: Theatre = None,
    output: Place = None,
    json: Json = False,
) -> Answer:
    """Everything the ledger holds of a run or a question, whole.

    Args:
        name: the id of a run or of a question.
    """
    from forecast import accounts
    from forecast.ledger import check_sound, show

    file = ledger_file(directory, theatre, output)
    check_sound(file)
    found = show(file, name)
    if not json:
        return Answer(text=accounts.ledger_entry(found), data=None)
    try:
        data = [{**asdict(entry), "payload": codec.loads(entry.payload)} for entry in found]
    except (ValueError, RecursionError) as error:
        raise Refusal(
            file=str(file), where=name, remedy="run `forecast ledger verify`: it is no JSON"
        ) from error
    return Answer(text="", data=data, as_json=True)


@ledger.command(name="verify")
def ledger_verify(  # noqa: D417
    directory: Records = None,
    *,
    theatre: Theatre = None,
    output: Place = None,
    head: str | None = None,
    count: int | None = None,
    json: Json = False,
) -> Answer:
    """Check that nothing in a ledger, or in the text exported from one, was changed, removed or inserted; exit 2 if so.

    Args:
        head: the hash that an earlier report printed, or its first sixteen digits; without it a cut tail cannot be seen.
        count: the number of entries printed beside it.
    """
    from forecast.arguments import anchored, exported
    from forecast.ledger import export, verify, verify_export

    if count is not None and count < 0:
        raise Refusal(where="--count", got=count, wanted="a whole number from 0")
    file = ledger_file(directory, theatre, output)
    text = exported(file) if file.is_file() else None
    if head is not None:
        head = anchored(head, export(file) if text is None else text)
    found = (
        verify(file, head=head, count=count) if text is None else verify_export(text, head=head, count=count)
    )
    verdict = replace(found, sentence=_beside(found, file, head, count))
    return Answer(
        text=f"{file}: {verdict.sentence}",
        data=asdict(verdict),
        as_json=json,
        code=DONE if verdict.ok else BAD_INPUT,
    )


def _beside(verdict: "Verdict", file: Path, head: str | None, count: int | None) -> str:
    """The verdict's sentence without the file, which stands before it, and with what a count alone cannot show."""
    told = verdict.sentence.removeprefix(f"{file}: ")
    if not verdict.ok or count is None or head is not None:
        return told
    return f"{told}, no fewer than the {count} anchored; without --head a ledger written anew would look the same"


def ledger_export(  # noqa: D417
    directory: Directory = None,
    *,
    theatre: Theatre = None,
    output: Place = None,
    canonical: Annotated[bool, Parameter(negative=(), help="The one form there is; may be left out.")] = True,
    to: Annotated[Path | None, Parameter(name=("--to", "-o"))] = None,
) -> Answer:
    """The whole ledger as JSON Lines, in the form that anyone can check without us.

    Args:
        to: the file to write; the screen if absent.
    """
    from forecast.arguments import writable
    from forecast.ledger import check_sound, export

    source = ledger_file(directory, theatre, output)
    check_sound(source)
    text = export(source)
    if to is not None and to.resolve().name.startswith(source.resolve().name):  # its -wal and -shm too
        raise Refusal(file=str(to), got="the ledger itself", wanted="another name", remedy="write elsewhere")
    if to is None:
        return Answer(text=text.rstrip("\n"), data=None)
    with writable(to).open("w", encoding="utf-8", newline="") as file:
        file.write(text)
    return Answer(text=f"wrote {to}", data=None)
