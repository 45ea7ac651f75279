"""A conditional forecast beside the unconditional one: drivers are set, their effect is what is believed of it.

Nothing is fitted again. A driver with a history moves the chain by its fitted odds; a what-if driver is in no fit, so
its odds are drawn from the priors and act on the steps ahead only. Both forecasts come from the same draws and seeds,
so their difference is better known than either.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from forecast import archive
from forecast.archive import Stored
from forecast.config import Lever
from forecast.provenance import code
from forecast.record.beliefs import says
from forecast.watching import Progress, silent
from forecast.whatif.arming import armed
from forecast.whatif.conditional import Frame, conditional, paths_of
from forecast.whatif.moves import Move, parse, path_of
from forecast.whatif.paired import Pair, difference
from forecast.workspace import Workspace
from models import CATALOGUE
from priors.refusal import Refusal, nearest
from reports.words import percent

__all__ = [
    "Frame",
    "Move",
    "Pair",
    "armed",
    "conditional",
    "difference",
    "moves_of",
    "of_levers",
    "parse",
    "path_of",
    "paths_of",
    "whatif",
]

type Json = dict[str, Any]

BELIEF = (
    "What a driver does is a belief, written down with its reason below: this shows what follows from the belief "
    "and is no evidence that a measure works."
)


def whatif(
    run: Stored,
    workspace: Workspace,
    *,
    moves: Sequence[Move] = (),
    levers: Sequence[str] = (),
    progress: Progress = silent,
) -> Json:
    """The quarters of a run with drivers as stated, beside the same without.

    Args:
        run: a stored run; its posteriors are used as they are.
        workspace: where it came from, with the rules of the run. What-if drivers, levers and odds are today's.
        moves: drivers to set, later ones over earlier ones.
        levers: ids of levers, whose drivers are set before the moves.
        progress: called with the stage.

    Returns:
        ``moves``, ``beliefs`` with their reasons, ``notes``, and ``quarters``: for each scenario ``unconditional``,
        ``conditional`` and ``difference``, each with mean, q05, q95 and mcse.

    Raises:
        Refusal: an unknown driver, lever or month, a value that a driver cannot take, or rules that were edited.
    """
    archive.check_unedited(run, workspace, only=("scenarios.toml",))
    config = workspace.config
    chosen = [config.levers[_known(name, config.levers, "--lever")] for name in levers]
    wanted = [*(move for lever in chosen for move in moves_of(lever)), *moves]
    for move in wanted:
        _known(move.driver, config.drivers, "--set")
    if not wanted:
        raise Refusal(where="whatif", wanted="--set driver=value or --lever id", remedy=_offer(workspace))
    frame = _frame(run, workspace)
    paths = paths_of(frame, wanted)
    progress("simulating with and without")
    (quarters,) = conditional(frame, [paths])
    return {
        "run": run.id,
        "title": run.record["title"],
        "levers": [{"id": one.id, "title": one.title, "because": one.because} for one in chosen],
        "moves": [
            {"driver": n, "title": config.drivers[n].title, "months": path} for n, path in paths.items()
        ],
        "beliefs": [belief for name in paths for belief in _beliefs(run, workspace, name)],
        "scenarios": [{"id": key, "title": title} for key, title in run.titles.items()],
        "quarters": quarters,
        "notes": _notes(run, workspace, dict(zip(frame.posteriors, frame.weights, strict=True))),
    }


def moves_of(lever: Lever) -> tuple[Move, ...]:
    """What a lever sets, from the first quarter forecast on."""
    return tuple(Move(driver=name, value=value) for name, value in lever.drivers.items())


def of_levers(frame: Frame) -> dict[str, list[Json]]:
    """The quarters with each lever of a workspace pulled alone, by its id; as `conditional` returns them."""
    levers = frame.workspace.config.levers
    courses = [paths_of(frame, moves_of(lever)) for lever in levers.values()]
    return dict(zip(levers, conditional(frame, courses), strict=True))


def _frame(run: Stored, workspace: Workspace) -> Frame:
    counts = archive.headline(run)
    names = [str(name) for name in counts["model"].values]
    return Frame(
        workspace=workspace,
        posteriors={name: archive.posterior(run, name) for name in names},
        weights=counts["weight"].values.tolist(),
        quarters=tuple(entry["quarter"] for entry in run.record["quarters"]),
        seed=int(run.record["provenance"]["seed"]),
        draws=counts.sizes["draw"],
        paths=int(counts.attrs["paths"]),
        chains=int(counts.attrs["chains"]),
    )


def _beliefs(run: Stored, workspace: Workspace, driver: str) -> list[Json]:
    """Every statement about a driver's odds, and what the data made of it where it was in the fit."""
    fitted = {entry["key"]: entry["posterior"] for entry in run.record["priors"]}
    return [
        {
            "key": key,
            "says": says(said),
            "because": said.because,
            "author": said.author,
            "date": said.date.isoformat(),
            "fitted": fitted.get(key),
        }
        for key, said in workspace.priors.items()
        if key.startswith(f"odds.{driver}.")
    ]


def _notes(run: Stored, workspace: Workspace, weights: Mapping[str, float]) -> list[str]:
    """What else a reader must know."""
    told = [BELIEF]
    told += [
        f"{name} ({percent(weight)} of the forecast) has no regimes: no driver moves it."
        for name, weight in weights.items()
        if CATALOGUE[name].regimes is None
    ]
    told += [
        f"{name} was edited after the run: drivers, levers and the odds of what-if drivers are those of today."
        for name in archive.edited(run, workspace)
        if name in ("forecast.toml", workspace.priors.source)
    ]
    if code() != run.record["provenance"]["code_sha256"]:
        told.append(
            "The code was edited after the run: the unconditional figures may differ from the published."
        )
    return told


def _known(name: str, known: Mapping[str, object], where: str) -> str:
    if name not in known:
        wanted = "a lever of the workspace" if where == "--lever" else "a driver of the workspace"
        remedy = nearest(name, known) if known else "none is declared"
        raise Refusal(file="forecast.toml", where=where, got=name, wanted=wanted, remedy=remedy)
    return name


def _offer(workspace: Workspace) -> str:
    levers, drivers = ", ".join(workspace.config.levers), ", ".join(workspace.config.drivers)
    return f"levers: {levers or 'none'}; drivers: {drivers or 'none'}"
