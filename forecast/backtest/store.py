"""A finished origin is one small file under the hash of its task: what was done before a kill is not done again.

A file is netCDF-4 and behind it, where readers of HDF5 do not look, the SHA-256 of its bytes. One that does not end
with its own hash is damaged; it counts as absent, so its origin is worked out again and the file is replaced.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

import numpy as np
import xarray as xr

from forecast.backtest.origin import Fitness, Replayed, Said

SCHEMA = "scenariocast/backtest-origin/2"
STAMP = sha256().digest_size  # bytes at the end of a file
SAID: Mapping[str, tuple[str, ...]] = {
    "probabilities": ("name", "window", "scenario"),
    "unresolved": ("name", "window"),
    "passages": ("name", "scenario", "passage"),
    "sample": ("name", "future", "stream", "horizon"),
}


def place(folder: Path, origin: str, key: str) -> Path:
    """Where an origin's result lies."""
    return folder / f"{origin}-{key[:16]}.nc"


def save(replayed: Replayed, folder: Path) -> Path:
    """Write a result aside, bring it to the disk and give it its name, so that a file of that name is whole."""
    final = place(folder, replayed.origin, replayed.key)
    names, models = list(replayed.said), list(replayed.fitness)
    held = {
        part: (axes, np.stack([getattr(said, part) for said in replayed.said.values()]))
        for part, axes in SAID.items()
    }
    held |= {
        field.name: (("model",), np.array([asdict(one)[field.name] for one in replayed.fitness.values()]))
        for field in fields(Fitness)
    }
    data = xr.Dataset(
        held,
        coords={"name": names, "model": models},
        attrs={"schema": SCHEMA, "origin": replayed.origin, "key": replayed.key},
    )
    folder.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.name}.{os.getpid()}")
    data.to_netcdf(
        aside, engine="h5netcdf", encoding={"sample": {"zlib": True, "complevel": 4, "shuffle": True}}
    )
    with aside.open("rb+") as file:
        file.write(sha256(file.read()).digest())
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, final)
    return final


def find(folder: Path, origin: str, key: str) -> Replayed | None:
    """The result of a task, if it has been worked out and lies there undamaged."""
    path = place(folder, origin, key)
    if not path.is_file():
        return None
    whole = path.read_bytes()
    body, stamp = whole[:-STAMP], whole[-STAMP:]
    if sha256(body).digest() != stamp:
        return None
    with xr.open_dataset(io.BytesIO(body), engine="h5netcdf") as opened:
        data = opened.load()
    return _read(data) if (data.attrs["schema"], data.attrs["key"]) == (SCHEMA, key) else None


def _read(data: xr.Dataset) -> Replayed:
    said = {
        str(name): Said(**{part: data[part].sel(name=name).values for part in SAID})
        for name in data["name"].values
    }
    fitness = {
        str(name): Fitness(
            seconds=float(data["seconds"].sel(model=name)),
            divergences=int(data["divergences"].sel(model=name)),
            rhat=float(data["rhat"].sel(model=name)),
            ess=float(data["ess"].sel(model=name)),
            log_density=float(data["log_density"].sel(model=name)),
        )
        for name in data["model"].values
    }
    return Replayed(origin=str(data.attrs["origin"]), key=str(data.attrs["key"]), said=said, fitness=fitness)
