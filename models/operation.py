"""The forward recursion as one PyTensor operation whose gradient is ready when its value is.

The forward-backward sweep that gives the log likelihood gives its derivatives too, so the operation
returns all four and the pull-back only scales what was stored. It compiles into any PyMC model's
log density, under PyMC's own samplers and nutpie alike.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, cast

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, grad_not_implemented
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from models import kernels

# The compiled graph is cached under this number, so that an edited kernel is never answered from the cache.
KERNEL_VERSION = int.from_bytes(sha256(Path(kernels.__file__).read_bytes()).digest()[:4], "big")


def markov_log_likelihood(
    log_emission: Any, transition: Any, initial: Any, *, time_varying: bool | None = None
) -> Any:
    """Return the log likelihood of hidden Markov series as a PyTensor expression, ``[]`` or ``[B]``.

    ``log_emission`` is ``[T, K]`` or ``[B, T, K]``, ``initial`` ``[K]`` or ``[B, K]``, and ``transition``
    one matrix ``[K, K]``, one per series ``[B, K, K]``, one per month ``[T-1, K, K]`` or one per series
    and month ``[B, T-1, K, K]``. Three axes mean months beside an unbatched ``log_emission``; beside a
    batch they are read from the static lengths, and ``time_varying`` must be given where these do not
    tell. An argument without a batch axis serves the whole batch. The values are those of
    ``models.forward.log_likelihood``; an impossible series, or one with NaN, is -inf with gradient zero.

    Raises:
        ValueError: if shapes do not fit, or ``transition`` can be read in two ways.
    """
    e, P, law = (pt.cast(pt.as_tensor_variable(x), "float64") for x in (log_emission, transition, initial))
    if e.ndim not in (2, 3) or P.ndim not in (2, 3, 4) or law.ndim not in (1, 2):
        raise ValueError(
            f"markov_log_likelihood: got {e.ndim}, {P.ndim} and {law.ndim} axes; wanted log_emission [T, K] or "
            "[B, T, K], transition [K, K], [B, K, K], [T-1, K, K] or [B, T-1, K, K], initial [K] or [B, K]"
        )
    varying = _by_month(e.type.shape, P.type.shape, time_varying)
    batched = e.ndim == 3 or law.ndim == 2 or P.ndim == 4 or (P.ndim == 3 and not varying)
    P = P if varying else pt.expand_dims(P, -3)
    e, P, law = (x if x.ndim == n else x[None] for x, n in ((e, 3), (P, 4), (law, 2)))
    shared = (e.type.shape[0] == 1, P.type.shape[0] == 1, law.type.shape[0] == 1)
    value: Any = MarkovLogLikelihood(shared).make_node(e, P, law).outputs[0]
    return value if batched else value[0]


def _by_month(e: tuple[int | None, ...], P: tuple[int | None, ...], time_varying: bool | None) -> bool:
    """Decide from the static shapes whether the transition holds a matrix for each month."""
    if time_varying is not None:
        if len(P) == (2 if time_varying else 4):
            wanted = "3 or 4" if time_varying else "2 or 3"
            raise ValueError(
                f"transition: got {len(P)} axes; wanted {wanted}, as time_varying={time_varying}"
            )
        return time_varying
    if len(P) != 3 or P[0] == 1:
        return len(P) == 4
    by_month = _may_equal(P[0], None if e[-2] is None else e[-2] - 1)
    if len(e) == 2:
        return by_month
    if by_month == _may_equal(P[0], e[0]):
        raise ValueError(
            f"transition: got shape {P} beside log_emission {e}; wanted one matrix per series or one per month, "
            "plainly: say time_varying=True or False"
        )
    return by_month


def _may_equal(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


class MarkovLogLikelihood(Op):
    """Log likelihoods ``[B]`` and their derivatives in the three canonical arguments of ``models.kernels``.

    ``shared`` says which arguments have a batch axis of length one that serves all B series; the
    pull-back sums their derivatives over the batch.
    """

    __props__: ClassVar[tuple[str, ...]] = ("shared",)

    def __init__(self, shared: tuple[bool, bool, bool]) -> None:
        """State which of log emission, transition and initial law serve the whole batch."""
        self.shared = shared

    def make_node(self, *inputs: Any) -> Apply[Any]:
        """Declare the outputs: value ``[B]`` and derivatives ``[B, T, K]``, ``[B, T-1 or 1, K, K]``, ``[B, K]``."""
        lengths = [x.type.shape[0] for x, one in zip(inputs, self.shared, strict=True) if not one]
        size = next((n for n in lengths if n is not None), None) if lengths else 1
        outputs = [pt.tensor(dtype="float64", shape=(size,))]
        outputs += [pt.tensor(dtype="float64", shape=(size, *x.type.shape[1:])) for x in inputs]
        return Apply(self, list(inputs), outputs)

    def perform(self, node: Apply[Any], inputs: Sequence[Any], output_storage: Sequence[list[Any]]) -> None:
        """Run the sweep without compiling the graph."""
        e, P, law = (kernels.plain(x) for x in inputs)
        size = kernels.batch_size(e, P, law, *self.shared)
        for storage, array in zip(output_storage, kernels.gradients(e, P, law, size), strict=True):
            storage[0] = array

    def infer_shape(self, node: Apply[Any], shapes: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Give the output shapes in terms of the input shapes."""
        size = next((x[0] for x, one in zip(shapes, self.shared, strict=True) if not one), pt.constant(1))
        return [(size,), *((size, *x[1:]) for x in shapes)]

    def pullback(self, inputs: Sequence[Any], outputs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Scale the stored derivatives; there are none of second order."""
        scale, *second_order = cotangents
        if not all(isinstance(x.type, DisconnectedType) for x in second_order):
            refused = cast(Callable[..., Any], grad_not_implemented)
            return [refused(self, n, x, "only first derivatives exist") for n, x in enumerate(inputs)]
        scaled = [d * scale.reshape((-1, *[1] * (d.ndim - 1))) for d in outputs[1:]]
        return [
            d.sum(axis=0, keepdims=True) if one else d for d, one in zip(scaled, self.shared, strict=True)
        ]


@register_funcify_default_op_cache_key(MarkovLogLikelihood)  # type: ignore[no-untyped-call, untyped-decorator]
def _compile(op: MarkovLogLikelihood, node: Apply[Any], **kwargs: Any) -> tuple[Callable[..., Any], int]:
    """Hand numba the same kernel that ``perform`` runs."""
    e_shared, P_shared, law_shared = op.shared

    @numba_njit
    def sweep(e, P, law):  # type: ignore[no-untyped-def]
        e, P, law = e.copy(), P.copy(), law.copy()  # the one layout that kernels are compiled for
        size = kernels.batch_size(e, P, law, e_shared, P_shared, law_shared)
        return kernels.gradients(e, P, law, size)

    return sweep, KERNEL_VERSION
