"""Which code the stored results speak of: a hash of its syntax, without comments and docstrings.

In it are the worlds, the oracle and the questions, and of the engine what a number of the table depends on in law. The
density by hand and the sampler's plumbing are not: they evaluate the same posterior (their tests say so, to rounding),
so a faster one leaves the results as they are.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("worlds.py", "oracle.py", "forecasters.py", "scenarios.toml", "priors.toml", "law.toml")
MODELS = "baselines contract derived emissions forward futures levels streams switching_level transitions variables"
ENGINE = (
    *(f"models/{name}.py" for name in MODELS.split()),
    *("forecast/fitting.py", "forecast/simulation.py", "forecast/score.py", "forecast/backtest/windows.py"),
    *("forecast/rules/grammar.py", "forecast/rules/truth.py", "priors/elicit.py", "priors/families.py"),
)
BLANK = ("forecast/backtest/blank.py",)


def code(arm: str) -> str:
    """The hash that belongs to one arm's results; the blank beliefs are part of theirs alone."""
    digest = hashlib.sha256()
    for path in _paths(arm):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            text = _syntax(text)
        digest.update(f"{path.name}\0{text}\0".encode())
    return digest.hexdigest()


def _paths(arm: str) -> Iterator[Path]:
    yield from (Path(__file__).parent / name for name in OURS)
    yield from (ROOT / name for name in ENGINE)
    if arm == "blank":
        yield from (ROOT / name for name in BLANK)


def _syntax(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]
    return ast.dump(tree)
