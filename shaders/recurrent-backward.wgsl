// One step back of a recurrent layer, tick.x of T from its last: a thread has one unit, or four (WIDE), of SAMPLES samples, as the way
// forth. The gradient of its output is what comes for y, and the gates of the step that came after, by the recurrent weight; of what it
// held, what that step has left in `carried`. With START one more tick gives the gradient of what the layer began with. STAGED takes two
// runs a step as the way forth does: the second gives r what comes from the last gate of all units, and hands on what r let through.
#if ${WIDE}
alias V = vec4f;
alias W = vec4u;
#else
alias V = f32;
alias W = u32;
#endif
struct Gates { p: V, q: V, r: V, s: V }
struct Slopes { gates: Gates, carried: V }
${MATH}
${CELL}
const SAMPLES = ${SAMPLES}u;
override BATCH: u32;
override STEPS: u32;
override UNITS: u32;  // in fours where WIDE
override REVERSE: u32;

#if ${STAGED}
const STAGES = 2u;
#else
const STAGES = 1u;
#endif

@group(0) @binding(0) var<storage, read> kept: array<V>;  // [B, T, 5 H]
@group(0) @binding(1) var<storage, read> u: array<V>;  // [H, G H]
@group(0) @binding(2) var<storage, read_write> gates_h: array<V>;  // [B, T, G H]: of the gates as the hidden units see them
@group(0) @binding(3) var<storage, read_write> carried: array<V>;  // [B, H]
@group(0) @binding(4) var<uniform> tick: vec4u;
#if ${DY}
@group(0) @binding(5) var<storage, read> dy: array<V>;  // [B, T, H]
#endif
#if ${DH}
@group(0) @binding(6) var<storage, read> dh: array<V>;  // [B, H]
#endif
#if ${DC}
@group(0) @binding(7) var<storage, read> dc: array<V>;  // [B, H]
#endif
#if ${MEMORY}
#if ${START}
@group(0) @binding(8) var<storage, read_write> dh0: array<V>;  // [B, H]
#endif
#endif
#if ${APART}
@group(0) @binding(8) var<storage, read_write> gates_x: array<V>;  // [B, T, G H]: as the input sees them
#endif

fn row_of(sample: u32, time: u32) -> u32 { return sample * STEPS + select(STEPS - 1 - time, time, REVERSE == 1); }

// Where the gates of a sample stand that its gradient comes from.
fn slopes_at(sample: u32) -> u32 { return row_of(sample, tick.x / STAGES + tick.x % STAGES - 1) * GATES * UNITS; }

#if ${WIDE}
// What four gates of all that comes after are to four units.
fn weights_at(at: u32) -> mat4x4f {
  return transpose(mat4x4f(u[at], u[at + GATES * UNITS], u[at + 2 * GATES * UNITS], u[at + 3 * GATES * UNITS]));
}

fn added(sum: V, by: V, weights: mat4x4f) -> V {
  return fma(V(by.w), weights[3], fma(V(by.z), weights[2], fma(V(by.y), weights[1], fma(V(by.x), weights[0], sum))));
}
#else
fn weights_at(at: u32) -> f32 { return u[at]; }

fn added(sum: V, by: V, weights: f32) -> V { return fma(by, weights, sum); }
#endif

fn finish(sample: u32, unit: u32, sum: V) {
  let i = sample * UNITS + unit;
  let time = tick.x / STAGES;
  let row = row_of(sample, time);
  var output = sum;
  var state = V();
  if (tick.x > 0) {
    state = carried[i];
  } else {
#if ${DH}
    output = dh[i];
#endif
#if ${DC}
    state = dc[i];
#endif
  }
  let at = row * 5 * UNITS + unit;
  let to = row * GATES * UNITS + unit;
#if ${STAGED}
  if (tick.x % STAGES == 1) {
    let open = Gates(kept[at], V(), V(), V());
    gates_h[to] = opened_slope(open, kept[at + 4 * UNITS], output);
    carried[i] = opened_carried(open, output, state);
    return;
  }
#endif
#if ${MEMORY}
#else
  output += state;
#endif
#if ${START}
  if (time == STEPS) {
#if ${MEMORY}
    dh0[i] = output;
#else
    carried[i] = output;
#endif
    return;
  }
#endif
#if ${DY}
  output += dy[row * UNITS + unit];
#endif
  let gates = Gates(kept[at], kept[at + UNITS], kept[at + 2 * UNITS], kept[at + 3 * UNITS]);
  let slopes = slopes_of(gates, kept[at + 4 * UNITS], output, state);
  carried[i] = slopes.carried;
  gates_h[to] = slopes.gates.p;
  gates_h[to + UNITS] = slopes.gates.q;
#if ${MEMORY}
  gates_h[to + 2 * UNITS] = slopes.gates.r;
  gates_h[to + 3 * UNITS] = slopes.gates.s;
#else
  gates_h[to + 2 * UNITS] = slopes.gates.s;
#endif
#if ${APART}
  gates_x[to] = slopes.gates.p;
  gates_x[to + UNITS] = slopes.gates.q;
  gates_x[to + 2 * UNITS] = slopes.gates.r;
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let first = i / UNITS * SAMPLES;
  if (first >= BATCH) { return; }
  let unit = i % UNITS;
  let begin = tick.x % STAGES * 2 * UNITS;
#if ${STAGED}
  let end = (2 + tick.x % STAGES) * UNITS;
#else
  let end = GATES * UNITS;
#endif
  // Beyond the last sample the last one is taken again, and not stored.
  ${SUMS}
  for (var k = begin; k < select(end, 0, tick.x == 0); k++) {
#if ${WIDE}
    let by = weights_at(unit * 4 * GATES * UNITS + k);
#else
    let by = weights_at(unit * GATES * UNITS + k);
#endif
    ${TERMS}
  }
  var sums = array<V, SAMPLES>(${ALL});
  for (var s = 0u; s < min(SAMPLES, BATCH - first); s++) { finish(first + s, unit, sums[s]); }
}
