"""The `forecast` command: arguments in, exit code out; the only module that prints.

Exit codes: 0 done, 2 bad input (one message, nothing written), 3 the publish gate refused, 1 a bug.
Everything heavy is imported inside the command that needs it, so that help answers at once.
"""

import errno
import gc
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from forecast import recordkeeping
from forecast.backtest.command import backtest
from forecast.bookkeeping import ledger
from forecast.commands import Answer, Directory, Json, Theatre, attach, chosen, progress
from priors.refusal import Refusal

DONE, BAD_INPUT, GATE_REFUSED, STOPPED = 0, 2, 3, 130
SURROUNDINGS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}

app = App(
    name="forecast",
    help="Probabilities of written scenarios from incident series, every quarter, on the record.",
    help_format="plaintext",  # to read docstrings as Markdown takes as long as all the rest of a page of help
)
scenarios = App(name="scenarios", help="The scenario set and the rules that resolve it.")
priors = App(name="priors", help="The beliefs a forecast starts from.")
for part in (scenarios, priors, ledger):
    app.command(part)
attach(app, priors)
recordkeeping.attach(ledger)
app.command(backtest)


def show(text: str, data: object, as_json: bool) -> None:
    """Print one of the two faces of a result; no text of anybody's file reaches the terminal as a command to it."""
    from forecast.terminal import clean

    print(json.dumps(data, indent=2, allow_nan=False) if as_json else clean(text))


@app.command
def init(directory: Path, *, theatre: str = "frontier", data: Path | None = None, json: Json = False) -> int:
    """Write a workspace, ready to run: the bundled frontier, or `--theatre blank --data counts.csv` for your own."""
    from forecast.terminal import place
    from forecast.theatres import init as write

    told: list[str] = []
    written = write(directory, theatre=theatre, data=data, tell=told.append)
    text = "\n".join(
        [*told, *(f"wrote {place(path)}" for path in written), f"next: forecast run {place(directory)}"]
    )
    show(text, [str(path) for path in written], json)
    return DONE


@app.command
def ingest(
    files: Annotated[tuple[Path, ...], Parameter(negative=())],
    *,
    format: str | None = None,
    columns: str | None = None,
    stream: str | None = None,
    front: str | None = None,
    coverage: str | None = None,
    fronts: Path | None = None,
    measures: str | None = None,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    ascii: bool = False,
) -> int:
    """Raw exports to one tidy panel (month, front, stream, count), with a coverage strip.

    Args:
        files: one or more exports.
        format: tidy, table, chronology, ucdp-ged, ucdp-candidate, acled or events; guessed from the header when absent.
        columns: for `table`: month=month,front=country,count=fatalities_best
        stream: for `table` and events: the id of the stream.
        front: for `table`: where the counts are, if no column says so.
        coverage: the months the files speak for, 1989-01..2021-12, or "rows" for those with a figure.
        fronts: for events: a csv front,column,value that sends each event to a front; the first row that fits wins.
        measures: for events: which of events,best,low,high to keep.
        output: where the panel goes; absent: only the strip is shown.
        ascii: draw the strip without block characters.
    """
    from forecast.arguments import column_map, span
    from forecast.ingest import coverage_of, write
    from forecast.ingest import ingest as read

    panel = read(
        files,
        format=format,
        columns=column_map(columns),
        stream=stream,
        front=front,
        coverage=span(coverage),
        fronts=fronts,
        measures=None if measures is None else tuple(measures.split(",")),
    )
    accounts = [line for reading in panel.readings for line in reading.account()]
    show("\n".join([*accounts, coverage_of(panel, ascii=ascii or not _draws_blocks())]), None, False)
    if output is not None:
        write(panel, output)
        print(f"wrote {output}")
    return DONE


@app.command
def run(
    directory: Directory = None,
    *,
    theatre: Theatre = None,
    output: Path | None = None,
    as_of: date | None = None,
    seed: int | None = None,
    force: bool = False,
    json: Json = False,
) -> int:
    """The quarterly run: validate, fit, check, forecast, report, and issue to the ledger.

    Args:
        output: where `runs/` and the ledger go; the workspace itself when absent.
        as_of: what was known then (YYYY-MM-DD); over forecast.toml.
        seed: over forecast.toml.
        force: issue a forecast whose checks failed, with a banner that says so.
    """
    from forecast.pipeline import run as issue
    from forecast.terminal import headline, place, stands, verdict

    with progress() as report:
        done = issue(
            chosen(directory, theatre),
            output=output,
            as_of=as_of,
            seed=seed,
            force=force,
            workers=os.cpu_count() or 1,
            progress=report,
        )
    lines = [
        f"{done.record['title']}: run {done.record['run']}, as of {done.record['as_of']} ({done.record['timing']})",
        *([] if done.new else [stands(done.record)]),
        "",
        headline(done.record),
        "(mean, 90 % interval)",
        "",
        verdict(done.record),
        *(f"note: {note}" for note in done.record["notes"]),
        *(f"report: {place(path)}" for path in done.reports),
    ]
    show("\n".join(lines), done.record, json)
    return DONE if done.record["verdict"]["ok"] or done.record["verdict"]["forced"] else GATE_REFUSED


@app.command
def report(run: Path, *, formats: str = "html,pdf,notebook") -> int:
    """Render a run's reports again from its stored record, without sampling."""
    from forecast.pipeline import render_again
    from forecast.terminal import place

    for path in render_again(run, formats=tuple(formats.split(","))):
        print(f"report: {place(path)}")
    return DONE


@app.command
def schema(*, output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None) -> int:
    """JSON Schemas of the workspace files, for editors that complete and check as one types."""
    from forecast.workspace import schemas, write_schemas

    if output is None:
        show("", schemas(), True)
    else:
        for path in write_schemas(output):
            print(f"wrote {path}")
    return DONE


@scenarios.command
def history(directory: Directory = None, *, theatre: Theatre = None, json: Json = False) -> int:
    """How the rules resolve the past: every quarter, how often each fires, and what revision would flip it."""
    from forecast.enquiries import past
    from forecast.terminal import past_table

    record = past(chosen(directory, theatre))
    show(past_table(record), record, json)
    return DONE


@priors.command
def check(directory: Directory = None, *, theatre: Theatre = None, json: Json = False) -> int:
    """Validate every statement, and say which regimes the streams could see at all."""
    from forecast.elicited import check_table
    from forecast.enquiries import prior_check

    record = prior_check(chosen(directory, theatre))
    show(check_table(record), record, json)
    return DONE


@priors.command(name="show")
def show_priors(directory: Directory = None, *, theatre: Theatre = None, json: Json = False) -> int:
    """What a prior set implies: dwell in both readings, transitions, streams and the headline before any data."""
    from forecast.elicited import implied_table
    from forecast.enquiries import prior_show

    with progress() as report:
        record = prior_show(chosen(directory, theatre), progress=report)
    show(implied_table(record), record, json)
    return DONE


def _draws_blocks() -> bool:
    """Whether the output's encoding has the block characters of the coverage strip."""
    try:
        "█░·".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the answer.

    A `Refusal`, and a disk that is full, read-only or broken, is told in one line. Any other exception is a bug.
    """
    try:
        result = app(
            list(sys.argv[1:] if argv is None else argv),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except (Refusal, CycloptsError) as mistake:
        from forecast.terminal import clean

        print(f"forecast: {clean(str(mistake).strip())}", file=sys.stderr)
        return BAD_INPUT
    except OSError as failure:
        if failure.errno not in SURROUNDINGS:
            raise
        from forecast.terminal import clean

        where = "" if failure.filename is None else f"{failure.filename}: "
        print(f"forecast: {clean(f'{where}{failure.strerror}')}", file=sys.stderr)
        return BAD_INPUT
    if isinstance(result, Answer):
        show(result.text, result.data, result.as_json)
        return result.code
    return result if isinstance(result, int) else DONE


def entry() -> None:
    """The console script: like `main`, with an output that never fails on a character it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("forecast: stopped; nothing was published", file=sys.stderr)
        code = STOPPED
    except BrokenPipeError:  # the reader has seen enough; what is left has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    gc.freeze()  # all is given back at once: Python would first look for cycles among everything that was loaded
    sys.exit(code)
