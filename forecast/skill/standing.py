"""What the record of issued forecasts shows so far, beside what a record of that length could show at all.

Only live forecasts count, and of several of a theatre's quarter at one horizon the first: a later one cannot be chosen. The skill process
runs at every horizon (`forecast.skill.interleaved`); the other product, 2^(bits gained), one quarter ahead, tests whether the
reference is exactly right and bears that name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecast import score
from forecast.ledger import Scored, track_record
from forecast.months import ordinal, quarter_months
from forecast.skill.calibration import Bias, bias
from forecast.skill.comparison import Comparison, compare
from forecast.skill.interleaved import Running, running
from forecast.skill.oracle import power
from reports.words import percent

SCORES = ("ign", "rps", "brier")
CHAIN = "markov-chain"  # the reference to beat
SPEAKS = 0.8  # power at which a record could be expected to show skill
AHEAD = 1  # quarters, of calibration and of the test of the reference
PROSPECT = 8  # quarters: what an empty record is told of


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A score at a horizon against a reference, on the quarters that both speak of."""

    score: str  # ign (bits), rps, brier
    horizon: int  # quarters
    reference: str
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Honesty:
    """The record so far; nothing here is better told than it is known."""

    resolved: int  # quarters with a scored live forecast
    scored: int  # forecasts that count
    set_aside: int  # later ones of the same quarter and horizon, listed and not counted
    begun: int  # of those that count, issued when their quarter had begun
    first: str | None  # quarters
    last: str | None
    means: Mapping[int, Mapping[str, float]]  # horizon -> score -> mean
    against: tuple[Against, ...]
    skill_process: float | None  # E after the last quarter, one quarter ahead
    alarm: float
    alarmed: bool  # whether E has ever reached the alarm: the model has been better than the chain
    processes: tuple[Running, ...]  # the same at every horizon, against the Markov chain
    reference_test: (
        float | None
    )  # 2^(bits gained over the Markov chain): tests "the reference is exactly right"
    perfect: float | None  # how often a forecaster who knew the true process would beat all references …
    perfect_after: int  # … after so many resolved quarters
    calibration: Mapping[str, Bias]  # by scenario, one quarter ahead
    sentence: str


def honesty(
    scored: Sequence[Scored],
    *,
    scenarios: Sequence[str],
    chain: Sequence[Sequence[float]] | None,
    known: int,
    seed: int,
    ordinal_scale: bool = True,
) -> Honesty:
    """Sum up a track record.

    Args:
        scored: every live forecast of a resolved question (`forecast.ledger.track_record`).
        scenarios: ids in their order.
        chain: ``[K][K]``, from one quarter's scenario to the next's, as the newest forecast has it; None if it cannot say.
        known: past quarters that the rules have resolved by now, those of the record among them.
        seed: of resampling and simulation.
        ordinal_scale: whether the scenarios have an order: otherwise RPS is left out, and the skill process runs on half the Brier score.
    """
    counted = _first_of_each(scored)
    quarters = sorted({one.quarter for one in counted})
    names = [name for name in SCORES if ordinal_scale or name != "rps"]
    horizons = sorted({one.horizon for one in counted})
    after = len(quarters) or PROSPECT
    perfect = None
    if chain is not None:
        perfect = power(after, chain, burn_in=max(1, known - len(quarters)), seed=seed)
    ahead = [one for one in counted if one.horizon == AHEAD]
    processes = tuple(_processes(counted, "rps" if ordinal_scale else "brier"))
    nearest = next((one for one in processes if one.horizon == AHEAD), None)
    return Honesty(
        resolved=len(quarters),
        scored=len(counted),
        set_aside=len(scored) - len(counted),
        begun=sum(one.begun for one in counted),
        first=quarters[0] if quarters else None,
        last=quarters[-1] if quarters else None,
        means={
            h: {
                name: float(np.mean([getattr(one, name) for one in counted if one.horizon == h]))
                for name in names
            }
            for h in horizons
        },
        against=tuple(
            found for h in horizons for name in names for found in _against(counted, h, name, seed)
        ),
        skill_process=None if nearest is None else nearest.value,
        alarm=score.ALARM,
        alarmed=nearest is not None and nearest.alarmed,
        processes=processes,
        reference_test=_reference_test(ahead),
        perfect=perfect,
        perfect_after=after,
        calibration=_calibration(ahead, scenarios),
        sentence=_sentence(len(quarters), perfect),
    )


def honesty_of(ledger: Path | None, record: Mapping[str, Any]) -> Honesty:
    """The record so far of a forecast's own theatre, as its reader is told it; what else the ledger holds is another's.

    Args:
        ledger: its file; absent, or not there yet: nothing has resolved.
        record: the newest ``forecast.json``: its title, scenarios, transitions and past.
    """
    matrix = (record.get("scenario_transitions") or {}).get("mean")
    complete = matrix is not None and all(value is not None for row in matrix for value in row)
    past = record.get("resolved_history") or ()
    rules = (record.get("answer_key") or {}).get("rules") or {}
    return honesty(
        track_record(ledger, theatre=record["title"]) if ledger is not None and ledger.is_file() else (),
        scenarios=[scenario["id"] for scenario in record["scenarios"]],
        chain=matrix if complete else None,
        known=sum(row["resolved"] is not None for row in past),
        seed=int(record["provenance"].get("seed") or 0),
        ordinal_scale=bool(rules.get("ordinal", True)),
    )


def _first_of_each(scored: Sequence[Scored]) -> list[Scored]:
    """The first issued of each theatre's quarter and horizon, by quarter: rules edited since asked another question of it."""
    first: dict[tuple[str, str, int], Scored] = {}
    for one in sorted(scored, key=lambda one: one.issued_at):
        first.setdefault((one.theatre, one.quarter, one.horizon), one)
    return sorted(first.values(), key=lambda one: (one.quarter, one.horizon))


def _against(counted: Sequence[Scored], horizon: int, name: str, seed: int) -> list[Against]:
    """Each reference that spoke of some of these quarters, in the order in which their scores are kept."""
    mine = [one for one in counted if one.horizon == horizon]
    others = dict.fromkeys(key for one in mine for key in one.references)
    found = []
    for number, reference in enumerate(others):
        both = [one for one in mine if reference in one.references]
        comparison = compare(
            [getattr(one, name) for one in both],
            [one.references[reference][name] for one in both],
            origins=[_number(one.quarter) for one in both],
            steps=horizon,
            ratios=name != "ign",
            rng=np.random.default_rng((seed, horizon, number)),
        )
        found.append(Against(score=name, horizon=horizon, reference=reference, comparison=comparison))
    return found


def _processes(counted: Sequence[Scored], name: str) -> Iterator[Running]:
    """The skill process of each horizon that has a Markov chain beside it, the nearest first."""
    for horizon in sorted({one.horizon for one in counted}):
        both = [one for one in counted if one.horizon == horizon and CHAIN in one.references]
        if both:
            largest = 2.0 if name == "brier" else 1.0
            yield running(
                [_number(one.quarter) for one in both],
                [one.references[CHAIN][name] / largest for one in both],
                [getattr(one, name) / largest for one in both],
                horizon=horizon,
            )


def _number(quarter: str) -> int:
    """Quarters since a beginning: one apart from a quarter to the next."""
    return ordinal(quarter_months(quarter)[0]) // 3


def _reference_test(ahead: Sequence[Scored]) -> float | None:
    bits = [one.references[CHAIN]["ign"] - one.ign for one in ahead if CHAIN in one.references]
    return float(2.0 ** np.sum(bits)) if bits else None


def _calibration(ahead: Sequence[Scored], scenarios: Sequence[str]) -> dict[str, Bias]:
    told = [one for one in ahead if len(one.p) == len(scenarios)]
    if not told:
        return {}
    return {
        name: bias([one.p[k] for one in told], [one.outcome == name for one in told], steps=AHEAD)
        for k, name in enumerate(scenarios)
    }


def _sentence(resolved: int, perfect: float | None) -> str:
    nothing = "Nothing has resolved yet: nothing can be said of this record's skill."
    if perfect is None:
        return nothing if not resolved else f"{_after(resolved)} this record cannot show skill yet."
    oracle = f"even a forecaster who knew the true process would beat all references at all horizons only {percent(perfect)} of the time"
    if not resolved:
        return f"{nothing} {_after(PROSPECT)} {oracle}."
    if perfect < SPEAKS:
        return f"{_after(resolved)} {oracle}; this record cannot show skill yet."
    return f"{_after(resolved)} {oracle.replace('only ', '')}: what it shows is told beside it."


def _after(quarters: int) -> str:
    return f"After {quarters} resolved quarter{'' if quarters == 1 else 's'}"
