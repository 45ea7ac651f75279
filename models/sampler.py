"""The compiled density in the form that the sampler calls: C functions that find a structure's tables behind a pointer.

nutpie lays the arrays out as unsigned words: their addresses, their sizes, then their shapes. Neither function knows a
workspace, so both are compiled once for a machine and kept on disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from nutpie import compile_pymc as nutpie
from nutpie.compile_pymc import address_as_void_pointer

from models import fused, plan
from models.contract import Setting
from models.kernels import Floats, Integers, compiled
from models.variables import Beliefs

TABLES = tuple(plan.TABLES)
VECTORS = ("said", "fixed", "layout")
NAMES = (*VECTORS, "months", *TABLES)
VECTOR_WORDS = 2 * len(NAMES)  # where the shapes begin
TABLE_WORDS = VECTOR_WORDS + len(VECTORS)
carray: Any = numba.carray  # type: ignore[attr-defined]
POINTER = numba.types.CPointer(numba.types.double)  # type: ignore[no-untyped-call]
SIZE, DATA = numba.types.uint64, numba.types.voidptr
AT_POINT = numba.types.int64(SIZE, POINTER, POINTER, POINTER, DATA)
AT_DRAW = numba.types.int64(SIZE, SIZE, POINTER, POINTER, DATA)


@dataclass(frozen=True, slots=True)
class Held:
    """An array as nutpie knows it: by name and rank."""

    name: str
    ndim: int


@numba.njit(inline="always")
def _vector(words, n, kind):  # type: ignore[no-untyped-def]
    return carray(address_as_void_pointer(words[n]), (int(words[VECTOR_WORDS + n]),), kind)


@numba.njit(inline="always")
def _table(words, n, kind):  # type: ignore[no-untyped-def]
    at = TABLE_WORDS + 2 * (n - len(VECTORS))
    return carray(address_as_void_pointer(words[n]), (int(words[at]), int(words[at + 1])), kind)


@numba.cfunc(AT_POINT, cache=True)
def _density(dim, x_, gradient_, value_, user_):  # type: ignore[no-untyped-def]
    """Give value and gradient at a point; 3 and 4 tell the sampler which of them is not finite."""
    w = carray(user_, (TABLE_WORDS + 2 * (len(NAMES) - len(VECTORS)),), np.uint64)
    gradient = carray(gradient_, (dim,))
    value = fused.density(
        carray(x_, (dim,)),
        gradient,
        _vector(w, 0, np.float64),
        _table(w, 3, np.float64),
        _vector(w, 1, np.float64),
        _vector(w, 2, np.int64),
        _table(w, 4, np.int64),
        _table(w, 5, np.int64),
        _table(w, 6, np.int64),
        _table(w, 7, np.int64),
        _table(w, 8, np.int64),
        _table(w, 9, np.int64),
        _table(w, 10, np.int64),
        _table(w, 11, np.int64),
        _table(w, 12, np.int64),
        _table(w, 13, np.int64),
        _table(w, 14, np.int64),
    )
    carray(value_, ())[()] = value
    if not np.all(np.isfinite(gradient)):
        return 3
    return 0 if np.isfinite(value) else 4


@compiled
def expand(x: Floats, out: Floats, keys: Integers, shares: Integers) -> None:
    """Turn the sampler's coordinates into the free variables, one after another."""
    at = 0
    for n in range(keys.shape[0]):
        u = x[keys[n, 1]]
        family = keys[n, 0]
        out[at] = u
        if family == fused.BETA:
            out[at] = 1.0 / (1.0 + np.exp(-u))
        elif family > fused.BETA:
            out[at] = np.exp(u)
        at += 1
    end = keys.shape[0]
    for n in range(shares.shape[0]):
        count, first, _ = shares[n]
        end = first + count - 1
        last = -x[first:end].sum()
        top = max(x[first:end].max(), last)
        mass = np.exp(x[first:end] - top).sum() + np.exp(last - top)
        for j in range(count):
            out[at] = np.exp((x[first + j] if j < count - 1 else last) - top) / mass
            at += 1
    out[at:] = x[end:]


@numba.cfunc(AT_DRAW, cache=True)
def _expansion(dim, expanded, x_, out_, user_):  # type: ignore[no-untyped-def]
    w = carray(user_, (TABLE_WORDS + 2 * (len(NAMES) - len(VECTORS)),), np.uint64)
    keys, shares = _table(w, 4, np.int64), _table(w, 5, np.int64)
    expand(carray(x_, (dim,)), carray(out_, (expanded,)), keys, shares)
    return 0


def density(beliefs: Beliefs, data: Mapping[str, Floats], setting: Setting) -> nutpie.CompiledPyMCModel:
    """Return the density of a structure for the sampler; ``with_data`` gives it other panels and beliefs."""
    shapes: dict[str, tuple[int, ...]] = {family: (len(keys),) for family, keys in beliefs.families.items()}
    for name in beliefs.shares:
        shapes[name] = beliefs.concentrations(name).shape
    if beliefs.walks:
        shapes["shape"] = (beliefs.walks, beliefs.waves)
    known: dict[str, Any] = {**plan.plan(beliefs, setting), **data}
    arrays: dict[str, NDArray[Any]] = {name: np.ascontiguousarray(known[name]) for name in NAMES}
    held = {Held(name, array.ndim): name for name, array in arrays.items()}
    expanded = sum(int(np.prod(shape)) for shape in shapes.values())
    rows = sum(len(beliefs.shares[name]) for name in beliefs.shares)
    return nutpie.CompiledPyMCModel(
        _n_dim=expanded - rows,
        dims={},
        _coords={},
        _shapes=shapes,
        compiled_logp_func=_density,
        compiled_expand_func=_expansion,
        initial_point_func=lambda seed: np.zeros(expanded - rows),
        shared_data=arrays,
        shared_var_keys=held,
        user_data=nutpie.make_user_data(held, arrays),
        n_expanded=expanded,
        shape_info=(list(shapes), None, list(shapes.values())),
        logp_func=None,
        expand_func=None,
    )


def data(
    given: Mapping[str, Floats], beliefs: Beliefs, panel: xr.DataArray, setting: Setting
) -> dict[str, Floats]:
    """Return a model's data as the compiled density takes them: ``said`` with the constant terms at its end."""
    return {**given, "said": np.append(given["said"], plan.constant(beliefs, panel, setting))}
