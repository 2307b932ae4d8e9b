// The rate grows while gradients agree with the last step (Baydin et al. 2018). Memory: 8 factor.
override HYPER_RATE: f32;
override HYPER_MIN: f32;
override HYPER_MAX: f32;

fn factor_${N}(layer: u32, sum: Sum, most: f32) -> f32 {
  let at = layer * 16 + 8;
  let cosine = sum.gu / (sqrt(sum.g) * sqrt(sum.u));
  if (sum.g > 0 && sum.u > 0 && is_finite(sum.u) && is_finite(cosine)) {
    let push = 1 + HYPER_RATE * cosine;
    state[at] = clamp(state[at] * clamp(push, 0.5, 2), HYPER_MIN, HYPER_MAX);
  }
  return state[at];
}
