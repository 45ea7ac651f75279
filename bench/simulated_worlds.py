"""The targets of the engine measured on worlds whose law is known: how far from the best that anybody could say?

``python bench/simulated_worlds.py ask plain engine 2000`` asks questions that have not been asked yet, one process, and
goes on where it stopped; a world's number is its seed. ``… tell`` writes docs/targets/*.csv from all answers and prints
them; ``… check`` says whether those files are of this code. docs/targets.md reads them.
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
from simulated.summary import COLUMNS, rows
from simulated.worlds import KINDS, world

WORK = ROOT / "workspace" / "simulated-worlds"
STORED = ROOT / "docs" / "targets"


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
    kept = WORK / f"{kind}-{arm}-{code(arm)[:12]}.jsonl"
    WORK.mkdir(parents=True, exist_ok=True)
    lines = kept.read_text(encoding="utf-8").split("\n")[:-1] if kept.is_file() else []
    kept.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
    done = {json.loads(line)["number"] for line in lines}
    with kept.open("a", encoding="utf-8", newline="") as file:
        for number in range(questions):
            if number not in done:
                file.write(json.dumps(question(kind, arm, number)) + "\n")
                file.flush()


def tell() -> None:
    """Write one file for each kind of world and arm that has answers of this code, and print it."""
    STORED.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for arm in ARMS:
            kept = WORK / f"{kind}-{arm}-{code(arm)[:12]}.jsonl"
            if not kept.is_file():
                continue
            answers = [json.loads(line) for line in kept.read_text(encoding="utf-8").split("\n")[:-1]]
            found = rows(kind, arm, answers, code(arm)[:12])
            path = STORED / f"{kind}-{arm}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                written = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                written.writeheader()
                written.writerows(found)
            print(f"\n{kind}, {arm}, {len(answers)} questions")
            for row in found:
                print("  " + "  ".join(f"{row[name]!s:<14}" for name in COLUMNS[2:-1]))


def check() -> int:
    """Name the stored files that are of other code; 1 if there are some."""
    stale = [path.name for path in sorted(STORED.glob("*.csv")) if not _fresh(path)]
    print(
        "\n".join(f"{name}: the code has changed since" for name in stale) or "all results are of this code"
    )
    return min(len(stale), 1)


def _fresh(path: Path) -> bool:
    with path.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return bool(first["code"] == code(first["arm"])[:12])


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
