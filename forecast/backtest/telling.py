"""What a backtest shows, first as numbers with their doubt, then as a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.backtest.known import Plan
from forecast.backtest.pooling import ENSEMBLE
from forecast.backtest.scoring import COVERED, PASSAGE, PATH, SCENARIO
from forecast.skill.calibration import bias, coverage
from forecast.skill.tables import sliced
from forecast.workspace import Workspace

SCHEMA = "scenariocast/backtest/1"
SCENARIO_SCORES, COUNT_SCORES = (
    ("ign", "rps", "brier"),
    ("crps_log", "twcrps_log", "crps", "twcrps", "ign_binned"),
)
COMPARED: Mapping[str, tuple[str, ...]] = {
    "scenario": ("ign", "rps"),
    "first passage": ("brier",),
    "counts": ("crps_log", "twcrps_log", "crps"),
    "paths": ("energy",),
}  # scores whose differences are told; the means of all are
MAIN = ("markov-chain", "last-value-negative-binomial")  # the references that single models are held against
BY_TARGET = "crps_log"  # the score that is also told for each stream alone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """A backtest in numbers: what ``backtest.json`` holds, and the table by origin that the page shows."""

    summary: Mapping[str, Any]
    language: str
    scenarios: Mapping[str, str]  # id -> title
    streams: Mapping[str, str]
    origins: pd.DataFrame  # a row per origin, prior set and forecaster: what it gave to what came next


def tell(
    frame: pd.DataFrame,
    fits: pd.DataFrame,
    *,
    workspace: Workspace,
    plan: Plan,
    notes: Sequence[str],
    hindsight: int,
    tried: int,
    configuration: str,
    seed: int,
) -> Told:
    """Compare, calibrate and count.

    Args:
        frame: the tidy table of scores.
        fits: a row per fit.
        workspace: the workspace.
        plan: which origins were replayed.
        notes: what a reader must know before the first number.
        hindsight: origins that are older than some belief of the workspace.
        tried: configurations whose backtests lie in the same folder.
        configuration: hash of this one.
        seed: of the resampling.
    """
    spacing = 1 if plan.every == "month" else 3
    sets = list(dict.fromkeys(fits["priors"]))
    summary = {
        "schema": SCHEMA,
        "title": workspace.title,
        "configuration": configuration,
        "configurations_tried": tried,
        "plan": {**asdict(plan), "origins": list(plan.origins)},
        "origins_with_hindsight": hindsight,
        "notes": list(notes),
        "sets": {
            name: {
                "means": list(_means(_of(frame, name))),
                "comparisons": list(_comparisons(_of(frame, name), spacing, seed)),
                "bias": list(_bias(_of(frame, name), workspace, spacing)),
                "coverage": list(_coverage(_of(frame, name), spacing)),
                "fits": list(_fits(fits[fits["priors"] == name])),
                "weights": _weights(fits[fits["priors"] == name]),
            }
            for name in sets
        },
    }
    nearest = frame[(frame["target"] == SCENARIO) & (frame["horizon"] == 3)]
    return Told(
        summary=summary,
        language=workspace.config.language,
        scenarios={s.id: s.title for s in workspace.scenarios.scenarios},
        streams={s.id: s.name for s in workspace.streams},
        origins=nearest,
    )


def _of(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of a prior set, and those of the references, which have none."""
    return frame[frame["priors"].isin((name, ""))]


def _is_count(target: pd.Series) -> pd.Series:
    return ~(target.eq(SCENARIO) | target.str.startswith((PASSAGE, PATH)))


def _parts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, tuple[str, ...]]]:
    """Kinds of target with their rows and the scores that they have."""
    yield SCENARIO, rows[rows["target"] == SCENARIO], SCENARIO_SCORES
    yield "first passage", rows[rows["target"].str.startswith(PASSAGE)], ("brier",)
    yield "counts", rows[_is_count(rows["target"])], COUNT_SCORES
    yield "paths", rows[rows["target"].str.startswith(PATH)], ("energy", "variogram")


def _means(rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Mean scores by forecaster, target and horizon, each over the targets that it forecast."""
    for what, part, scores in _parts(rows):
        for score in scores:
            known = part.dropna(subset=[score])
            for (model, kind, target, horizon), own in known.groupby(["model", "kind", "target", "horizon"]):
                yield {
                    "what": what,
                    "score": score,
                    "model": model,
                    "kind": kind,
                    "target": target,
                    "horizon": int(horizon),
                    "n": len(own),
                    "mean": float(own[score].mean()),
                }


def _comparisons(rows: pd.DataFrame, spacing: int, seed: int) -> Iterator[dict[str, Any]]:
    """The ensemble against every reference and each model against `MAIN`, on common targets: by horizon, by target."""
    for what, part, _ in _parts(rows):
        ours = dict.fromkeys(part["model"][part["kind"] != "reference"])
        theirs = dict.fromkeys(part["model"][part["kind"] == "reference"])
        for score in COMPARED[what]:
            slices = [("horizon", part)]
            if score == BY_TARGET:
                slices += [("target", part[part["horizon"] == h]) for h in sorted(set(part["horizon"]))]
            for over, chosen in slices:
                known = chosen.dropna(subset=[score])
                for model in ours:
                    for reference in theirs if model == ENSEMBLE else MAIN:
                        if {model, reference} <= set(known["model"]):
                            yield from _lines(known, what, score, model, reference, over, spacing, seed)


def _lines(
    rows: pd.DataFrame, what: str, score: str, model: str, reference: str, over: str, spacing: int, seed: int
) -> Iterator[dict[str, Any]]:
    found = sliced(rows, score=score, model=model, reference=reference, over=over, spacing=spacing, seed=seed)
    horizon = int(rows["horizon"].iloc[0])
    for line in found:
        told = asdict(line.comparison)
        yield {
            "what": what,
            "score": score,
            "model_name": model,
            "reference_name": reference,
            "target": "all" if over == "horizon" else str(line.label),
            "horizon": int(str(line.label)) if over == "horizon" else horizon,
            **told,
        }


def _bias(rows: pd.DataFrame, workspace: Workspace, spacing: int) -> Iterator[dict[str, Any]]:
    """Mean probability less frequency, by scenario and horizon, for the models and the ensemble."""
    part = rows[(rows["target"] == SCENARIO) & (rows["kind"] != "reference")]
    for (model, horizon), own in part.groupby(["model", "horizon"]):
        ordered = own.sort_values("origin")
        for name in workspace.scenarios.ids:
            found = bias(
                ordered[f"p.{name}"].to_numpy(float),
                (ordered["outcome"] == name).to_numpy(float),
                steps=int(horizon) // spacing,
            )
            yield {"model": model, "horizon": int(horizon), "scenario": name, **asdict(found)}


def _coverage(rows: pd.DataFrame, spacing: int) -> Iterator[dict[str, Any]]:
    """How often intervals of counts held what came, all streams together."""
    part = rows[_is_count(rows["target"]) & (rows["kind"] != "reference")]
    for (model, horizon), own in part.groupby(["model", "horizon"]):
        ordered = own.sort_values(["target", "origin"])
        for mass in COVERED:
            held = ordered[f"covered{mass * 100:g}"].to_numpy(float)
            found = coverage(held, stated=mass, steps=max(1, int(np.ceil(int(horizon) / spacing))))
            yield {"model": model, "horizon": int(horizon), **asdict(found), "holds": found.holds}


def _fits(fits: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for model, own in fits.groupby("model", sort=False):
        yield {
            "model": model,
            "fits": len(own),
            "seconds": float(own["seconds"].mean()),
            "slowest": float(own["seconds"].max()),
            "divergent": int((own["divergences"] > 0).sum()),
            "divergences": int(own["divergences"].sum()),
            "worst_rhat": _finite(own["rhat"].max()),
            "least_ess": _finite(own["ess"].min()),
        }


def _weights(fits: pd.DataFrame) -> list[dict[str, Any]]:
    used = fits[fits["weight"] > 0]
    return [
        {"origin": row.origin, "model": row.model, "weight": float(row.weight)} for row in used.itertuples()
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
