"""One unseen month of one stream in all futures: which values it takes, and what the quarter resolves to then."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.months import month, ordinal
from forecast.tallies import Array, Chance, Tally, chance

if TYPE_CHECKING:
    import xarray as xr

SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles of a month at which its bands part
CUTS = 60  # thresholds that are tried, evenly spaced in probability where there are more values
FAR = (0.98, 0.99)  # and some of the rare
RARE = 0.01  # a month that is less likely is not a signpost: its chance rests on few paths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Month:
    """Resolved futures by the value of one month: ``low[v]`` up to the next begins cell v, the first at the least."""

    low: Array  # [V] increasing
    upto: Mapping[
        Hashable, Tally
    ]  # by model: hits [D, V + 1, K] and trials [D, V + 1, 1] of all cells before each
    weights: Mapping[Hashable, float]
    chains: int

    def within(self, first: int, end: int) -> Chance:
        """P(scenario | cells first … end − 1), ``[K]``."""
        taken: dict[Hashable, Tally] = {
            name: Tally(hits=t.hits[:, end] - t.hits[:, first], trials=t.trials[:, end] - t.trials[:, first])
            for name, t in self.upto.items()
        }
        return chance(taken, self.weights, chains=self.chains)

    def below(self, cell: int) -> float:
        """The largest figure under a cell: one less than where it begins, if figures are whole numbers."""
        whole = bool((self.low == np.floor(self.low)).all())
        return float(self.low[cell]) - whole

    def bands(self) -> list[tuple[int, int]]:
        """Cells from … to before …: a band ends with the cell that holds one of the quantiles shown."""
        upto = np.cumsum(self.mass())
        begins = [0, *sorted({int(v) + 1 for v in np.searchsorted(upto, SHOWN) if 1 - upto[v] >= RARE})]
        return list(zip(begins, [*begins[1:], len(upto)], strict=True))

    def mass(self) -> Array:
        """P(cell), ``[V]``."""
        total = np.zeros(len(self.low))
        for name, tally in self.upto.items():
            total += self.weights[name] * np.diff(tally.trials[..., 0].sum(axis=0))
        return total / total.sum() if total.any() else total


def unseen(panel: "xr.DataArray", ahead: int) -> Iterator[tuple[str, str]]:
    """Each stream's months after its last observed one, up to so many after the origin."""
    names = [str(name) for name in panel["month"].values]
    for stream in panel["stream"].values:
        known = np.flatnonzero(~np.isnan(panel.sel(stream=stream).values))
        last = ordinal(names[known[-1]]) if known.size else ordinal(names[0]) - 1
        for at in range(last + 1, ordinal(names[-1]) + ahead + 1):
            yield str(stream), month(at)


def tallied(
    futures: Mapping[str, "xr.Dataset"],
    outcomes: Mapping[str, "xr.DataArray"],
    weights: Mapping[str, float],
    *,
    stream: str,
    name: str,
    quarter: str,
    scenarios: int,
    chains: int,
) -> Month:
    """Count the resolved futures of every model by the value of a stream in a month.

    Args:
        futures: by model.
        outcomes: by model (draw, path, quarter), positions of scenarios, negative where the rules cannot tell.
        weights: by model.
        stream: its id.
        name: the month.
        quarter: the one that is resolved.
        scenarios: how many there are.
        chains: the draws are this many chains, one after the other.
    """
    values = {model: _cells(futures[model], stream, name) for model in weights}
    low = _cuts(list(values.values()))
    upto: dict[Hashable, Tally] = {}
    for model, cells in values.items():
        resolved = outcomes[model].sel(quarter=quarter).transpose("draw", "path").values
        draws, V = len(cells), len(low)
        cell = np.searchsorted(low, cells, side="right") - 1
        place = (np.arange(draws)[:, None] * V + cell) * scenarios + resolved
        flat = np.bincount(place[resolved >= 0], minlength=draws * V * scenarios)
        hits = np.zeros((draws, V + 1, scenarios))
        flat.reshape(draws, V, scenarios).cumsum(axis=1, out=hits[:, 1:])
        upto[model] = Tally(hits=hits, trials=hits.sum(axis=-1, keepdims=True))
    return Month(low=low, upto=upto, weights=dict(weights.items()), chains=chains)


def _cells(data: "xr.Dataset", stream: str, name: str) -> Array:
    """A stream's simulated cells of one month, ``[draw, path]``."""
    place = ("count", "month") if name in data["month"].values else ("tail", "tail_month")
    found: Array = data[place[0]].sel({"stream": stream, place[1]: name}).transpose("draw", "path").values
    return found


def _cuts(values: Sequence[Array]) -> Array:
    """Where cells begin: the values themselves, or whole numbers evenly spaced in probability and some far out."""
    distinct = np.unique(np.concatenate([np.unique(cells) for cells in values]))
    if distinct.size <= CUTS:
        return distinct
    levels = np.concatenate([np.linspace(0, 1, CUTS + 1)[:-1], FAR])
    cuts = np.concatenate([np.quantile(cells, levels) for cells in values])
    whole = bool((distinct == np.floor(distinct)).all())
    return np.unique([distinct[0], *(np.ceil(cuts) if whole else cuts)])
