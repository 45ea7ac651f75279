"""What differs: between two runs, quarter by quarter and why, and between two prior sets with what that does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast import archive
from forecast.archive import Stored
from forecast.publish import RECORD
from forecast.watching import Progress, silent
from priors import PriorSet, diff, load
from priors.refusal import Refusal, nearest

if TYPE_CHECKING:
    from forecast.scenarios import Estimate
    from forecast.workspace import Workspace

type Json = dict[str, Any]

NOISE = 2.0  # Monte Carlo errors that a shift must exceed to be called one
AGREES = 1e-9  # how near a record must be to the counts behind it
INPUTS = {
    "data_sha256": "the data",
    "priors_sha256": "the priors",
    "scenarios_sha256": "the rules",
    "code_sha256": "the code",
    "seed": "the seed",
    "versions": "the libraries",
}


def compare(
    before: Stored, after: Stored, *, workspace: "Workspace | None" = None, progress: Progress = silent
) -> Json:
    """The calendar quarters that two runs both speak of, how far each probability moved, and why.

    Args:
        before: the earlier run.
        after: the later run.
        workspace: where the later run came from, with its rules; without one the change is not divided, and nothing
            is fitted.
        progress: called before each fit.

    Returns:
        ``differs`` (which inputs), ``quarters``: for each scenario ``before``, ``after``, ``shift``, the ``mcse`` of
        the shift, and whether it is ``beyond_noise``; and ``moved``, the causes as ``forecast.moved.account`` tells
        them, or null.

    Raises:
        Refusal: if the runs speak of different scenarios or of no quarter in common, or if the change is to be divided
            and a run's files, or the rules of the later one, are not what they were.
    """
    if list(before.titles) != list(after.titles):
        missing = sorted(set(before.titles) ^ set(after.titles)) or list(after.titles)
        raise Refusal(
            file=str(after.path), got=missing[0], wanted=f"the scenarios of {before.id}, in their order"
        )
    then, now = _quarters(before.record), _quarters(after.record)
    common = [name for name in then if name in now]
    if not common:
        raise Refusal(
            file=str(after.path),
            got=", ".join(now),
            wanted=f"a quarter that {before.id} speaks of too: {', '.join(then)}",
        )
    told = {"before": before.record, "after": after.record}
    facts = ("run", "as_of", "origin")
    return {
        **{side: {key: record[key] for key in facts} for side, record in told.items()},
        "scenarios": [{"id": key, "title": title} for key, title in after.titles.items()],
        "differs": [
            name
            for key, name in INPUTS.items()
            if before.record["provenance"][key] != after.record["provenance"][key]
        ]
        + (["the date they speak from"] if before.record["as_of"] != after.record["as_of"] else []),
        "same_rules": before.record["provenance"]["scenarios_sha256"]
        == after.record["provenance"]["scenarios_sha256"],
        "quarters": [{"quarter": name, "resolved": moved(then[name], now[name])} for name in common],
        "moved": None if workspace is None else _divided(before, after, workspace, common, progress),
    }


def moved(before: Mapping[str, Json | None], after: Mapping[str, Json | None]) -> Json:
    """By scenario: both probabilities, the shift between them, its Monte Carlo error, and whether it exceeds it."""
    return {key: _shift(before[key], after[key]) for key in after}


def prior_diff(a: Path | str, b: Path | str) -> Json:
    """What set ``b`` says otherwise than ``a``, entry by entry.

    Args:
        a: a prior file, a workspace or a bundled theatre.
        b: another.

    Raises:
        Refusal: if one cannot be read.
    """
    before, after = prior_set(a), prior_set(b)
    return {
        "before": {"name": before.name, "source": before.source},
        "after": {"name": after.name, "source": after.source},
        "changes": prior_changes(before, after),
    }


def prior_changes(before: PriorSet, after: PriorSet) -> list[Json]:
    """Each entry that came, went or says something else, in words."""
    from forecast.record.beliefs import says

    return [
        {
            "key": change.key,
            "change": change.change,
            "before": change.before and says(change.before),
            "after": change.after and says(change.after),
            "fields": [field.field for field in change.fields],
            "because": change.after.because if change.after else None,
        }
        for change in diff(before, after)
    ]


def prior_impact(
    where: Path | str, against: Path | str, *, fit: bool = False, progress: Progress = silent
) -> Json:
    """What an edit of the priors does to the headline: a workspace as it is, against the same with another set.

    Nothing is published. Without a fit both sets are asked before any data; with one, both are fitted.

    Args:
        where: the workspace, its directory or theatre; its own set is the one after the edit.
        against: the set before the edit, as for `prior_diff`.
        fit: also fit both, which takes two runs' time.
        progress: called with the stage.

    Raises:
        Refusal: if the workspace or the other set cannot be used.
    """
    from forecast import clock
    from forecast.assembly import assemble
    from forecast.enquiries import before_any_data
    from forecast.question import ask
    from forecast.workspace import load as load_workspace
    from forecast.workspace.consistency import check

    after = load_workspace(where)
    before = replace(after, priors=prior_set(against))
    check(before)
    at, seed = clock.read(after.config.time), after.config.time.seed
    told: dict[str, list[Json]] = {}
    sides = {"before": before, "after": after}
    asked = {}
    for side, workspace in sides.items():
        progress(f"asking the priors {side} the edit")
        asked[side] = before_any_data(ask(workspace, at))["quarters"]
    told["prior"] = [
        {"quarter": then["quarter"], "resolved": moved(then["resolved"], now["resolved"])}
        for then, now in zip(asked["before"], asked["after"], strict=True)
    ]
    if fit:
        found = {}
        for side, workspace in sides.items():
            progress(f"fitting {side} the edit")
            parts = assemble(workspace, at, run=side, seed=seed, workers=1, progress=progress).parts
            found[side] = {
                name: {key: _numbers(estimate) for key, estimate in row.items()}
                for name, row in parts.ensemble.resolved.items()
            }
        told["posterior"] = [
            {"quarter": name, "resolved": moved(row, found["after"][name])}
            for name, row in found["before"].items()
        ]
    return {
        "scenarios": [{"id": one.id, "title": one.title} for one in after.scenarios.scenarios],
        "changes": prior_changes(before.priors, after.priors),
        **told,
    }


def prior_set(where: Path | str) -> PriorSet:
    """The prior set of a file, of a workspace's directory, or of a bundled theatre.

    Raises:
        Refusal: if there is none, or it cannot be read.
    """
    from forecast.workspace import bundled, bundled_files

    path = Path(where)
    if path.is_dir():
        return load(path / "priors.toml")
    if str(where) in bundled() and not path.exists():
        return load(bundled_files(str(where))["priors.toml"])
    if not path.exists():
        remedy = nearest(str(where), bundled())
        raise Refusal(file=str(where), wanted="a prior file, a workspace or a theatre", remedy=remedy)
    return load(path)


def _divided(
    before: Stored, after: Stored, workspace: "Workspace", quarters: Sequence[str], progress: Progress
) -> Json:
    """The change of each probability, divided among its causes."""
    from forecast.moved import Asked, account, side_of, what_moved
    from forecast.rules import bounds_of

    archive.check_unedited(after, workspace, only=("scenarios.toml",))
    weighted = {model["name"] for run in (before, after) for model in run.record["models"] if model["weight"]}
    earlier, later = side_of(before, weighted), side_of(after, weighted)
    known = set(next(iter(earlier.posteriors.values())).panel["stream"].values)
    if unknown := [name for name in workspace.scenarios.streams if name not in known]:
        raise Refusal(
            file=str(before.path),
            got=f"no stream {unknown[0]!r}, which the rules of {after.id} use",
            wanted="runs that the same rules can resolve",
            remedy="--quick shows both forecasts without dividing the change",
        )
    asked = Asked(
        rules=workspace.scenarios,
        bounds={stream.id: bounds_of(stream) for stream in workspace.streams},
        quarters=tuple(quarters),
    )
    rules = [run.record["provenance"]["scenarios_sha256"] for run in (before, after)]
    found = what_moved(earlier, later, asked, rules_edited=rules[0] != rules[1], progress=progress)
    told = account(found)
    for run, side in ((before, "before"), (after, "after")):
        _check_record(run, side, told)
    return told


def _check_record(run: Stored, side: str, told: Json) -> None:
    """Refuse a record whose numbers are not those of the counts that the run kept beside it."""
    published = _quarters(run.record)
    for entry in told["quarters"]:
        for key, cell in entry["resolved"].items():
            said = (published[entry["quarter"]][key] or {"mean": None})["mean"]
            if (said is None) != (cell[side] is None) or abs((said or 0.0) - (cell[side] or 0.0)) > AGREES:
                raise Refusal(
                    file=str(run.path / RECORD),
                    where=f"{entry['quarter']}, {key}",
                    got=said,
                    wanted=f"{cell[side]}, by the counts that the run kept",
                    remedy="the record was altered; bring back the one that was issued",
                )


def _numbers(estimate: "Estimate | None") -> Json | None:
    keys = ("mean", "q05", "q95", "mcse")
    return None if estimate is None else {key: float(getattr(estimate, key)) for key in keys}


def _quarters(record: Mapping[str, Any]) -> dict[str, Mapping[str, Json | None]]:
    running: Sequence[Json] = [record["current_quarter"]] if record["current_quarter"] else []
    return {entry["quarter"]: entry["resolved"] for entry in (*running, *record["quarters"])}


def _shift(before: Json | None, after: Json | None) -> Json:
    if before is None or after is None or before["mean"] is None or after["mean"] is None:
        return {"before": before, "after": after, "shift": None, "mcse": None, "beyond_noise": None}
    keys = ("mean", "q05", "q95", "mcse")
    shift, mcse = after["mean"] - before["mean"], float(np.hypot(before["mcse"], after["mcse"]))
    return {
        "before": {key: before[key] for key in keys},
        "after": {key: after[key] for key in keys},
        "shift": shift,
        "mcse": mcse,
        "beyond_noise": bool(abs(shift) > NOISE * mcse),
    }
