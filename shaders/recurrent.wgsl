// One step of a recurrent layer, tick.x of T: a thread has one unit, or four (WIDE), of SAMPLES samples, with what is said for each of them
// written by recurrent.ts. It adds up the hidden units of the step before by the recurrent weight, which its cell puts beside what comes from
// the input, and keeps for the way back four numbers of its gates and what it held. A unit of a cell with memory (MEMORY) holds c, any other
// its output. Of three gates the last is taken twice. Where the last of three gates is made of what the first lets through of all units
// (STAGED) a step takes two runs, tick.x of 2 T: the first leaves in `kept` what there is to multiply in the second.
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

fn added(sum: Gates, by: f32, weights: Gates) -> Gates {
#if ${STAGED}
  if (tick.x % STAGES == 1) { return Gates(sum.p, sum.q, fma(V(by), weights.r, sum.r), sum.s); }
  return Gates(fma(V(by), weights.p, sum.p), fma(V(by), weights.q, sum.q), sum.r, sum.s);
#else
  return Gates(
    fma(V(by), weights.p, sum.p), fma(V(by), weights.q, sum.q), fma(V(by), weights.r, sum.r), fma(V(by), weights.s, sum.s));
#endif
}

fn weights_at(at: u32) -> Gates {
  return Gates(u[at], u[at + UNITS], u[at + 2 * UNITS], u[at + (GATES - 1) * UNITS]);
}

fn row_of(sample: u32, time: u32) -> u32 { return sample * STEPS + select(time, STEPS - 1 - time, REVERSE == 1); }

fn hidden_before(sample: u32, unit: u32) -> V {
#if ${START}
  if (tick.x < STAGES) { return h0[sample * UNITS + unit]; }
#else
  if (tick.x < STAGES) { return V(); }
#endif
  return y[row_of(sample, tick.x / STAGES - 1) * UNITS + unit];
}

fn held_before(sample: u32, unit: u32) -> V {
#if ${MEMORY}
#if ${START}
  if (tick.x < STAGES) { return c0[sample * UNITS + unit]; }
#else
  if (tick.x < STAGES) { return V(); }
#endif
  return c[sample * UNITS + unit];
#else
  return hidden_before(sample, unit);
#endif
}

fn multiplied(sample: u32, unit: u32) -> V {
#if ${STAGED}
  if (tick.x % STAGES == 1) { return kept[(row_of(sample, tick.x / STAGES) * 5 + 3) * UNITS + unit]; }
#endif
  return hidden_before(sample, unit);
}

fn finish(sample: u32, unit: u32, sum: Gates) {
  let row = row_of(sample, tick.x / STAGES);
  let at = row * GATES * UNITS + unit;
  let to = row * 5 * UNITS + unit;
  let own = Gates(x[at], x[at + UNITS], x[at + 2 * UNITS], x[at + (GATES - 1) * UNITS]);
  let last = held_before(sample, unit);
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
  h[sample * UNITS + unit] = output;
#if ${MEMORY}
  c[sample * UNITS + unit] = state;
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let first = i / UNITS * SAMPLES;
  if (first >= BATCH) { return; }
  let unit = i % UNITS;

#if ${BIASED}
  let begin = Gates(b[unit], b[unit + UNITS], b[unit + 2 * UNITS], V());
#else
  let begin = Gates();
#endif
  // Beyond the last sample the last one is taken again, and not stored.
  ${SUMS}
  for (var k = 0u; k < UNITS; k++) {
    ${HIDDEN}
#if ${WIDE}
    let at = k * 4 * GATES * UNITS + unit;
#else
    let at = k * GATES * UNITS + unit;
#endif
    ${TERMS}
  }
  var sums = array<Gates, SAMPLES>(${ALL});
  for (var s = 0u; s < min(SAMPLES, BATCH - first); s++) { finish(first + s, unit, sums[s]); }
}
