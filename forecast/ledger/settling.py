"""Closed questions are answered by the rules they were asked with, on each release of the figures, or go on waiting.

The first release is that of the day on which every stream of the rules should have spoken: for a stream with vintages the first
that carries the quarter's last month, for others thirty days after its end. The annual release is that of final figures. A rule
that stays unknown although the data have gone on past the quarter leaves it unresolved; one that may yet be known waits.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.history import Quarter, history
from forecast.incidents import Archive, gather, published, vintage_day
from forecast.ledger import answer_key
from forecast.ledger.answer_key import AnswerKey
from forecast.ledger.audit import check_sound
from forecast.ledger.issue import ANNULLED, UNRESOLVED
from forecast.ledger.resolution import ANNUAL, FIRST, Answer, Question, answers, questions, resolve
from forecast.months import quarter_months
from forecast.panel import panel
from forecast.rules import bounds_of
from forecast.streams import Source

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a closed question on one release."""

    question: str
    quarter: str
    release: str
    outcome: str | None  # None: it waits
    as_of: str | None  # the day of the figures
    reason: str
    new: bool  # recorded now
    contested: str | None = None  # how the same day's figures resolve it today, if otherwise than on record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What the rules read on one day."""

    quarters: Mapping[str, Quarter]
    counts: "xr.DataArray"  # (stream, month)
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """The figures that an answer key is held against."""

    key: AnswerKey
    archive: Archive
    sources: Mapping[str, Source]
    seen: Callable[[date], _Seen]  # every quarter as the rules read the figures of a day
    figures: Mapping[str, Any]  # by stream with vintages: months by vintage

    def final(self, months: Sequence[str], day: date) -> bool | None:
        """Whether every figure of these months is of its source's first class; None where no source has two."""
        found = [
            self.sources[stream.source].release(month, vintage_day(self.archive, stream, day)) == 0
            for stream in self.key.streams
            if len(self.sources[stream.source].classes) > 1
            for month in months
        ]
        return all(found) if found else None

    def first_day(self, month: str, settles: date) -> date:
        """When every stream of the rules should have spoken of a month."""
        days = [settles]
        for figures in self.figures.values():
            carrying = figures.columns[figures.loc[month].notna()] if month in figures.index else ()
            days.extend(date.fromisoformat(str(day)) for day in carrying[:1])
        return max(days)

    def source(self, root: Path) -> str:
        """What the answer rests on, in words."""
        named = []
        for name in dict.fromkeys(stream.source for stream in self.key.streams):
            source = self.sources[name]
            with open(root / source.file, "rb") as file:
                hashed = file_digest(file, "sha256").hexdigest()
            named.append(f"{source.citation or name} ({Path(source.file).name}, sha256 {hashed[:12]})")
        return "; ".join(named)


def settle(
    ledger: str | Path,
    sources: Iterable[Source],
    *,
    root: Path,
    today: date,
    recorded_at: str,
    set_by: str,
    theatre: str | None = None,
) -> tuple[Settled, ...]:
    """Answer every closed question that the figures can answer, each with its scores in one transaction.

    Args:
        ledger: the file.
        sources: where the streams of the questions come from.
        root: the folder that their files are relative to.
        today: the day whose knowledge holds.
        recorded_at: ISO 8601 with its offset.
        set_by: who says so.
        theatre: whose the sources are; questions of another wait, as other figures answer them. All are its own if absent.

    Returns:
        Each closed question and release, those answered before included.

    Raises:
        Refusal: for data that cannot be read, a question that another process answers meanwhile, or a broken ledger.
    """
    check_sound(ledger)
    known = {source.id: source for source in sources}
    evidence: dict[str, _Evidence] = {}
    told: list[Settled] = []
    for question in questions(ledger, on=today):
        if question.state in ("open", ANNULLED):
            continue
        if theatre not in (None, question.theatre):
            reason = f"asked by “{question.theatre}”: resolve it from that workspace"
            told.append(_waits(question, question.release or FIRST, reason))
            continue
        if question.answer_key is None:
            told.append(
                _waits(
                    question, question.release or FIRST, "asked with rules in words alone: name its outcome"
                )
            )
            continue
        said = json.dumps(question.answer_key, sort_keys=True)
        if said not in evidence:
            key = answer_key.read(question.answer_key)
            evidence[said] = _evidence(key, known, root)
        standing = [one for one in answers(ledger) if one.question == question.id and one.stands]
        for found, supersedes in _answered(question, evidence[said], standing, today):
            told.append(found)
            if found.new and found.outcome is not None and found.as_of is not None:
                resolve(
                    ledger,
                    question.id,
                    found.outcome,
                    source=evidence[said].source(root),
                    as_of=found.as_of,
                    reason=found.reason,
                    set_by=set_by,
                    recorded_at=recorded_at,
                    release=found.release,
                    supersedes=supersedes,
                )
    return tuple(told)


def _evidence(key: AnswerKey, sources: Mapping[str, Source], root: Path) -> _Evidence:
    """Read the streams of a key once; a day's reading is kept, as many questions share it."""
    archive = gather(sources.values(), key.streams, root=root)
    titles = {stream.id: stream.name for stream in key.streams}
    bounds = {stream.id: bounds_of(stream) for stream in key.streams}

    @cache
    def seen(day: date) -> _Seen:
        known = panel(
            archive,
            key.streams,
            sources.values(),
            window_from=key.window_from,
            as_of=day,
            deciding=key.rules.streams,
        )
        past = history(key.rules, known.counts, titles=titles, bounds=bounds)
        return _Seen(
            quarters={one.quarter: one for one in past.quarters}, counts=known.counts, origin=known.origin
        )

    figures = {
        stream.id: published(archive, stream, as_of=None) for stream in key.streams if stream.reporting
    }
    return _Evidence(key=key, archive=archive, sources=sources, seen=seen, figures=figures)


def _answered(
    question: Question, evidence: _Evidence, standing: Sequence[Answer], today: date
) -> Iterator[tuple[Settled, int | None]]:
    """The answer on each release there is, and the row it supersedes."""
    months = quarter_months(question.quarter)
    final = evidence.final(months, today)
    day = evidence.first_day(months[2], date.fromisoformat(question.scheduled_resolve))
    first = question.release or FIRST if final is None else FIRST
    held = _held(standing, first)
    if final and held is None and evidence.final(months, day):
        yield (
            _waits(question, first, "its first figures are not at hand: the final ones have replaced them"),
            None,
        )
    else:
        yield _one(question, evidence, first, held, (day, today), today)
    if final:
        yield _one(question, evidence, ANNUAL, _held(standing, ANNUAL), (today,), today)


def _one(
    question: Question,
    evidence: _Evidence,
    release: str,
    held: Answer | None,
    days: Sequence[date],
    today: date,
) -> tuple[Settled, int | None]:
    if held is not None and held.outcome != UNRESOLVED:
        now = evidence.seen(date.fromisoformat(held.as_of)).quarters.get(question.quarter)
        other = None if now is None or now.resolved in (None, held.outcome) else now.resolved
        kept = _told(question, release, held.outcome, held.as_of, held.reason, new=False, contested=other)
        return kept, None
    if days[0] > today:
        return _waits(question, release, f"its figures are expected by {days[0]}"), None
    for day in days:
        seen = evidence.seen(day).quarters.get(question.quarter)
        if seen is not None and seen.resolved is not None:
            found = _told(question, release, seen.resolved, day.isoformat(), seen.decided_by, new=True)
            return found, None if held is None else held.seq
    if held is not None:
        return _told(question, release, held.outcome, held.as_of, held.reason, new=False), None
    known = evidence.seen(today)
    if question.quarter not in known.quarters:
        return _waits(question, release, f"the data end in {known.origin}"), None
    reason, end = known.quarters[question.quarter].decided_by, quarter_months(question.quarter)[2]
    later = known.counts.sel(month=[month for month in known.counts["month"].values if month > end])
    if bool(later.notnull().any("month").all()):
        return _told(question, release, UNRESOLVED, today.isoformat(), reason, new=True), None
    return _waits(question, release, reason), None


def _held(standing: Sequence[Answer], release: str) -> Answer | None:
    return next((one for one in reversed(standing) if one.release == release), None)


def _waits(question: Question, release: str, reason: str) -> Settled:
    return _told(question, release, None, None, reason, new=False)


def _told(
    question: Question,
    release: str,
    outcome: str | None,
    as_of: str | None,
    reason: str,
    *,
    new: bool,
    contested: str | None = None,
) -> Settled:
    return Settled(
        question=question.id,
        quarter=question.quarter,
        release=release,
        outcome=outcome,
        as_of=as_of,
        reason=reason,
        new=new,
        contested=contested,
    )
