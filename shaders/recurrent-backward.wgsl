// One step back of a recurrent layer, tick.x of T from its last: a thread has one unit of one sample, or four (WIDE). The
// gradient of its output is what comes for y, and the gates of the step that came after, by the recurrent weight; of what it held,
// what that step has left in `carried`. With START one more tick gives the gradient of what the layer began with. STAGED takes two runs a
// step as the way forth does: the second gives r what comes from the last gate of all units, and hands on what r let through.
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * UNITS) { return; }
  let sample = i / UNITS;
  let unit = i % UNITS;
  let time = tick.x / STAGES;
  let row = sample * STEPS + select(STEPS - 1 - time, time, REVERSE == 1);
  let after = select(row + 1, row - 1, REVERSE == 1);
#if ${STAGED}
  let second = tick.x % STAGES == 1;
  let from_row = select(after, row, second);
  let first = select(0, 2 * UNITS, second);
  let end = select(2u, 3u, second) * UNITS;
#else
  let from_row = after;
  let first = 0u;
  let end = GATES * UNITS;
#endif

  var output = V();
  var state = V();
  if (tick.x > 0) {
    state = carried[i];
    for (var k = first; k < end; k++) {
      let slope = gates_h[from_row * GATES * UNITS + k];
#if ${WIDE}
      let at = unit * 4 * GATES * UNITS + k;
      let rows = mat4x4f(u[at], u[at + GATES * UNITS], u[at + 2 * GATES * UNITS], u[at + 3 * GATES * UNITS]);
      let columns = transpose(rows);
      output = fma(vec4f(slope.y), columns[1], fma(vec4f(slope.x), columns[0], output));
      output = fma(vec4f(slope.w), columns[3], fma(vec4f(slope.z), columns[2], output));
#else
      output = fma(slope, u[unit * GATES * UNITS + k], output);
#endif
    }
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
  if (second) {
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
