"""Figures as published at several dates: what was known when, stored as what changed."""

import pandas as pd

from forecast.formats.cells import (
    COUNT,
    DAY,
    MONTH,
    NAME,
    check_cells,
    check_columns,
    check_once,
    names,
    numbers,
)
from forecast.formats.monthly import COLUMNS
from forecast.formats.sheet import Sheet
from priors.refusal import Refusal


def vintages(sheet: Sheet) -> pd.DataFrame:
    """Figures as published at several dates: vintage, month, front, stream?, count.

    A month need only have a row in the vintages where its figure appears or changes; a row with neither month nor
    count says that a vintage appeared in which nothing changed. A full listing reads to the same.
    """
    optional = ("stream", "front")
    check_columns(sheet, required=("vintage", "month", "count"), optional=optional)
    filters = [column for column in optional if column in sheet.header]
    cells = sheet.cells
    empty = (cells["month"] == "") & (cells["count"] == "")
    check_cells(sheet, {"vintage": DAY, "month": MONTH.or_empty(), "count": COUNT.or_empty()})
    check_cells(sheet, dict.fromkeys(filters, NAME))
    if (undated := (cells["month"] == "") & ~empty).any():
        line = cells.index[undated][0]
        raise Refusal(
            file=sheet.file,
            where=f"line {line}, column month",
            got="",
            wanted=MONTH.wanted,
            remedy="fill it in",
        )
    frame = pd.DataFrame(
        {
            "vintage": cells["vintage"].str[:10],
            "month": cells["month"].str[:7],
            **{column: names(cells[column]) for column in filters},
            "count": numbers(cells["count"]),
        }
    )
    key = ["vintage", "month", *filters]
    check_once(
        Sheet(file=sheet.file, cells=frame, sha256=""),
        key,
        what="month of a vintage",
        remedy="keep one of the rows",
    )
    return frame


def compact(full: pd.DataFrame) -> pd.DataFrame:
    """Vintages with only what changed: the inverse of `as_published`.

    A figure that is withdrawn becomes a row with an empty count; a vintage without changes keeps one empty row per
    front and stream.
    """
    kept = []
    for (front, stream), rows in full.groupby(["front", "stream"], sort=True):
        wide = rows.pivot(index="vintage", columns="month", values="count").sort_index()
        before = wide.shift(1)
        changed = (wide != before) & ~(wide.isna() & before.isna())
        for vintage in wide.index:
            months = wide.columns[changed.loc[vintage]]
            block = pd.DataFrame({"month": months, "count": wide.loc[vintage, months].to_numpy()})
            if not len(block):
                block = pd.DataFrame({"month": [""], "count": [float("nan")]})
            kept.append(block.assign(vintage=vintage, front=front, stream=stream))
    frame = pd.concat(kept)[["vintage", *COLUMNS]]
    return frame.sort_values(["vintage", "front", "stream", "month"]).reset_index(drop=True)


def as_published(changes: pd.DataFrame, vintage: str) -> pd.DataFrame:
    """The figures as the last vintage on or before a date ("YYYY-MM-DD") had them; empty before the first."""
    seen = changes[(changes["vintage"] <= vintage) & (changes["month"] != "")]
    key = [column for column in ("month", "front", "stream") if column in changes.columns]
    latest = seen.sort_values("vintage", kind="stable").drop_duplicates(key, keep="last")
    return latest.dropna(subset=["count"]).drop(columns="vintage").sort_values(key).reset_index(drop=True)
