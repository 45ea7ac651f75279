"""What the blank theatre is worth, over nine series at once: deaths in two countries and on seven fronts.

    python bench/countries.py [--output DIRECTORY]

Each series is handed to `forecast init --theatre blank` as a newcomer would, and the workspace that it writes is replayed as
it stands, at the end of every quarter, with 120 months to learn from. Scores are then pooled over series and origins, one
number for each horizon and reference. Quarters are resampled in blocks, with all the series that share them: fronts lie in
countries, and a war is in several at once. Replays go on where they stopped.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forecast import months
from forecast.backtest.known import Plan
from forecast.backtest.replaying import backtest
from forecast.executors import Processes
from forecast.skill import compare
from forecast.theatres import init
from forecast.workspace import load
from forecast.workspace.loading import THEATRES

DOCS = Path(__file__).parents[1] / "docs" / "backtest" / "countries"
COUNTRIES = ("frontier/data/country_months.csv", "deaths", "2000-01", ("2005Q1", "2026Q1"))
FRONTS = (
    ("frontier-fronts/data/pakistan_fronts.csv", "best", "2005-01", ("2010Q1", "2020Q3")),
    ("frontier-fronts/data/afghanistan_fronts.csv", "best", "2005-01", ("2010Q1", "2020Q3")),
)  # file, stream, first month, quarters of the first and the last origin
WINDOW = 120  # months
HORIZONS = {"scenario": (3, 6, 9, 12), "counts": (1, 3, 6, 12)}  # months ahead
SCORES = {"scenario": "ign", "counts": "crps_log"}
REFERENCES = {
    "scenario": ("climatology", "markov-chain", "persistence", "conflictology"),
    "counts": ("last-value-negative-binomial", "conflictology", "bootstrap", "random-walk"),
}
OURS, QUARTER = "ensemble", 3
SEED = 1


def series() -> Iterator[tuple[str, pd.DataFrame, tuple[str, str]]]:
    """Name, monthly counts and the span of origins of every series."""
    for file, stream, first, span in (COUNTRIES, *FRONTS):
        rows = pd.read_csv(THEATRES / file)
        for front, found in rows[(rows["stream"] == stream) & (rows["month"] >= first)].groupby("front"):
            yield str(front), found[["month", "count"]].rename(columns={"count": "deaths"}), span


def replayed(output: Path) -> pd.DataFrame:
    """Scores of every series, one table."""
    found = []
    for name, counts, (first, last) in series():
        place = output / name
        if not (place / "forecast.toml").exists():
            output.mkdir(parents=True, exist_ok=True)
            counts.to_csv(output / f"{name}.csv", index=False)
            init(place, theatre="blank", data=output / f"{name}.csv")
        done = backtest(
            load(place),
            Plan(first=first, last=last, every="quarter", window=WINDOW),
            priors=("blank",),
            seed=SEED,
            executor=Processes(workers=os.cpu_count() or 1),
        )
        print(f"{name}: {done.worked} origins replayed, {done.reused} taken from before", flush=True)
        rows = pd.read_parquet(done.path / "scores.parquet")
        found.append(rows.assign(series=name, about=rows["target"].replace({"deaths": "counts"})))
    whole = pd.concat(found, ignore_index=True)
    keep = [
        "series",
        "origin",
        "model",
        "about",
        "horizon",
        *SCORES.values(),
        "covered50",
        "covered80",
        "covered90",
    ]
    return whole[whole["about"].isin(SCORES)][keep]


def pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Gain over each reference at each horizon: bits for scenarios, a share of the reference's CRPS for counts."""
    found = []
    for about, score in SCORES.items():
        for horizon in HORIZONS[about]:
            at = rows[(rows["about"] == about) & (rows["horizon"] == horizon)]
            table = at.pivot_table(index=["series", "origin"], columns="model", values=score)
            for reference in REFERENCES[about]:
                both = table[[OURS, reference]].dropna()
                c = compare(
                    both[OURS].to_numpy(),
                    both[reference].to_numpy(),
                    origins=[
                        months.ordinal(origin) // QUARTER for origin in both.index.get_level_values("origin")
                    ],
                    steps=-(-horizon // QUARTER),
                    ratios=about == "counts",
                    rng=np.random.default_rng(SEED),
                )
                gain = (c.gain, c.low, c.high) if c.skill is None else (c.skill, c.skill_low, c.skill_high)
                named = dict(zip(("gain", "low", "high"), gain, strict=True))
                found.append(
                    {"about": about, "months": horizon, "reference": reference, "n": c.n, "ours": c.model,
                     "theirs": c.reference, **named}
                )  # fmt: skip
    return pd.DataFrame(found).round(3)


def covered(rows: pd.DataFrame) -> pd.DataFrame:
    """The share of counts that intervals of 50, 80 and 90 % held."""
    ours = rows[(rows["about"] == "counts") & (rows["model"] == OURS)]
    return ours.groupby("horizon")[["covered50", "covered80", "covered90"]].mean().round(3).reset_index()


def by_series(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every forecaster on each series."""
    held = {about: rows[rows["about"] == about] for about in SCORES}
    means = [
        at.groupby(["about", "series", "horizon", "model"])[SCORES[about]].mean().rename("mean")
        for about, at in held.items()
    ]
    return pd.concat(means).round(3).reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output", type=Path, default=Path("workspace/countries"), help="where replays are kept"
    )
    parser.add_argument("--tables", type=Path, default=DOCS, help="where the tables are written")
    given = parser.parse_args()
    rows = replayed(given.output)
    given.tables.mkdir(parents=True, exist_ok=True)
    for name, table in (("pooled", pooled(rows)), ("coverage", covered(rows)), ("series", by_series(rows))):
        table.to_csv(given.tables / f"{name}.csv", index=False, lineterminator="\n")
        if name != "series":
            print(table.to_string(index=False))


if __name__ == "__main__":
    main()
