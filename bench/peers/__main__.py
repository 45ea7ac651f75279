"""One posterior by every road there is in Python, side by side: gradient time, and effective draws per CPU-second.

Run it with ``make bench-peers``, on a machine that does nothing else; quote the ratios. The posterior is that of `regimes`
with three regimes and four negative-binomial streams, five cells in a hundred missing. Every road runs in a process of its own, states
the same priors and likelihood, and is not timed unless its log density differs from ours by one constant and its slopes
do not. CPU seconds are those of four chains, adaptation included, once everything is compiled and loaded.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.peers import ours, posterior
from bench.peers.growth import bare, growth
from bench.peers.measuring import microseconds
from bench.peers.one import ROADS

ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.peers", description=__doc__.split("\n")[0] if __doc__ else ""
    )
    parser.add_argument("--months", type=int, default=240)
    parser.add_argument(
        "--draws", type=int, default=1000, help="of each of four chains, after as many to adapt"
    )
    parser.add_argument(
        "--quick", action="store_true", help="200 draws and shorter timings, to see that it runs"
    )
    parser.add_argument("--only", nargs="*", choices=(*ROADS, "growth"), default=(*ROADS, "growth"))
    return parser.parse_args()


def travel(road: str, problem: Path, draws: int, burst: float) -> dict[str, Any] | str:
    """Send one road through a process of its own; return what it measured, or why it could not."""
    words = [sys.executable, "-m", "bench.peers.one", road, str(problem), str(draws), str(burst)]
    done = subprocess.run(words, env={**os.environ, **ALONE}, capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip() or "no reason given").splitlines()[-1]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def line(found: dict[str, Any], kernel: float, rates: dict[str, float], road: str) -> str:
    """One row; a ratio to a road of ours that was not run is left out."""
    rates[road] = found["ess"] / found["cpu"]
    against = "".join(
        f"{rates[mine] / rates[road]:9.1f}x" if mine in rates else f"{'-':>10}"
        for mine in ("by-hand", "operation")
    )
    return (
        f"{found['name']:32}{found['start']:8.1f}{found['microseconds']:9.1f}{found['microseconds'] / kernel:8.1f}"
        f"{found['ess']:9.0f}{found['divergences']:5d}{found['cpu']:8.2f}{found['wall']:8.2f}{rates[road]:9.0f}"
        f"{against}{found['apart']:9.0e}"
    )


def main() -> None:
    given = told()
    draws, burst = (200, 0.05) if given.quick else (given.draws, 0.2)
    kernel = microseconds(bare(given.months, posterior.K, 1), burst)
    print(
        f"{given.months} months, {posterior.K} regimes, {posterior.M} streams, 4 x ({draws} + {draws}) draws; "
        f"the bare recursion takes {kernel:.1f} us"
    )
    print(
        f"{'':32}{'start s':>8}{'us/grad':>9}{'x bare':>8}{'min ESS':>9}{'div':>5}{'CPU s':>8}{'wall s':>8}{'ESS/s':>9}"
        f"{'by hand':>10}{'in PyMC':>10}{'apart':>9}"
    )
    rates: dict[str, float] = {}
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.npz"
        posterior.save(ours.problem(given.months), problem)
        for road in (road for road in ROADS if road in given.only):
            found = travel(road, problem, draws, burst)
            if isinstance(found, str):
                missing.append(road)
                print(f"{road:32}not measured: {found}", flush=True)
            else:
                print(line(found, kernel, rates, road), flush=True)
    if "growth" in given.only:
        growth(burst)
    if missing:
        raise SystemExit(f"not measured: {', '.join(missing)}")


if __name__ == "__main__":
    main()
