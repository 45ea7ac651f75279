"""Every chart of a report, from the brief alone: one specification each, drawn the same on paper and on screen."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from reports.beliefs import in_use, priors
from reports.brief import Brief
from reports.fitting import fitting
from reports.fronts import spells, strips
from reports.grids import coverage, matrix, rules
from reports.probabilities import first_passage, quarters
from reports.series import history, stream
from reports.spec import Chart, Figure, draw


def figures(brief: Brief) -> Mapping[str, Figure]:
    """All figures by key, drawn; `reports.document.Exhibit` names them by these keys."""
    return MappingProxyType({chart.key: draw(chart) for chart in charts(fitting(brief))})


def charts(brief: Brief) -> Iterator[Chart]:
    """All charts that the brief has numbers for, undrawn."""
    yield quarters(brief)
    if brief.history:
        yield history(brief)
    if brief.first_passage:
        yield first_passage(brief)
    if brief.resolved_history:
        yield rules(brief)
    for key, table in (
        ("scenario-transitions", brief.scenario_transitions),
        ("transitions", brief.transitions),
        ("transitions-quarter", brief.transitions_quarter),
    ):
        if table is not None:
            yield matrix(brief, table, key)
    for series in brief.streams:
        yield stream(brief, series)
    if brief.fronts:
        yield strips(brief)
    if brief.pooling is not None:
        yield spells(brief, brief.pooling)
    if any(prior.prior is not None for prior in in_use(brief)):
        yield priors(brief)
    if brief.coverage is not None:
        yield coverage(brief, brief.coverage)
