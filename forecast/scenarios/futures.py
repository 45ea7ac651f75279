"""Every simulated future is resolved by the same rules as the past, on observed and simulated months together."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.months import next_quarter, ordinal, quarter_months, quarter_of
from forecast.rules import UNRESOLVED, Bounds, ScenarioSet, resolve_many
from forecast.rules.truth import BASELINE, MONTHS, NO_BOUNDS, positions

if TYPE_CHECKING:
    import xarray as xr

type Array = np.ndarray[Any, np.dtype[Any]]

REACH = BASELINE + max(MONTHS.values())  # months that a rule can look back on, its window included
CHUNK = 8_000_000  # bytes of simulated cells that are resolved at once; a few times as much is in use


def quarters_ahead(origin: str, n: int) -> tuple[str | None, tuple[str, ...]]:
    """The running quarter, if the origin is not its last month, and the first `n` quarters that start later."""
    running = quarter_of(origin)
    current = None if quarter_months(running)[2] == origin else running
    return current, tuple(next_quarter(running, step) for step in range(1, n + 1))


def months_ahead(origin: str, n: int) -> int:
    """Months to simulate so that the n-th quarter ahead is complete."""
    return ordinal(quarter_months(quarters_ahead(origin, n)[1][-1])[2]) - ordinal(origin)


def outcomes(
    rules: ScenarioSet,
    panel: "xr.DataArray",
    futures: "xr.Dataset",
    *,
    quarters: Sequence[str],
    bounds: Mapping[str, Bounds] = NO_BOUNDS,
) -> "xr.DataArray":
    """The scenario to which each simulated future resolves each quarter.

    Args:
        rules: the scenario set.
        panel: observed (stream, month) up to the origin, NaN where missing.
        futures: `count` (draw, path, stream, month) after the origin and, if cells up to the origin were drawn with
            the future, `tail` (draw, path, stream, tail_month), which holds the observation where there is one.
        quarters: the quarters to resolve, in order.
        bounds: what cells that stay missing may be (see `forecast.rules.resolve`).

    Returns:
        int8 (draw, path, quarter): positions in `rules.ids`, -1 where the rules cannot tell.
    """
    import xarray as xr

    ends = [quarter_months(quarter)[2] for quarter in quarters]
    streams = list(rules.streams)
    count = futures["count"].sel(stream=streams).transpose("draw", "path", "stream", "month")
    past = panel.sel(stream=streams).transpose("stream", "month")
    past = past.isel(
        month=slice(
            max(0, int(positions(ends[:1])[0] - positions(past["month"].values)[0]) - REACH + 1), None
        )
    )
    months = [*past["month"].values, *count["month"].values]
    found = np.full((count.sizes["draw"], count.sizes["path"], len(quarters)), UNRESOLVED, np.int8)
    for part in _chunks(count, len(months)):
        cells = np.empty(
            (len(streams), len(months), *count[part].shape[:2])
        )  # cases last: see rules.truth.Windows
        cells[:, : past.sizes["month"]] = past.values[..., None, None]
        if "tail" in futures and futures.sizes["tail_month"]:
            tail = futures["tail"].isel(draw=part).sel(stream=streams)
            at = positions(tail["tail_month"].values) - positions(months[:1])[0]
            reached = at >= 0  # the tail of a stream that ended long ago is longer than any rule looks back
            drawn = tail.transpose("stream", "tail_month", "draw", "path").values
            cells[:, at[reached]] = drawn[:, reached]
        cells[:, past.sizes["month"] :] = count[part].transpose("stream", "month", "draw", "path").values
        found[part] = resolve_many(
            rules,
            np.moveaxis(cells, (0, 1), (-2, -1)),
            streams=streams,
            months=months,
            window_ends=ends,
            bounds=bounds,
        )
    return xr.DataArray(found, dims=("draw", "path", "quarter"), coords={"quarter": list(quarters)})


def _chunks(count: "xr.DataArray", months: int) -> Iterator[slice]:
    draws = count.sizes["draw"]
    step = max(1, CHUNK // (8 * count.sizes["path"] * count.sizes["stream"] * months))
    return (slice(start, min(start + step, draws)) for start in range(0, draws, step))
