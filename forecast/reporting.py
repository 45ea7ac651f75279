"""Figures that are not final are held against the final ones: a log factor for each release, from vintages.

    log published[s,t] = log final[s,t] + log r[s, release of t]      log r[s,c] ~ Normal(mean, sd)

Mean and sd are those of log(published + ½) − log(final + ½) over the months whose first published figure was of
release c and which are final now; one error is shared by all months of a release, because a whole year of
provisional figures is replaced at once. Nothing published after the date enters. After STATISTICS A6 and F2.
"""

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from forecast.incidents import Archive, published
from forecast.panel import Panel
from forecast.streams import Source, StreamDefinition
from models.contract import Reporting

PAIRS = 12  # months: an annual release replaces as many at once, and fewer tell nothing of a release
UNKNOWN = (0.0, 0.15)  # mean and sd of the log factor where no vintage tells: either way, by a seventh
LEAST_SD = 0.01  # a release that was never revised is not known to be so for ever


def reporting(
    panel: Panel,
    archive: Archive,
    *,
    as_of: datetime.date,
    horizon: int,
    release: Literal["first", "annual"],
) -> Mapping[str, Reporting]:
    """The reporting factors of each stream whose source states more than one release.

    Args:
        panel: the panel as known at `as_of`; it tells of which release each month's figure is.
        archive: what was read, vintages included.
        as_of: figures published later are not used.
        horizon: months after the panel's last.
        release: on which the question resolves. Months ahead are of the newest class ("first"), or of class 0.
    """
    found = {}
    for stream in panel.definitions:
        source = archive.incidents[stream.source].source
        if stream.family == "bernoulli" or len(source.classes) < 2:
            continue
        ahead = len(source.classes) - 1 if release == "first" else 0
        observed = [source.classes.index(str(name)) for name in panel.releases.sel(stream=stream.id).values]
        factors = [_factor(gap) for gap in gaps(archive, stream, as_of=as_of)]
        found[stream.id] = Reporting(
            release=(*observed, *([ahead] * horizon)),
            mean=tuple(mean for mean, _ in factors),
            sd=tuple(sd for _, sd in factors),
        )
    return MappingProxyType(found)


def gaps(archive: Archive, stream: StreamDefinition, *, as_of: datetime.date) -> tuple[pd.Series, ...]:
    """Log ratios of first published to final figures by month, for each release but the first.

    Where the source gives no dates of publication, a month that is not in the oldest vintage is taken to have
    appeared in the newest class.
    """
    source = archive.incidents[stream.source].source
    newest, figures = len(source.classes) - 1, published(archive, stream, as_of=as_of)
    if figures.empty:
        return (pd.Series(dtype=np.float64),) * newest
    appeared = figures.notna().idxmax(axis="columns")
    first, last = figures.bfill(axis="columns").iloc[:, 0], figures.iloc[:, -1]
    ratio = np.log(first + 0.5) - np.log(last + 0.5)
    then = pd.Series({m: _class_then(source, m, day, figures.columns[0]) for m, day in appeared.items()})
    now = pd.Series({month: source.release(str(month), as_of) for month in figures.index})
    return tuple(ratio[(then == place) & (now == 0)].dropna() for place in range(1, newest + 1))


def _class_then(source: Source, month: object, day: str, oldest: str) -> int:
    """The class of a month's figure in the vintage in which it appeared."""
    if any(release.published for release in source.releases.values()):
        return source.release(str(month), datetime.date.fromisoformat(day))
    return len(source.classes) - 1 if day > oldest else source.release(str(month), None)


def _factor(gap: pd.Series) -> tuple[float, float]:
    if len(gap) < PAIRS:
        return UNKNOWN
    return float(gap.mean()), max(float(gap.std(ddof=1)), LEAST_SD)
