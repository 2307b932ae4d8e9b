// The controllers: from the norms of this step to the layer table that the update reads. A layer's scale is the product of
// what its controllers say; a layer that rests gets rows of 0. One thread a layer, one workgroup for all; every sum has a
// fixed order. GUARD: a bad gradient, or GUARD_FACTOR times its running mean, rests the layer for REST steps; a bad one in a layer
// that no guard steers halts the step, and then nothing here changes.
// RATIO: |dp| / |p| is steered to RATIO_TARGET. RGN: rates in proportion to |g| / |p| (Auto-RGN, Lee et al. 2023). HYPER: the
// rate grows while gradients agree with the last step (Baydin et al. 2018). PLATEAU: it falls when the loss no longer does.
${STEP}
${FINITE}
override LAYERS: u32;
#if ${CLIPPED}
override CLIP: f32;
#endif
#if ${GUARD}
override GUARD_FACTOR: f32;
override GUARD_DECAY: f32;
override GUARD_WARMUP: f32;
override REST: f32;
override RECOVERY: f32;
#endif
#if ${RATIO}
override RATIO_TARGET: f32;
override RATIO_POWER: f32;
override RATIO_MIN: f32;
override RATIO_MAX: f32;
#endif
#if ${RGN}
override RGN_STEPS: f32;
override RGN_MIN: f32;
#endif
#if ${HYPER}
override HYPER_RATE: f32;
override HYPER_MIN: f32;
override HYPER_MAX: f32;
#endif
#if ${PLATEAU}
override PLATEAU_STEPS: f32;
override PLATEAU_PATIENCE: f32;
override PLATEAU_FACTOR: f32;
override PLATEAU_THRESHOLD: f32;
override PLATEAU_COOLDOWN: f32;
override PLATEAU_MIN: f32;
#endif
// Which numbers of a row hold the rate, by rule.
const RATE_FIELDS = array<vec4f, ${RULES}>(${RATE_FIELDS});

@group(0) @binding(0) var<storage, read> layers: array<u32>;  // [LAYERS, 3]: first member, members, controllers; then row numbers
@group(0) @binding(1) var<storage, read> spans: array<vec4u>;  // [rows]: first block, blocks, rule
@group(0) @binding(2) var<storage, read> norms: array<vec4f>;  // [rows, 2]
@group(0) @binding(3) var<storage, read_write> metrics: array<u32>;  // status, slots, and the step of each layer's last alarm
@group(0) @binding(4) var<storage, read_write> state: array<f32>;  // [LAYERS, 16]
@group(0) @binding(5) var<storage, read_write> scales: array<vec2f>;  // [rows]: factors of the gradient and of the rate
@group(0) @binding(6) var<storage, read_write> effective: array<vec4f>;  // [rows]
${TABLE}  // [rows]

var<workgroup> sums: array<vec2f, 64>;
var<workgroup> bad_row: atomic<u32>;

struct Sum { g: f32, p: f32, u: f32, gu: f32, bad: f32, moved: f32, live: bool }

fn layer_sum(layer: u32) -> Sum {
  var sum = Sum();
  for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
    let row = layers[layers[layer * 3] + i];
    let one = norms[row * 2];
    let two = norms[row * 2 + 1];
    if (table[row].w == 0) { continue; }
    sum.live = true;
    sum.g += one.x;
    sum.p += one.y;
    sum.u += one.z;
    sum.gu += one.w;
    sum.bad += two.x;
    sum.moved += two.y;
  }
  return sum;
}

fn has(layer: u32, controller: u32) -> bool { return (layers[layer * 3 + 2] & controller) != 0; }

// Whether the layer sits this step out.
fn rests(layer: u32, sum: Sum) -> bool {
#if ${GUARD}
  let at = layer * 16;
  if (!has(layer, 1) || !sum.live) { return false; }
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
#endif
  return false;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var halted = metrics[0] != 0;
  // Most were asked where they were stored; where there is a guard, and with gradients from outside, it is done here.
  for (var layer = lane; layer < LAYERS; layer += 64) {
    if (has(layer, 1)) { continue; }
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      if (table[row].w != 0 && norms[row * 2 + 1].x > 0) { atomicMax(&bad_row, row + 1); }
    }
  }
  workgroupBarrier();
  let bad = atomicLoad(&bad_row);
  storageBarrier();
  if (lane == 0 && bad != 0 && !halted) {
    metrics[0] = step.step;
    metrics[1] = bad;
  }
  halted = halted || bad != 0;
  var own = vec2f();
  for (var layer = lane; layer < LAYERS; layer += 64) {
    let sum = layer_sum(layer);
    var live = sum.live && !halted;
    if (live) { live = !rests(layer, sum); }
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      effective[row] = select(vec4f(), table[row], live);
      if (sum.live && !live && !halted) { scales[row] = vec2f(1, 0); }
    }
    if (!live) { continue; }
    own.x += sum.g;
#if ${RGN}
    let at = layer * 16;
    if (!has(layer, 4)) { continue; }
    // Where a quotient leaves f32, nothing can be learnt of it.
    if (sum.p > 0 && is_finite(sum.g / sum.p)) { state[at + 6] += sqrt(sum.g / sum.p); }
    state[at + 7] += 1;
    own.y = max(own.y, state[at + 6] / state[at + 7]);
#endif
  }
  sums[lane] = own;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) {
      let other = sums[lane + width];
      sums[lane] = vec2f(sums[lane].x + other.x, max(sums[lane].y, other.y));
    }
  }
  workgroupBarrier();
  let all = sums[0];
  for (var layer = lane; layer < LAYERS; layer += 64) {
    let sum = layer_sum(layer);
    let at = layer * 16;
    var live = false;
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      live = live || effective[layers[layers[layer * 3] + i]].w != 0;
    }
    if (!live) { continue; }
    var scale = state[at];
#if ${RATIO}
    if (has(layer, 2)) {
      let moved = sum.moved / sum.p;
      if (sum.moved > 0 && sum.p > 0 && is_finite(moved)) {
        let push = pow(RATIO_TARGET / sqrt(moved), RATIO_POWER);
        state[at + 4] = clamp(state[at + 4] * clamp(push, 0.5, 2), RATIO_MIN, RATIO_MAX);
      }
      scale *= state[at + 4];
    }
#endif
#if ${RGN}
    if (has(layer, 4)) {
      if (state[at + 7] >= RGN_STEPS) {
        // Means, since a layer that was frozen or at rest is at another place of its window.
        if (all.y > 0) { state[at + 5] = max(state[at + 6] / state[at + 7] / all.y, RGN_MIN); }
        state[at + 6] = 0;
        state[at + 7] = 0;
      }
      scale *= state[at + 5];
    }
#endif
#if ${HYPER}
    if (has(layer, 8)) {
      let cosine = sum.gu / (sqrt(sum.g) * sqrt(sum.u));
      if (sum.g > 0 && sum.u > 0 && is_finite(sum.u) && is_finite(cosine)) {
        let push = 1 + HYPER_RATE * cosine;
        state[at + 8] = clamp(state[at + 8] * clamp(push, 0.5, 2), HYPER_MIN, HYPER_MAX);
      }
      scale *= state[at + 8];
    }
#endif
#if ${PLATEAU}
    // The loss of the whole update, where there is one: gradients from outside have none.
    if (has(layer, 16)) {
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
      scale *= state[at + 9];
    }
#endif
    var clip = 1.0;
#if ${CLIPPED}
#if ${BY_LAYER}
    clip = min(1, CLIP / (sqrt(sum.g) + 1e-6));
#else
    clip = min(1, CLIP / (sqrt(all.x) + 1e-6));
#endif
#endif
    for (var i = 0u; i < layers[layer * 3 + 1]; i++) {
      let row = layers[layers[layer * 3] + i];
      effective[row] *= mix(vec4f(1), vec4f(scale), RATE_FIELDS[spans[row].z]);
      scales[row] = vec2f(clip, scale);
    }
  }
}
