"""Every forecast of a backtest becomes a row: what was said, what came, and how good it was."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from forecast import months, score
from forecast.backtest.came import Came
from forecast.backtest.origin import HORIZONS, Floats, Said
from forecast.backtest.windows import PASSAGES, WINDOWS, ends
from forecast.rules import UNRESOLVED, ScenarioSet
from forecast.tables import QUANTILES

SCENARIO, PASSAGE, PATH = "scenario", "first passage of", "path of"
COVERED = (0.5, 0.8, 0.9)
MIS = 0.9  # mass of the interval that is scored
TAIL = 0.9  # the share of known months below the threshold above which bad months are scored
THINNED = 5  # of the futures one is compared as a path: the scores look at every pair
KEYS = ("origin", "as_of", "priors", "model", "kind", "target", "horizon", "ends", "outcome", "latest")

type Row = dict[str, object]


def rows(
    told: Mapping[str, Said],
    origin: str,
    came: Came,
    rules: ScenarioSet,
    streams: Sequence[str],
    *,
    thresholds: Mapping[str, float],
    head: Mapping[str, object],
    kinds: Mapping[str, str],
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Rows of every forecaster at an origin whose target is known.

    Args:
        told: by forecaster.
        origin: the last month seen.
        came: outcomes and counts.
        rules: the scenario set.
        streams: in the order of the samples.
        thresholds: by stream, as `thresholds` finds them at the origin.
        head: columns that all rows share.
        kinds: model, ensemble or reference, by forecaster.
        rng: of the randomised PIT.
    """
    for name, said in told.items():
        shared = {**head, "origin": origin, "model": name, "kind": kinds[name]}
        yield from _scenarios(said, origin, came, rules, shared)
        yield from _first_passages(said, origin, came, rules, shared)
        yield from _counts(said, origin, came, streams, thresholds, shared, rng)


def thresholds(known: xr.DataArray) -> dict[str, float]:
    """The count of each stream that nine known months of ten do not exceed, NaN where none is known.

    Args:
        known: (stream, month) as known at an origin.
    """
    each = {str(name): known.sel(stream=name).dropna("month").values for name in known["stream"].values}
    return {name: float(np.quantile(y, TAIL)) if y.size else np.nan for name, y in each.items()}


def table(found: Sequence[Row], rules: ScenarioSet) -> pd.DataFrame:
    """The rows as one tidy table with a column for each score; what does not apply is empty."""
    said = [f"p.{name}" for name in rules.ids]
    quantiles = [f"q{q:g}" for q in QUANTILES]
    scores = (
        *("ign", "rps", "brier", "crps", "crps_pooled", "crps_log", "threshold", "twcrps", "twcrps_log"),
        *("ign_binned", "interval_score"),
        *(f"covered{mass * 100:g}" for mass in COVERED),
        *("pit", "energy", "variogram"),
    )
    frame = pd.DataFrame(list(found), columns=[*KEYS, *said, *quantiles, *scores])
    return frame.sort_values(
        ["priors", "origin", "target", "horizon", "kind", "model"], kind="stable"
    ).reset_index(drop=True)


def _scenarios(
    said: Said, origin: str, came: Came, rules: ScenarioSet, shared: Mapping[str, object]
) -> Iterator[Row]:
    for place, (ahead, end) in enumerate(zip(WINDOWS, ends(origin), strict=True)):
        p, outcome = said.probabilities[place], came.outcome.get(end, UNRESOLVED)
        if outcome == UNRESOLVED or np.isnan(p).any():
            continue
        yield {
            **shared,
            "target": SCENARIO,
            "horizon": ahead,
            "ends": end,
            "outcome": rules.ids[outcome],
            "latest": _name(came.latest.get(end, UNRESOLVED), rules),
            **{f"p.{name}": p[k] for k, name in enumerate(rules.ids)},
            "ign": float(score.ign(p, outcome)),
            "rps": float(score.rps(p, outcome)) if rules.ordinal else np.nan,
            "brier": float(score.brier(p, outcome)),
        }


def _first_passages(
    said: Said, origin: str, came: Came, rules: ScenarioSet, shared: Mapping[str, object]
) -> Iterator[Row]:
    for i, within in enumerate(PASSAGES):
        places = [came.outcome.get(end, UNRESOLVED) for end in ends(origin)[:within]]
        if UNRESOLVED in places:  # a yes can be known before a no: to count it would favour what came
            continue
        for k, name in enumerate(rules.ids):
            q, happened = said.passages[k, i], k in places
            if np.isnan(q):
                continue
            yield {
                **shared,
                "target": f"{PASSAGE} {name}",
                "horizon": WINDOWS[within - 1],
                "ends": ends(origin)[within - 1],
                "outcome": "yes" if happened else "no",
                f"p.{name}": q,
                "brier": float(score.brier_event(q, float(happened))),
            }


def _counts(
    said: Said,
    origin: str,
    came: Came,
    streams: Sequence[str],
    thresholds: Mapping[str, float],
    shared: Mapping[str, object],
    rng: np.random.Generator,
) -> Iterator[Row]:
    targets = [months.shift(origin, h) for h in HORIZONS]
    y = came.observed.reindex(month=targets).sel(stream=list(streams)).values
    latest = came.standing.reindex(month=targets).sel(stream=list(streams)).values
    for s, stream in enumerate(streams):
        for h, ahead in enumerate(HORIZONS):
            sample = said.sample[:, s, h]
            if np.isnan(y[s, h]) or np.isnan(sample).any():
                continue
            yield {
                **shared,
                "target": stream,
                "horizon": ahead,
                "ends": targets[h],
                "outcome": f"{y[s, h]:g}",
                "latest": f"{latest[s, h]:g}",
                **_count(sample, float(y[s, h]), thresholds[stream], rng),
            }
        whole = said.sample[::THINNED, s]
        if not np.isnan(y[s]).any() and not np.isnan(whole).any() and min(y[s].min(), whole.min()) >= 0:
            yield {
                **shared,
                "target": f"{PATH} {stream}",
                "horizon": HORIZONS[-1],
                "ends": targets[-1],
                "energy": float(score.energy(np.log1p(whole), np.log1p(y[s]))),
                "variogram": float(score.variogram(np.log1p(whole), np.log1p(y[s]))),
            }


def _count(sample: Floats, y: float, threshold: float, rng: np.random.Generator) -> Row:
    lower, upper = score.interval(sample, mass=MIS)
    natural = min(float(sample.min()), y) >= 0
    logs = (np.log1p(sample), np.log1p(y)) if natural else None
    above = not np.isnan(threshold)
    below, at = float((sample < y).mean()), float((sample <= y).mean())
    return {
        **{f"q{q:g}": v for q, v in zip(QUANTILES, np.quantile(sample, QUANTILES), strict=True)},
        "crps": float(score.crps_fair(sample, y)),
        "crps_pooled": float(score.crps_pooled(sample, y)),
        "crps_log": float(score.crps_fair(*logs)) if logs else np.nan,
        "threshold": threshold,
        "twcrps": float(score.twcrps(sample, y, threshold=threshold)) if above else np.nan,
        "twcrps_log": float(score.twcrps(*logs, threshold=np.log1p(max(threshold, 0.0))))
        if logs and above
        else np.nan,
        "ign_binned": float(score.ign_binned(sample, y)) if natural else np.nan,
        "interval_score": float(score.interval_score(lower, upper, y, mass=MIS)),
        **{f"covered{mass * 100:g}": float(score.covered(sample, y, mass=mass)) for mass in COVERED},
        "pit": float(score.randomised_pit(below, at, rng=rng)),
    }


def _name(place: int, rules: ScenarioSet) -> str:
    return "" if place == UNRESOLVED else rules.ids[place]
