"""A backtest: origins replayed wherever there are hands, kept as they finish, scored and told in one folder.

runs/backtests/origins/<month>-<hash>.nc    one finished origin under the hash of what it depends on
runs/backtests/<name>/                      scores.parquet, fits.csv, backtest.json, backtest.html
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecast import months
from forecast.backtest import pooling, scoring, store, windows
from forecast.backtest.blank import blank
from forecast.backtest.known import Known, Plan, bounds
from forecast.backtest.origin import EXAM, Fit, Replayed, Task, replay
from forecast.backtest.page import page
from forecast.backtest.past import Past, read, remarks
from forecast.backtest.references import references
from forecast.backtest.telling import Told, tell
from forecast.executors import Executor, Here
from forecast.publish import exclusive
from forecast.watching import Progress, silent
from forecast.workspace import Workspace
from forecast.workspace.loading import THEATRES
from priors.refusal import Refusal
from reports.backtest import render_backtest
from reports.words import plural

type Beliefs = Literal["hindsight", "blank"]

FOLDER, ORIGINS, SUMMARY = "backtests", "origins", "backtest.json"
ASIDES = ".[0-9][0-9][0-9][0-9]q[1-4]-*"  # a dot before a name as `_name` makes it
REFERENCES = ""  # the prior set of references: they have none


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A finished backtest and where it lies."""

    path: Path
    summary: Mapping[str, Any]  # backtest.json
    worked: int  # origins that were worked out now
    reused: int  # and those that had been before


def backtest(
    workspace: Workspace,
    plan: Plan,
    *,
    priors: Sequence[Beliefs],
    seed: int,
    output: Path | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
    fit: Fit | None = None,
) -> Backtest:
    """Replay every origin with each prior set, score what was said against what came, and write it down.

    Args:
        workspace: the workspace; its ``as_of`` is the day up to which outcomes are looked at.
        plan: which origins.
        priors: "hindsight" for the workspace's own, "blank" for weak ones without sight of the series.
        seed: decides everything random.
        output: where ``runs/`` lies; the workspace unless stated.
        executor: where origins are worked on; here unless stated.
        progress: called with the stage and how far it is.
        fit: what makes a posterior; the sampler unless stated. It must be importable where it runs.

    Raises:
        Refusal: for origins that cannot be had, data or beliefs that cannot be used; nothing has then been written. For
            a folder that another process holds while the result is put in place; origins that were worked out are kept.
    """
    if not 0 <= seed < 2**32:
        raise Refusal(where="--seed", got=seed, wanted="a whole number from 0 to 4294967295")
    place = _place(workspace, output)
    progress("reading the past")
    past = read(workspace, plan)
    tasks = {name: [task_at(past, one, name, seed=seed) for one in past.origins] for name in priors}
    configuration = _configuration(workspace, plan, tasks)
    if place.is_dir():
        with exclusive(place.parents[1]):
            _sweep(place)
    tried = _tried(place, configuration)
    done, worked = _work(tasks, place / ORIGINS, executor or Here(), progress, fit)
    progress("scoring")
    frame, fits = _score(past, done, seed=seed)
    told = tell(
        frame,
        fits,
        workspace=workspace,
        plan=plan,
        notes=tuple(remarks(past)),
        hindsight=len(past.hindsight),
        tried=tried,
        configuration=configuration,
        seed=seed,
    )
    path = place / _name(plan, [task.key for name in priors for task in tasks[name]])
    with exclusive(place.parents[1]):
        _write(path, frame, fits, told)
    every = sum(map(len, tasks.values()))
    return Backtest(path=path, summary=told.summary, worked=worked, reused=every - worked)


def task_at(past: Past, one: Known, name: Beliefs, *, seed: int) -> Task:
    """What one origin needs with one prior set; what came next is in it for the densities alone."""
    models = past.workspace.config.models
    settings = {model: one.question.setting(model) for model in models.fitted}
    panel, may = one.question.panel.counts, bounds(past.workspace)
    exam = [months.shift(one.origin, h + 1) for h in range(EXAM)]
    counts = past.came.counts  # of the first release: what they are later revised to is known later
    return Task(
        origin=one.origin,
        priors_name=name,
        panel=panel,
        settings=settings,
        used=models.use,
        priors=past.workspace.priors
        if name == "hindsight"
        else blank(models.fitted, settings, panel, day=one.as_of),
        rules=past.workspace.scenarios,
        bounds=may,
        last=windows.last_resolved(windows.past(past.workspace.scenarios, one.expanding, may)),
        exam=counts.sel(month=exam) if set(exam) <= set(counts["month"].values) else None,
        seed=int(np.random.SeedSequence([seed, months.ordinal(one.origin)]).generate_state(1)[0]),
    )


def _work(
    tasks: Mapping[Beliefs, Sequence[Task]],
    folder: Path,
    executor: Executor,
    progress: Progress,
    fit: Fit | None,
) -> tuple[Mapping[Beliefs, list[Replayed]], int]:
    """Results of all tasks, those that are stored taken from there; and how many were worked out now."""
    every = {task.key: task for each in tasks.values() for task in each}
    done = {key: store.find(folder, task.origin, key) for key, task in every.items()}
    open_ = [every[key] for key, found in done.items() if found is None]
    damaged = sum(store.place(folder, task.origin, task.key).is_file() for task in open_)
    total = len(every)
    note = f"{plural(damaged, 'stored origin')} damaged, worked out again" if damaged else ""
    progress("replaying", done=total - len(open_), total=total, note=note)
    # a worker beside others has one core, and its chains run one after the other
    work = partial(replay, fit=fit, cores=None if isinstance(executor, Here) else 1)
    for count, one in enumerate(executor.map(work, open_), start=total - len(open_) + 1):
        if one.key not in every:
            raise Refusal(
                where=f"origin {one.origin}",
                got="a result of other code or other libraries",
                wanted="one installation on every worker, unchanged while they work",
            )
        path = store.save(one, folder)
        kept = store.find(folder, one.origin, one.key)  # what is scored is what is kept, to the last bit
        if kept is None:
            raise Refusal(file=str(path), got="other bytes than were written", wanted="a sound disk")
        done[one.key] = kept
        progress("replaying", done=count, total=total, note=one.origin)
    finished = {key: one for key, one in done.items() if one is not None}
    return {name: [finished[task.key] for task in each] for name, each in tasks.items()}, len(open_)


def _score(
    past: Past, done: Mapping[Beliefs, list[Replayed]], *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tidy table of scores, and one of fits."""
    ws = past.workspace
    used = ws.config.models.use
    overlapping = past.plan.every == "month"
    rows = list(_reference_rows(past, seed))
    fits = []
    for name, replayed in done.items():
        shares = pooling.weights(replayed, used, past.dates, overlapping=overlapping, seed=seed)
        told = pooling.forecasters(replayed, shares)
        for one, replayed_one in zip(past.origins, replayed, strict=True):
            said = told[one.origin]
            kinds = {who: "model" if who in replayed_one.fitness else "reference" for who in said}
            rows += _rows(past, one, said, kinds | {pooling.ENSEMBLE: "ensemble"}, name, seed)
            for model, fitness in replayed_one.fitness.items():
                head = {"origin": one.origin, "priors": name, "model": model}
                fits.append({**head, "weight": shares[one.origin].get(model, 0.0), **asdict(fitness)})
    return scoring.table(rows, ws.scenarios), pd.DataFrame(fits)


def _reference_rows(past: Past, seed: int) -> Iterator[scoring.Row]:
    rules, may = past.workspace.scenarios, bounds(past.workspace)
    streams = [stream.id for stream in past.workspace.streams]
    for one in past.origins:
        places = windows.past(rules, one.expanding, may)
        said = references(places, len(rules.ids), one.expanding, may, ordered=streams, seed=seed)
        yield from _rows(past, one, said, dict.fromkeys(said, "reference"), REFERENCES, seed)


def _rows(
    past: Past, one: Known, said: Mapping[str, Any], kinds: Mapping[str, str], name: str, seed: int
) -> Iterator[scoring.Row]:
    return scoring.rows(
        said,
        one.origin,
        past.came,
        past.workspace.scenarios,
        [stream.id for stream in past.workspace.streams],
        thresholds=scoring.thresholds(one.expanding),
        head={"as_of": one.as_of.isoformat(), "priors": name},
        kinds=kinds,
        rng=np.random.default_rng((seed, months.ordinal(one.origin))),
    )


def _configuration(workspace: Workspace, plan: Plan, tasks: Mapping[Beliefs, Sequence[Task]]) -> str:
    """Hash of what an analyst might have tried otherwise: models, rules, beliefs, window; not of the origins."""
    said = (
        repr(workspace.config.models),
        repr(workspace.config.streams),
        workspace.scenarios.model_dump_json(),
        workspace.priors.fingerprint if "hindsight" in tasks else "",
        plan.every,
        plan.window,
        sorted(tasks),
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _tried(place: Path, configuration: str) -> int:
    """Configurations whose backtests lie in the same folder, this one included; what a kill left aside is none.

    Raises:
        Refusal: for a summary that cannot be read.
    """
    found = {configuration}
    for path in place.glob(f"*/{SUMMARY}"):
        if path.parent.name.startswith("."):
            continue
        try:
            with path.open(encoding="utf-8", newline="") as file:
                found.add(str(json.load(file)["configuration"]))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise Refusal(
                file=str(path),
                got="a damaged summary",
                wanted="one whole backtest",
                remedy="delete its folder; its origins are kept",
            ) from error
    return len(found)


def _name(plan: Plan, keys: Sequence[str]) -> str:
    """A folder's name: the span, and a hash of all that its numbers rest on."""
    stamp = hashlib.sha256("".join(keys).encode()).hexdigest()[:8]
    return f"{plan.first}-{plan.last}-{plan.every}-{stamp}".lower()


def _write(path: Path, frame: pd.DataFrame, fits: pd.DataFrame, told: Told) -> None:
    """Write everything aside and put it in place; an earlier telling of the same numbers goes.

    Call it inside `exclusive`, so that nobody else writes the same.
    """
    _sweep(path.parent)
    aside = path.with_name(f".{path.name}")
    aside.mkdir(parents=True)
    frame.to_parquet(aside / "scores.parquet", index=False)
    fits.to_csv(aside / "fits.csv", index=False, lineterminator="\n")
    texts = {
        SUMMARY: json.dumps(told.summary, indent=1, allow_nan=False, ensure_ascii=False) + "\n",
        "backtest.html": render_backtest(page(told)),
    }
    for name, text in texts.items():
        with (aside / name).open("w", encoding="utf-8", newline="") as file:
            file.write(text)
    if path.exists():
        shutil.rmtree(path)
    os.replace(aside, path)


def _sweep(place: Path) -> None:
    """Remove what lies aside: inside `exclusive` it was left by a process that is no more."""
    for left in place.glob(ASIDES):
        shutil.rmtree(left)


def _place(workspace: Workspace, output: Path | None) -> Path:
    """The folder of backtests; a bundled theatre lies inside the installed package, where nothing is written.

    Raises:
        Refusal: if nothing can be written there.
    """
    bundled = workspace.root.parent == THEATRES
    place = output if output is not None else Path("workspace") if bundled else workspace.root
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise Refusal(
            file=str(place), wanted="a folder that can be written to", remedy="give another --output"
        )
    return place / "runs" / FOLDER
