"""The density of all fronts in the form that the sampler calls; ``models.sampler`` says how its arrays are found and read."""

from typing import Any

import numba
import numpy as np
import xarray as xr
from nutpie import compile_pymc as nutpie
from nutpie.compile_pymc import address_as_void_pointer

from models import fronts_density, fronts_plan, sampler
from models.contract import Model, Setting
from models.fronts import Pooled
from models.sampler import AT_DRAW, AT_POINT, carray
from priors import PriorSet

VECTORS = fronts_plan.VECTORS
NAMES = (*VECTORS, "months", *fronts_plan.TABLES)
VECTOR_WORDS = 2 * len(NAMES)  # where the shapes begin
TABLE_WORDS = VECTOR_WORDS + len(VECTORS)
WORDS = TABLE_WORDS + 2 * (len(NAMES) - len(VECTORS))


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
    w = carray(user_, (WORDS,), np.uint64)
    gradient = carray(gradient_, (dim,))
    value = fronts_density.density(
        carray(x_, (dim,)),
        gradient,
        _vector(w, 0, np.float64),
        _vector(w, 1, np.float64),
        _vector(w, 2, np.float64),
        _vector(w, 3, np.int64),
        _table(w, 4, np.float64),
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
        _table(w, 15, np.int64),
        _table(w, 16, np.int64),
        _table(w, 17, np.int64),
        _table(w, 18, np.int64),
    )
    carray(value_, ())[()] = value
    if not np.all(np.isfinite(gradient)):
        return 3
    return 0 if np.isfinite(value) else 4


@numba.cfunc(AT_DRAW, cache=True)
def _expansion(dim, expanded, x_, out_, user_):  # type: ignore[no-untyped-def]
    w = carray(user_, (WORDS,), np.uint64)
    keys, shares = _table(w, 5, np.int64), _table(w, 6, np.int64)
    sampler.expand(carray(x_, (dim,)), carray(out_, (expanded,)), keys, shares)
    return 0


def density(
    held: Pooled, panel: xr.DataArray, model: Model, priors: PriorSet, setting: Setting
) -> nutpie.CompiledPyMCModel:
    """Return the density of a panel's fronts for the sampler.

    Raises:
        ValueError: a panel that the setting's streams cannot have shown.
    """
    beliefs = held.all
    shapes: dict[str, tuple[int, ...]] = {family: (len(keys),) for family, keys in beliefs.families.items()}
    shapes |= {name: beliefs.concentrations(name).shape for name in beliefs.shares}
    shapes |= beliefs.latent
    shapes |= {name: (size,) for name, size in held.sizes.items()}
    arrays: dict[str, Any] = dict(fronts_plan.arguments(held, panel, model, priors, setting))
    named = {sampler.Held(name, array.ndim): name for name, array in arrays.items()}
    expanded = sum(int(np.prod(shape)) for shape in shapes.values())
    size = expanded - len(arrays["shares"])
    return nutpie.CompiledPyMCModel(
        _n_dim=size,
        dims={},
        _coords={},
        _shapes=shapes,
        compiled_logp_func=_density,
        compiled_expand_func=_expansion,
        initial_point_func=lambda seed: np.zeros(size),
        shared_data=arrays,
        shared_var_keys=named,
        user_data=nutpie.make_user_data(named, arrays),
        n_expanded=expanded,
        shape_info=(list(shapes), None, list(shapes.values())),
        logp_func=None,
        expand_func=None,
    )
