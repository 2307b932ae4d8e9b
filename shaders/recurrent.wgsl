// One step of a recurrent layer, tick.x of T: a thread has one unit of one sample. It adds up the hidden units of the step before by
// the recurrent weight, which its cell puts beside what comes from the input, and keeps for the way back four numbers of its gates and
// what it held. A unit of a cell with memory (MEMORY) holds c, any other its output. Sums over a cell with three gates have one twice.
alias V = f32;
alias W = u32;
struct Slopes { gates: vec4f, carried: f32 }
${MATH}
${CELL}
override BATCH: u32;
override STEPS: u32;
override UNITS: u32;
override REVERSE: u32;  // whether it goes from the last step to the first

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [B, T, G H]: the input by its weight, with the bias
@group(0) @binding(1) var<storage, read> u: array<f32>;  // [H, G H]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [B, T, H]
@group(0) @binding(3) var<storage, read_write> h: array<f32>;  // [B, H]: y of the last step
@group(0) @binding(4) var<storage, read_write> kept: array<f32>;  // [B, T, 5 H]
@group(0) @binding(5) var<uniform> tick: vec4u;
#if ${START}
@group(0) @binding(6) var<storage, read> h0: array<f32>;  // [B, H]
#endif
#if ${MEMORY}
@group(0) @binding(7) var<storage, read_write> c: array<f32>;  // [B, H]: of the step before, then of this one
#if ${START}
@group(0) @binding(8) var<storage, read> c0: array<f32>;  // [B, H]
#endif
#else
@group(0) @binding(7) var<storage, read> b: array<f32>;  // [G H]
#endif

fn line(at: u32) -> vec4f { return vec4f(u[at], u[at + UNITS], u[at + 2 * UNITS], u[at + (GATES - 1) * UNITS]); }

fn hidden_before(row: u32, sample: u32, unit: u32) -> f32 {
#if ${START}
  if (tick.x == 0) { return h0[sample * UNITS + unit]; }
#else
  if (tick.x == 0) { return 0; }
#endif
  return y[row * UNITS + unit];
}

fn held_before(i: u32, hidden: f32) -> f32 {
#if ${MEMORY}
#if ${START}
  if (tick.x == 0) { return c0[i]; }
#else
  if (tick.x == 0) { return 0; }
#endif
  return c[i];
#else
  return hidden;
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * UNITS) { return; }
  let sample = i / UNITS;
  let unit = i % UNITS;
  let row = sample * STEPS + select(tick.x, STEPS - 1 - tick.x, REVERSE == 1);
  let before = select(row - 1, row + 1, REVERSE == 1);

#if ${MEMORY}
  var sum = vec4f();
#else
  var sum = vec4f(b[unit], b[unit + UNITS], b[unit + 2 * UNITS], 0);
#endif
  for (var k = 0u; k < UNITS; k++) {
    sum = fma(vec4f(hidden_before(before, sample, k)), line(k * GATES * UNITS + unit), sum);
  }
  let at = row * GATES * UNITS + unit;
  let gates = gated(vec4f(x[at], x[at + UNITS], x[at + 2 * UNITS], x[at + (GATES - 1) * UNITS]), sum);
  let last = held_before(i, hidden_before(before, sample, unit));
  let state = state_of(gates, last);
  let output = output_of(gates, state);
  y[row * UNITS + unit] = output;
  h[i] = output;
#if ${MEMORY}
  c[i] = state;
#endif
  let to = row * 5 * UNITS + unit;
  kept[to] = gates.x;
  kept[to + UNITS] = gates.y;
  kept[to + 2 * UNITS] = gates.z;
  kept[to + 3 * UNITS] = gates.w;
  kept[to + 4 * UNITS] = last;
}
