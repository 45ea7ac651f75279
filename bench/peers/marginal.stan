// The posterior of the bench: a chain of three regimes, marginalised by hmm_marginal, seen through negative binomials.
data {
  int K;
  int M;
  int T;
  array[T, M] int y;
  array[T, M] int seen;
  vector[K] dwell_mean;
  vector[K] dwell_sd;
  vector[M] level_mean;
  vector[M] level_sd;
  vector[M] spread_mean;
  vector[M] spread_sd;
  vector[2 * M] effect_mean;
  vector[2 * M] effect_sd;
  vector[K - 1] worth;
}
parameters {
  vector[K] dwell;
  vector[M] level;
  vector[M] spread;
  vector[2 * M] effect;
  array[K] simplex[K - 1] exits;
}
model {
  matrix[K, K] P;
  matrix[K, T] emission = rep_matrix(0, K, T);
  vector[K] hazard = inv_logit(-dwell);
  for (i in 1 : K) {
    for (j in 1 : K) {
      P[i, j] = i == j ? 1 - hazard[i] : hazard[i] * exits[i][j < i ? j : j - 1];
    }
  }
  for (s in 1 : M) {
    real phi = square(100 * exp(-spread[s]));
    vector[K] log_mean = level[s] + [effect[2 * s - 1], 0, effect[2 * s]]';
    for (t in 1 : T) {
      if (seen[t, s]) {
        for (k in 1 : K) {
          emission[k, t] += neg_binomial_2_log_lpmf(y[t, s] | log_mean[k], phi);
        }
      }
    }
  }
  dwell ~ normal(dwell_mean, dwell_sd);
  level ~ normal(level_mean, level_sd);
  spread ~ normal(spread_mean, spread_sd);
  effect ~ normal(effect_mean, effect_sd);
  exits ~ dirichlet(worth);
  target += hmm_marginal(emission, P, (identity_matrix(K) - P + 1)' \ ones_vector(K));
}
