"""A hub of every forecast issued, in the layout of hubverse.io: a file per forecaster and origin, and what the files may hold.

Of several runs at one origin the first is written and the others are named; retrospective forecasts are another forecaster's. The
rows of a run are those of the file that it published, its hash checked, in the column types that a hub asks for; a run whose folder is
gone is written from the ledger, which has the scenarios' probabilities and five quantiles, and no samples.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from forecast import archive
from forecast.exports.tasks import admin, tasks
from forecast.ledger import entries
from forecast.ledger.issue import probabilities
from forecast.months import month_end, ordinal, quarter_months
from forecast.publish import digest
from forecast.streams import slug
from forecast.tables import HUB
from priors.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ASIDE = ".hub-"  # a folder beside the hub in which it is written
NEAR = 1e-9  # share by which a stored probability may differ from the same one computed again
HINDSIGHT = "_retrospective"
DATES = ("origin_date", "target_end_date")
FANS = {"q05": "0.05", "q25": "0.25", "q50": "0.5", "q75": "0.75", "q95": "0.95"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The files written, and the runs that a hub has no place for."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def write_hub(ledger: Path, to: Path) -> Exported:
    """A hub of every forecast in the ledger: ``hub-config`` and ``model-output``, whole or not at all.

    Args:
        ledger: the file; runs are looked for beside it.
        to: a folder that is new or empty.

    Raises:
        Refusal: if a run's folder is damaged, its file is not the one that was published, or says what the ledger does not.
    """
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        aside = TemporaryDirectory(prefix=ASIDE, dir=to.parent)
    except OSError as error:
        raise Refusal(file=str(to), wanted="a folder that can be made and written to") from error
    with aside as folder:
        hub = Path(folder) / to.name
        found = _written(ledger, hub)
        if to.is_dir():  # Windows renames onto no folder, be it empty
            to.rmdir()
        hub.rename(to)
    files = tuple(to / path.relative_to(hub) for path in found.files)
    return Exported(files=files, left_out=found.left_out)


def _written(ledger: Path, to: Path) -> Exported:
    records = [
        (entry.subject, json.loads(entry.payload)) for entry in entries(ledger) if entry.kind == "forecast"
    ]
    files, left_out, taken, frames = [], [], set(), []
    for run, record in records:
        model = _model(record)
        name = f"{month_end(record['origin']).isoformat()}-{model}.parquet"
        if name in taken:
            left_out.append(run)
            continue
        taken.add(name)
        path = to / "model-output" / model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frames.append(_rows(ledger.parent / "runs" / run, record))
        _write(frames[-1], path)
        files.append(path)
    if not frames:
        raise Refusal(file=str(ledger), got="no forecast", wanted="at least one, for a hub")
    config = {"admin.json": admin(records[-1][1]), "tasks.json": tasks(frames, records[-1][1])}
    for name, said in config.items():
        path = to / "hub-config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        files.append(path)
    return Exported(files=tuple(files), left_out=tuple(left_out))


def _model(record: Mapping[str, Any]) -> str:
    """Team and model as a hub names them: one hyphen parts the two, so neither holds any."""
    theatre = (slug(record["title"]) or "theatre").replace("-", "_")
    return f"scenariocast-{theatre}{'' if record['timing'] == 'live' else HINDSIGHT}"


def _rows(run: Path, record: Mapping[str, Any]) -> "pd.DataFrame":
    """The rows of a run's own hub file, or what its record says if the folder is gone."""
    import pandas as pd

    files = sorted(run.glob("model-output/*/*.parquet"))
    if not files:
        return pd.DataFrame([*_scenario_rows(record), *_quantile_rows(record)], columns=list(HUB))
    outputs = archive.read(run).manifest["outputs"]
    if digest(files[0]) != outputs.get(files[0].relative_to(run).as_posix()):
        raise Refusal(file=str(files[0]), got="a file that changed", wanted="the one that the run published")
    rows = pd.read_parquet(files[0])
    if not _agree(rows[rows["output_type"] == "pmf"], list(_scenario_rows(record))):
        raise Refusal(
            file=str(files[0]),
            got="other probabilities than the ledger's",
            wanted=f"those on record for run {run.name}",
            remedy="bring the folder back from a copy, or move it away: the ledger itself is then written",
        )
    return rows


def _agree(rows: "pd.DataFrame", recorded: Sequence[tuple[Any, ...]]) -> bool:
    """Whether rows of probabilities are those of the ledger, in any order."""
    told = {row[:-1]: row[-1] for row in rows[list(HUB)].itertuples(index=False, name=None)}
    known = {row[:-1]: row[-1] for row in recorded}
    return told.keys() == known.keys() and all(isclose(told[key], known[key], rel_tol=NEAR) for key in known)


def _write(rows: "pd.DataFrame", path: Path) -> None:
    """Write rows in a hub's column types: dates are dates, a horizon has four bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(
        rows.assign(**{name: [date.fromisoformat(day) for day in rows[name]] for name in DATES}),
        schema=pa.schema([(name, _kind(name)) for name in HUB]),
        preserve_index=False,
    )
    parquet.write_table(table, path)


def _kind(column: str) -> "pa.DataType":
    """The Arrow type of a hub's column."""
    import pyarrow as pa

    return {
        **dict.fromkeys(DATES, pa.date32()),
        "horizon": pa.int32(),
        "value": pa.float64(),
    }.get(column, pa.string())


def _task(record: Mapping[str, Any], target: str, horizon: int, end: str) -> tuple[object, ...]:
    place = slug(record["title"]) or "theatre"
    return (month_end(record["origin"]).isoformat(), target, place, horizon, end)


def _scenario_rows(record: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for horizon, ahead in enumerate(record["quarters"], start=1):
        if any(told["mean"] is None for told in ahead["resolved"].values()):
            continue  # no future decides it
        end = month_end(quarter_months(ahead["quarter"])[2]).isoformat()
        for scenario, p in zip(record["scenarios"], probabilities(record, ahead), strict=True):
            yield (*_task(record, "scenario", horizon, end), "pmf", scenario["id"], p)


def _quantile_rows(record: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for stream, months in record.get("streams", {}).items():
        for cell in months:
            horizon = ordinal(cell["month"]) - ordinal(record["origin"])
            if horizon > 0:
                task = _task(record, stream, horizon, month_end(cell["month"]).isoformat())
                yield from ((*task, "quantile", level, cell[key]) for key, level in FANS.items())
