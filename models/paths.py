"""Compiled paths of a finite Markov chain: the likeliest one, and draws of it.

Both do the series ``begin`` to ``end - 1`` and fill arrays given to them, as the kernels of ``models.kernels`` do.
"""

import numpy as np

from models.kernels import Floats, Integers, compiled


@compiled
def most_likely(
    begin: int,
    end: int,
    log_emission: Floats,
    log_transition: Floats,
    log_initial: Floats,
    path: Integers,
    best: Floats,
) -> None:
    """Fill the likeliest path ``[B, T]`` (of equals, the lowest states) and its joint log density ``[B]``."""
    T, K = log_emission.shape[1:]
    came_from = np.empty((T, K), dtype=np.int64)
    score = np.empty(K)
    before = np.empty(K)
    for b in range(begin, end):
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


@compiled
def sampled(begin: int, end: int, smoothed: Floats, pairs: Floats, uniforms: Floats, path: Integers) -> None:
    """Fill paths ``[N * B, T]`` drawn backwards given the whole series, by ``uniforms`` of that shape.

    The state of the last month follows its smoothed law ``[B, T, K]``, each earlier one the joint law with
    its successor ``[B, T-1, K, K]``.
    """
    size, T, K = smoothed.shape
    heaped = np.empty(K)
    for n in range(begin, end):
        b = n % size
        following = 0
        for t in range(T - 1, -1, -1):
            total = 0.0
            for i in range(K):
                total += pairs[b, t, i, following] if t < T - 1 else smoothed[b, t, i]
                heaped[i] = total
            state = 0
            while state < K - 1 and heaped[state] <= uniforms[n, t] * total:
                state += 1
            path[n, t] = state
            following = state
