"""The forward recursion of a hidden Markov chain and everything that follows from it, exactly.

All functions take

    log_emission  [..., T, K]                    log density of month t's data in state k; a missing month
                                                 is a row of zeros, -inf excludes a state
    transition    [..., K, K] or [..., T-1, K, K]  row = from; entry t moves month t to month t+1
    initial       [..., K]                       law of the state in the first month, before its data

and broadcast the leading batch axes (draws, fronts) in numpy's way. ``transition`` is read as one matrix
for each month exactly if its third axis from the end has length T-1, unless ``time_varying`` says
otherwise. Where the batch of the other arguments ends in an axis of length T-1 too, and ``transition``
has no axis beyond that batch, both readings fit: with as many axes as ``log_emission`` it is one matrix
for each series, like the ``[..., K, K]`` beside ``[..., T, K]`` above; otherwise the call is refused
until ``time_varying`` is given.

Rows of ``transition`` and ``initial`` are used as they are, not normalised. An impossible series has
log likelihood -inf and no posterior: its probabilities are NaN and a path is refused. After Zucchini,
MacDonald and Langrock, *Hidden Markov Models for Time Series*, 2nd ed. (2016), chapters 2 to 5.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models import kernels, paths
from models.blocks import each_block
from models.kernels import Floats, Integers

__all__ = [
    "filtered",
    "log_likelihood",
    "log_likelihood_and_gradients",
    "markov_log_likelihood",
    "most_likely_path",
    "one_step_log_density",
    "predicted",
    "sample_paths",
    "smoothed",
    "smoothed_pairs",
    "stationary",
]

ROW_SUM_TOLERANCE = 1e-8  # of a stochastic matrix


def markov_log_likelihood(
    log_emission: Any, transition: Any, initial: Any, *, time_varying: bool | None = None
) -> Any:
    """Return the log likelihood as a PyTensor expression, for any PyMC model; see ``models.operation``."""
    from models import operation  # late: arrays do not need PyTensor

    return operation.markov_log_likelihood(log_emission, transition, initial, time_varying=time_varying)


def log_likelihood(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return the log density of each series, its states summed out, ``[...]``.

    Raises:
        ValueError: if shapes do not fit or are ambiguous, or an argument is not finite (this and all below).
    """
    densities = one_step_log_density(log_emission, transition, initial, time_varying=time_varying)
    return np.asarray(densities.sum(axis=-1))


def log_likelihood_and_gradients(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return log likelihoods ``[...]`` and the derivatives of their sum, each in its argument's shape.

    The order is value, d/d log_emission, d/d transition, d/d initial. Every entry counts as free; an
    argument that serves several months or series collects the derivatives of all. An impossible series adds zero.
    """
    given = _align(log_emission, transition, initial, time_varying)
    value, *derivatives = _differentiated(given, months=given.transition.shape[1])
    if not given.time_varying:
        derivatives[1] = derivatives[1][:, 0]
    shaped = [_sum_to(given.unfold(d), shape) for d, shape in zip(derivatives, given.shapes, strict=True)]
    return given.unfold(value), shaped[0], shaped[1], shaped[2]


def one_step_log_density(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return the log density of each month given the months before, ``[..., T]``; the sum is the likelihood.

    From the first impossible month on it is -inf.
    """
    given = _align(log_emission, transition, initial, time_varying)
    return given.unfold(_swept(given)[2])


def predicted(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return P(state in month t | data before t), ``[..., T, K]``; in the first month that is ``initial``."""
    given = _align(log_emission, transition, initial, time_varying)
    return given.unfold(_swept(given)[0])


def filtered(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return P(state in month t | data up to t), ``[..., T, K]``; NaN from the first impossible month on."""
    given = _align(log_emission, transition, initial, time_varying)
    return given.unfold(_swept(given)[1])


def smoothed(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return P(state in month t | all data), ``[..., T, K]``; NaN for an impossible series."""
    given = _align(log_emission, transition, initial, time_varying)
    value, states, _, _ = _differentiated(given, months=given.transition.shape[1])
    states[np.isneginf(value)] = np.nan
    return given.unfold(states)


def smoothed_pairs(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Floats:
    """Return P(states in months t, t+1 | all data), ``[..., T-1, K, K]``; NaN for an impossible series."""
    given = _align(log_emission, transition, initial, time_varying)
    return given.unfold(_posterior(given)[1])


def most_likely_path(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, *, time_varying: bool | None = None
) -> Integers:
    """Return the path of states of largest joint density, ``[..., T]`` (Viterbi; of equals the lowest states).

    Raises:
        ValueError: also if a series is impossible.
    """
    given = _align(log_emission, transition, initial, time_varying)
    with np.errstate(divide="ignore"):
        log_transition, log_initial = np.log(given.transition), np.log(given.initial)
    T, K = given.log_emission.shape[1:]
    path, density = np.empty((given.size, T), dtype=np.int64), np.empty(given.size)

    def run(begin: int, end: int) -> None:
        paths.most_likely(begin, end, given.log_emission, log_transition, log_initial, path, density)

    each_block(given.size, run, steps=T * K * K)
    _refuse_impossible(np.isneginf(density))
    return given.unfold(path)


def sample_paths(
    log_emission: ArrayLike,
    transition: ArrayLike,
    initial: ArrayLike,
    *,
    rng: np.random.Generator,
    size: int = 1,
    time_varying: bool | None = None,
) -> Integers:
    """Draw ``size`` paths of states given all data, ``[size, ..., T]`` (forward filter, backward sampling).

    Raises:
        ValueError: also if a series is impossible.
    """
    given = _align(log_emission, transition, initial, time_varying)
    law, pairs = _posterior(given)
    _refuse_impossible(np.isnan(law[:, 0, 0]))
    T = law.shape[1]
    uniforms = rng.random((size * given.size, T))
    path = np.empty(uniforms.shape, dtype=np.int64)

    def run(begin: int, end: int) -> None:
        paths.sampled(begin, end, law, pairs, uniforms, path)

    each_block(len(path), run, steps=T * law.shape[2])
    return path.reshape(size, *given.batch, T)


def stationary(transition: ArrayLike) -> Floats:
    """Return the law that ``transition`` ``[..., K, K]`` leaves as it is, ``[..., K]``: pi (I - P + 1 1') = 1'.

    Raises:
        ValueError: if rows are not laws, or more than one law is stationary.
    """
    P = np.asarray(transition, dtype=np.float64)
    if P.ndim < 2 or P.shape[-1] != P.shape[-2] or P.shape[-1] == 0:
        raise ValueError(f"transition: got shape {P.shape}; wanted [..., K, K]")
    error = np.abs(P.sum(axis=-1) - 1.0)
    if not (np.all(P >= 0.0) and np.all(error <= ROW_SUM_TOLERANCE)):
        raise ValueError(
            f"transition: got rows that miss one by up to {error.max():.3g}, smallest entry {P.min():.3g}; "
            "wanted rows of probabilities that sum to one"
        )
    K = P.shape[-1]
    system = np.swapaxes(np.eye(K) - P + 1.0, -1, -2)
    try:
        law = np.linalg.solve(system, np.ones((*P.shape[:-2], K, 1)))[..., 0]
    except np.linalg.LinAlgError as error_:
        raise ValueError("transition: got more than one closed class of states; wanted one") from error_
    return np.asarray(np.clip(law, 0.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aligned:
    """The three arguments in the kernels' canonical form, and what is needed to undo it."""

    log_emission: Floats  # [B or 1, T, K]
    transition: Floats  # [B or 1, T-1 or 1, K, K]
    initial: Floats  # [B or 1, K]
    batch: tuple[int, ...]  # its product is B
    shapes: tuple[tuple[int, ...], ...]  # of the arguments as they came
    time_varying: bool

    @property
    def size(self) -> int:
        return prod(self.batch)

    @property
    def arguments(self) -> tuple[Floats, Floats, Floats]:
        return self.log_emission, self.transition, self.initial

    def unfold[A: (Floats, Integers)](self, array: A) -> A:
        """Give the flat batch axis ``[B, ...]`` of a kernel's result the shape of the batch."""
        return array.reshape(self.batch + array.shape[1:])


def _align(
    log_emission: ArrayLike, transition: ArrayLike, initial: ArrayLike, time_varying: bool | None
) -> _Aligned:
    """Check the arguments at the border and bring them into canonical form."""
    e, P, law = (np.asarray(x, dtype=np.float64) for x in (log_emission, transition, initial))
    if e.ndim < 2 or 0 in e.shape[-2:]:
        raise ValueError(f"log_emission: got shape {e.shape}; wanted [..., T, K] with T and K at least 1")
    T, K = e.shape[-2:]
    if law.shape[-1:] != (K,):
        raise ValueError(f"initial: got shape {law.shape}; wanted [..., {K}], as log_emission has {K} states")
    if P.shape[-2:] != (K, K):
        raise ValueError(
            f"transition: got shape {P.shape}; wanted [..., {K}, {K}] or [..., {T - 1}, {K}, {K}]"
        )
    if not np.all(e < np.inf):
        raise ValueError("log_emission: got NaN or +inf; wanted log densities, a missing month as zeros")
    if not (np.all(np.isfinite(P)) and np.all(np.isfinite(law))):
        raise ValueError("transition, initial: got NaN or infinity; wanted probabilities")
    shapes = (e.shape, P.shape, law.shape)
    varying = _by_month(P.shape, e.shape, _batch(e.shape[:-2], law.shape[:-1]), time_varying)
    P = P if varying else P[..., None, :, :]
    batch = _batch(e.shape[:-2], P.shape[:-3], law.shape[:-1])
    return _Aligned(
        log_emission=_fold(e, 2, batch),
        transition=_fold(P, 3, batch),
        initial=_fold(law, 1, batch),
        batch=batch,
        shapes=shapes,
        time_varying=varying,
    )


def _by_month(
    shape: tuple[int, ...], series: tuple[int, ...], batch: tuple[int, ...], time_varying: bool | None
) -> bool:
    """Decide whether a transition of this shape holds a matrix for each month: the rule of the module."""
    steps = series[-2] - 1
    fits = len(shape) > 2 and shape[-3] == steps
    if time_varying is None:
        both = fits and steps > 1 and len(shape) - 2 <= len(batch) and batch[-1] == steps
        if both and len(shape) != len(series):
            raise ValueError(
                f"transition: got shape {shape} beside a batch {batch} and {steps + 1} months; wanted to know "
                f"whether the axis of length {steps} is the batch or the months: say time_varying=True or False"
            )
        return fits and not both
    if time_varying and not fits:
        raise ValueError(f"transition: got shape {shape}; wanted [..., {steps}, K, K], as time_varying=True")
    return time_varying


def _batch(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that batch axes broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ValueError(
            f"batch axes: got {', '.join(map(str, shapes))}; wanted shapes that broadcast"
        ) from error


def _fold(array: Floats, core: int, batch: tuple[int, ...]) -> Floats:
    """Flatten the batch axes before the last ``core`` ones; an array that serves the whole batch keeps one row."""
    axes, rest = array.shape[: array.ndim - core], array.shape[array.ndim - core :]
    rows = 1 if prod(axes) == 1 else prod(batch)
    full = array if rows == 1 else np.broadcast_to(array, batch + rest)
    return kernels.plain(full.reshape(rows, *rest))


def _sum_to(array: Floats, shape: tuple[int, ...]) -> Floats:
    """Sum ``array`` over the axes along which an argument of this shape was broadcast."""
    extra = array.ndim - len(shape)
    stretched = tuple(extra + n for n, length in enumerate(shape) if length == 1 != array.shape[extra + n])
    return np.asarray(array.sum(axis=(*range(extra), *stretched)).reshape(shape))


def _swept(given: _Aligned) -> tuple[Floats, Floats, Floats]:
    """Return predicted and filtered laws ``[B, T, K]`` and one-step log densities ``[B, T]``."""
    size, (T, K) = given.size, given.log_emission.shape[1:]
    found = np.empty((size, T, K)), np.empty((size, T, K)), np.empty((size, T))

    def run(begin: int, end: int) -> None:
        kernels.forward(begin, end, *given.arguments, *found)

    each_block(size, run, steps=T * K * K)
    return found


def _differentiated(given: _Aligned, *, months: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return log likelihoods ``[B]`` and their derivatives, that in the transition for one matrix or each month."""
    size, (T, K) = given.size, given.log_emission.shape[1:]
    found = np.empty(size), np.zeros((size, T, K)), np.zeros((size, months, K, K)), np.zeros((size, K))

    def run(begin: int, end: int) -> None:
        kernels.differentiate(begin, end, *given.arguments, *found)

    each_block(size, run, steps=2 * T * K * K)
    return found


def _posterior(given: _Aligned) -> tuple[Floats, Floats]:
    """Return the smoothed laws ``[B, T, K]`` and pairs ``[B, T-1, K, K]``, NaN for an impossible series.

    They are derivatives of the log likelihood: in a month's log emission, and in its transition times that transition.
    """
    value, states, pairs, _ = _differentiated(given, months=given.log_emission.shape[1] - 1)
    pairs *= given.transition
    states[np.isneginf(value)] = np.nan
    pairs[np.isneginf(value)] = np.nan
    return states, pairs


def _refuse_impossible(impossible: NDArray[np.bool_]) -> None:
    """Refuse to give a path to a series that has none."""
    if number := int(impossible.sum()):
        raise ValueError(
            f"log_emission: got {number} series that no path of states allows; wanted a possible one"
        )
