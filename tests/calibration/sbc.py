"""Simulation-based calibration: truths drawn from the prior rank uniformly among the posterior draws they lead to.

    θ* ~ prior, y* ~ model(θ*), θ_1 … θ_L ~ posterior(y*):  rank of f(θ*, y*) among f(θ_l, y*) ~ uniform on 0 … L

for every stated quantity, the last level, the log likelihood, the probability and the draw of the last regime, and
counts 1, 3, 6 and 12 months ahead. Everything is simulated that the density knows: labels, releases, drivers, gaps.
A fit whose effective sample is too small is done again at double length, at most twice, as the gate tells a user to;
how many were is printed, and one that still fails, or in which a draw diverged, keeps its ranks and is counted.
Talts, Betancourt, Simpson, Vehtari and Gelman, arXiv:1804.06788 (2018); data-dependent quantities after Modrák et al.,
Bayesian Analysis 20 (2025). Run it with `make sbc MODEL=regimes SIMS=1000`; a run that was stopped goes on.
"""

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import front_worlds
import numpy as np
import worlds
from numpy.typing import NDArray
from scipy.stats import binom

HERE = Path(__file__).parent
CERTIFICATES = HERE / "certificates"
WORK = HERE.parents[1] / "workspace" / "calibration"
MODELS = {  # simulations that a release needs
    "regimes": 1000,
    "local-level": 1000,
    "switching-level": 1000,
    "durations": 300,
    "switching-drift": 300,
    "fronts": 300,
}
OWN = {  # modules of a model beside those that all share
    "regimes": ("regimes",),
    "local-level": ("local_level",),
    "switching-level": (),
    "durations": ("durations", "ages", "dwelling", "spells", "onward"),
    "switching-drift": ("switching_drift", "whitened", "onward"),
    "fronts": ("regimes", "fronts", "fronts_density", "fronts_plan", "fronts_sampler"),
}
DRAWS, KEPT, TUNE = 1980, 99, 600
LEAST_ESS, DOUBLINGS = 200.0, 2
MOST_FAILED = 0.02  # of all fits
FALSE_ALARM = 0.01  # of all quantities together
COVERAGE = {
    "50": (25, 74),
    "80": (10, 89),
    "95": (2, 97),
}  # ranks inside central intervals, both ends included


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What one simulation found."""

    ranks: dict[str, int]
    doublings: int  # of the chain's length
    failed: bool  # a draw diverged, or the effective sample was too small to the last


def ranks(model: str, number: int) -> Ranked:
    """Run one simulation; return the rank of each quantity, and how the fit fared."""
    at = front_worlds if model == "fronts" else worlds
    of = at.world(model)
    rng = np.random.default_rng([20260101, number])
    truth = at.simulate(of, rng)
    seed = int(rng.integers(2**32))
    for doublings in range(DOUBLINGS + 1):
        longer = 2**doublings
        fit = at.fitted(of, truth, seed=seed, tune=TUNE, draws=DRAWS * longer)
        small = _least_ess(fit.stated) < LEAST_ESS
        if fit.diverged or not small:
            break
    values, among = at.compared(of, truth, fit, thin=DRAWS // KEPT * longer, seed=seed)
    found = {}
    for name, true in values.items():
        ties = int((among[name] == true).sum())
        found[name] = int((among[name] < true).sum()) + int(rng.integers(ties + 1))
    return Ranked(ranks=found, doublings=doublings, failed=fit.diverged or small)


def _least_ess(stated: NDArray[np.float64]) -> float:
    from arviz_stats.base.array import array_stats  # late: it takes a second

    return min(float(array_stats.ess(row, method="bulk")) for row in stated)


def band(simulations: int, alarm: float) -> NDArray[np.float64]:
    """Return the least and most ranks up to each r that uniform ranks show, all r at once but for ``alarm``, [2, L].

    The pointwise level is that which a share ``alarm`` of simulated uniform samples crosses somewhere. Säilynoja,
    Bürkner and Vehtari, Graphical test for discrete uniformity, Statistics and Computing 32 (2022).
    """
    rng = np.random.default_rng(7)
    at = np.arange(1, KEPT + 1) / (KEPT + 1.0)
    below = [binom.cdf(np.arange(simulations + 1), simulations, p) for p in at]
    above = [binom.sf(np.arange(simulations + 1) - 1, simulations, p) for p in at]
    rarest = np.empty(100_000)
    for begin in range(0, rarest.size, 10_000):
        counts = rng.multinomial(simulations, np.full(KEPT + 1, 1.0 / (KEPT + 1)), size=10_000).cumsum(axis=1)
        tails = [np.minimum(below[r][counts[:, r]], above[r][counts[:, r]]) for r in range(KEPT)]
        rarest[begin : begin + 10_000] = np.min(tails, axis=0)
    level = np.quantile(rarest, alarm)
    low = [int(np.searchsorted(tail, level)) for tail in below]
    high = [int(np.searchsorted(-tail, -level, side="right") - 1) for tail in above]
    return np.array([low, high], dtype=np.float64)


def certificate(model: str, rows: Sequence[Ranked]) -> dict[str, Any]:
    """Return the verdict on all simulations: each quantity's ranks, its band, and the coverage of its intervals."""
    names = list(rows[0].ranks)
    n = len(rows)
    low, high = band(n, FALSE_ALARM / len(names))
    judged = {}
    for name in names:
        values = np.array([row.ranks[name] for row in rows])
        heaped = np.bincount(values, minlength=KEPT + 1).cumsum()[:-1]
        covered = {share: int(((values >= a) & (values <= b)).sum()) for share, (a, b) in COVERAGE.items()}
        inside = {
            share: _within(count, n, (b - a + 1) / (KEPT + 1.0), FALSE_ALARM / len(names))
            for (share, count), (a, b) in zip(covered.items(), COVERAGE.values(), strict=True)
        }
        judged[name] = {
            "uniform": bool(np.all((heaped >= low) & (heaped <= high))),
            "coverage": {share: round(count / n, 4) for share, count in covered.items()},
            "covers": all(inside.values()),
            "ranks": values.tolist(),
        }
    failed = sum(row.failed for row in rows)
    uniform = all(one["uniform"] and one["covers"] for one in judged.values())
    return {
        "schema": "scenariocast/calibration/2",
        "model": model,
        "code": code(model),
        "simulations": n,
        "lengthened fits": sum(row.doublings > 0 for row in rows),
        "failed fits": failed,
        "ok": uniform and failed <= MOST_FAILED * n,
        "quantities": judged,
    }


def code(model: str) -> str:
    """Return a hash of the code that the certificate speaks of: its syntax, without comments and docstrings."""
    digest = hashlib.sha256()
    root = HERE.parents[1]
    shared = (
        "cells contract derived emissions forward fused futures kernels levels marginal plan sampler streams "
        "switching_level transitions variables"
    )
    paths = [
        *(root / "models" / f"{name}.py" for name in (*shared.split(), *OWN[model])),
        *(root / "forecast" / f"{name}.py" for name in ("fitting", "sampling")),
        *([root / "forecast" / "fronts.py"] if model == "fronts" else []),
        *(
            HERE / f"{name}.py"
            for name in ("paper", "worlds", *(["front_worlds"] if model == "fronts" else []))
        ),
    ]
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if (
                isinstance(body, list)
                and body
                and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
            ):
                del body[0]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()


def stale() -> Iterator[str]:
    """Give what is missing for a release: certificates that are absent, short, failed or of other code."""
    for model, wanted in MODELS.items():
        path = CERTIFICATES / f"{model}.json"
        if not path.is_file():
            yield f"{model}: no certificate; run make sbc MODEL={model} SIMS={wanted}"
            continue
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["code"] != code(model):
            yield f"{model}: the code has changed since its certificate"
        if held["simulations"] < wanted:
            yield f"{model}: {held['simulations']} simulations; wanted {wanted}"
        if not held["ok"]:
            yield f"{model}: its ranks are not uniform, or too many of its fits failed"


def main() -> int:
    """Run simulations that are not there yet, then write the certificate."""
    parser = argparse.ArgumentParser(description="Simulation-based calibration of one model.")
    parser.add_argument("model", choices=[*MODELS, "check"])
    parser.add_argument("simulations", type=int, nargs="?", default=1000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if given.model == "check":
        problems = list(stale())
        print("\n".join(problems) or "every certificate is of this code")
        return min(len(problems), 1)
    kept = WORK / f"{given.model}-{code(given.model)[:12]}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = _read(kept)
    missing = [number for number in range(given.simulations) if number not in done]
    if missing and given.model != "fronts":
        worlds.world(given.model)  # compiled once: the workers read it from disk
    with (
        ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool,
        kept.open("a", encoding="utf-8", newline="") as file,
    ):
        jobs = {pool.submit(ranks, given.model, number): number for number in missing}
        for job in as_completed(jobs):  # a slow one holds no other back, and what is done is kept
            number, row = jobs[job], job.result()
            file.write(json.dumps({"number": number, **asdict(row)}) + "\n")
            file.flush()
            done[number] = row
            if sys.stderr.isatty() or len(done) % 50 == 0:
                print(f"{len(done)} of {given.simulations}", file=sys.stderr)
    found = certificate(given.model, [done[number] for number in range(given.simulations)])
    CERTIFICATES.mkdir(exist_ok=True)
    text = (
        json.dumps(found, sort_keys=True).replace('"quantities"', '\n"quantities"').replace('}, "', '},\n"')
    )
    (CERTIFICATES / f"{given.model}.json").write_text(text + "\n", encoding="utf-8", newline="")
    for name, one in found["quantities"].items():
        print(f"{'ok ' if one['uniform'] and one['covers'] else 'BAD'} {name}: coverage {one['coverage']}")
    print(
        f"{found['lengthened fits']} of {found['simulations']} fits were lengthened, {found['failed fits']} failed "
        f"their diagnostics all the same; {'ok' if found['ok'] else 'NOT CALIBRATED'}"
    )
    return 0 if found["ok"] else 1


def _read(path: Path) -> dict[int, Ranked]:
    """Return the simulations that are done; a last line that was cut short counts as not done."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("".join(line + "\n" for line in lines[:-1]), encoding="utf-8", newline="")
    rows = [json.loads(line) for line in lines[:-1]]
    return {row.pop("number"): Ranked(**row) for row in rows}


def _within(count: int, n: int, p: float, alarm: float) -> bool:
    return bool(binom.ppf(alarm / 2.0, n, p) <= count <= binom.ppf(1.0 - alarm / 2.0, n, p))


if __name__ == "__main__":
    raise SystemExit(main())
