"""The same posterior in Stan: hmm_marginal, sampled by Stan's own program.

No CmdStan is on the package index; httpstan's wheel carries Stan's compiler and headers. Its Python module does not load
on Python 3.13 (the part of it that is shipped compiled was compiled for 3.10), so a program of eighty lines calls Stan
instead; it is compiled once for an environment, which takes a C++ compiler and a minute.
"""

import atexit
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np

from bench.peers.measuring import ACCEPT, CHAINS, Peer, Sampled, clocked
from bench.peers.posterior import NORMAL, Floats, Problem, start

HERE = Path(__file__).parent
PROGRAM, DRIVER = HERE / "marginal.stan", HERE / "marginal.cpp"
COMPILER = (
    "g++",
    "-std=c++17",
    "-O3",
    "-w",
    "-D_REENTRANT",
    "-DBOOST_DISABLE_ASSERTS",
    "-D_GLIBCXX_USE_CXX11_ABI=0",
)
SHOWN = 7  # columns before the parameters: lp__, accept_stat__, stepsize__, treedepth__, n_leapfrog__, divergent__, energy__
CORES = 2


def program() -> Path:
    """Compile the program unless this environment has it."""
    found = find_spec("httpstan")
    if found is None or found.origin is None:
        raise SystemExit("Stan is not there: httpstan has no wheel for this system")
    stan = Path(found.origin).parent
    key = hashlib.sha256(
        PROGRAM.read_bytes() + DRIVER.read_bytes() + version("httpstan").encode()
    ).hexdigest()
    made = Path(sys.prefix) / "stan" / f"marginal-{key[:12]}"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            model = Path(folder) / "model.hpp"
            subprocess.run([stan / "stanc", "--name", "bench_model", f"--o={model}", PROGRAM], check=True)
            given = [f'-DMODEL="{model}"', f"-I{stan / 'include'}", DRIVER, "-o", Path(folder) / "made"]
            given += [f"-L{stan / 'lib'}", "-ltbb", f"-Wl,-rpath,{stan / 'lib'}"]
            subprocess.run([*COMPILER, *given], check=True)
            (Path(folder) / "made").replace(made)
    return made


def data(problem: Problem) -> dict[str, object]:
    seen = ~np.isnan(problem.counts)
    T, M = seen.shape
    stated = {"K": len(problem.worth), "M": M, "T": T, "worth": problem.worth[0].tolist()}
    stated |= {"y": np.nan_to_num(problem.counts).astype(int).tolist(), "seen": seen.astype(int).tolist()}
    for name in NORMAL:
        stated |= {f"{name}_mean": problem.mean[name].tolist(), f"{name}_sd": problem.sd[name].tolist()}
    return stated


def road(problem: Problem) -> Peer:
    made, folder = program(), Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    given, at = folder / "data.json", folder / "points"
    given.write_text(json.dumps(data(problem)), encoding="utf-8", newline="")

    def ask(*words: object) -> str:
        done = subprocess.run([made, given, *map(str, words)], check=True, capture_output=True, text=True)
        return done.stdout

    def log_density(normal: Floats, turns: Floats) -> tuple[float, Floats, Floats]:
        """Of two exits the first has the share sigmoid(sqrt(2) u) there and sigmoid(2 y) here, so u = sqrt(2) y."""
        x = np.concatenate([normal, np.sqrt(2.0) * turns])
        at.write_text(" ".join(map(repr, x.tolist())) + "\n", encoding="utf-8", newline="")
        value, *slope = map(float, ask("points", at).split())
        back = np.array(slope)
        return value, back[: normal.size], np.sqrt(2.0) * back[normal.size :]

    def chain(number: int, draws: int) -> tuple[Floats, int]:
        first, file = folder / f"first-{number}.json", folder / f"chain-{number}.csv"
        normal, turns = start(problem, number)
        share = 1.0 / (1.0 + np.exp(-2.0 * turns))
        begun = {name: part.tolist() for name, part in problem.blocks(normal).items()}
        begun |= {"exits": np.stack([share, 1.0 - share], axis=1).tolist()}
        first.write_text(json.dumps(begun), encoding="utf-8", newline="")
        ask("sample", 1, number, draws, ACCEPT, first, file)
        with file.open(encoding="utf-8", newline="") as lines:
            rows = np.array([row.split(",") for row in islice(numbers(lines), draws)], dtype=float)
        return rows[:, SHOWN:], int(rows[:, SHOWN - 2].sum())

    def run(draws: int) -> tuple[Floats, int]:
        with ThreadPoolExecutor(CORES) as pool:
            found = list(pool.map(lambda number: chain(number, draws), range(1, CHAINS + 1)))
        return np.stack([draws for draws, _ in found]), sum(divergences for _, divergences in found)

    def sample(draws: int) -> Sampled:
        return clocked(lambda: run(draws))

    return Peer(
        name="Stan, hmm_marginal",
        log_density=log_density,
        microseconds=lambda burst: float(ask("time", at, burst)),
        sample=sample,
    )


def numbers(lines: Iterator[str]) -> Iterator[str]:
    """The lines of draws among Stan's comments and names."""
    return (line for line in lines if line[:1] in "-0123456789" and line.strip())
