"""How a spell ends month by month when its length is negative binomial: the hazard of each age, and its slopes.

    d - 1 ~ NegBinomial(mean = average - 1, shape = r)         P(d = n + 1) = p[n],  p[n+1] = p[n] ρ[n]
    ρ[n] = q (n + r) / (n + 1),  q = (average - 1) / (average - 1 + r)
    hazard[a] = p[a-1] / P(d ≥ a)                              a = 1 … m
    months[a] = P(d ≥ a), a < m;   months[m] = P(d ≥ m) / hazard[m]

The last age keeps its hazard, so lengths from m on have a geometric tail and shorter ones are exact; `months` is how
many months of a spell are spent at each age. With r = 1 every hazard is 1/average, a chain without memory; r > 1
is a spell with a length of its own, r < 1 many short spells and a few long ones.

The hazard of the last age is p over what the earlier ages leave, or, where that is so little that the difference would
be noise, the continued fraction of the incomplete beta function, whose leading factor is p itself (Abramowitz and
Stegun 26.5.8). From there h[n] = h[n+1] / (h[n+1] + ρ[n]): nothing is ever subtracted.
"""

import numpy as np

from models.kernels import Floats, compiled, inlined

MUCH = 0.01  # of all spells: if more reach the last age, what the earlier ones leave is exact to 14 digits
EXACT = 1e-17  # error at which the continued fraction is cut
LEAST = 1e-300  # of a hazard
LONGEST = 20_000  # terms of the fraction: exact to a shape of 1e8, beyond which a sampler only strays


@inlined
def _fraction(age: float, r: float, q: float) -> tuple[float, float, float]:
    """Return p / P(d > age) deep in the tail and its slopes in r and q; ``age`` counts from 0 and is at least 1."""
    root = np.sqrt(max(1.0 - q, 1e-12))
    rate = ((1.0 - root) / (1.0 + root)) ** 2
    wanted = 10.0 + 2.0 * np.sqrt(age + r) + np.log(EXACT) / np.log(max(rate, 1e-6))
    terms = int(min(wanted, LONGEST))
    c, c_r, c_q = 1.0, 0.0, 0.0
    for m in range(terms, -1, -1):
        if m < terms:
            of_q = (m + 1.0) * (r - m - 1.0) / ((age + 2.0 * m + 1.0) * (age + 2.0 * m + 2.0))
            of_r = (m + 1.0) * q / ((age + 2.0 * m + 1.0) * (age + 2.0 * m + 2.0))
            c, c_r, c_q = _link(c, c_r, c_q, of_q * q, of_r, of_q)
        of_q = -(age + m) * (age + r + m) / ((age + 2.0 * m) * (age + 2.0 * m + 1.0))
        of_r = -(age + m) * q / ((age + 2.0 * m) * (age + 2.0 * m + 1.0))
        c, c_r, c_q = _link(c, c_r, c_q, of_q * q, of_r, of_q)
    return c, c_r, c_q


@inlined
def _link(c: float, c_r: float, c_q: float, d: float, d_r: float, d_q: float) -> tuple[float, float, float]:
    """Return 1 + d / c and its slopes."""
    return 1.0 + d / c, (d_r - d * c_r / c) / c, (d_q - d * c_q / c) / c


@inlined
def _hazards(average: float, r: float, hazard: Floats, slope: Floats) -> None:
    """Fill the hazards ``[m]`` of one regime and their slopes in the average and in r, ``[2, m]``."""
    last = hazard.size - 1
    mean = average - 1.0
    q = mean / (mean + r)
    q_mean, q_r = r / (mean + r) ** 2, -mean / (mean + r) ** 2
    grown = np.log1p(mean / r)
    p = np.exp(-r * grown)
    p_mean, p_r = -p * r / (mean + r), p * (q - grown)
    left, left_mean, left_r = 1.0, 0.0, 0.0
    for n in range(last):
        left, left_mean, left_r = left - p, left_mean - p_mean, left_r - p_r
        times, ratio = (n + r) / (n + 1.0), q * (n + r) / (n + 1.0)
        p_mean = p_mean * ratio + p * q_mean * times
        p_r = p_r * ratio + p * (q_r * times + q / (n + 1.0))
        p *= ratio
    if left > MUCH:
        h = p / left
        h_mean, h_r = (p_mean - h * left_mean) / left, (p_r - h * left_r) / left
    else:
        h, h_r, h_q = _fraction(float(last), r, q)
        h_mean, h_r = h_q * q_mean, h_r + h_q * q_r
    for n in range(last, -1, -1):
        if n < last:
            times, ratio = (n + r) / (n + 1.0), q * (n + r) / (n + 1.0)
            whole = h + ratio
            h_mean = (h_mean * ratio - h * q_mean * times) / whole**2
            h_r = (h_r * ratio - h * (q_r * times + q / (n + 1.0))) / whole**2
            h /= whole
        h = max(h, LEAST)
        hazard[n], slope[0, n], slope[1, n] = h, h_mean, h_r


@compiled
def ends(average: Floats, shape: Floats, ages: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return hazards and months of each age, and their slopes in the average and in the shape.

    ``average`` (months, at least 1) and ``shape`` (r) are ``[B, K]``; the results ``[B, K, m]`` twice, then their slopes
    ``[B, 2, K, m]`` twice, with the average before the shape.
    """
    B, K = average.shape
    hazard, months = np.empty((B, K, ages)), np.empty((B, K, ages))
    d_hazard, d_months = np.empty((B, 2, K, ages)), np.empty((B, 2, K, ages))
    slope = np.empty((2, ages))
    for b in range(B):
        for k in range(K):
            _hazards(average[b, k], shape[b, k], hazard[b, k], slope)
            reached, reached_a, reached_r = 1.0, 0.0, 0.0
            for a in range(ages):
                h = hazard[b, k, a]
                if a == ages - 1:
                    reached_a = (reached_a - reached / h * slope[0, a]) / h
                    reached_r = (reached_r - reached / h * slope[1, a]) / h
                    reached /= h
                months[b, k, a] = reached
                d_months[b, 0, k, a], d_months[b, 1, k, a] = reached_a, reached_r
                d_hazard[b, 0, k, a], d_hazard[b, 1, k, a] = slope[0, a], slope[1, a]
                reached_a = reached_a * (1.0 - h) - reached * slope[0, a]
                reached_r = reached_r * (1.0 - h) - reached * slope[1, a]
                reached *= 1.0 - h
    return hazard, months, d_hazard, d_months
