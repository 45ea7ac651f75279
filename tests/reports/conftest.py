"""Briefs to report on: the frontier's first run, a refused one, another theatre, and one with hostile texts."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from forecast.briefing import brief
from reports.brief import Brief
from reports.compose import compose
from reports.document import Document
from reports.figures import figures
from reports.html import render_html
from reports.spec import Figure

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</script><script>document.title='owned'</script>",
    "javascript:document.title='owned'",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "\u202egnp.exe and \u2066isolated",
    "\x1b[31mred\x1b[0m\x00\x07",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "' onmouseover='alert(1)' style='position:fixed",
    "<!-- ]]> --> <svg onload=alert(1)>",
    "$\\input{/etc/passwd}$ `code` | cell | *bold* _under_",
    '#set text(red); #image("/etc/passwd") \\ @ref <label>',
    "<a href=https://evil.example>https://evil.example</a>",
    "کنڑ ننگرہار \u200c نورستان",
    "x" * 300,
)
TEXTS = {
    "title", "narrative", "rule", "because", "question", "organisation", "licence", "citation", "decided_by", "says",
    "unit", "author", "source", "advice", "notes", "rule_warnings", "weights_sentence", "condition", "baseline", "cause",
    "coverage", "file", "family", "limit", "before", "after", "name", "key", "latent_from", "priors_name", "engine",
    "watch", "ahead", "unmoved",
}  # fmt: skip


@pytest.fixture(scope="session")
def record() -> Mapping[str, Any]:
    """A forecast.json close to the frontier's."""
    return json.loads((Path(__file__).parent / "frontier.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def frontier(record: Mapping[str, Any]) -> Brief:
    """A first, retrospective run of three scenarios."""
    return brief(record)


@pytest.fixture(scope="session")
def refused(frontier: Brief) -> Brief:
    """The same run, held back by its gate."""
    verdict = frontier.model_dump(by_alias=True)["verdict"]
    failed = {**verdict["checks"][0], "value": 1.04, "ok": False, "advice": "Run longer chains."}
    return edited(
        frontier, verdict={"ok": False, "forced": False, "checks": [failed, *verdict["checks"][1:]]}
    )


@pytest.fixture(scope="session")
def second() -> Brief:
    """Another theatre: two scenarios, no regimes, no running quarter, nothing optional."""
    return Brief.model_validate(
        {
            "run": "2020-01-31-aa", "title": "A second theatre", "issued_at": "2020-01-31T00:00:00Z",
            "as_of": "2020-01-31", "timing": "live", "origin": "2019-12", "window": ("2010-01", "2019-12"),
            "verdict": {"ok": True},
            "scenarios": [
                {"id": "quiet", "title": "Quiet", "rule": "When no other rule holds.", "precedents": 40,
                 "is_remainder": True, "is_reference": True},
                {"id": "violent", "title": "Violent", "rule": "Mean incidents at least 25.", "precedents": 0},
            ],
            "quarters": [
                {"quarter": q, "resolved": [
                    {"mean": 0.992, "q05": 0.97, "q95": 0.999, "mcse": 0.001, "words": "almost certain"},
                    {"mean": 0.008, "q05": 0.001, "q95": 0.03, "mcse": 0.001, "words": "almost no chance"},
                ]}
                for q in ("2020Q1", "2020Q2")
            ],
        }
    )  # fmt: skip


@pytest.fixture(scope="session")
def hostile(frontier: Brief) -> Brief:
    """The frontier's brief with an attack in every text that comes from somebody's file."""
    data = frontier.model_dump(by_alias=True)
    data |= {
        "signposts": [{"condition": "", "scenario": "contained", "before": 0.7431, "after": 0.5}],
        "change": {
            "run": "r", "as_of": "2026-03-31", "moves": [{"cause": "", "shift": 0.04}],
            "shifts": [{"quarter": "2026Q3", "scenario": "contained", "before": 0.7, "after": 0.7431}],
        },
        "track": {"resolved": 3, "scores": [{"baseline": "", "bits": 0.1, "low": -0.3, "high": 0.5}]},
    }  # fmt: skip
    return Brief.model_validate(poisoned(data, cycle(HOSTILE)))


@pytest.fixture(scope="session")
def every_brief(frontier: Brief, refused: Brief, second: Brief, hostile: Brief) -> Mapping[str, Brief]:
    """All of them by name."""
    return {"frontier": frontier, "refused": refused, "second": second, "hostile": hostile}


@pytest.fixture(scope="session")
def drawn(every_brief: Mapping[str, Brief]) -> Mapping[str, Mapping[str, Figure]]:
    """The figures of every brief, drawn once."""
    return {name: figures(each) for name, each in every_brief.items()}


@pytest.fixture(scope="session")
def documents(every_brief: Mapping[str, Brief]) -> Mapping[str, Document]:
    """Every brief in words."""
    return {name: compose(each) for name, each in every_brief.items()}


@pytest.fixture(scope="session")
def pages(documents: Mapping[str, Document], drawn: Mapping[str, Mapping[str, Figure]]) -> Mapping[str, str]:
    """Every brief as a web page."""
    return {name: render_html(document, drawn[name]) for name, document in documents.items()}


@pytest.fixture(scope="session")
def edit() -> Callable[..., Brief]:
    """A brief with some of its parts replaced, validated again."""
    return edited


def edited(original: Brief, **parts: Any) -> Brief:
    return Brief.model_validate({**original.model_dump(by_alias=True), **parts})


def poisoned(data: Any, attacks: Iterator[str], key: str = "") -> Any:
    if isinstance(data, dict):
        return {name: poisoned(value, attacks, name) for name, value in copy.copy(data).items()}
    if isinstance(data, list | tuple):
        return [poisoned(value, attacks, key) for value in data]
    return next(attacks) if isinstance(data, str) and key in TEXTS else data
