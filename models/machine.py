"""A PyMC model's log density as machine code that stays on disk, ready for the sampler in a second run.

The sampler calls the density through a small C function that finds the model's two data arrays behind a
pointer. nutpie's own way of writing that function cannot be cached and takes many seconds each time; this one
is kept under the key of the PyTensor graph it calls, so only a new structure is compiled. Fast arithmetic is
off: with it, a warm cache gave other chains than a cold one.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from nutpie import compile_pymc as nutpie
from pytensor.configdefaults import config
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, compile_numba_function_src

if TYPE_CHECKING:
    import pymc as pm

RANKS: Mapping[str, int] = {"said": 1, "months": 2}  # the data of every model: axes by name

DENSITY = """
def density(dim, x_, gradient_, value_, user_):
    try:
{arrays}
        value, gradient = function({arguments})
        carray(value_, ())[()] = value
        carray(gradient_, (dim,))[:] = gradient
        if not np.all(np.isfinite(gradient)):
            return 3
        if not np.isfinite(value):
            return 4
    except Exception:
        return 1
    return 0
"""
EXPANSION = """
def expansion(dim, expanded, x_, out_, user_):
    try:
{arrays}
        carray(out_, (expanded,))[:] = function({arguments})[0]
    except Exception:
        return -2
    return 0
"""


def compile_density(model: "pm.Model", variables: Sequence[str]) -> nutpie.CompiledPyMCModel:
    """Compile a model whose data are those of `RANKS`, keeping draws of the ``variables``."""
    types = numba.types
    pointer = types.CPointer(types.double)  # type: ignore[no-untyped-call]
    with config.change_flags(numba__fastmath=False):
        parts = nutpie._make_functions(
            model,
            mode="NUMBA",
            compute_grad=True,
            join_expanded=True,
            pymc_initial_point_fn=lambda seed: {},
            var_names=variables,
        )
        dimensions, expanded, density, expansion, start, shapes, transformed = parts
        held = {variable.name: variable for variable in model.data_vars}
        values = {name: np.array(held[name].get_value(), order="C", copy=True) for name in RANKS}
        size, data = types.uint64, types.voidptr
        at_point = types.int64(size, pointer, pointer, pointer, data)
        at_draw = types.int64(size, size, pointer, pointer, data)
        compiled_density = _callback(DENSITY, density, at_point)
        compiled_expansion = _callback(EXPANSION, expansion, at_draw)
    dims, coords = nutpie._prepare_dims_and_coords(model, shapes, transformed)
    keys = {held[name]: name for name in RANKS}
    return nutpie.CompiledPyMCModel(
        _n_dim=dimensions,
        dims=dims,
        _coords=coords,
        _shapes={name: tuple(shape) for name, _, shape in zip(*shapes, strict=True)},
        compiled_logp_func=compiled_density,
        compiled_expand_func=compiled_expansion,
        initial_point_func=start,
        shared_data=values,
        shared_var_keys=keys,
        user_data=nutpie.make_user_data(keys, values),
        n_expanded=expanded,
        shape_info=shapes,
        logp_func=density,
        expand_func=expansion,
        reparameterized_names=transformed,
    )


def _callback(template: str, function: Any, signature: Any) -> Any:
    """Compile the C function around a PyTensor function, or read it from disk.

    nutpie lays the data out as unsigned words: the arrays' addresses, their sizes, then their shapes.
    """
    names = [variable.name for variable in function.get_shared()]
    words = 2 * len(RANKS) + sum(RANKS.values())
    lines, shape = [f"words = carray(user_, ({words},), np.uint64)"], 2 * len(RANKS)
    for place, (name, rank) in enumerate(RANKS.items()):
        lengths = "".join(f"int(words[{shape + axis}]), " for axis in range(rank))
        lines.append(f"{name} = carray(address_as_void_pointer(words[{place}]), ({lengths}), np.float64)")
        shape += rank
    source = template.format(
        arrays="\n".join(f"        {line}" for line in lines),
        arguments=", ".join(["carray(x_, (dim,))", *names]),
    )
    inner = function.vm.jit_fn
    stamp = (CACHED_SRC_FUNCTIONS[inner.py_func], __name__, source, version("numba"), version("pytensor"))
    written = compile_numba_function_src(
        source,
        source.split("(")[0].split()[-1],
        global_env={
            "__name__": __name__,
            "np": np,
            "carray": numba.carray,  # type: ignore[attr-defined]
            "address_as_void_pointer": nutpie.address_as_void_pointer,
            "function": inner,
        },
        cache_key=sha256(repr(stamp).encode()).hexdigest(),
    )
    return numba.cfunc(signature, cache=True)(written)
