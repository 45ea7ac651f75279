"""The recursion of a chain whose regimes know how long they have lasted, in O(T (Σm + K²)) and not (Σm)².

The state is regime k and age a of 1 … m. From one month to the next

    (k, a) → (k, a + 1)  with 1 - hazard[k,a]         the last age stays where it is
    (k, a) → (j, 1)      with hazard[k,a] go[k,j]     j ≠ k; the diagonal of go is never looked at

and a month shows the same whatever the age. Regimes are carried in logarithms and the ages of each as a law that sums
to one, so no month can underflow: f[t](k, a) = exp(mass[t,k]) ages[t,k,a]. Backward, b[t](k, a) = exp(back[k]) h[k,a]
with the largest h one. The gradient needs no more than these.

Arguments are ``log_emission`` ``[B, T, K]``, ``hazard`` ``[B, S, K, m]``, ``go`` ``[B, S, K, K]`` and ``initial``
``[B, K, m]``; S is T-1, or 1 where every month is alike. With one age it is the plain Markov chain. Murphy, Hidden
semi-Markov models, UBC (2002); Yu, Hidden semi-Markov models, Artificial Intelligence 174 (2010).
"""

import numpy as np

from models.kernels import LARGE, LARGE_LOG, Floats, compiled, inlined


@inlined
def _log(x: float) -> float:
    return float(np.log(x)) if x > 0.0 else -np.inf


@inlined
def _exp(x: float) -> float:
    """Return exp x, held below what a derivative may be."""
    return float(np.exp(min(x, LARGE_LOG))) if x > -np.inf else 0.0


@inlined
def _both(x: float, y: float) -> float:
    """Return ln(exp x + exp y)."""
    top = max(x, y)
    return float(top + np.log1p(np.exp(min(x, y) - top))) if top > -np.inf else -np.inf


@inlined
def _log_sum(x: Floats) -> float:
    top, total = -np.inf, 0.0
    for k in range(x.size):
        top = max(top, x[k])
    if not -np.inf < top < np.inf:
        return top
    for k in range(x.size):
        total += np.exp(x[k] - top)
    return float(top + np.log(total))


@inlined
def _split(law: Floats, share: Floats) -> float:
    """Write a regime's law over ages, made to sum to one, into ``share``; return the log of its sum."""
    total = law.sum()
    for a in range(law.size):
        share[a] = law[a] / total if total > 0.0 else 0.0
    return float(_log(total))


@inlined
def _ends(share: Floats, hazard: Floats) -> float:
    """Return the probability that a regime ends, under a law of its age."""
    total = 0.0
    for a in range(share.size):
        total += share[a] * hazard[a]
    return float(total)


@inlined
def _grow(share: Floats, hazard: Floats, older: Floats) -> float:
    """Write a law of ages a month on, of those that stay, into ``older``; return the probability of staying."""
    last = share.size - 1
    total = share[last] * (1.0 - hazard[last])
    older[0] = 0.0
    older[last] = total
    for a in range(last - 1):
        stays = share[a] * (1.0 - hazard[a])
        older[a + 1] = stays
        total += stays
    if last > 0:
        stays = share[last - 1] * (1.0 - hazard[last - 1])
        older[last] += stays
        total += stays
    return float(total)


@inlined
def _forward(
    e: Floats,
    hazard: Floats,
    log_go: Floats,
    initial: Floats,
    predicted: Floats,
    mass: Floats,
    ages: Floats,
    leaving: Floats,
    density: Floats,
) -> bool:
    """Run forward through one series into the last five arguments; return whether it is possible.

    ``predicted`` and ``mass`` ``[T, K]`` are logs of laws of the regimes before and after a month's data, ``ages``
    ``[T, K, m]`` laws given the regime, ``leaving`` ``[T, K]`` logs of the probability that a regime ends, ``density``
    ``[T]``.
    """
    T, K = e.shape
    m = hazard.shape[2]
    for t in range(T):
        s = t - 1 if hazard.shape[0] > 1 else 0
        if t == 0:
            for k in range(K):
                predicted[0, k] = _split(initial[k], ages[0, k])
                mass[0, k] = predicted[0, k] + e[0, k]
        else:
            for k in range(K):
                leaving[t - 1, k] = _log(_ends(ages[t - 1, k], hazard[s, k]))
            for k in range(K):
                enter = -np.inf
                for j in range(K):
                    if j != k:
                        enter = _both(enter, mass[t - 1, j] + leaving[t - 1, j] + log_go[s, j, k])
                stays = _grow(ages[t - 1, k], hazard[s, k], ages[t, k])
                law = _both(enter, mass[t - 1, k] + _log(stays))
                kept = _exp(mass[t - 1, k] - law) if law > -np.inf else 0.0
                for a in range(m):
                    ages[t, k, a] *= kept
                ages[t, k, 0] += _exp(enter - law) if law > -np.inf else 0.0
                predicted[t, k] = law
                mass[t, k] = law + e[t, k]
        density[t] = _log_sum(mass[t])
        if not -np.inf < density[t] < np.inf:
            density[t:] = -np.inf
            return False
        for k in range(K):
            mass[t, k] -= density[t]
    return True


@inlined
def _logs(go: Floats) -> Floats:
    logs = np.empty(go.shape)
    for s in range(go.shape[0]):
        for i in range(go.shape[1]):
            for j in range(go.shape[2]):
                logs[s, i, j] = _log(go[s, i, j])
    return logs


@compiled
def forward(
    log_emission: Floats, hazard: Floats, go: Floats, initial: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return laws of the regimes before each month's data ``[B, T, K]``, filtered laws ``[B, T, K, m]``, densities ``[B, T]``.

    From the first impossible month on the density is -inf and the laws are NaN.
    """
    B, T, K = log_emission.shape
    m = hazard.shape[3]
    before, after = np.full((B, T, K), np.nan), np.full((B, T, K, m), np.nan)
    density, predicted, mass = np.empty((B, T)), np.empty((T, K)), np.empty((T, K))
    ages, leaving = np.empty((T, K, m)), np.empty((T, K))
    for b in range(B):
        logs = _logs(go[b])
        _forward(log_emission[b], hazard[b], logs, initial[b], predicted, mass, ages, leaving, density[b])
        for t in range(T):
            if density[b, t] == -np.inf:
                break
            for k in range(K):
                before[b, t, k] = np.exp(predicted[t, k])
                for a in range(m):
                    after[b, t, k, a] = np.exp(mass[t, k]) * ages[t, k, a]
    return before, after, density


@compiled
def gradients(
    log_emission: Floats, hazard: Floats, go: Floats, initial: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return log likelihoods ``[B]`` and their derivatives in each argument; those in log emissions are smoothed laws.

    Where one hazard or one matrix serves all months its derivative is the sum over months. An impossible series has
    the value -inf and derivatives of zero.
    """
    B, T, K = log_emission.shape
    m = hazard.shape[3]
    value, d_emission = np.empty(B), np.zeros((B, T, K))
    d_hazard, d_go, d_initial = np.zeros(hazard.shape), np.zeros(go.shape), np.zeros(initial.shape)
    predicted, mass, leaving = np.empty((T, K)), np.empty((T, K)), np.empty((T, K))
    ages, density = np.empty((T, K, m)), np.empty(T)
    for b in range(B):
        logs = _logs(go[b])
        e, h = log_emission[b], hazard[b]
        value[b] = -np.inf
        if _forward(e, h, logs, initial[b], predicted, mass, ages, leaving, density):
            value[b] = density.sum()
            _backward(
                e, h, logs, mass, ages, leaving, density, d_emission[b], d_hazard[b], d_go[b], d_initial[b]
            )
    return value, d_emission, d_hazard, d_go, d_initial


@inlined
def _backward(
    e: Floats,
    hazard: Floats,
    log_go: Floats,
    mass: Floats,
    ages: Floats,
    leaving: Floats,
    density: Floats,
    d_emission: Floats,
    d_hazard: Floats,
    d_go: Floats,
    d_initial: Floats,
) -> None:
    """Add the derivatives of one possible series to the last four arguments."""
    T, K = e.shape
    m = hazard.shape[2]
    back, arrive, h, earlier = np.zeros(K), np.empty(K), np.ones((K, m)), np.empty((K, m))
    for t in range(T - 1, -1, -1):
        for k in range(K):
            weight = 0.0
            for a in range(m):
                weight += ages[t, k, a] * h[k, a]
            d_emission[t, k] = _exp(mass[t, k] + back[k]) * weight
            arrive[k] = e[t, k] + back[k] - density[t]
        if t == 0:
            for k in range(K):
                for a in range(m):
                    d_initial[k, a] = min(LARGE, _exp(arrive[k]) * h[k, a])
            return
        s = t - 1 if hazard.shape[0] > 1 else 0
        for k in range(K):
            gone = -np.inf
            for j in range(K):
                if j != k:
                    gone = _both(gone, log_go[s, k, j] + arrive[j] + _log(h[j, 0]))
                    d_go[s, k, j] += _exp(mass[t - 1, k] + leaving[t - 1, k] + arrive[j]) * h[j, 0]
            top, largest = max(gone, arrive[k]), 0.0
            away, along = (_exp(gone - top), _exp(arrive[k] - top)) if top > -np.inf else (0.0, 0.0)
            scale = _exp(mass[t - 1, k] + top)
            for a in range(m):
                stay = along * (h[k, a + 1] if a < m - 1 else h[k, a])
                gain = scale * (away - stay)
                d_hazard[s, k, a] += ages[t - 1, k, a] * gain
                earlier[k, a] = hazard[s, k, a] * away + (1.0 - hazard[s, k, a]) * stay
                largest = max(largest, earlier[k, a])
            back[k] = top + _log(largest)
            for a in range(m):
                earlier[k, a] = earlier[k, a] / largest if largest > 0.0 else 1.0
        h[:] = earlier


def step(law: Floats, hazard: Floats, go: Floats) -> Floats:
    """Return the law ``[..., K, m]`` a month on, under hazards ``[..., K, m]`` and exits ``[..., K, K]``."""
    stays = law * (1.0 - hazard)
    moved = np.zeros(np.broadcast_shapes(law.shape, hazard.shape))
    moved[..., 1:] += stays[..., :-1]
    moved[..., -1] += stays[..., -1]
    moved[..., 0] += np.einsum("...i,...ij->...j", (law * hazard).sum(axis=-1), go)
    return moved


def expanded(hazard: Floats, go: Floats) -> Floats:
    """Return the transition matrix between all states ``[..., K m, K m]``, ages of a regime side by side."""
    *head, K, m = hazard.shape
    P = np.zeros((*head, K, m, K, m))
    for k in range(K):
        for a in range(m):
            P[..., k, a, :, 0] = hazard[..., k, a, None] * go[..., k, :]
            P[..., k, a, k, min(a + 1, m - 1)] += 1.0 - hazard[..., k, a]
    return P.reshape(*head, K * m, K * m)
