"""Briefs to report on: the frontier's first run, a refused one, another theatre, one with a past, one with hostile texts."""

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
    "unit", "author", "source", "advice", "notes", "rule_warnings", "weights_sentence", "sentence", "reference", "group", "to_word", "cause",
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
        **aged(frontier),
        "change": {
            "run": "r", "as_of": "2026-03-31", "moves": [{"cause": "", "shift": 0.04}],
            "shifts": [{"quarter": "2026Q3", "scenario": "contained", "before": 0.7, "after": 0.7431}],
        },
    }  # fmt: skip
    return Brief.model_validate(poisoned(data, cycle(HOSTILE)))


@pytest.fixture(scope="session")
def grown(record: Mapping[str, Any]) -> Brief:
    """The frontier after seven resolved quarters: a track record, signposts, sensitivities and a report before this one."""
    told = {**record, **aged(brief(record)), "timing": "live"}
    return brief(told)


@pytest.fixture(scope="session")
def every_brief(
    frontier: Brief, refused: Brief, second: Brief, grown: Brief, hostile: Brief
) -> Mapping[str, Brief]:
    """All of them by name."""
    return {"frontier": frontier, "refused": refused, "second": second, "grown": grown, "hostile": hostile}


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


def aged(first: Brief) -> dict[str, Any]:
    """What a forecast.json adds to the first run's when a ledger lies behind it, with the means of that run."""
    row = {s.id: e for s, e in zip(first.scenarios, first.quarters[0].resolved, strict=True) if e}
    posts = (
        ("hostile-days", "2026-06", "at least", 5.0, 0.24),
        ("deaths-pakistan", "2026-05", "at most", 120.0, 0.05),
    )
    chain = {"horizon": 1, "reference": "markov-chain", "n": 7, "gain": 0.104, "low": -0.31, "high": 0.52}
    return {
        "signposts": [
            {"stream": stream, "month": month, "side": side, "count": count, "chance": 0.13, "quarter": "2026Q3",
             "scenario": name, "before": row[name].mean, "after": p if name == "regional-war" else row[name].mean - 0.1,
             "mcse": 0.004, "otherwise": 0.09, "shift_mcse": 0.004}
            for stream, month, side, count, p in posts for name in ("contained", "regional-war")
        ],
        "sensitivity": {
            "quarter": "2026Q3", "limit": 0.05,
            "groups": [
                {"group": group, "scenario": name, "sensitivity": size, "sensitive": size >= 0.05, "trusted": size < 0.09}
                for group, size in (("all", 0.07), ("dwell", 0.091), ("exits", 0.01)) for name in row
            ],
            "tipping": [
                {"key": entry.key, "scenario": "regional-war", "stated": entry.prior.q50, "now": row["regional-war"].mean,
                 "tips_at": 1.3 * entry.prior.q50, "to_word": "unlikely"}
                for entry in first.priors if entry.prior is not None and entry.prior.q95 > entry.prior.q05
            ],
        },
        "track": {
            "resolved": 7, "scored": 24, "set_aside": 2, "begun": 1, "first": "2026Q3", "last": "2028Q1",
            "gains": [
                {**chain, "score": "ign", "sentence": "cannot be told apart (too few for a test)"},
                {**chain, "score": "rps", "gain": 0.021, "low": None, "high": None, "sentence": "too few"},
                {**chain, "score": "ign", "reference": "climatology", "sentence": "better (p = 0.03)"},
            ],
            "skill_process": 1.31, "alarm": 20.0, "alarmed": False, "reference_test": 1.62,
            "processes": [
                {"horizon": 1, "n": 7, "value": 1.31, "alarm": 20.0, "alarmed": False},
                {"horizon": 2, "n": 6, "value": 0.84, "alarm": 40.0, "alarmed": False},
                {"horizon": 4, "n": 4, "value": 93.0, "alarm": 80.0, "alarmed": True},
            ],
            "sentence": "After 7 resolved quarters this record cannot show skill yet.",
            "calibration": [
                {"scenario": name, "n": 7, "said": 0.42, "came": 0.43, "difference": -0.01, "low": -0.3, "high": 0.25}
                for name in row
            ],
            "past": [
                {"run": "2026-03-31-aa", "as_of": "2026-03-31T00:00:00Z", "quarter": "2026Q2", "resolved": "contained",
                 "probabilities": [0.155, 0.6895, 0.1555]},
            ],
        },
        "change": {
            "since": {"run": "2026-03-31-aa", "as_of": "2026-03-31"}, "same_rules": False,
            "quarters": [
                {"quarter": "2026Q3", "resolved": {
                    name: {"before": before, "after": row[name].mean, "mcse": 0.003}
                    for name, before in zip(row, (0.135, 0.7295, 0.1355), strict=True)
                }},
            ],
        },
    }  # fmt: skip


def edited(original: Brief, **parts: Any) -> Brief:
    return Brief.model_validate({**original.model_dump(by_alias=True), **parts})


def poisoned(data: Any, attacks: Iterator[str], key: str = "") -> Any:
    if isinstance(data, dict):
        return {name: poisoned(value, attacks, name) for name, value in copy.copy(data).items()}
    if isinstance(data, list | tuple):
        return [poisoned(value, attacks, key) for value in data]
    return next(attacks) if isinstance(data, str) and key in TEXTS else data
