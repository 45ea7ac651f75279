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

    from forecast.workspace import Workspace

LEDGER = "ledger.sqlite"
HEADLINE = "headline.nc"


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
        return self.path.resolve().parents[1]

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of the scenarios by id, in their order."""
        return {scenario["id"]: scenario["title"] for scenario in self.record["scenarios"]}


def read(run: Path | str) -> Stored:
    """The run in a directory.

    Raises:
        Refusal: if no run lies there, or its files cannot be read.
    """
    path = Path(run)
    return Stored(path=path, record=_json(path / RECORD), manifest=_json(path / MANIFEST))


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
        Refusal: if the run has no such file.
    """
    import xarray as xr

    file = run.path / "posterior" / HEADLINE
    if not file.is_file():
        raise Refusal(
            file=str(file), wanted="the counts behind the headline", remedy="run the forecast again"
        )
    return xr.load_dataset(file, engine="h5netcdf")


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(
            file=str(file), wanted="the directory of a run", remedy="name one under runs/"
        ) from None
    except (ValueError, OSError) as error:
        raise Refusal(file=str(file), got=str(error), wanted=f"a run's {file.name}") from error
    if not isinstance(found, dict):
        raise Refusal(file=str(file), wanted=f"a run's {file.name}", remedy="run the forecast again")
    return found
