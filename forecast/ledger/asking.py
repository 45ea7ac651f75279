"""A question is one of a theatre: known by its title, its quarter and the key that answers it, whatever file its rules lie in.

Two theatres may hold the same rules to the byte, and one may come to measure something else; each then asks questions of its own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from forecast.ledger.chain import digest
from forecast.months import month_end, quarter_months

SETTLES = timedelta(days=30)  # after its close, the first release of a quarter's last month is expected
MODELLED = ("level", "effect")  # what a stream's definition says to the models alone

type Json = dict[str, Any]


def questions(record: Mapping[str, Any]) -> Iterator[Json]:
    """What a forecast asks of each quarter, complete enough to be resolved by a stranger."""
    for quarter in (ahead["quarter"] for ahead in record["quarters"]):
        close = month_end(quarter_months(quarter)[-1])
        asked = {
            "quarter": quarter,
            "text": f"{record['title']}{_asks(quarter)}",
            "scenarios": [
                {key: scenario.get(key) for key in ("id", "title", "rule")}
                for scenario in record["scenarios"]
            ],
            "source": record.get("sources"),
            "filters": record.get("streams_meta"),
            "fine_print": [
                "The rules are tried in their order of precedence; the scenario without a rule is the rest.",
                "A quarter in which a rule stays unknown is unresolved and is not scored.",
            ],
            "answer_key": record.get("answer_key"),
            "rules_sha256": record["provenance"]["scenarios_sha256"],
            "release": record.get("release"),
            "open": record["as_of"],
            "close": close.isoformat(),
            "scheduled_resolve": (close + SETTLES).isoformat(),
        }
        yield {"id": _id(asked), **asked}


def identity(asked: Mapping[str, Any]) -> str:
    """A hash of what makes a question this one: its quarter, its theatre, and what resolves it."""
    key = asked.get("answer_key")
    if key is None:  # asked by version 0.1.0, which kept rules in words alone
        key = asked["rules_sha256"]
    else:
        measured = [
            {name: said for name, said in stream.items() if name not in MODELLED} for stream in key["streams"]
        ]
        key = {**key, "streams": measured}
    return digest(json.dumps([asked["quarter"], asked["text"], key], sort_keys=True, separators=(",", ":")))


def theatre(asked: Mapping[str, Any]) -> str:
    """Whose question it is: the title of the workspace that asked it."""
    return str(asked["text"]).removesuffix(_asks(asked["quarter"]))


def register(payloads: Iterable[str]) -> dict[str, str]:
    """The id under which each question was asked, by its `identity`; an earlier version named them by their rules' file."""
    found: dict[str, str] = {}
    for asked in map(json.loads, payloads):
        found.setdefault(identity(asked), asked["id"])
    return found


def asked_by(record: Mapping[str, Any], known: Mapping[str, str]) -> list[str | None]:
    """The question that each quarter of a forecast answers; None where a ledger holds none of its own.

    Args:
        record: the forecast.
        known: what the ledger holds (`register`).
    """
    return [known.get(identity(asked)) for asked in questions(record)]


def figures(record: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """What a forecast saw of the streams that its rules look at, by stream and month."""
    streams = [stream["id"] for stream in (record.get("answer_key") or {"streams": ()})["streams"]]
    seen = record.get("streams") or {}
    return {
        (name, cell["month"]): cell["observed"]
        for name in streams
        for cell in seen.get(name, ())
        if cell["observed"] is not None
    }


def _asks(quarter: str) -> str:
    return f": to which scenario will {quarter} resolve?"


def _id(asked: Mapping[str, Any]) -> str:
    key = asked["rules_sha256"] if asked["answer_key"] is None else identity(asked)
    return f"{asked['quarter']}-{key[:8]}"
