"""Answers become a table: how many bits a forecaster loses to the oracle, and whether what it says can be relied on.

    expected loss   mean of Σ_y p*(y) [S(p, y) − S(p*, y)], p* the oracle's: the noise of what happened to come is out of it
    realised loss   mean of S(p, y) − S(p*, y) at what came: the same in the long run, with all its noise

Worlds are independent, so errors are those of a mean. A reliability is judged in bins of equally many forecasts, against
the 99 % band of a calibrated forecaster, and by CORP (forecast.skill); a coverage against its 99 % binomial limits.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast import score, skill
from simulated.forecasters import COUNTED, QUARTERS
from simulated.worlds import SCENARIOS, STREAMS, Floats

COLUMNS = (
    *("kind", "arm", "forecaster", "measure", "of", "horizon", "n"),
    *("said", "oracle", "value", "error", "low", "high", "holds", "code"),
)
BAND = 0.99
MANY = 1000  # questions from which there are ten bins, not five
RESAMPLES = 4000
MASSES = (0.5, 0.8, 0.9)
APART = 1.1  # R-hat of short chains that have not found the same months
HISTORIES = (60, 90, 144, 241)  # months; classes of the length of the past

type Row = dict[str, object]
type Answers = Sequence[Mapping[str, Any]]


def rows(kind: str, arm: str, answers: Answers, code: str) -> list[Row]:
    """The whole table of one kind of world and one way to ask the engine."""
    rng = np.random.default_rng(1)
    came = np.array([one["outcome"] for one in answers])
    usual = arm == "engine"
    said = {name: _whole([one["said"][name] for one in answers]) for name in answers[0]["said"]}
    known = said["oracle"]
    if not usual:  # references and bins are told once, beside the engine as it is
        said = {name: said[name] for name in (arm, "engine", "oracle") if name in said}
    found = [*_losses(said, known, came, arm), *_by_class(said[arm], known, answers, arm)]
    for q, quarter in enumerate(QUARTERS if usual else ()):
        for k, name in enumerate(SCENARIOS):
            given = said[arm][:, q, k], known[:, q, k], (came[:, q] == k).astype(float)
            found += [
                {"forecaster": arm, "of": name, "horizon": f"{quarter} quarter", **row}
                for row in (*_bins(*given, rng), _corp(given[0], given[2], rng))
            ]
    for name in (arm, "oracle"):
        found += _coverages(np.array([one["transforms"][name] for one in answers]), name)
    found += _fits(answers, arm)
    order = {"kind": kind, "arm": arm, "n": len(answers), "code": code}
    return [_rounded({**dict.fromkeys(COLUMNS, ""), **order, **row}) for row in found]


def expected(p: Floats, known: Floats, rule: Any) -> Floats:
    """Expected loss to the oracle under the oracle's probabilities, ``[...]``; p and known are ``[..., K]``."""
    places = np.arange(known.shape[-1])
    shape = np.broadcast_shapes(p.shape, known.shape)
    ours = rule(np.broadcast_to(p, shape)[..., None, :], places)
    best = rule(np.broadcast_to(known, shape)[..., None, :], places)
    loss: Floats = (known * (ours - best)).sum(axis=-1)
    return loss


def _losses(said: Mapping[str, Floats], known: Floats, came: NDArray[np.int64], arm: str) -> Iterator[Row]:
    for unit, rule in (("bits", score.ign), ("RPS", score.rps)):
        for name in (arm, *(other for other in said if other != arm)):
            ahead, now = expected(said[name], known, rule), rule(said[name], came)
            for q, quarter in enumerate(QUARTERS):
                told = {"forecaster": name, "horizon": f"{quarter} quarter"}
                yield {**told, "measure": f"{unit}: mean score", **_mean(now[:, q])}
                if name != "oracle":
                    yield {**told, "measure": f"{unit}: expected loss", **_mean(ahead[:, q])}
                    apart = now[:, q] - rule(known[:, q], came[:, q])
                    yield {**told, "measure": f"{unit}: realised loss", **_mean(apart)}


def _by_class(p: Floats, known: Floats, answers: Answers, arm: str) -> Iterator[Row]:
    """The loss by the length of the past, and by whether the chains of the fit agree."""
    loss = expected(p, known, score.ign)
    months = np.array([one["months"] for one in answers])
    apart = np.array([one["fitted"]["rhat"] for one in answers]) > APART
    classes = {
        f"{first} to {end - 1} months": (months >= first) & (months < end)
        for first, end in pairwise(HISTORIES)
    }
    classes |= {f"R-hat above {APART}": apart, f"R-hat up to {APART}": ~apart}
    for name, inside in classes.items():
        if inside.sum() > 1:
            for q, quarter in enumerate(QUARTERS):
                yield {
                    "forecaster": arm,
                    "measure": "bits: expected loss",
                    "of": name,
                    "horizon": f"{quarter} quarter",
                    "n": int(inside.sum()),
                    **_mean(loss[inside, q]),
                }


def _bins(p: Floats, known: Floats, came: Floats, rng: np.random.Generator) -> Iterator[Row]:
    """How often it came where so much was said, in bins of equally many forecasts."""
    order = np.argsort(p, kind="stable")
    for part in np.array_split(order, 10 if p.size >= MANY else 5):
        redrawn = (rng.random((RESAMPLES, part.size)) < p[part]).mean(axis=1)
        low, high = np.quantile(redrawn, ((1.0 - BAND) / 2.0, (1.0 + BAND) / 2.0))
        share = float(came[part].mean())
        yield {
            "measure": "reliability: bin",
            "n": part.size,
            "said": p[part].mean(),
            "oracle": known[part].mean(),
            "value": share,
            "low": low,
            "high": high,
            "holds": bool(low <= share <= high),
        }


def _corp(p: Floats, came: Floats, rng: np.random.Generator) -> Row:
    """Share of forecasts at which CORP's curve leaves its band; the error is its miscalibration, in Brier points."""
    curve = skill.reliability(p, came, rng=rng, mass=BAND)
    if curve is None:
        return {"measure": "reliability: CORP"}
    outside = (curve.recalibrated < curve.low) | (curve.recalibrated > curve.high)
    return {
        "measure": "reliability: CORP",
        "said": p.mean(),
        "value": float(curve.count[outside].sum() / p.size),
        "error": curve.decomposition.miscalibration,
    }


def _coverages(transforms: Floats, name: str) -> Iterator[Row]:
    """How often a count fell inside its interval, by its randomised transform: exact for whole numbers.

    Streams and months of one world hang together: the row of all of them has the error of a mean over worlds.
    """
    for mass in MASSES:
        by_world = (np.abs(transforms - 0.5) <= mass / 2.0).mean(axis=(1, 2))
        told = {"forecaster": name, "measure": f"coverage: {mass:.0%}", "of": "all", "said": mass}
        yield {**told, **_mean(by_world)}
    for s, stream in enumerate(STREAMS if name == "engine" else ()):
        for m, month in enumerate(COUNTED):
            for mass in MASSES:
                held = np.abs(transforms[:, s, m] - 0.5) <= mass / 2.0
                found = skill.coverage(held, stated=mass, steps=1)
                yield {
                    "forecaster": name,
                    "measure": f"coverage: {mass:.0%}",
                    "of": stream,
                    "horizon": f"{month} month",
                    "said": mass,
                    "value": found.share,
                    "low": found.low,
                    "high": found.high,
                    "holds": found.holds,
                }


def _fits(answers: Answers, arm: str) -> Iterator[Row]:
    fitted = [one["fitted"] for one in answers]
    for measure, values in (
        ("fit: CPU seconds", [one["seconds"] for one in fitted]),
        ("fit: divergences", [one["divergences"] for one in fitted]),
        (f"fit: R-hat above {APART}", [one["rhat"] > APART for one in fitted]),
    ):
        yield {"forecaster": arm, "measure": measure, "value": float(np.mean(values))}


def _whole(stored: list[Any]) -> Floats:
    """Stored probabilities, which were rounded, summing to one again."""
    p = np.array(stored)
    whole: Floats = p / p.sum(axis=-1, keepdims=True)
    return whole


def _mean(values: Floats) -> Row:
    return {"value": values.mean(), "error": values.std(ddof=1) / np.sqrt(values.size)}


def _rounded(row: Row) -> Row:
    return {
        name: f"{value:.4f}" if isinstance(value, float | np.floating) else value
        for name, value in row.items()
    }
