// One step of a recurrent layer, tick.x of T: a thread has one unit of one sample, or four (WIDE). It adds up the hidden units of the
// step before by the recurrent weight, which its cell puts beside what comes from the input, and keeps for the way back four numbers of
// its gates and what it held. A unit of a cell with memory (MEMORY) holds c, any other its output. Of three gates the last is taken
// twice. Where the last of three gates is made of what the first lets through of all units (STAGED) a step takes two runs, tick.x of
// 2 T: the first leaves in `kept` what there is to multiply in the second.
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
override BATCH: u32;
override STEPS: u32;
override UNITS: u32;  // in fours where WIDE
override REVERSE: u32;  // whether it goes from the last step to the first

#if ${STAGED}
const STAGES = 2u;
#else
const STAGES = 1u;
#endif

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, T, G H]: the input by its weight, with the bias
@group(0) @binding(1) var<storage, read> u: array<V>;  // [H, G H]
@group(0) @binding(2) var<storage, read_write> y: array<V>;  // [B, T, H]
@group(0) @binding(3) var<storage, read_write> h: array<V>;  // [B, H]: y of the last step
@group(0) @binding(4) var<storage, read_write> kept: array<V>;  // [B, T, 5 H]
@group(0) @binding(5) var<uniform> tick: vec4u;
#if ${START}
@group(0) @binding(6) var<storage, read> h0: array<V>;  // [B, H]
#endif
#if ${MEMORY}
@group(0) @binding(7) var<storage, read_write> c: array<V>;  // [B, H]: of the step before, then of this one
#if ${START}
@group(0) @binding(8) var<storage, read> c0: array<V>;  // [B, H]
#endif
#endif
#if ${BIASED}
@group(0) @binding(7) var<storage, read> b: array<V>;  // [G H]
#endif

fn added(sum: Gates, by: f32, at: u32) -> Gates {
#if ${STAGED}
  if (tick.x % STAGES == 1) { return Gates(sum.p, sum.q, fma(V(by), u[at + 2 * UNITS], sum.r), sum.s); }
  return Gates(fma(V(by), u[at], sum.p), fma(V(by), u[at + UNITS], sum.q), sum.r, sum.s);
#else
  return Gates(
    fma(V(by), u[at], sum.p),
    fma(V(by), u[at + UNITS], sum.q),
    fma(V(by), u[at + 2 * UNITS], sum.r),
    fma(V(by), u[at + (GATES - 1) * UNITS], sum.s));
#endif
}

fn hidden_before(row: u32, sample: u32, unit: u32) -> V {
#if ${START}
  if (tick.x < STAGES) { return h0[sample * UNITS + unit]; }
#else
  if (tick.x < STAGES) { return V(); }
#endif
  return y[row * UNITS + unit];
}

fn held_before(i: u32, hidden: V) -> V {
#if ${MEMORY}
#if ${START}
  if (tick.x < STAGES) { return c0[i]; }
#else
  if (tick.x < STAGES) { return V(); }
#endif
  return c[i];
#else
  return hidden;
#endif
}

fn multiplied(row: u32, before: u32, sample: u32, unit: u32) -> V {
#if ${STAGED}
  if (tick.x % STAGES == 1) { return kept[(row * 5 + 3) * UNITS + unit]; }
#endif
  return hidden_before(before, sample, unit);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * UNITS) { return; }
  let sample = i / UNITS;
  let unit = i % UNITS;
  let time = tick.x / STAGES;
  let row = sample * STEPS + select(time, STEPS - 1 - time, REVERSE == 1);
  let before = select(row - 1, row + 1, REVERSE == 1);

#if ${BIASED}
  var sum = Gates(b[unit], b[unit + UNITS], b[unit + 2 * UNITS], V());
#else
  var sum = Gates();
#endif
  for (var k = 0u; k < UNITS; k++) {
    let hidden = multiplied(row, before, sample, k);
#if ${WIDE}
    let at = k * 4 * GATES * UNITS + unit;
    sum = added(sum, hidden.x, at);
    sum = added(sum, hidden.y, at + GATES * UNITS);
    sum = added(sum, hidden.z, at + 2 * GATES * UNITS);
    sum = added(sum, hidden.w, at + 3 * GATES * UNITS);
#else
    sum = added(sum, hidden, k * GATES * UNITS + unit);
#endif
  }
  let at = row * GATES * UNITS + unit;
  let to = row * 5 * UNITS + unit;
  let own = Gates(x[at], x[at + UNITS], x[at + 2 * UNITS], x[at + (GATES - 1) * UNITS]);
  let last = held_before(i, hidden_before(before, sample, unit));
#if ${STAGED}
  if (tick.x % STAGES == 0) {
    let open = opened(own, sum, last);
    kept[to] = open.p;
    kept[to + UNITS] = open.q;
    kept[to + 3 * UNITS] = open.s;
    kept[to + 4 * UNITS] = last;
    return;
  }
  let gates = gated(own, sum, Gates(kept[to], kept[to + UNITS], V(), V()));
#else
  let gates = gated(own, sum);
  kept[to] = gates.p;
  kept[to + UNITS] = gates.q;
  kept[to + 3 * UNITS] = gates.s;
  kept[to + 4 * UNITS] = last;
#endif
  kept[to + 2 * UNITS] = gates.r;
  let state = state_of(gates, last);
  let output = output_of(gates, state);
  y[row * UNITS + unit] = output;
  h[i] = output;
#if ${MEMORY}
  c[i] = state;
#endif
}
