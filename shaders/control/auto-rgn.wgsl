// Rates in proportion to the mean of |g| / |p| (Auto-RGN, Lee et al. 2023). Memory: 5 factor, 6 sum, 7 steps in it.
override RGN_STEPS: f32;
override RGN_MIN: f32;

fn reading_${N}(layer: u32, sum: Sum) -> f32 {
  let at = layer * 16;
  // Where a quotient leaves f32, nothing can be learnt of it.
  if (sum.p > 0 && is_finite(sum.g / sum.p)) { state[at + 6] += sqrt(sum.g / sum.p); }
  state[at + 7] += 1;
  return state[at + 6] / state[at + 7];
}

fn factor_${N}(layer: u32, sum: Sum, most: f32) -> f32 {
  let at = layer * 16;
  if (state[at + 7] >= RGN_STEPS) {
    // Means, since a layer that was frozen or at rest is at another place of its window.
    if (most > 0) { state[at + 5] = max(state[at + 6] / state[at + 7] / most, RGN_MIN); }
    state[at + 6] = 0;
    state[at + 7] = 0;
  }
  return state[at + 5];
}
