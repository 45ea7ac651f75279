"""A run as it lies on the disk, and the workspace it came from."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.publish import MANIFEST, RECORD, digest
from priors.refusal import Refusal

if TYPE_CHECKING:
    import xarray as xr

    from forecast.fitting import Posterior
    from forecast.fronts import Joint
    from forecast.workspace import Workspace

LEDGER = "ledger.sqlite"
HEADLINE = "headline.nc"
FRONTS = "fronts.nc"  # the joint posterior of fronts that have a chain each


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A run that was published, or kept because it was refused."""

    path: Path
    record: Mapping[str, Any]  # forecast.json
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["run"])

    @property
    def output(self) -> Path:
        """The folder that holds the runs and the ledger."""
        return self.path.resolve().parent.parent

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of the scenarios by id, in their order."""
        return {scenario["id"]: scenario["title"] for scenario in self.record["scenarios"]}


def read(run: Path | str) -> Stored:
    """The run in a directory.

    Raises:
        Refusal: if no run lies there, or its record or its manifest is damaged.
    """
    from forecast import (
        layout,
    )  # late: the ledger's commands need this module, and nothing that checks records

    path = Path(run)
    record, manifest = _json(path / RECORD), _json(path / MANIFEST)
    layout.check(record, file=str(path / RECORD), kind=layout.Record)
    layout.check(manifest, file=str(path / MANIFEST), kind=layout.Manifest)
    return Stored(path=path, record=record, manifest=manifest)


def workspace_of(run: Stored, where: Path | str | None = None) -> "Workspace":
    """The workspace a run was made from, as it is now.

    Args:
        run: the run.
        where: its directory or theatre; absent: the theatre its inputs name, else the folder that holds the runs.

    Raises:
        Refusal: if it cannot be found or cannot be used.
    """
    from forecast.workspace import bundled, load

    if where is not None:
        return load(where)
    theatres = [name for name in bundled() if f"priors/{name}.toml" in run.manifest["inputs"]]
    if theatres:
        return load(theatres[0])
    if not (run.output / "forecast.toml").is_file():
        raise Refusal(
            file=str(run.path),
            wanted="the workspace it was made from",
            remedy="the runs lie elsewhere; name it with --workspace",
        )
    return load(run.output)


def edited(run: Stored, workspace: "Workspace") -> Mapping[str, str]:
    """The inputs that are no longer as the run read them, by name: changed, gone or new."""
    then, now = run.manifest["inputs"], workspace.files
    found = {name: "gone" for name in then if name not in now}
    found |= {name: "new" for name in now if name not in then}
    return found | {name: "changed" for name in then if name in now and digest(now[name]) != then[name]}


def check_unedited(run: Stored, workspace: "Workspace", *, only: Iterable[str] | None = None) -> None:
    """Refuse a workspace whose inputs are not those of the run.

    Args:
        run: the run.
        workspace: as it is now.
        only: the inputs that matter; all of them if absent.

    Raises:
        Refusal: naming the first file that differs.
    """
    wanted = None if only is None else set(only)
    for name, how in sorted(edited(run, workspace).items()):
        if wanted is None or name in wanted:
            raise Refusal(
                file=name,
                got=f"{how} since run {run.id}",
                wanted="the file that the run read",
                remedy="bring it back, or name the workspace that has it",
            )


def headline(run: Stored) -> "xr.Dataset":
    """``hits (model, draw, quarter, scenario)``, ``trials (model, draw, quarter)`` and ``weight (model)`` of a run.

    Raises:
        Refusal: if the run has no such file, it is no longer as the run wrote it, or it is another run's.
    """
    import xarray as xr

    file = _as_written(run, f"posterior/{HEADLINE}")
    found = xr.load_dataset(file, engine="h5netcdf")
    quarters = {entry["quarter"] for entry in run.record["quarters"]}
    if list(found["scenario"].values) != list(run.titles) or not quarters <= set(found["quarter"].values):
        raise Refusal(
            file=str(file),
            wanted=f"the scenarios and quarters of {RECORD}",
            remedy="the two are not of one run; bring back the one that was there",
        )
    return found


def posterior(run: Stored, model: str) -> "Posterior":
    """The draws of one of a run's models.

    Raises:
        Refusal: if the run has no such file, or it is no longer as the run wrote it.
    """
    from forecast.fitting import load

    return load(_as_written(run, f"posterior/{model}.nc"))


def joint(run: Stored) -> "Joint":
    """The draws of all fronts of a run that gave each a chain.

    Raises:
        Refusal: if the run has no such file, or it is no longer as the run wrote it.
    """
    from forecast.fronts import load

    return load(_as_written(run, f"posterior/{FRONTS}"))


def _as_written(run: Stored, name: str) -> Path:
    """A file of the run, its bytes held against the manifest: a damaged number can look like any other."""
    file = run.path / name
    if not file.is_file():
        raise Refusal(
            file=str(file),
            wanted="the file that the run left",
            remedy="bring it back, or run the forecast again",
        )
    if digest(file) != run.manifest["outputs"].get(name):
        raise Refusal(
            file=str(file),
            got="other bytes",
            wanted=f"the file whose hash stands in {MANIFEST}",
            remedy="bring it back, or run the forecast again",
        )
    return file


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"), parse_constant=_no_number)
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(
            file=str(file), wanted="the directory of a run", remedy="name one under runs/"
        ) from None
    except (ValueError, RecursionError, OSError) as error:
        remedy = "bring it back, or run the forecast again"
        raise Refusal(file=str(file), wanted=f"a run's {file.name}", remedy=f"{remedy} ({error})") from error
    if not isinstance(found, dict):
        raise Refusal(
            file=str(file), got=found, wanted=f"a run's {file.name}", remedy="name the directory of a run"
        )
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
