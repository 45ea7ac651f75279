"""The stored rows as the tables that the page shows."""

from collections.abc import Iterator, Sequence

from simulated.forecasters import ARMS
from simulated.summary import APART
from simulated.worlds import KINDS

TARGETS = {"1 quarter": 0.05, "4 quarter": 0.10}  # bits from the oracle
REFERENCES = ("markov-chain", "persistence", "climatology", "conflictology", "uniform")

type Row = dict[str, str]


def tables(stored: Sequence[Row]) -> str:
    """Every table, in Markdown."""
    plain = [row for row in stored if row["kind"] == "plain"]
    parts = (_targets(plain), _beliefs(plain), _reliability(plain), _wrong(stored))
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _targets(rows: Sequence[Row]) -> Iterator[str]:
    here = [row for row in rows if row["arm"] == "engine"]
    questions = _only(here, "engine", "bits: mean score", "1 quarter")["n"]
    yield f"### Bits lost to the oracle, {questions} worlds\n"
    yield (
        "| | expected, one quarter | expected, four | realised, one | realised, four | RPS, expected, one | four |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name in ("engine", *REFERENCES):
        cells = [
            _number(_only(here, name, measure, quarter))
            for measure in ("bits: expected loss", "bits: realised loss", "RPS: expected loss")
            for quarter in TARGETS
        ]
        yield f"| {name} | {' | '.join(cells)} |"
    limits = " | ".join(f"{limit:.2f}" for limit in TARGETS.values())
    yield f"| *target* | {limits} | | | | |"
    own = [_number(_only(here, "oracle", "bits: mean score", quarter)) for quarter in TARGETS]
    yield f"\nThe oracle itself scored {own[0]} bits at one quarter and {own[1]} at four; log₂ 3 is 1.585.\n"
    yield "| the engine, by class of worlds | worlds | one quarter | four |"
    yield "|---|---|---|---|"
    measure = "bits: expected loss"
    for of in dict.fromkeys(row["of"] for row in here if row["measure"] == measure and row["of"]):
        first, last = (_only(here, "engine", measure, quarter, of) for quarter in TARGETS)
        yield f"| {of} | {first['n']} | {_number(first)} | {_number(last)} |"


def _beliefs(rows: Sequence[Row]) -> Iterator[str]:
    yield "### What its loss is made of\n"
    yield f"| asked | worlds | one quarter | as usual, same worlds | four | as usual | R-hat above {APART} |"
    yield "|---|---|---|---|---|---|---|"
    for arm, said in ARMS.items():
        here = [row for row in rows if row["arm"] == arm]
        if arm == "engine" or not here:
            continue
        cells = [
            _number(_only(here, name, "bits: expected loss", quarter))
            for quarter in TARGETS
            for name in (arm, "engine")
        ]
        apart = float(_only(here, arm, f"fit: R-hat above {APART}", "")["value"])
        yield f"| {said.about} | {here[0]['n']} | {' | '.join(cells)} | {apart:.0%} |"


def _reliability(rows: Sequence[Row]) -> Iterator[str]:
    here = [row for row in rows if row["arm"] == "engine" and row["forecaster"] == "engine"]
    yield "### Whether what is said can be relied on\n"
    yield "| scenario | horizon | said | oracle | came | bins inside their band | largest distance said − oracle of a bin |"
    yield "|---|---|---|---|---|---|---|"
    binned = [row for row in here if row["measure"] == "reliability: bin"]
    for of, horizon in dict.fromkeys((row["of"], row["horizon"]) for row in binned):
        bins = [row for row in binned if (row["of"], row["horizon"]) == (of, horizon)]
        weight = [int(row["n"]) for row in bins]
        means = [
            sum(w * float(row[key]) for w, row in zip(weight, bins, strict=True)) / sum(weight)
            for key in ("said", "oracle", "value")
        ]
        inside = sum(row["holds"] == "True" for row in bins)
        furthest = max((float(row["said"]) - float(row["oracle"]) for row in bins), key=abs)
        told = " | ".join(f"{mean:.3f}" for mean in means)
        yield f"| {of} | {horizon} | {told} | {inside} of {len(bins)} | {furthest:+.3f} |"
    covered = [row for row in here if row["measure"].startswith("coverage") and row["of"] not in ("all", "")]
    held = sum(row["holds"] == "True" for row in covered)
    pooled = _coverage(here)
    yield f"\nIntervals of 50, 80 and 90 % held {pooled} of the counts; by stream, month and mass {held} of {len(covered)} lie inside their 99 % limits."


def _wrong(stored: Sequence[Row]) -> Iterator[str]:
    yield "### Worlds that no model of the engine describes\n"
    yield "| what is wrong | worlds | engine, one quarter | Markov chain, one | engine, four | Markov chain, four | intervals of 50, 80, 90 % held |"
    yield "|---|---|---|---|---|---|---|"
    for kind, about in KINDS.items():
        here = [row for row in stored if (row["kind"], row["arm"]) == (kind, "engine")]
        if not here:
            continue
        cells = [
            _number(_only(here, name, "bits: expected loss", quarter))
            for quarter in TARGETS
            for name in ("engine", "markov-chain")
        ]
        own = [row for row in here if row["forecaster"] == "engine"]
        yield f"| {about} | {here[0]['n']} | {' | '.join(cells)} | {_coverage(own)} |"


def _coverage(rows: Sequence[Row]) -> str:
    pooled = [row for row in rows if row["measure"].startswith("coverage") and row["of"] == "all"]
    return ", ".join(f"{float(row['value']):.3f} ({float(row['error']):.3f})" for row in pooled)


def _only(rows: Sequence[Row], forecaster: str, measure: str, horizon: str, of: str = "") -> Row:
    key = (forecaster, measure, horizon, of)
    (found,) = [row for row in rows if (row["forecaster"], row["measure"], row["horizon"], row["of"]) == key]
    return found


def _number(row: Row) -> str:
    return f"{float(row['value']):.3f} ({float(row['error']):.3f})"
