"""A theatre that comes with the engine, or a file of counts, becomes a workspace that runs as it stands."""

from collections.abc import Callable, Mapping
from pathlib import Path

from forecast.workspace import bundled, bundled_files, rendered
from priors.refusal import Refusal, nearest

__all__ = ["BLANK", "init", "names"]

BLANK = "blank"
LAST = "forecast.toml"  # written last: until then the directory is no workspace
GITIGNORE = b"runs/\n*.sqlite-wal\n*.sqlite-shm\n"


def names() -> tuple[str, ...]:
    """What `init` can write: the bundled theatres, and a blank one for a file of counts."""
    return (*bundled(), BLANK)


def init(
    directory: Path,
    *,
    theatre: str = "frontier",
    data: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Path, ...]:
    """Write a workspace into a new or empty directory.

    Args:
        directory: where.
        theatre: one of `names`.
        data: for the blank theatre, a tidy csv (month, front, stream, count), or a table with a column of months.
        tell: called with each remark on how the data were read.

    Returns:
        The files written.

    Raises:
        Refusal: if the directory holds something, or the counts cannot be used; then nothing is written.
    """
    files = {f".schema/{name}": content for name, content in rendered().items()}
    files |= {".gitignore": GITIGNORE, **_contents(theatre, data, tell)}
    place = Path(directory)
    if place.exists() and not place.is_dir():
        raise Refusal(file=str(directory), wanted="a new or empty directory", remedy="this is a file")
    if place.is_dir() and any(place.iterdir()):
        remedy = "there are files in it; nothing was written"
        raise Refusal(file=str(directory), wanted="a new or empty directory", remedy=remedy)
    try:
        return tuple(
            _written(place, name, files[name])
            for name in sorted(files, key=lambda name: (name == LAST, name))
        )
    except OSError as error:
        raise Refusal(file=str(directory), remedy=f"cannot be written: {error.strerror}") from None


def _contents(theatre: str, data: Path | None, tell: Callable[[str], None]) -> Mapping[str, bytes]:
    if theatre == BLANK:
        if data is None:
            remedy = "a csv with a column of months and one of counts, such as month,deaths"
            raise Refusal(where="--theatre blank", wanted="--data FILE", remedy=remedy)
        from forecast.theatres.blank import contents  # reads the file: pandas

        return contents(data, tell=tell)
    if theatre not in bundled():
        raise Refusal(where="--theatre", got=theatre, wanted="a theatre", remedy=nearest(theatre, names()))
    if data is not None:
        remedy = "leave --data out, or add --theatre blank"
        raise Refusal(
            where="--data", got=str(data), wanted="no data: the theatre brings its own", remedy=remedy
        )
    return {name: path.read_bytes() for name, path in bundled_files(theatre).items()}


def _written(place: Path, name: str, content: bytes) -> Path:
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
