"""The regimes summed out, and the slopes of what is left: hazards, exits, odds and the start behind the recursion.

The second half of ``models.fused``: forwards as in ``models.transitions``, backwards by hand. With initial law π
stationary, π (I - P + 1 1') = 1', a slope g in π is a slope π λ' in P, where (I - P + 1 1') λ = g.
"""

import numpy as np

from models import kernels
from models.kernels import Floats, Integers, compiled


@compiled
def _solve(A: Floats, b: Floats) -> Floats:
    """Return y with A y = b, by elimination with pivots; K is small."""
    K = b.size
    A, y = A.copy(), b.copy()
    for k in range(K):
        best = k
        for i in range(k + 1, K):
            if abs(A[i, k]) > abs(A[best, k]):
                best = i
        for j in range(K):
            A[k, j], A[best, j] = A[best, j], A[k, j]
        y[k], y[best] = y[best], y[k]
        for i in range(k + 1, K):
            factor = A[i, k] / A[k, k]
            for j in range(k, K):
                A[i, j] -= factor * A[k, j]
            y[i] -= factor * y[k]
    for k in range(K - 1, -1, -1):
        for j in range(k + 1, K):
            y[k] -= A[k, j] * y[j]
        y[k] /= A[k, k]
    return y


@compiled
def chain(
    emission: Floats,
    months: Floats,
    drivers: int,
    value: Floats,
    p: Floats,
    dwell: Integers,
    exits: Integers,
    start: Integers,
    odds: Integers,
    d_value: Floats,
    d_p: Floats,
) -> tuple[float, Floats]:
    """Return the log likelihood of the regimes and the smoothed laws ``[T, K]``; add to the adjoints."""
    T, K = emission.shape
    leave, go, d_go = np.empty(K), np.zeros((K, K)), np.zeros((K, K))
    for i in range(K):
        leave[i] = value[dwell[i, 0]] if dwell[i, 1] == 1 else 1.0 / value[dwell[i, 0]]
    for i, j, row, n in exits:
        go[i, j] = p[row, n] if row >= 0 else 1.0
    P = np.empty((K, K))
    for i in range(K):
        for j in range(K):
            P[i, j] = leave[i] * go[i, j]
        P[i, i] = 1.0 - leave[i]
    initial = np.zeros(K)
    A = np.ones((K, K)) - P
    if start.shape[0] == 0:
        for i in range(K):
            A[i, i] += 1.0
        initial = _solve(A.T.copy(), np.ones(K))
    for k, row, n in start:
        initial[k] = p[row, n] if row >= 0 else 1.0
    steps = P.reshape(1, K, K)
    if odds.shape[0] > 0:
        steps = _driven(months, drivers, leave, go, value, odds)
    found = kernels.gradients(emission.reshape(1, T, K), steps.reshape(1, -1, K, K), initial.reshape(1, K), 1)
    d_steps, d_initial = found[2][0], found[3][0]
    d_leave = np.zeros(K)
    if odds.shape[0] > 0:
        _undriven(months, drivers, leave, go, value, odds, steps, d_steps, d_leave, d_go, d_value)
        d_P = np.zeros((K, K))
    else:
        d_P = d_steps[0]
    if start.shape[0] == 0:
        lever = _solve(A, d_initial)
        for i in range(K):
            for j in range(K):
                d_P[i, j] += initial[i] * lever[j]
    for k, row, n in start:
        if row >= 0:
            d_p[row, n] += d_initial[k]
    for i in range(K):
        d_leave[i] -= d_P[i, i]
        for j in range(K):
            if i != j:
                d_leave[i] += d_P[i, j] * go[i, j]
                d_go[i, j] += d_P[i, j] * leave[i]
        d_value[dwell[i, 0]] += d_leave[i] if dwell[i, 1] == 1 else -d_leave[i] * leave[i] * leave[i]
    for i, j, row, n in exits:
        if row >= 0:
            d_p[row, n] += d_go[i, j]
    return found[0][0], found[1][0]


@compiled
def _still(months: Floats, drivers: int, odds: Integers, t: int) -> bool:
    """Tell whether all drivers are as they were the month before: many are for years, and P with them."""
    for o in range(odds.shape[0]):
        if months[t, drivers + odds[o, 1]] != months[t - 1, drivers + odds[o, 1]]:
            return False
    return True


@compiled
def _driven(months: Floats, drivers: int, leave: Floats, go: Floats, value: Floats, odds: Integers) -> Floats:
    """Return P for each step under the drivers, ``[T-1, K, K]``."""
    T, K = months.shape[0], leave.size
    steps = np.empty((T - 1, K, K))
    gamma, tilt = np.empty(K), np.empty((K, K))
    logs = np.empty(odds.shape[0])
    for o in range(odds.shape[0]):
        logs[o] = np.log(value[odds[o, 0]])
    for t in range(T - 1):
        if t > 0 and _still(months, drivers, odds, t):
            steps[t] = steps[t - 1]
            continue
        gamma[:] = 0.0
        tilt[:] = 0.0
        for o in range(odds.shape[0]):
            _, d, i, j = odds[o]
            if j < 0:
                gamma[i] += logs[o] * months[t, drivers + d]
            else:
                tilt[i, j] += logs[o] * months[t, drivers + d]
        for i in range(K):
            odd = leave[i] / (1.0 - leave[i]) * np.exp(gamma[i])
            total = 0.0
            for j in range(K):
                steps[t, i, j] = go[i, j] * np.exp(tilt[i, j]) if i != j else 0.0
                total += steps[t, i, j]
            for j in range(K):
                steps[t, i, j] *= odd / (1.0 + odd) / total
            steps[t, i, i] = 1.0 / (1.0 + odd)
    return steps


@compiled
def _undriven(
    months: Floats,
    drivers: int,
    leave: Floats,
    go: Floats,
    value: Floats,
    odds: Integers,
    steps: Floats,
    d_steps: Floats,
    d_leave: Floats,
    d_go: Floats,
    d_value: Floats,
) -> None:
    """Carry the slopes of each step's P back to hazards, exits and odds."""
    T, K = months.shape[0], leave.size
    at_odds, at_log, d_step = np.empty(K), np.empty((K, K)), np.zeros((K, K))
    for t in range(T - 1):
        d_step += d_steps[t]
        if t < T - 2 and _still(months, drivers, odds, t + 1):
            continue
        for i in range(K):
            left = 1.0 - steps[t, i, i]
            d_left, mean = -d_step[i, i], 0.0
            for j in range(K):
                if i != j and left > 0.0:
                    mean += d_step[i, j] * steps[t, i, j] / left
            d_left += mean
            at_odds[i] = d_left * left * (1.0 - left)
            d_leave[i] += at_odds[i] / (leave[i] * (1.0 - leave[i]))
            for j in range(K):
                at_log[i, j] = 0.0
                if i != j and go[i, j] > 0.0:
                    at_log[i, j] = steps[t, i, j] * (d_step[i, j] - mean)
                    d_go[i, j] += at_log[i, j] / go[i, j]
        for o in range(odds.shape[0]):
            key, d, i, j = odds[o]
            d_log = at_odds[i] if j < 0 else at_log[i, j]
            d_value[key] += d_log * months[t, drivers + d] / value[key]
        d_step[:] = 0.0


@compiled
def own(months: Floats, value: Floats, chains: Integers, d_value: Floats) -> float:
    """Return the log likelihood of the yes-or-no streams that are chains of their own."""
    total = 0.0
    P, law = np.empty((1, 1, 2, 2)), np.empty((1, 2))
    for off_key, on_key, at in chains:
        off, on = value[off_key], value[on_key]
        P[0, 0, 0, 0], P[0, 0, 0, 1], P[0, 0, 1, 0], P[0, 0, 1, 1] = off, 1.0 - off, 1.0 - on, on
        rest = 2.0 - on - off
        law[0, 0], law[0, 1] = (1.0 - on) / rest, (1.0 - off) / rest
        known = months[:, at : at + 2].copy().reshape(1, -1, 2)
        found, _, d_P, d_law = kernels.gradients(known, P, law, 1)
        total += found[0]
        apart = (d_law[0, 0] - d_law[0, 1]) / (rest * rest)
        d_value[off_key] += d_P[0, 0, 0, 0] - d_P[0, 0, 0, 1] + apart * (1.0 - on)
        d_value[on_key] += d_P[0, 0, 1, 1] - d_P[0, 0, 1, 0] - apart * (1.0 - off)
    return total
