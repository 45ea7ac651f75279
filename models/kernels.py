"""The compiled recursions of a finite Markov chain, all series of a batch in one call.

Every kernel takes canonical arrays: log emissions e ``[B or 1, T, K]``, transitions P
``[B or 1, T-1 or 1, K, K]`` and initial laws ``[B or 1, K]``; an axis of length one serves the whole
batch, or every month. ``models.forward`` and ``models.operation`` bring their arguments into this form.

The work is scaled, not logged, each month by its largest log emission m[t]: with p[t] the law of the state before month t,

    c[t] = sum_j p[t,j] exp(e[t,j] - m[t])        one-step log density = m[t] + log c[t]
    ratio[t,j] = exp(e[t,j] - m[t]) / c[t]        filtered[t,j] = p[t,j] ratio[t,j]
    b[t,i] = sum_j P[i,j] ratio[t+1,j] b[t+1,j]   smoothed[t,j] = filtered[t,j] b[t,j],  b[T,j] = 1

A series that would lose a state to underflow which it may need again (it can, where P has zeros and a
month speaks against a state by hundreds of nats) is done again in logarithms.

The kernels are serial and release the interpreter lock. Samplers call them from several threads at once, where numba's
own threads may abort the process; so those that many draws go through do the series ``begin`` to ``end - 1`` and fill
arrays given to them, and ``models.blocks`` shares the series out among threads.
"""

from collections.abc import Callable
from typing import cast

import numba
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

LOST = 1e-200  # a state filtered below this is lost unless every state can follow every other
RARE = 1e-90  # the least transition that can bring back a lost state without loss
LARGE = 1e300  # the ceiling of a derivative; only those in entries that are (all but) zero reach it
LARGE_LOG = 690.0  # its logarithm, rounded down


def compiled[F: Callable[..., object]](function: F) -> F:
    """Compile a kernel once and keep it on disk, with the arithmetic in the order written."""
    return cast(F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function))


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a part of a kernel into each of its callers."""
    return cast(
        F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy", forceinline=True)(function)
    )


def plain(array: Floats) -> Floats:
    """Return the array in the one layout that kernels are compiled for: C order, writeable."""
    return array if array.flags.carray else array.copy()


@inlined
def _forward(
    K: int,
    e: Floats,
    P: Floats,
    initial: Floats,
    predicted: Floats,
    filtered: Floats,
    ratio: Floats,
    density: Floats,
) -> bool:
    """Run the scaled forward pass of one series into its last four arguments; return whether nothing was lost."""
    mixing = True
    for s in range(P.shape[0]):
        for i in range(K):
            for j in range(K):
                mixing &= P[s, i, j] >= RARE
    for t in range(e.shape[0]):
        s = t - 1 if P.shape[0] > 1 else 0
        top = -np.inf
        for j in range(K):
            top = max(top, e[t, j])
        mass = 0.0
        for j in range(K):
            law = initial[j]
            if t > 0:
                law = 0.0
                for i in range(K):
                    law += filtered[t - 1, i] * P[s, i, j]
            predicted[t, j] = law
            ratio[t, j] = np.exp(e[t, j] - top)
            filtered[t, j] = law * ratio[t, j]
            mass += filtered[t, j]
        if not LOST < mass < np.inf:
            return False
        density[t] = top + np.log(mass)
        scale = 1.0 / mass
        for j in range(K):
            ratio[t, j] *= scale
            filtered[t, j] *= scale
            if not mixing and filtered[t, j] < LOST and predicted[t, j] > 0.0 and e[t, j] > -np.inf:
                return False
    return True


@compiled
def _log_sum(x: Floats) -> float:
    """Return ln sum exp x; -inf where there is nothing to add."""
    top = -np.inf
    for j in range(x.size):
        top = max(top, x[j])
    if not -np.inf < top < np.inf:
        return top
    mass = 0.0
    for j in range(x.size):
        mass += np.exp(x[j] - top)
    return float(top + np.log(mass))


@compiled
def _forward_in_logs(
    e: Floats,
    P: Floats,
    initial: Floats,
    predicted: Floats,
    filtered: Floats,
    log_filtered: Floats,
    density: Floats,
) -> None:
    """Run the forward pass of one series in logarithms.

    From the first impossible month on the one-step density is -inf and the filtered law NaN.
    """
    T, K = e.shape
    terms = np.empty(K)
    impossible = False
    for t in range(T):
        for j in range(K):
            log_law = np.log(initial[j])
            if t > 0:
                for i in range(K):
                    terms[i] = log_filtered[t - 1, i] + np.log(P[t - 1 if P.shape[0] > 1 else 0, i, j])
                log_law = _log_sum(terms)
            predicted[t, j] = np.nan if impossible else np.exp(log_law)
            log_filtered[t, j] = log_law + e[t, j]
        for j in range(K):
            terms[j] = log_filtered[t, j]
        density[t] = -np.inf if impossible else _log_sum(terms)
        if not -np.inf < density[t] < np.inf:
            impossible = True
            density[t] = -np.inf
        for j in range(K):
            log_filtered[t, j] = np.nan if impossible else log_filtered[t, j] - density[t]
            filtered[t, j] = np.exp(log_filtered[t, j])


@compiled
def forward(
    begin: int,
    end: int,
    log_emission: Floats,
    transition: Floats,
    initial: Floats,
    predicted: Floats,
    filtered: Floats,
    density: Floats,
) -> None:
    """Fill the predicted and filtered laws ``[B, T, K]`` and the one-step log densities ``[B, T]``."""
    T, K = log_emission.shape[1:]
    ratio = np.empty((T, K))
    for b in range(begin, end):
        e = log_emission[b if log_emission.shape[0] > 1 else 0]
        P = transition[b if transition.shape[0] > 1 else 0]
        law = initial[b if initial.shape[0] > 1 else 0]
        if not _forward(K, e, P, law, predicted[b], filtered[b], ratio, density[b]):
            _forward_in_logs(e, P, law, predicted[b], filtered[b], ratio, density[b])


@compiled
def gradients(
    log_emission: Floats, transition: Floats, initial: Floats, size: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return each series' log likelihood ``[B]`` and its derivatives, from one sweep forth and back.

    With arrival[t,j] = ratio[t,j] b[t,j] the derivatives are smoothed[t,j] for a log emission,
    filtered[t-1,i] arrival[t,j] for the transition into month t (summed over months where one matrix
    serves them all) and arrival[0,j] for the initial law. No entry is divided by P, which may be zero.
    An impossible series has the value -inf and derivatives of zero.
    """
    T, K = log_emission.shape[1:]
    value = np.empty(size)
    d_emission = np.zeros((size, T, K))
    d_transition = np.zeros((size, transition.shape[1], K, K))
    d_initial = np.zeros((size, K))
    differentiate(0, size, log_emission, transition, initial, value, d_emission, d_transition, d_initial)
    return value, d_emission, d_transition, d_initial


@compiled
def differentiate(
    begin: int,
    end: int,
    log_emission: Floats,
    transition: Floats,
    initial: Floats,
    value: Floats,
    d_emission: Floats,
    d_transition: Floats,
    d_initial: Floats,
) -> None:
    """Do the work of ``gradients`` into its last four arguments, where derivatives are zeros as they come.

    A derivative ``[B, T-1, K, K]`` in the transition is given by month, even where one matrix serves them all.
    """
    K = log_emission.shape[2]
    given = (begin, end, log_emission, transition, initial, value, d_emission, d_transition, d_initial)
    if K == 2:
        _differentiate(2, *given)
    elif K == 3:
        _differentiate(3, *given)
    else:
        _differentiate(K, *given)


@inlined
def _differentiate(
    K: int,
    begin: int,
    end: int,
    log_emission: Floats,
    transition: Floats,
    initial: Floats,
    value: Floats,
    d_emission: Floats,
    d_transition: Floats,
    d_initial: Floats,
) -> None:
    """Differentiate; a literal number of states unrolls the loops, which halves the time."""
    T = log_emission.shape[1]
    predicted = np.empty((T, K))
    filtered = np.empty((T, K))
    ratio = np.empty((T, K))
    density = np.empty(T)
    backward = np.empty(K)
    arrival = np.empty(K)
    for b in range(begin, end):
        e = log_emission[b if log_emission.shape[0] > 1 else 0]
        P = transition[b if transition.shape[0] > 1 else 0]
        law = initial[b if initial.shape[0] > 1 else 0]
        if not _forward(K, e, P, law, predicted, filtered, ratio, density):
            _forward_in_logs(e, P, law, predicted, filtered, ratio, density)
            value[b] = density.sum()
            if value[b] > -np.inf:
                _backward_in_logs(e, P, ratio, density, d_emission[b], d_transition[b], d_initial[b])
            continue
        value[b] = density.sum()
        backward[:] = 1.0
        for t in range(T - 1, -1, -1):
            for j in range(K):
                d_emission[b, t, j] = filtered[t, j] * backward[j]
                arrival[j] = min(LARGE, ratio[t, j] * backward[j])
            if t > 0:
                s = t - 1 if P.shape[0] > 1 else 0
                r = t - 1 if d_transition.shape[1] > 1 else 0
                for i in range(K):
                    weight = 0.0
                    for j in range(K):
                        d_transition[b, r, i, j] += filtered[t - 1, i] * arrival[j]
                        weight += P[s, i, j] * arrival[j]
                    backward[i] = weight
        for j in range(K):
            d_initial[b, j] = arrival[j]


@compiled
def _backward_in_logs(
    e: Floats,
    P: Floats,
    log_filtered: Floats,
    density: Floats,
    d_emission: Floats,
    d_transition: Floats,
    d_initial: Floats,
) -> None:
    """Add the derivatives of one series that went forward in logarithms to its last three arguments."""
    T, K = e.shape
    backward = np.zeros(K)
    arrival = np.empty(K)
    terms = np.empty(K)
    for t in range(T - 1, -1, -1):
        for j in range(K):
            d_emission[t, j] = np.exp(log_filtered[t, j] + backward[j])
            arrival[j] = e[t, j] + backward[j] - density[t]
        if t > 0:
            s = t - 1 if P.shape[0] > 1 else 0
            r = t - 1 if d_transition.shape[0] > 1 else 0
            for i in range(K):
                for j in range(K):
                    d_transition[r, i, j] += np.exp(min(LARGE_LOG, log_filtered[t - 1, i] + arrival[j]))
                    terms[j] = np.log(P[s, i, j]) + arrival[j]
                backward[i] = _log_sum(terms)
    for j in range(K):
        d_initial[j] = np.exp(min(LARGE_LOG, arrival[j]))


@compiled
def batch_size(
    log_emission: Floats,
    transition: Floats,
    initial: Floats,
    e_shared: bool,
    P_shared: bool,
    law_shared: bool,
) -> int:
    """Return the length B of the batch; refuse arguments that do not fit one another."""
    e, P, law = log_emission.shape, transition.shape, initial.shape
    size = max(e[0], P[0], law[0])
    if not ((e[0] == size or e_shared) and (P[0] == size or P_shared) and (law[0] == size or law_shared)):
        raise ValueError("markov_log_likelihood: wanted the same number of series in every argument")
    if not (P[1] == 1 or P[1] == e[1] - 1):
        raise ValueError("markov_log_likelihood: wanted one transition, or one fewer than there are months")
    if not (e[1] > 0 and P[2] == e[2] and P[3] == e[2] and law[1] == e[2]):
        raise ValueError("markov_log_likelihood: wanted the same number of states in every argument")
    return int(size)
