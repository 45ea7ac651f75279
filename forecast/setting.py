"""What a workspace and its panel say to a model: streams, horizon, labels and drivers along the months."""

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from forecast import months
from forecast.config import OPTIONS, DriverRow, Label
from forecast.config import Driver as Declared
from forecast.panel import Panel
from forecast.workspace import Workspace, drivers_known, labels_known
from forecast.workspace.catalogue import MODELS
from models.contract import Driver, Reporting, Setting, Stream

BASIS = (
    16  # waves that carry a walking level unless [models.<name>] says; what they leave out is in the notes
)


def setting(
    workspace: Workspace,
    panel: Panel,
    *,
    model: str,
    horizon: int,
    as_of: datetime.date,
    reporting: Mapping[str, Reporting],
) -> Setting:
    """The setting of one model at one date.

    Args:
        workspace: the workspace.
        panel: the panel as known at `as_of`.
        model: a name of the catalogue; its own table [models.<name>] holds its basis, regimes and options.
        horizon: months after the origin.
        as_of: labels and rows of drivers.csv known later are left out.
        reporting: factors of release classes, by stream.
    """
    own = workspace.config.models.settings.get(model)
    regimes = workspace.regimes(model)
    span = (*panel.months, *(months.shift(panel.origin, step) for step in range(1, horizon + 1)))
    declared = [driver for driver in workspace.config.drivers.values() if driver.use == "history"]
    rows = drivers_known(workspace, as_of)
    return Setting(
        scenarios=regimes,
        reference=workspace.scenarios.reference,
        streams=tuple(
            Stream(
                id=stream.id,
                family=stream.family,
                level=stream.level,
                effect=stream.effect,
                **{option: own is not None and own.gives(option, stream) for option in OPTIONS},
            )
            for stream in panel.definitions
        ),
        horizon=horizon,
        basis=len(panel.months) - 1 if MODELS[model].drifts else (own and own.basis) or BASIS,
        labels=log_ratios(labels_known(workspace, as_of), panel.months, regimes),
        reporting=dict(reporting),  # a plain table: settings travel to other processes
        drivers=tuple(
            Driver(
                id=driver.id,
                lag=driver.lag,
                reference=driver.at_rest,
                values=course(driver, rows, span, origin=panel.origin),
            )
            for driver in declared
        ),
    )


def log_ratios(
    labels: Iterable[Label], span: Sequence[str], regimes: Sequence[str]
) -> tuple[tuple[float, ...], ...] | None:
    """Log ratios of labels by month and regime; None without any. Labels of one month add up."""
    rows = [[0.0] * len(regimes) for _ in span]
    found = False
    for label in labels:
        for month in label.months:
            if month in span and label.scenario in regimes:
                rows[span.index(month)][regimes.index(label.scenario)] += math.log(label.ratio)
                found = True
    return tuple(tuple(row) for row in rows) if found else None


def course(
    driver: Declared, rows: Iterable[DriverRow], span: Sequence[str], *, origin: str
) -> tuple[float, ...]:
    """A driver's value in each month: its rows up to the origin, then as forecast.toml says it goes on.

    An event is at rest except in its months; a state or an amount keeps a row's value until the next. By its own
    history, a yes or no goes on as the two-state chain that its months up to the origin show, at its expectation.
    """
    said = {row.month: float(row.value) for row in rows if row.driver == driver.id}
    earlier = [month for month in said if month < span[0]]
    value = said[max(earlier)] if earlier and driver.kind != "event" else driver.at_rest
    path = driver.ahead if isinstance(driver.ahead, Mapping) else {}
    values = []
    for month in span:
        if month > origin and driver.ahead == "none":
            value = driver.at_rest
        elif driver.kind == "event":
            value = (path if month > origin else said).get(month, driver.at_rest)
        else:
            value = float((path if month > origin else said).get(month, value))
        values.append(value)
    if driver.ahead == "own-history":
        known = span.index(origin) + 1
        values[known:] = _expected(values[:known], len(span) - known)
    return tuple(values)


def _expected(past: Sequence[float], months: int) -> list[float]:
    """Probability of a yes in each month ahead: a chain with the past's transitions and half of one more each way."""
    steps = list(pairwise(past))
    stay_off, turn_on, turn_off, stay_on = (
        0.5 + sum(step == pair for step in steps) for pair in ((0, 0), (0, 1), (1, 0), (1, 1))
    )
    on, found = past[-1], []
    for _ in range(months):
        on = on * stay_on / (stay_on + turn_off) + (1 - on) * turn_on / (turn_on + stay_off)
        found.append(on)
    return found
