// What the way back of attention has to know of each row of P: the largest score, 1 / the sum of powers, and dO O, which is the mean
// of dP under P.
#if ${VECTOR}
alias V = vec4f;
#else
alias V = f32;
#endif
override ROWS: u32;
override LANES: u32;  // of a head

@group(0) @binding(0) var<storage, read> dy: array<V>;  // [ROWS, LANES]
@group(0) @binding(1) var<storage, read> y: array<V>;  // [ROWS, LANES]
@group(0) @binding(2) var<storage, read> rows: array<vec2f>;  // [ROWS, 2]
@group(0) @binding(3) var<storage, read_write> known: array<f32>;  // [ROWS, 3]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
  if (row >= ROWS) { return; }
  var sum = V();
  for (var n = row * LANES; n < (row + 1) * LANES; n++) { sum = fma(dy[n], y[n], sum); }
  known[row * 3] = rows[row].x;
  known[row * 3 + 1] = 1 / rows[row].y;
#if ${VECTOR}
  known[row * 3 + 2] = (sum.x + sum.y) + (sum.z + sum.w);
#else
  known[row * 3 + 2] = sum;
#endif
}
