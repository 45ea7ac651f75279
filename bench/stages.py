"""The stages of a run, cold (no compiled code on disk) beside warm, with the memory of its largest process.

Run it with `make bench`. Quote the ratio of the two columns, not the seconds: they are those of one machine.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

STAGE = re.compile(r"\s*(\d+\.\d) s  (.+)")


def run(cache: Path, output: Path) -> tuple[list[tuple[str, float]], float, float]:
    """One `forecast run` in processes of its own: when each stage began, seconds in all, and peak memory in GB."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    command = [
        sys.executable, "-c", "from forecast.cli import entry; entry()",
        "run", "--theatre", "frontier", "--output", str(output),
    ]  # fmt: skip
    began = perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    peak, stages = 0.0, []
    for line in process.stderr:
        if found := STAGE.match(line):
            stages.append((found[2], float(found[1])))
        peak = max(peak, _memory(process.pid))
    if process.wait():
        raise SystemExit(f"forecast run failed: exit code {process.returncode}")
    return stages, perf_counter() - began, peak


def _memory(root: int) -> float:
    """GB held by a process and its descendants now, pages they share counted once; Linux only, elsewhere 0."""
    if not Path("/proc").is_dir():
        return 0.0
    parents = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            told = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:  # it ended while we looked
            continue
        parents[int(told["Pid"])] = int(told["PPid"])
    ours = {root}
    while grown := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= grown
    return sum(_own(pid) for pid in ours if pid in parents)


def _own(pid: int) -> float:
    """GB of one process, its part of shared pages."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it ended while we looked
        return 0.0
    return int(re.search(r"^Pss:\s+(\d+) kB", told, re.MULTILINE)[1]) / 1e6


def starts() -> list[tuple[str, float]]:
    """Seconds until commands that load nothing heavy answer."""
    told = []
    for words in (["--help"], ["ledger", "list", "--theatre", "frontier"]):
        began = perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from forecast.cli import entry; entry()", *words],
            check=False,
            capture_output=True,
        )
        told.append((f"forecast {' '.join(words[:2])}", perf_counter() - began))
    return told


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cold = run(cache, Path(folder) / "cold")
        warm = run(cache, Path(folder) / "warm")
    print(f"{'stage begins at, s':48} {'cold':>8} {'warm':>8}")
    again = dict(warm[0])
    for stage, began in cold[0]:
        print(f"{stage:48} {began:8.1f} {again.get(stage, float('nan')):8.1f}")
    print(f"{'wall, s':48} {cold[1]:8.1f} {warm[1]:8.1f}   ratio {cold[1] / warm[1]:.1f}")
    print(f"{'memory of all processes at a stage, GB':48} {cold[2]:8.2f} {warm[2]:8.2f}")
    for name, seconds in starts():
        print(f"{name:48} {'':8} {seconds:8.2f}")


if __name__ == "__main__":
    main()
