"""Commands about runs that exist, and about the machine: each gives an answer, which `forecast.cli` prints."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from priors.refusal import Refusal

DONE, BAD_INPUT, NOT_REPRODUCED = 0, 2, 3

Directory = Annotated[Path | None, Parameter(help="The workspace; the folder one stands in if absent.")]
Theatre = Annotated[str | None, Parameter(help="A bundled theatre instead of a directory, e.g. frontier.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON for a machine to read.")]
Place = Annotated[Path | None, Parameter(help="Where runs/ and the ledger lie, if not in the workspace.")]
Whence = Annotated[
    Path | None, Parameter(name="--workspace", help="The workspace of the run, if its runs lie elsewhere.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command found: for people, for machines, and the exit code."""

    text: str
    data: object
    as_json: bool = False
    code: int = DONE


def attach(app: App, priors: App) -> None:
    """Hang the commands of this module into the command line."""
    for command in (whatif, explain, compare, replay, doctor):
        app.command(command)
    priors.command(priors_diff, name="diff")
    priors.command(priors_impact, name="impact")


def chosen(directory: Path | None, theatre: str | None) -> Path | str:
    """The workspace a command works on: a directory, a bundled theatre, or the folder one stands in."""
    if directory is not None and theatre is not None:
        raise Refusal(
            where="--theatre",
            got=theatre,
            wanted="a directory or a theatre, not both",
            remedy="leave one out",
        )
    return theatre if theatre is not None else directory or Path(".")


def progress() -> Any:
    """A context that turns progress events into bars on a terminal, and into plain lines elsewhere."""
    from forecast.watching import Bars, Lines

    def line(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    return Bars() if sys.stderr.isatty() else Lines(line)


def whatif(
    run: Path,
    *,
    sets: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    lever: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    workspace: Whence = None,
    theatre: Theatre = None,
    json: Json = False,
) -> Answer:
    """A conditional forecast beside the unconditional one, from a stored run, without a new fit.

    Args:
        run: the directory of a run.
        sets: driver=value, driver=value@2026-07 (from then on; an event: in that month), driver=value@2026-07..2026-09.
        lever: the id of a lever of forecast.toml: a recommendation, and the drivers it sets.
    """
    with progress() as report:
        from forecast import accounts, archive
        from forecast.whatif import parse
        from forecast.whatif import whatif as answer

        moves = [parse(text) for text in sets]
        stored = archive.read(run)
        home = archive.workspace_of(stored, _whence(workspace, theatre))
        record = answer(stored, home, moves=moves, levers=lever, progress=report)
    return Answer(text=accounts.whatif(record), data=record, as_json=json)


def explain(run: Path, scenario: str, *, quarter: str | None = None, json: Json = False) -> Answer:
    """One number of the headline, derived again from what the run kept.

    Args:
        run: the directory of a run.
        scenario: the id of a scenario.
        quarter: such as 2026Q3; the first quarter forecast if absent.
    """
    from forecast import archive
    from forecast.explain import explain as answer

    record = answer(archive.read(run), scenario, quarter=quarter)
    return Answer(text="\n".join(record["lines"]), data=record, as_json=json)


def compare(
    before: Path,
    after: Path,
    *,
    quick: Annotated[bool, Parameter(negative=())] = False,
    workspace: Whence = None,
    theatre: Theatre = None,
    json: Json = False,
) -> Answer:
    """What moved between two runs, for the calendar quarters that both speak of, and why.

    Args:
        before: the directory of the earlier run.
        after: the directory of the later run.
        quick: only show both forecasts; dividing the change among its causes takes up to seven fits of each model.
    """
    with progress() as report:
        from forecast import accounts, archive
        from forecast.comparison import compare as answer

        runs = archive.read(before), archive.read(after)
        home = None if quick else archive.workspace_of(runs[1], _whence(workspace, theatre))
        record = answer(*runs, workspace=home, progress=report)
    return Answer(text=accounts.comparison(record), data=record, as_json=json)


def replay(run: Path, *, workspace: Whence = None, theatre: Theatre = None, json: Json = False) -> Answer:
    """Make a run again and compare every file, byte for byte; exit 3 if it cannot be reproduced.

    Args:
        run: the directory of a run.
    """
    with progress() as report:
        from forecast import accounts, archive
        from forecast.replay import replay as answer

        stored = archive.read(run)
        home = archive.workspace_of(stored, _whence(workspace, theatre))
        found = answer(stored, home, progress=report)
    code = DONE if found.ok else NOT_REPRODUCED
    return Answer(
        text=accounts.replayed(found), data={**asdict(found), "ok": found.ok}, as_json=json, code=code
    )


def doctor(
    directory: Directory = None, *, theatre: Theatre = None, output: Place = None, json: Json = False
) -> Answer:
    """Whether this machine can make a forecast; exit 2, with what to do, if not."""
    from forecast import accounts
    from forecast.doctor import doctor as examine

    where = chosen(directory, theatre) if directory or theatre else None
    here = Path(".") if (Path(".") / "forecast.toml").is_file() else None
    place = output or directory or (Path("workspace") if theatre else Path("."))
    findings = examine(where or here, output=place)
    code = DONE if all(one.ok for one in findings) else BAD_INPUT
    data = [asdict(one) for one in findings]
    return Answer(text=accounts.diagnosis(findings), data=data, as_json=json, code=code)


def priors_diff(before: Path, after: Path, *, json: Json = False) -> Answer:
    """What one prior set says otherwise than another: two files, workspaces or theatres.

    Args:
        before: a prior file, a workspace or a bundled theatre.
        after: another.
    """
    from forecast import accounts
    from forecast.comparison import prior_diff

    record = prior_diff(before, after)
    return Answer(text=accounts.prior_changes(record["changes"]), data=record, as_json=json)


def priors_impact(
    directory: Directory = None,
    *,
    against: Path,
    theatre: Theatre = None,
    fit: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> Answer:
    """What an edit of the priors does to the headline; nothing is published.

    Args:
        against: the set before the edit: a prior file, a workspace or a bundled theatre.
        fit: also fit with both sets, which takes as long as two runs.
    """
    where = chosen(directory, theatre)
    with progress() as report:
        from forecast import accounts
        from forecast.comparison import prior_impact

        record = prior_impact(where, against, fit=fit, progress=report)
    return Answer(text=accounts.prior_impact(record), data=record, as_json=json)


def _whence(workspace: Path | None, theatre: str | None) -> Path | str | None:
    return None if workspace is None and theatre is None else chosen(workspace, theatre)
