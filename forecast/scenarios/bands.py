"""The counts themselves: what simulated futures hold, by month, as quantiles and means."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.months import days_in
from forecast.rules import Bounds

if TYPE_CHECKING:
    import xarray as xr

type Array = np.ndarray[Any, np.dtype[Any]]

AT = (0.05, 0.25, 0.5, 0.75, 0.95)
SAMPLE = 100_000  # futures behind a band; 5 % of them are known to 0.07 points


def fans(
    futures: "Sequence[xr.Dataset]", weights: Sequence[float], *, at: Sequence[float] = AT
) -> "xr.DataArray":
    """Quantiles (stream, month, quantile) of the weighted union of the models' futures.

    The months are those up to the origin that were drawn with the future (`tail`; where a stream was observed all
    quantiles are the observation), then those after it.

    Args:
        futures: one data set per model, as `forecast.simulate` returns it, with the same streams and months.
        weights: of the models; need not sum to one.
        at: probabilities of the quantiles.
    """
    import xarray as xr

    first = futures[0]
    streams = [str(name) for name in first["stream"].values]
    tail = list(first["tail_month"].values) if "tail" in first else []
    months = [*tail, *first["month"].values]
    bands = np.empty((len(streams), len(months), len(at)))
    for row, stream in enumerate(streams):
        cells = np.concatenate(
            [
                _sample(data, stream, None if len(futures) == 1 else round(SAMPLE * weight / sum(weights)))
                for data, weight in zip(futures, weights, strict=True)
            ]
        )
        bands[row] = np.quantile(cells, at, axis=0).T
    coords = {"stream": streams, "month": months, "quantile": list(at)}
    return xr.DataArray(bands, dims=("stream", "month", "quantile"), coords=coords)


def expected(futures: "Sequence[xr.Dataset]", weights: Sequence[float]) -> "xr.DataArray":
    """Mean (stream, month) of the weighted union of the models' futures, over the same months as `fans`.

    For a stream of yes or no it is a probability, which quantiles of noughts and ones cannot show.
    """
    import xarray as xr

    parts = []
    for data, weight in zip(futures, weights, strict=True):
        means = [data["count"].mean(("draw", "path"))]
        if "tail" in data:
            means.insert(0, data["tail"].mean(("draw", "path")).rename(tail_month="month"))
        parts.append(xr.concat(means, "month") * (weight / sum(weights)))
    return sum(parts[1:], start=parts[0])


def mixture(futures: "Sequence[xr.Dataset]", weights: Sequence[float]) -> "xr.Dataset":
    """The models' joint futures in one data set: as many draws of each, evenly spaced, as its weight asks for.

    Args:
        futures: one data set per model, with ``count`` (draw, path, stream, month) of the same draws and paths.
        weights: of the models; need not sum to one.
    """
    import xarray as xr

    draws = futures[0].sizes["draw"]
    edges = np.round(np.cumsum([0.0, *weights]) / sum(weights) * draws).astype(int)
    parts = [
        data[["count"]]
        .drop_vars("chain", errors="ignore")
        .isel(draw=np.linspace(0, draws - 1, taken).round().astype(int))
        for data, taken in zip(futures, np.diff(edges), strict=True)
    ]
    return xr.concat(parts, "draw")


def held(futures: "xr.Dataset", bounds: Mapping[str, Bounds]) -> "xr.Dataset":
    """Futures whose cells stay inside what a stream can be: no month has forty days.

    Args:
        futures: as `forecast.simulate` returns them.
        bounds: by stream; without an upper bound of its own a stream may have as many as its month has days.
    """
    import xarray as xr

    counted = [name for name, bound in bounds.items() if bound.upper is None]
    if not counted:
        return futures
    kept = {}
    for name, month in (("count", "month"), ("tail", "tail_month")):
        most = [days_in(str(m)) for m in futures[month].values]
        cells = futures[name].copy()
        for stream in counted:
            place = {"stream": stream}
            cells.loc[place] = cells.loc[place].clip(
                max=xr.DataArray(np.array(most, cells.dtype), dims=month)
            )
        kept[name] = cells
    return futures.assign(kept)


def _sample(data: "xr.Dataset", stream: str, size: int | None) -> Array:
    """[future, month]: `size` futures evenly spaced over draws and paths; None: as many as are of use."""
    parts = [("count", "month"), *([("tail", "tail_month")] if "tail" in data else [])]
    cells = [data[name].sel(stream=stream).transpose("draw", "path", month).values for name, month in parts]
    flat = [part.reshape(len(part) * part.shape[1], -1).astype(np.float64) for part in reversed(cells)]
    total = len(flat[0])
    chosen = np.linspace(0, total, min(SAMPLE, total) if size is None else size, endpoint=False).astype(int)
    return np.concatenate([part[chosen] for part in flat], axis=-1)
