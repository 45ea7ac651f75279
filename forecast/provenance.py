"""What a run rests on, as hashes and versions: inputs, code, libraries; the same run can be asked for again."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from forecast.clock import Clock
from forecast.publish import digest
from forecast.workspace import Workspace

LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"  # in a checkout; a wheel has none
LIBRARIES = ("arviz", "numba", "numpy", "nutpie", "pandas", "pymc", "pytensor", "scipy", "typst", "xarray")
CODE = (".py", ".sql", ".css", ".js", ".j2", ".typ", ".txt")
PACKAGES = ("forecast", "models", "priors", "reports")


def fingerprint(workspace: Workspace, clock: Clock, seed: int, force: bool) -> str:
    """SHA-256 of everything a forecast depends on: every input file, the clock, the seed, the code, the libraries."""
    hashed = hashlib.sha256()
    for name, path in sorted(workspace.files.items()):
        hashed.update(f"{name}\0{digest(path)}\0".encode())
    said = (clock.as_of.isoformat(), clock.timing, str(seed), str(force), code(), *map(version, LIBRARIES))
    hashed.update("\0".join(said).encode())
    return hashed.hexdigest()


def provenance(workspace: Workspace, seed: int) -> Mapping[str, object]:
    """The hashes and versions that a record carries."""
    data = hashlib.sha256()
    for source in sorted(workspace.sources, key=lambda s: s.id):
        data.update(f"{source.id}\0{digest(workspace.data_path(source))}\0".encode())
    return {
        "data_sha256": data.hexdigest(),
        "priors_sha256": workspace.priors.fingerprint,
        "scenarios_sha256": digest(workspace.files["scenarios.toml"]),
        "code_sha256": code(),
        "lock_sha256": digest(LOCK) if LOCK.is_file() else None,
        "seed": seed,
        "engine": version("scenariocast"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


@cache
def code() -> str:
    """SHA-256 of our own modules, templates and style sheets, line ends aside."""
    hashed = hashlib.sha256()
    root = Path(__file__).parents[1]  # the four packages lie side by side, in a checkout as in a wheel
    files = [file for package in PACKAGES for file in (root / package).rglob("*") if file.suffix in CODE]
    for file in sorted(files):
        name = file.relative_to(root)
        if "theatres" not in name.parts:
            hashed.update(f"{name.as_posix()}\0".encode() + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return hashed.hexdigest()
