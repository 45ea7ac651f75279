"""The compiled recursions of a finite Markov chain, scaled rather than logged, one batch at a time.

Every kernel takes canonical arrays: log emissions ``[B or 1, T, K]``, transitions
``[B or 1, T-1 or 1, K, K]`` and initial laws ``[B or 1, K]``; an axis of length one serves the whole
batch, or every month. ``models.forward`` and ``models.operation`` bring their arguments into this form.

One step is scaled by its largest log emission m[t], so that with p[t] = law of the state before month t

    c[t] = sum_j p[t,j] exp(e[t,j] - m[t])        one-step log density = m[t] + log c[t]
    ratio[t,j] = exp(e[t,j] - m[t]) / c[t]        filtered[t,j] = p[t,j] ratio[t,j]
    b[t,i] = sum_j P[i,j] ratio[t+1,j] b[t+1,j]   smoothed[t,j] = filtered[t,j] b[t,j],  b[T,j] = 1

The kernels are serial and release the interpreter lock: samplers call them from several threads at
once, where a threaded kernel would abort the process, and a batch of 4,000 draws takes a fraction of a second.
"""

from collections.abc import Callable
from typing import cast

import numba
import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

SMALL = 1e-200  # a one-step mass below this is computed again from logarithms
LARGE = 1e300  # the ceiling of a backward weight; only states of probability below 1/LARGE reach it
LARGE_LOG = 690.0  # its logarithm, rounded down


def compiled[F: Callable[..., object]](function: F) -> F:
    """Compile a kernel once and keep it on disk, with the arithmetic in the order written."""
    return cast(F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy")(function))


def inlined[F: Callable[..., object]](function: F) -> F:
    """Compile a part of a kernel into each of its callers."""
    return cast(
        F, numba.njit(cache=True, nogil=True, fastmath=False, error_model="numpy", forceinline=True)(function)
    )


@inlined
def _weigh(K: int, t: int, law: Floats, log_emission: Floats, filtered: Floats, ratio: Floats) -> float:
    """Bring month t's emission to bear on the law of its state; return the one-step log density."""
    top = -np.inf
    for j in range(K):
        top = max(top, log_emission[t, j])
    mass = 0.0
    for j in range(K):
        ratio[t, j] = np.exp(log_emission[t, j] - top)
        filtered[t, j] = law[t, j] * ratio[t, j]
        mass += filtered[t, j]
    if not SMALL < mass < np.inf:
        return _weigh_in_logs(K, t, law, log_emission, filtered, ratio)
    scale = 1.0 / mass
    for j in range(K):
        ratio[t, j] *= scale
        filtered[t, j] *= scale
    return float(top + np.log(mass))


@compiled
def _weigh_in_logs(
    K: int, t: int, law: Floats, log_emission: Floats, filtered: Floats, ratio: Floats
) -> float:
    """Do what ``_weigh`` does where the likeliest emission belongs to a state that is all but excluded."""
    top = -np.inf
    for j in range(K):
        if law[t, j] > 0.0:
            top = max(top, np.log(law[t, j]) + log_emission[t, j])
    mass = 0.0
    for j in range(K):
        filtered[t, j] = np.exp(np.log(law[t, j]) + log_emission[t, j] - top) if law[t, j] > 0.0 else 0.0
        mass += filtered[t, j]
    if not 0.0 < mass < np.inf:
        return -np.inf
    density = top + np.log(mass)
    for j in range(K):
        filtered[t, j] /= mass
        ratio[t, j] = np.exp(min(LARGE_LOG, log_emission[t, j] - density))
    return float(density)


@inlined
def _forward(
    K: int,
    log_emission: Floats,
    transition: Floats,
    initial: Floats,
    predicted: Floats,
    filtered: Floats,
    ratio: Floats,
    density: Floats,
) -> bool:
    """Run the forward pass of one series into its last four arguments; return whether it is possible."""
    T = log_emission.shape[0]
    varying = transition.shape[0] > 1
    for j in range(K):
        predicted[0, j] = initial[j]
    for t in range(T):
        if t > 0:
            s = t - 1 if varying else 0
            for j in range(K):
                mass = 0.0
                for i in range(K):
                    mass += filtered[t - 1, i] * transition[s, i, j]
                predicted[t, j] = mass
        density[t] = _weigh(K, t, predicted, log_emission, filtered, ratio)
        if density[t] == -np.inf:
            density[t:] = -np.inf
            predicted[t + 1 :] = np.nan
            filtered[t:] = np.nan
            ratio[t:] = 0.0
            return False
    return True


@inlined
def _arrive(K: int, t: int, ratio: Floats, backward: Floats, arrival: Floats) -> None:
    """Set what reaching each state of month t is worth: its ratio times its backward weight, bounded."""
    for j in range(K):
        arrival[j] = min(LARGE, ratio[t, j] * backward[j])


@inlined
def _step_back(K: int, s: int, transition: Floats, arrival: Floats, backward: Floats) -> None:
    """Set the backward weights of the month before an arrival, through transition s."""
    for i in range(K):
        weight = 0.0
        for j in range(K):
            weight += transition[s, i, j] * arrival[j]
        backward[i] = weight


@compiled
def forward(
    log_emission: Floats, transition: Floats, initial: Floats, size: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the predicted, filtered and ratio arrays ``[B, T, K]`` and the one-step densities ``[B, T]``."""
    T, K = log_emission.shape[1:]
    predicted = np.empty((size, T, K))
    filtered = np.empty((size, T, K))
    ratio = np.empty((size, T, K))
    density = np.empty((size, T))
    for b in range(size):
        _forward(
            K,
            log_emission[b if log_emission.shape[0] > 1 else 0],
            transition[b if transition.shape[0] > 1 else 0],
            initial[b if initial.shape[0] > 1 else 0],
            predicted[b],
            filtered[b],
            ratio[b],
            density[b],
        )
    return predicted, filtered, ratio, density


@compiled
def smoothed(filtered: Floats, ratio: Floats, transition: Floats) -> Floats:
    """Return the law of each state given the whole series, ``[B, T, K]``."""
    size, T, K = filtered.shape
    result = np.empty((size, T, K))
    backward = np.empty(K)
    arrival = np.empty(K)
    for b in range(size):
        P = transition[b if transition.shape[0] > 1 else 0]
        backward[:] = 1.0
        for t in range(T - 1, -1, -1):
            for j in range(K):
                result[b, t, j] = filtered[b, t, j] * backward[j]
            if t > 0:
                _arrive(K, t, ratio[b], backward, arrival)
                _step_back(K, t - 1 if P.shape[0] > 1 else 0, P, arrival, backward)
    return result


@compiled
def smoothed_pairs(filtered: Floats, ratio: Floats, transition: Floats) -> Floats:
    """Return the joint law of neighbouring states given the whole series, ``[B, T-1, K, K]``."""
    size, T, K = filtered.shape
    result = np.empty((size, T - 1, K, K))
    backward = np.empty(K)
    arrival = np.empty(K)
    for b in range(size):
        P = transition[b if transition.shape[0] > 1 else 0]
        backward[:] = 1.0
        for t in range(T - 1, 0, -1):
            s = t - 1 if P.shape[0] > 1 else 0
            _arrive(K, t, ratio[b], backward, arrival)
            for i in range(K):
                for j in range(K):
                    result[b, t - 1, i, j] = filtered[b, t - 1, i] * P[s, i, j] * arrival[j]
            _step_back(K, s, P, arrival, backward)
    return result


@compiled
def gradients(
    log_emission: Floats, transition: Floats, initial: Floats, size: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return each series' log likelihood and its derivatives, from one sweep forth and back.

    With arrival[t,j] = ratio[t,j] b[t,j] the derivatives are smoothed[t,j] for a log emission,
    filtered[t-1,i] arrival[t,j] for the transition into month t (summed over months where one matrix
    serves them all) and arrival[0,j] for the initial law. No entry is divided by P, which may be zero.
    An impossible series has the value -inf and derivatives of zero.
    """
    K = log_emission.shape[2]
    if K == 2:
        return _gradients(2, log_emission, transition, initial, size)
    if K == 3:
        return _gradients(3, log_emission, transition, initial, size)
    if K == 4:
        return _gradients(4, log_emission, transition, initial, size)
    return _gradients(K, log_emission, transition, initial, size)


@inlined
def _gradients(
    K: int, log_emission: Floats, transition: Floats, initial: Floats, size: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Do the work of ``gradients``; a literal number of states unrolls the loops, which halves the time."""
    T = log_emission.shape[1]
    S = transition.shape[1]
    value = np.empty(size)
    d_emission = np.zeros((size, T, K))
    d_transition = np.zeros((size, S, K, K))
    d_initial = np.zeros((size, K))
    predicted = np.empty((T, K))
    filtered = np.empty((T, K))
    ratio = np.empty((T, K))
    density = np.empty(T)
    backward = np.empty(K)
    arrival = np.empty(K)
    for b in range(size):
        e = log_emission[b if log_emission.shape[0] > 1 else 0]
        P = transition[b if transition.shape[0] > 1 else 0]
        law = initial[b if initial.shape[0] > 1 else 0]
        possible = _forward(K, e, P, law, predicted, filtered, ratio, density)
        value[b] = density.sum()
        if not possible:
            continue
        backward[:] = 1.0
        for t in range(T - 1, -1, -1):
            for j in range(K):
                d_emission[b, t, j] = filtered[t, j] * backward[j]
            _arrive(K, t, ratio, backward, arrival)
            if t > 0:
                s = t - 1 if S > 1 else 0
                for i in range(K):
                    for j in range(K):
                        d_transition[b, s, i, j] += filtered[t - 1, i] * arrival[j]
                _step_back(K, s, P, arrival, backward)
        d_initial[b] = arrival
    return value, d_emission, d_transition, d_initial


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


@compiled
def most_likely(
    log_emission: Floats, log_transition: Floats, log_initial: Floats, size: int
) -> tuple[Integers, Floats]:
    """Return the likeliest path ``[B, T]`` (of equals, the lowest states) and its joint log density ``[B]``."""
    T, K = log_emission.shape[1:]
    path = np.empty((size, T), dtype=np.int64)
    best = np.empty(size)
    came_from = np.empty((T, K), dtype=np.int64)
    score = np.empty(K)
    before = np.empty(K)
    for b in range(size):
        e = log_emission[b if log_emission.shape[0] > 1 else 0]
        law = log_initial[b if log_initial.shape[0] > 1 else 0]
        for j in range(K):
            score[j] = law[j] + e[0, j]
        P = log_transition[b if log_transition.shape[0] > 1 else 0]
        for t in range(1, T):
            s = t - 1 if P.shape[0] > 1 else 0
            before[:] = score
            for j in range(K):
                origin = 0
                for i in range(1, K):
                    if before[i] + P[s, i, j] > before[origin] + P[s, origin, j]:
                        origin = i
                came_from[t, j] = origin
                score[j] = before[origin] + P[s, origin, j] + e[t, j]
        path[b, T - 1] = np.argmax(score)
        best[b] = score[path[b, T - 1]]
        for t in range(T - 1, 0, -1):
            path[b, t - 1] = came_from[t, path[b, t]]
    return path, best


@compiled
def sampled(filtered: Floats, transition: Floats, uniforms: Floats) -> Integers:
    """Return paths drawn backwards given the whole series, one for each row of ``uniforms`` ``[N, B, T]``."""
    number, size, T = uniforms.shape
    K = filtered.shape[2]
    path = np.empty((number, size, T), dtype=np.int64)
    heaped = np.empty(K)
    for n in range(number):
        for b in range(size):
            P = transition[b if transition.shape[0] > 1 else 0]
            following = 0
            for t in range(T - 1, -1, -1):
                s = t if P.shape[0] > 1 else 0
                total = 0.0
                for i in range(K):
                    total += filtered[b, t, i] * (P[s, i, following] if t < T - 1 else 1.0)
                    heaped[i] = total
                state = 0
                while state < K - 1 and heaped[state] <= uniforms[n, b, t] * total:
                    state += 1
                path[n, b, t] = state
                following = state
    return path
