"""A workspace for any file of counts: a generic question, and generic beliefs scaled on its first 24 months.

The window is the last ten years at most.

Levels that wander and no regimes: where a war begins and stays, one noisy series cannot tell a regime from a level, and
chains that must choose settle on different answers. Scenarios are what the rule says of the months ahead.
"""

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import pandas as pd

import priors
from forecast import formats, months
from forecast.streams import TAKEN
from forecast.theatres.blank.tables import is_tidy, tidied
from priors.refusal import Refusal
from priors.statement import Interval

SHORTEST = 36  # months: two years to scale beliefs on, and one to be compared with them
LONGEST = 120  # months that models learn from; what was usual longer ago is another world
SCALED_ON = 24  # months: the first of the window, so that a replay of the past starts without hindsight
MOST = 6  # streams
LEAST = 0.25  # a month: the scale of a stream that begins with zeros
LAG = datetime.timedelta(days=30)  # after its end a month is taken to be known
DRAWS, PATHS = (
    2000,
    2000,
)  # of one stream, shared by several: a level that may move by half in a month needs many
AUTHOR, SOURCE = "forecast init", "Generic default"
FILE = "data/counts.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """One stream of the file."""

    id: str
    title: str
    stream: str
    front: str | None  # None: summed over fronts
    first: str
    last: str
    scale: float  # mean of its first 24 months


def contents(data: Path, *, tell: Callable[[str], None]) -> Mapping[str, bytes]:
    """The files of the workspace by name.

    Args:
        data: a tidy csv, or a table with a column of months and columns of counts.
        tell: called with what a reader should know of how the file was read.

    Raises:
        Refusal: if it cannot be read, is too short, or holds too many streams.
    """
    content, frame = _read(data, tell)
    first, last = str(frame["month"].min()), str(frame["month"].max())
    length = len(months.span(first, last))
    if length < SHORTEST:
        remedy = f"it holds {length}, {first} to {last}: too few to tell regimes apart"
        raise Refusal(file=str(data), wanted=f"at least {SHORTEST} months", remedy=remedy)
    learnt = max(first, months.shift(last, 1 - LONGEST))
    streams = tuple(_streams(frame, learnt, str(data)))
    as_of = months.month_end(last) + LAG
    subject = [stream.id for stream in streams if stream.stream == streams[0].stream]
    words = {
        "title": json.dumps("".join(c for c in data.stem if c.isprintable()) or "Counts", ensure_ascii=False),
        "first": first,
        "longest": str(LONGEST),
        "as_of": as_of.isoformat(),
        "date": as_of.isoformat(),
        "draws": str(DRAWS if len(streams) == 1 else DRAWS // 2),
        "paths": str(PATHS // len(streams)),
        "seed": as_of.strftime("%Y%m%d"),
        "sources": "\n".join(_sources(streams)),
        "streams": "\n".join(_stream(stream, streams, subject) for stream in streams).rstrip(),
        "subject": f'stream = "{subject[0]}"' if len(subject) == 1 else f"sum = {json.dumps(subject)}",
    }
    return {
        FILE: content,
        "forecast.toml": _filled("forecast", words),
        "scenarios.toml": _filled("scenarios", words),
        "priors.toml": _priors(streams, set(subject), as_of).encode(),
    }


def _read(data: Path, tell: Callable[[str], None]) -> tuple[bytes, pd.DataFrame]:
    """The file as it will lie in the workspace, a tidy one as it is; and its rows."""
    if is_tidy(data):
        frame = formats.read(data, "tidy", name=str(data)).frame
        return data.read_bytes(), frame
    brought = tidied(data)
    for remark in brought.told:
        tell(remark)
    with TemporaryDirectory() as folder:
        written = Path(folder) / "counts.csv"
        written.write_bytes(brought.content)
        return brought.content, formats.read(written, "tidy", name=str(data)).frame


def _filled(name: str, words: Mapping[str, str]) -> bytes:
    template = (Path(__file__).parent / f"{name}.template").read_text("utf-8")
    return Template(template).substitute(words).encode()


def _streams(frame: pd.DataFrame, window_from: str, file: str) -> Iterator[Counts]:
    """A stream for each front and stream of the file; where those are too many, each stream over all fronts."""
    pairs = _pairs(frame, file)
    names: dict[str, tuple[str, str | None]] = {}
    for stream, front in pairs:
        name = (stream if front is None else f"{stream}-{front}")[:41].rstrip("-")
        name = f"{name}-counts" if name in TAKEN else name
        numbered = (f"{name[:38].rstrip('-')}-{number}" for number in range(2, MOST + 1))
        names[next(n for n in (name, *numbered) if n not in names)] = stream, front
    for name, (stream, front) in names.items():
        own = frame["stream"] == stream
        rows = frame[own if front is None else own & (frame["front"] == front)]
        span = months.span(str(rows["month"].min()), str(rows["month"].max()))
        title = stream if front is None else f"{stream} in {front.title()}"
        yield Counts(
            id=name,
            title=title.replace("-", " ")[0].upper() + title.replace("-", " ")[1:],
            stream=stream,
            front=front,
            first=span[0],
            last=span[-1],
            scale=_scale(rows, [month for month in span if month >= window_from], f"{file}: {name}"),
        )


def _pairs(frame: pd.DataFrame, file: str) -> list[tuple[str, str | None]]:
    """Stream and front of each series; no front where there is one alone, or where they are too many to tell apart."""
    pairs = list(dict.fromkeys(zip(frame["stream"], frame["front"], strict=True)))
    streams = list(dict.fromkeys(frame["stream"]))
    if len({front for _, front in pairs}) > 1 and len(pairs) <= MOST:
        return pairs
    if len(streams) > MOST:
        remedy = f"it holds {len(streams)} ({', '.join(streams[:8])} …): keep those you have a question about"
        raise Refusal(file=file, wanted=f"at most {MOST} streams", remedy=remedy)
    return [(stream, None) for stream in streams]


def _scale(rows: pd.DataFrame, span: Sequence[str], where: str) -> float:
    """Mean of the known among the first 24 months of a span; a month without a row is zero, an empty count missing."""
    totals = rows.groupby("month")["count"].agg(lambda counts: counts.sum(skipna=False))
    early = totals.reindex(span[:SCALED_ON], fill_value=0.0).dropna()
    if len(early) < SCALED_ON // 2:
        wanted = f"at least {SCALED_ON // 2} known months among the first {SCALED_ON}, to scale beliefs on"
        raise Refusal(file=where, wanted=wanted, remedy=f"there are {len(early)}")
    return max(float(early.mean()), LEAST)


def _sources(streams: tuple[Counts, ...]) -> Iterator[str]:
    """A source for each span of months: beyond its own rows a stream is missing, not zero."""
    for number, (first, last) in enumerate(_spans(streams), start=1):
        yield (
            f"[sources.counts{'' if number == 1 else f'-{number}'}]\n"
            f'file     = "{FILE}"\n'
            f'format   = "tidy"\n'
            f'coverage = {{ from = "{first}", to = "{last}" }}\n'
        )


def _spans(streams: tuple[Counts, ...]) -> list[tuple[str, str]]:
    return sorted({(stream.first, stream.last) for stream in streams})


def _stream(stream: Counts, streams: tuple[Counts, ...], subject: list[str]) -> str:
    number = _spans(streams).index((stream.first, stream.last)) + 1
    front = "" if stream.front is None else f', front = "{stream.front}"'
    return (
        f"[streams.{stream.id}]\n"
        f"title   = {json.dumps(stream.title)}\n"
        f'source  = "counts{"" if number == 1 else f"-{number}"}"\n'
        f'where   = {{ stream = "{stream.stream}"{front} }}\n'
        f'measure = "count"\n'
        f'family  = "negative-binomial"\n'
        f'level   = "walk"\n'
        f'effect  = "{"increasing" if stream.id in subject else "free"}"\n'
    )


def _priors(streams: tuple[Counts, ...], ordered: set[str], date: datetime.date) -> str:
    """Generic beliefs: wide, and the same for every series but for its scale."""
    generic = "Generic default, the same for every series: replace it by what you know."

    def interval(key: str, low: float, high: float, unit: str, because: str = generic) -> Interval:
        return Interval(
            quantity=key,
            low=low,
            high=high,
            mass=0.9,
            unit=unit,
            because=because,
            author=AUTHOR,
            date=date,
            source=SOURCE,
            known_from=date,
        )

    said = [interval("dwell.usual", 6, 36, "months"), interval("dwell.surge", 2, 24, "months")]
    for stream in streams:
        surge = (1.5, 4.0) if stream.id in ordered else (0.6, 2.5)
        mean = f"{stream.scale:,.0f}" if stream.scale >= 100 else f"{stream.scale:.3g}"
        scaled = f"Generic default, scaled on the stream's first {SCALED_ON} months in the window ({mean} a month): replace it by what you know."
        low, high = float(f"{stream.scale / 5:.2g}"), float(f"{stream.scale * 5:.2g}")
        said += [
            interval(f"level.{stream.id}", low, high, f"{stream.stream} per month, usual", scaled),
            interval(f"wander.{stream.id}", 2, 20, "percent per month"),
            interval(f"spread.{stream.id}", 20, 100, "percent of the mean"),
            interval(f"effect.{stream.id}.surge", *surge, "times usual"),
        ]
    return priors.dumps("blank", said)
