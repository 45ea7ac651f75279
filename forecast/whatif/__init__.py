"""A conditional forecast beside the unconditional one: drivers are set, their effect is what is believed of it.

Nothing is fitted again. A driver with a history moves the chain by its fitted odds; a what-if driver is in no fit, so
its odds are drawn from the priors and act on the steps ahead only. Both forecasts come from the same draws and seeds,
so their difference is better known than either.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from forecast import archive, scenarios
from forecast.archive import Stored
from forecast.fit import Posterior, load
from forecast.sidebyside import own_seed
from forecast.months import month, ordinal, quarter_months
from forecast.provenance import code
from forecast.record.beliefs import says
from forecast.rules import bounds_of
from forecast.scenarios import Estimate
from forecast.simulate import simulate
from forecast.watching import Progress, silent
from forecast.whatif.arming import armed
from forecast.whatif.moves import Move, parse, path_of
from forecast.whatif.paired import Pair, difference
from forecast.workspace import Workspace
from models import CATALOGUE
from priors.refusal import Refusal, nearest

__all__ = ["Move", "Pair", "armed", "difference", "parse", "path_of", "whatif"]

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
    wanted: dict[str, list[Move]] = {}
    for move in (*(Move(driver=d, value=v) for one in chosen for d, v in one.drivers.items()), *moves):
        wanted.setdefault(_known(move.driver, config.drivers, "--set"), []).append(move)
    if not wanted:
        raise Refusal(where="whatif", wanted="--set driver=value or --lever id", remedy=_offer(workspace))
    counts = archive.headline(run)
    names = [str(name) for name in counts["model"].values]
    posteriors = {name: load(run.path / "posterior" / f"{name}.nc") for name in names}
    paths = _paths(run, workspace, posteriors[names[0]], wanted)
    pairs = []
    for name, posterior in posteriors.items():
        progress(f"simulating {name} with and without")
        pairs.append(_twice(run, workspace, posterior, paths, counts))
    weights = counts["weight"].values.tolist()
    return {
        "run": run.id,
        "title": run.record["title"],
        "levers": [{"id": one.id, "title": one.title, "because": one.because} for one in chosen],
        "moves": [
            {"driver": n, "title": config.drivers[n].title, "months": path} for n, path in paths.items()
        ],
        "beliefs": [belief for name in paths for belief in _beliefs(run, workspace, name)],
        "scenarios": [{"id": key, "title": title} for key, title in run.titles.items()],
        "quarters": [_quarter(run, pairs, weights, entry["quarter"]) for entry in run.record["quarters"]],
        "notes": _notes(run, workspace, dict(zip(names, weights, strict=True))),
    }


def _paths(
    run: Stored, workspace: Workspace, posterior: Posterior, wanted: Mapping[str, Sequence[Move]]
) -> dict[str, dict[str, float]]:
    """The value of each driver that is set, by month ahead."""
    horizon, last = posterior.setting.horizon, ordinal(str(posterior.panel["month"].values[-1]))
    ahead = [month(last + step) for step in range(1, horizon + 1)]
    fitted = {driver.id: driver.values[-horizon:] for driver in posterior.setting.drivers}
    start = quarter_months(run.record["quarters"][0]["quarter"])[0]
    paths = {}
    for name, moves in wanted.items():
        declared = workspace.config.drivers[name]
        at = dict(zip(ahead, fitted.get(name, (declared.at_rest,) * horizon), strict=True))
        paths[name] = dict(zip(ahead, path_of(moves, declared, at, start=start), strict=True))
    return paths


def _twice(
    run: Stored,
    workspace: Workspace,
    posterior: Posterior,
    paths: Mapping[str, Mapping[str, float]],
    counts: xr.Dataset,
) -> Pair:
    """One model's futures without and with the drivers set, resolved by the rules."""
    bounds = {stream.id: bounds_of(stream) for stream in workspace.streams}
    seed, chains = (
        own_seed(int(run.record["provenance"]["seed"]), posterior.model),
        int(counts.attrs["chains"]),
    )

    def futures(ready: Posterior, drivers: Mapping[str, Sequence[float]] | None) -> xr.DataArray:
        data = simulate(
            ready,
            months=ready.setting.horizon,
            paths=int(counts.attrs["paths"]),
            seed=seed,
            drivers=drivers,
            draws=counts.sizes["draw"],
        )
        return scenarios.outcomes(
            workspace.scenarios,
            posterior.panel,
            scenarios.held(data, bounds),
            quarters=[entry["quarter"] for entry in run.record["quarters"]],
            bounds=bounds,
        )

    if CATALOGUE[posterior.model].regimes is None:
        unmoved = futures(posterior, None)
        return Pair(without=unmoved, given=unmoved, chains=chains)
    declared = [workspace.config.drivers[name] for name in paths]
    ready = armed(posterior, declared, workspace.priors, seed=seed)
    given = {name: list(path.values()) for name, path in paths.items()}
    return Pair(without=futures(ready, None), given=futures(ready, given), chains=chains)


def _quarter(run: Stored, pairs: Sequence[Pair], weights: Sequence[float], quarter: str) -> Json:
    row = {}
    for place, key in enumerate(run.titles):
        found: dict[str, list[Estimate | None]] = {"unconditional": [], "conditional": [], "difference": []}
        for pair in pairs:
            without, given = (data.sel(quarter=quarter).values for data in (pair.without, pair.given))
            for told, outcomes in (("unconditional", without), ("conditional", given)):
                found[told].append(scenarios.estimate(outcomes == place, outcomes >= 0, chains=pair.chains))
            found["difference"].append(difference(without, given, place, chains=pair.chains))
        row[key] = {told: _told(scenarios.combine(parts, weights)) for told, parts in found.items()}
    return {"quarter": quarter, "resolved": row}


def _told(estimate: Estimate | None) -> Json:
    keys = ("mean", "q05", "q95", "mcse")
    return {key: None if estimate is None else float(getattr(estimate, key)) for key in keys}


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
        f"{name} ({weight:.0%} of the forecast) has no regimes: no driver moves it."
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
