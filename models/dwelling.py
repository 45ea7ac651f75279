"""Spells and the recursion over their ages as two PyTensor operations whose gradients are ready with their values.

The kernels are those of ``models.spells`` and ``models.ages``; both give their derivatives in the same sweep, so the
pull-backs only scale what was stored, as in ``models.operation``.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, grad_not_implemented
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from models import ages, kernels, spells

# The compiled graph is cached under this number, so that an edited kernel is never answered from the cache.
KERNEL_VERSION = int.from_bytes(
    sha256(b"".join(Path(str(part.__file__)).read_bytes() for part in (ages, spells))).digest()[:4], "big"
)


def ends(average: Any, shape: Any, number: int) -> tuple[Any, Any]:
    """Return hazards and months of each age, ``[K, number]``, of spells of an average and a shape, ``[K]`` each."""
    inputs = (pt.cast(pt.as_tensor_variable(x), "float64") for x in (average, shape))
    hazard, months, *_ = Ends(number).make_node(*inputs).outputs
    return hazard, months


def aged_log_likelihood(log_emission: Any, hazard: Any, go: Any, initial: Any) -> Any:
    """Return the log likelihood of one series as a PyTensor expression.

    ``log_emission`` is ``[T, K]``, ``hazard`` ``[S, K, m]``, ``go`` ``[S, K, K]`` and ``initial`` ``[K, m]``, S one or
    T-1. An impossible series is -inf with gradient zero.
    """
    inputs = (pt.cast(pt.as_tensor_variable(x), "float64") for x in (log_emission, hazard, go, initial))
    value: Any = AgedLogLikelihood().make_node(*inputs).outputs[0]
    return value


def _only_first(op: Op, inputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any] | None:
    """Return refusals where a derivative of second order is asked for, else None."""
    if all(isinstance(x.type, DisconnectedType) for x in cotangents):
        return None
    refused = cast(Callable[..., Any], grad_not_implemented)
    return [refused(op, n, x, "only first derivatives exist") for n, x in enumerate(inputs)]


class Ends(Op):
    """Hazards and months ``[K, m]`` of spells, and their derivatives in average and shape, ``[2, K, m]`` each."""

    __props__: ClassVar[tuple[str, ...]] = ("number",)

    def __init__(self, number: int) -> None:
        """State how many ages there are."""
        self.number = number

    def make_node(self, *inputs: Any) -> Apply[Any]:
        """Declare the outputs: hazard, months, and the slopes of each."""
        K = inputs[0].type.shape[0]
        flat = [pt.tensor(dtype="float64", shape=(K, self.number)) for _ in range(2)]
        slopes = [pt.tensor(dtype="float64", shape=(2, K, self.number)) for _ in range(2)]
        return Apply(self, list(inputs), [*flat, *slopes])

    def perform(self, node: Apply[Any], inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        """Run the kernel without compiling the graph."""
        average, shape = (kernels.plain(x) for x in inputs)
        for storage, array in zip(
            output_storage, spells.ends(average[None], shape[None], self.number), strict=True
        ):
            storage[0] = array[0]

    def infer_shape(self, node: Apply[Any], shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Give the output shapes in terms of the input shapes."""
        flat = (shapes[0][0], self.number)
        return [flat, flat, (2, *flat), (2, *flat)]

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Scale the stored derivatives and sum them over ages."""
        if refused := _only_first(self, inputs, cotangents[2:]):
            return refused
        total = sum(
            (scale[None] * slope).sum(axis=-1)
            for scale, slope in zip(cotangents[:2], outputs[2:], strict=True)
            if not isinstance(scale.type, DisconnectedType)
        )
        return [total[0], total[1]]


class AgedLogLikelihood(Op):
    """The log likelihood of one series and its derivatives in the arguments of ``models.ages``."""

    __props__: ClassVar[tuple[str, ...]] = ()

    def make_node(self, *inputs: Any) -> Apply[Any]:
        """Declare the outputs: the value, then a derivative in the shape of each input."""
        slopes = [pt.tensor(dtype="float64", shape=x.type.shape) for x in inputs]
        return Apply(self, list(inputs), [pt.tensor(dtype="float64", shape=()), *slopes])

    def perform(self, node: Apply[Any], inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        """Run the sweep without compiling the graph."""
        found = ages.gradients(*(kernels.plain(x[None]) for x in inputs))
        for storage, array in zip(output_storage, found, strict=True):
            storage[0] = array[0] if array.ndim > 1 else array.reshape(())

    def infer_shape(self, node: Apply[Any], shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Give the output shapes in terms of the input shapes."""
        return [(), *(tuple(shape) for shape in shapes)]

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Scale the stored derivatives; there are none of second order."""
        if refused := _only_first(self, inputs, cotangents[1:]):
            return refused
        return [cotangents[0] * slope for slope in outputs[1:]]


@register_funcify_default_op_cache_key(Ends)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile_ends(op: Ends, node: Apply[Any], **kwargs: Any) -> tuple[Callable[..., Any], int]:
    """Hand numba the same kernel that ``perform`` runs."""
    number = op.number

    @numba_njit
    def sweep(average, shape):  # type: ignore[no-untyped-def]
        average, shape = average.copy().reshape((1, -1)), shape.copy().reshape((1, -1))
        hazard, months, d_hazard, d_months = spells.ends(average, shape, number)
        return hazard[0], months[0], d_hazard[0], d_months[0]

    return sweep, KERNEL_VERSION


@register_funcify_default_op_cache_key(AgedLogLikelihood)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile(op: AgedLogLikelihood, node: Apply[Any], **kwargs: Any) -> tuple[Callable[..., Any], int]:
    """Hand numba the same kernel that ``perform`` runs."""

    @numba_njit
    def sweep(e, hazard, go, initial):  # type: ignore[no-untyped-def]
        e, initial = e.copy().reshape((1, *e.shape)), initial.copy().reshape((1, *initial.shape))
        hazard, go = hazard.copy().reshape((1, *hazard.shape)), go.copy().reshape((1, *go.shape))
        value, d_e, d_hazard, d_go, d_initial = ages.gradients(e, hazard, go, initial)
        return np.asarray(value[0]), d_e[0], d_hazard[0], d_go[0], d_initial[0]

    return sweep, KERNEL_VERSION
