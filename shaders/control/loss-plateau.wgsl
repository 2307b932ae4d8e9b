// The rate falls when the loss of the whole update no longer does; gradients from outside have none. Memory: 9 factor, 10 best
// reading, 11 readings that were no better, 12 cooldown, 13 sum, 14 losses in it.
override PLATEAU_STEPS: f32;
override PLATEAU_PATIENCE: f32;
override PLATEAU_FACTOR: f32;
override PLATEAU_THRESHOLD: f32;
override PLATEAU_COOLDOWN: f32;
override PLATEAU_MIN: f32;

fn factor_${N}(layer: u32, sum: Sum, most: f32) -> f32 {
  let at = layer * 16;
  if (metrics[2] == step.step) {
    state[at + 13] += bitcast<f32>(metrics[3]);
    state[at + 14] += 1;
    if (state[at + 14] >= PLATEAU_STEPS) {
      let mean = state[at + 13] / PLATEAU_STEPS;
      state[at + 13] = 0;
      state[at + 14] = 0;
      let better = mean < state[at + 10] * (1 - PLATEAU_THRESHOLD);
      if (better) { state[at + 10] = mean; }
      state[at + 11] = select(state[at + 11] + 1, 0, better);
      if (state[at + 12] > 0) {
        state[at + 12] -= 1;
        state[at + 11] = 0;
      }
      if (state[at + 11] > PLATEAU_PATIENCE) {
        state[at + 9] = max(state[at + 9] * PLATEAU_FACTOR, PLATEAU_MIN);
        state[at + 12] = PLATEAU_COOLDOWN;
        state[at + 11] = 0;
      }
    }
  }
  return state[at + 9];
}
