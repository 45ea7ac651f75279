"""The targets of the engine measured on worlds whose law is known: how far from the best that anybody could say?

``python bench/simulated_worlds.py ask plain engine 2000`` asks questions that have not been asked yet, one process, and
goes on where it stopped; a world's number is its seed. ``… tell`` writes docs/targets/*.csv from all answers, and the
tables of docs/targets.md from those; ``… check`` says whether they are of this code.
"""

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

from simulated import oracle
from simulated.certified import ROOT, code
from simulated.forecasters import ARMS, ask, outcome, references, resolved, transforms
from simulated.page import tables
from simulated.summary import COLUMNS, rows
from simulated.worlds import KINDS, world

WORK = ROOT / "workspace" / "simulated-worlds"
STORED = ROOT / "docs" / "targets"
PAGE = ROOT / "docs" / "targets.md"
BEGIN, END = "<!-- tables: written by the bench -->", "<!-- end of the tables -->"


def question(kind: str, arm: str, number: int) -> dict[str, Any]:
    """Ask everybody about one world."""
    truth = world(kind, number)
    known = oracle.foresees(truth)
    said = ask(truth, ARMS[arm])
    told = {
        "oracle": resolved(oracle.panel(truth), known),
        arm: said.probabilities,
        **references(truth),
    }
    return {
        "number": number,
        "months": truth.months,
        "outcome": outcome(truth),
        "said": {name: p.round(5).tolist() for name, p in told.items()},
        "transforms": {
            "oracle": transforms(truth, known).round(4).tolist(),
            arm: said.transforms.round(4).tolist(),
        },
        "fitted": said.fitted,
    }


def run(kind: str, arm: str, questions: int) -> None:
    """Ask the questions that are missing; a line that was cut short is asked again."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = kept(kind, arm)
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0] if path.is_file() else ""
    path.write_text(whole and whole + "\n", encoding="utf-8", newline="")
    done = {one["number"] for one in answers(kind, arm)}
    with path.open("a", encoding="utf-8", newline="") as file:
        for number in range(questions):
            if number not in done:
                file.write(json.dumps(question(kind, arm, number)) + "\n")
                file.flush()


def kept(kind: str, arm: str) -> Path:
    """Where answers are kept, one question a line; those of other code are other files."""
    return WORK / f"{kind}-{arm}-{code(arm)[:12]}.jsonl"


def answers(kind: str, arm: str) -> list[dict[str, Any]]:
    """What was answered so far."""
    path = kept(kind, arm)
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    return [json.loads(line) for line in lines]


def tell() -> None:
    """Write one file for each kind of world and arm that has answers of this code, and the tables of the page."""
    STORED.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        usual = {one["number"]: one for one in answers(kind, "engine")}
        for arm in ARMS:
            found = answers(kind, arm)
            if not found:
                continue
            for one in found:  # the engine beside each experiment, on the same worlds
                if arm != "engine" and one["number"] in usual:
                    one["said"]["engine"] = usual[one["number"]]["said"]["engine"]
            with (STORED / f"{kind}-{arm}.csv").open("w", encoding="utf-8", newline="") as file:
                written = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                written.writeheader()
                written.writerows(rows(kind, arm, found, code(arm)[:12]))
    stored = [row for path in sorted(STORED.glob("*.csv")) for row in read(path)]
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables(stored)}{END}{after}", encoding="utf-8", newline="")


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a stored table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check() -> int:
    """Name the stored files that are of other code; 1 if there are some."""
    stale = [path.name for path in sorted(STORED.glob("*.csv")) if not _fresh(path)]
    print(
        "\n".join(f"{name}: the code has changed since" for name in stale) or "all results are of this code"
    )
    return min(len(stale), 1)


def _fresh(path: Path) -> bool:
    first = read(path)[0]
    return first["code"] == code(first["arm"])[:12]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    wanted = parser.add_subparsers(dest="wanted", required=True)
    asked = wanted.add_parser("ask")
    asked.add_argument("kind", choices=KINDS)
    asked.add_argument("arm", choices=ARMS)
    asked.add_argument("questions", type=int)
    wanted.add_parser("tell")
    wanted.add_parser("check")
    given = parser.parse_args()
    if given.wanted == "ask":
        run(given.kind, given.arm, given.questions)
        return 0
    if given.wanted == "tell":
        tell()
        return 0
    return check()


if __name__ == "__main__":
    sys.exit(main())
