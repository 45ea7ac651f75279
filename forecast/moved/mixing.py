"""What a model would have been given had only some causes been at work: parts of an earlier and of a later run.

    history   figures of months that both runs know, and their releases: as the earlier or as the later run knew them
    months    the last month with data, and how far ahead is looked: the earlier run's or the later one's
    beliefs   priors, labels, drivers, streams and settings: those of the earlier run or of the later one

Masks are part of the figures: a month masked since is revised history. Where months go beyond what beliefs of the
earlier run spoke of, there is no label and a driver keeps its last value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from forecast.fitting import Posterior
from forecast.months import month, ordinal
from forecast.workspace import MODELS
from models import CATALOGUE
from models.contract import Driver, Reporting, Setting
from priors import PriorSet

HISTORY, MONTHS, BELIEFS = "history", "months", "beliefs"
CAUSES = (HISTORY, MONTHS, BELIEFS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """All that one model is given."""

    panel: xr.DataArray  # (stream, month)
    setting: Setting
    priors: PriorSet

    @property
    def span(self) -> tuple[str, ...]:
        """The months of the panel and of its horizon."""
        last = ordinal(self.panel["month"].values[-1])
        ahead = (month(last + step) for step in range(1, self.setting.horizon + 1))
        return (*(str(name) for name in self.panel["month"].values), *ahead)


def given(posterior: Posterior) -> Given:
    """What a fitted model was given."""
    return Given(panel=posterior.panel, setting=posterior.setting, priors=posterior.priors)


def same(model: str, a: Given, b: Given) -> bool:
    """Whether a model could not tell the two apart: beliefs that it does not use, and reasons, make no difference."""
    beliefs = CATALOGUE[model].beliefs
    return (
        a.panel.equals(b.panel)
        and a.setting == b.setting
        and beliefs(a.priors, a.setting) == beliefs(b.priors, b.setting)
    )


def mixed(model: str, before: Given, after: Given, causes: frozenset[str]) -> Given:
    """What a model is given when only these causes are at work.

    With all of them it is ``after``, with none ``before``.

    Args:
        model: its name.
        before: of the earlier run.
        after: of the later run.
        causes: of ``CAUSES``.
    """
    figures = after if HISTORY in causes else before
    reach = (after if MONTHS in causes else before).span
    origin = (after if MONTHS in causes else before).panel["month"].values[-1]
    believed = after if BELIEFS in causes else before
    other = before if figures is after else after
    streams = [str(name) for name in believed.panel["stream"].values]
    panel = _panel(figures, other, streams=streams, origin=str(origin))
    horizon = ordinal(reach[-1]) - ordinal(str(origin))
    span = Given(panel=panel, setting=replace(believed.setting, horizon=horizon), priors=before.priors).span
    setting = replace(
        believed.setting,
        horizon=horizon,
        basis=panel.sizes["month"] - 1 if MODELS[model].drifts else believed.setting.basis,  # a wave a step
        labels=_labels(believed, span[: panel.sizes["month"]]),
        drivers=tuple(_driver(one, believed.span, span) for one in believed.setting.drivers),
        reporting={
            name: _reporting(one, figures.span, span)
            for name, one in figures.setting.reporting.items()
            if name in streams
        },
    )
    return Given(panel=panel, setting=setting, priors=believed.priors)


def _panel(figures: Given, other: Given, *, streams: Sequence[str], origin: str) -> xr.DataArray:
    """Months that both know from ``figures``, later ones from whichever knows them, up to the origin."""
    shared = min(str(one.panel["month"].values[-1]) for one in (figures, other))
    later = max((figures, other), key=lambda one: str(one.panel["month"].values[-1]))
    first = [name for name in figures.panel["month"].values if name <= shared]
    rest = [name for name in later.panel["month"].values if shared < name <= origin]
    rows = [
        np.concatenate([_row(figures, other, stream, first), _row(later, later, stream, rest)])
        for stream in streams
    ]
    return xr.DataArray(
        np.array(rows), dims=("stream", "month"), coords={"stream": list(streams), "month": [*first, *rest]}
    )


def _row(figures: Given, other: Given, stream: str, months: Sequence[str]) -> np.ndarray:
    """A stream's cells in some months; from the other panel if the first does not have the stream, else missing."""
    known = next((one.panel for one in (figures, other) if stream in one.panel["stream"].values), None)
    if known is None:
        return np.full(len(months), np.nan)
    cells: np.ndarray = known.sel(stream=stream).reindex(month=list(months)).values
    return cells


def _labels(believed: Given, months: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
    labels = believed.setting.labels
    if labels is None:
        return None
    said = dict(zip(believed.span, labels, strict=False))
    nothing = (0.0,) * len(believed.setting.scenarios)
    return tuple(said.get(name, nothing) for name in months)


def _driver(driver: Driver, known: Sequence[str], span: Sequence[str]) -> Driver:
    return replace(driver, values=_stretched(driver.values, known, span))


def _reporting(reporting: Reporting, known: Sequence[str], span: Sequence[str]) -> Reporting:
    return replace(reporting, release=_stretched(reporting.release, known, span))


def _stretched[T](values: Sequence[T], known: Sequence[str], span: Sequence[str]) -> tuple[T, ...]:
    """Values along other months: the first goes on before its months, the last after them."""
    at: Mapping[str, T] = dict(zip(known, values, strict=True))
    return tuple(at.get(name, values[0] if name < known[0] else values[-1]) for name in span)
