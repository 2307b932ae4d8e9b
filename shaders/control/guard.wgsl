// A bad gradient, or GUARD_FACTOR times its running mean, rests the layer for REST steps; then it goes on at half the rate, which
// recovers. Memory: 0 factor, 1 mean, 2 step after the rest, 3 steps in the mean.
override GUARD_FACTOR: f32;
override GUARD_DECAY: f32;
override GUARD_WARMUP: f32;
override REST: f32;
override RECOVERY: f32;

fn rests_${N}(layer: u32, sum: Sum) -> bool {
  let at = layer * 16;
  let now = f32(step.step);
  if (now < state[at + 2]) { return true; }
  let length = sqrt(sum.g);
  if (sum.bad > 0 || !is_finite(sum.g) || (state[at + 3] >= GUARD_WARMUP && length > GUARD_FACTOR * state[at + 1])) {
    state[at] = max(state[at] * 0.5, 1.0 / 1024);
    state[at + 2] = now + REST;
    metrics[68 + layer] = step.step;
    return true;
  }
  state[at + 1] = select(mix(length, state[at + 1], GUARD_DECAY), length, state[at + 3] == 0);
  state[at + 3] += 1;
  state[at] = min(1, state[at] * RECOVERY);
  return false;
}

fn factor_${N}(layer: u32, sum: Sum, most: f32) -> f32 { return state[layer * 16]; }
