"""Scores of many forecasts in slices: by horizon, by origin, by target, each line on the targets that both forecast."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecast.skill.comparison import Comparison, compare

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("group", "origin", "target", "horizon")  # what one forecast is a forecast of; group may be absent
NO_RATIOS = ("ign", "ign_binned")  # a log score's zero is arbitrary


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One slice and what was gained in it."""

    label: object  # the value of the column that slices; None for all of it
    comparison: Comparison


def sliced(
    scores: "pd.DataFrame",
    *,
    score: str,
    model: str,
    reference: str,
    over: str | None,
    spacing: int,
    seed: int,
) -> tuple[Line, ...]:
    """Compare a model with a reference within each value of a column, in ascending order.

    Args:
        scores: a row per forecast: ``origin`` (sortable, evenly spaced), ``target``, ``horizon`` (a number), ``model``, a column
            per score, and ``group`` where series of several countries are pooled.
        score: the column compared; lower is better.
        model: a value of ``model``.
        reference: another.
        over: the column that slices, or None for one line.
        spacing: from one origin to the next, in the unit of ``horizon``.
        seed: of the resampling; each slice draws from its own stream.

    Raises:
        ValueError: if a forecast of one of the two stands twice.
    """
    keys = [key for key in KEYS if key in scores.columns]
    rows = scores[scores["model"].isin((model, reference))]
    if rows.duplicated([*keys, "model"]).any():
        raise ValueError(
            f"a forecast of {model} or {reference} stands twice: {', '.join(keys)} do not tell them apart"
        )
    pairs = rows.pivot(index=keys, columns="model", values=score).reindex(columns=[model, reference])
    pairs = pairs.dropna().reset_index()
    place = {origin: step for step, origin in enumerate(sorted(scores["origin"].unique()))}
    slices = [(None, pairs)] if over is None else list(pairs.groupby(over, sort=True))
    return tuple(
        Line(
            label=label,
            comparison=compare(
                part[model].to_numpy(float),
                part[reference].to_numpy(float),
                origins=part["origin"].map(place).to_numpy(int),
                steps=max(1, int(np.ceil(part["horizon"].max() / spacing))),
                ratios=score not in NO_RATIOS,
                groups=part["group"].to_numpy() if "group" in part else None,
                rng=np.random.default_rng((seed, number)),
            ),
        )
        for number, (label, part) in enumerate(slices)
        if len(part)
    )
