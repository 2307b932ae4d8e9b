// |dp| / |p| of the last step is steered to RATIO_TARGET. Memory: 4 factor.
override RATIO_TARGET: f32;
override RATIO_POWER: f32;
override RATIO_MIN: f32;
override RATIO_MAX: f32;

fn factor_${N}(layer: u32, sum: Sum, most: f32) -> f32 {
  let at = layer * 16 + 4;
  let moved = sum.moved / sum.p;
  if (sum.moved > 0 && sum.p > 0 && is_finite(moved)) {
    let push = pow(RATIO_TARGET / sqrt(moved), RATIO_POWER);
    state[at] = clamp(state[at] * clamp(push, 0.5, 2), RATIO_MIN, RATIO_MAX);
  }
  return state[at];
}
