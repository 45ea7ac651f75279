"""What a second worker gains a backtest, and what refits cost by months and streams.

    python bench/workers.py gain [--origins 24]   one process, two, and a cluster of two, on the frontier, in monthly origins
    python bench/workers.py cost                  CPU seconds of an origin of the blank theatre; 200 countries x 240 origins

Start is left out of the first: the clock runs from the moment at which every worker has delivered once. Walls need a
quiet machine; CPU seconds do not.
"""

import argparse
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forecast import months
from forecast.backtest.known import Plan
from forecast.backtest.origin import Replayed, Task, replay
from forecast.backtest.past import read
from forecast.backtest.replaying import task_at
from forecast.executors import Cluster, Executor, Processes
from forecast.theatres import init
from forecast.workspace import load

LAST = "2026Q1"  # quarter of the last origin
MONTHS, STREAMS = (60, 120, 240, 480), (1, 2, 4)
COUNTRIES, ORIGINS, SHORTEST = 200, 240, 60  # monthly origins on an expanding window: of 60 to 299 months
CORES = (2, 16, 64)
AFTER = 3  # months that came after an origin: their density weighs the models
WINDOW = 120  # months of a moving window
STAY, MEANS, SPREAD = (0.93, 0.85), (6.0, 30.0), 0.5  # of the simulated series


def measured(task: Task) -> tuple[Replayed, float, float]:
    """An origin on one core, its CPU seconds, and the most memory its process has held, GB."""
    began = time.process_time()
    found = replay(task, cores=1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found, time.process_time() - began, most / (1e9 if sys.platform == "darwin" else 1e6)


def tasks(workspace: str | Path, plan: Plan, priors: str) -> list[Task]:
    """The work of a backtest, as `forecast backtest` hands it out."""
    past = read(load(workspace), plan)
    return [task_at(past, one, priors, seed=1) for one in past.origins]


def gain(number: int) -> None:
    """Print origins a minute by executor, and the ratios; the answers of all are the same."""
    last = months.quarter_months("2025Q2")[2]
    first = months.quarter_of(months.shift(last, 1 - number))
    work = tasks("frontier", Plan(first=first, last="2025Q2", every="month", window=None), "hindsight")
    work = work[-number:]
    list(Processes(workers=1).map(measured, work[:1]))  # what is compiled once lies on disk from here on
    rates, answers = {}, []
    for name, workers in (("one process", 1), ("two processes", 2)):
        rates[name] = _rate(Processes(workers=workers), work, workers, answers)
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        rates["cluster of two"] = _rate(Cluster(address=cluster.scheduler_address), work, 2, answers)
    same = all(_same(answers[0], other) for other in answers[1:])
    print(f"{number} origins; answers equal to the bit: {'yes' if same else 'NO'}")
    for name, (rate, cpu, memory) in rates.items():
        ratio = rate / rates["one process"][0]
        print(
            f"{name:16} {60 * rate:7.2f} origins a minute   {ratio:4.2f} x one   {cpu:6.2f} CPU s an origin   {memory:5.2f} GB a worker"
        )


def _rate(
    executor: Executor, work: Sequence[Task], workers: int, answers: list[dict[str, Replayed]]
) -> tuple[float, float, float]:
    """Origins a second once all workers are warm, CPU seconds of an origin, GB of the largest worker."""
    ends, found, cpu, memory = [], {}, [], []
    for one, seconds, most in executor.map(measured, work):
        ends.append(time.perf_counter())
        found[one.key] = one
        cpu.append(seconds)
        memory.append(most)
    answers.append(found)
    return (
        (len(ends) - workers) / (ends[-1] - ends[workers - 1]),
        float(np.mean(cpu[workers:])),
        max(memory),
    )


def _same(a: dict[str, Replayed], b: dict[str, Replayed]) -> bool:
    return a.keys() == b.keys() and all(
        np.array_equal(said.sample, b[key].said[name].sample)
        for key, one in a.items()
        for name, said in one.said.items()
    )


def cost() -> None:
    """Print CPU seconds of one origin by months and streams, and what many countries would take."""
    with tempfile.TemporaryDirectory() as folder:
        work = {(T, S): _blank(Path(folder) / f"{T}-{S}", T, S) for S in STREAMS for T in MONTHS}
        measured(work[MONTHS[0], 1])  # loads and compiles
        found = {shape: measured(task) for shape, task in work.items()}
    seconds = {shape: cpu for shape, (_, cpu, _) in found.items()}
    print("CPU s of an origin     " + "".join(f"{T:>8}" for T in MONTHS) + "   months")
    for S in STREAMS:
        print(f"{S:4} stream(s)         " + "".join(f"{seconds[T, S]:8.2f}" for T in MONTHS))
    fits = [sum(f.seconds for f in found[T, 1][0].fitness.values()) for T in MONTHS]
    print("of it, fit (wall)      " + "".join(f"{s:8.2f}" for s in fits) + "   one stream")
    x = np.array([(1.0, np.log(T), np.log(S)) for T, S in seconds])
    slope = np.linalg.lstsq(x, np.log(list(seconds.values())), rcond=None)[0]
    print(f"grows with months^{slope[1]:.2f}, streams^{slope[2]:.2f}")
    print(f"{COUNTRIES} countries x {ORIGINS} monthly origins, one set of priors, every core in full use:")
    for S in STREAMS:
        grown = np.interp(SHORTEST + np.arange(ORIGINS), MONTHS, [seconds[T, S] for T in MONTHS])
        for name, each in (("expanding", grown.mean()), (f"{WINDOW} months", seconds[WINDOW, S])):
            hours = COUNTRIES * ORIGINS * each / 3600
            walls = "".join(f"   {cores} cores {hours / cores:5.1f} h" for cores in CORES)
            print(f"{S:4} stream(s), window {name:10} {hours:6.0f} CPU hours{walls}")
    print(f"largest process: {max(most for _, _, most in found.values()):.2f} GB")


def _blank(place: Path, T: int, S: int) -> Task:
    """An origin of the blank theatre for a file of T months and S streams that switch between two regimes."""
    last = months.quarter_months(LAST)[2]
    rng = np.random.default_rng((T, S))
    state = np.zeros(T + AFTER, int)
    for t in range(1, T + AFTER):
        state[t] = state[t - 1] if rng.random() < STAY[state[t - 1]] else 1 - state[t - 1]
    size = 1.0 / SPREAD**2
    rows = ["month,front,stream,count"]
    first = months.shift(last, 1 - T)
    for s in range(S):
        mean = np.array(MEANS)[state] * (s + 1)
        counts = rng.negative_binomial(size, size / (size + mean))
        rows += [f"{months.shift(first, t)},all,stream-{s + 1},{n}" for t, n in enumerate(counts)]
    data = place.with_suffix(".csv")
    data.write_text("\n".join([*rows, ""]), encoding="utf-8", newline="")
    init(place, theatre="blank", data=data)
    stated = place / "forecast.toml"  # the theatre looks at ten years unless it is told otherwise
    text = re.sub(
        r'from = "\d{4}-\d\d" \}   # months', f'from = "{first}" }}   # months', stated.read_text("utf-8")
    )
    stated.write_text(text, encoding="utf-8", newline="")
    (task,) = tasks(place, Plan(first=LAST, last=LAST, every="quarter", window=None), "blank")
    assert task.panel.shape == (S, T), "the window is the whole file but for what came after"
    return task


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("gain", "cost"))
    parser.add_argument("--origins", type=int, default=24)
    asked = parser.parse_args()
    if asked.what == "gain":
        gain(asked.origins)
    else:
        cost()


if __name__ == "__main__":
    main()
