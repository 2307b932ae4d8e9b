// dX = (dZ - mean of dZ - (X - mean) mean of dZ xhat / deviation) / deviation, channel by channel, then the epilogue; xhat is the
// normalized X. `line` has these means. Rows of samples beyond the step's count get 0.
${STEP}
${EPILOGUE}
${CHECK}

override NUMBERS: u32;   // or a fourth of them
override CHANNELS: u32;  // or a fourth of them

@group(0) @binding(0) var<storage, read> dz: array<V>;  // [rows, C]
@group(0) @binding(1) var<storage, read> x: array<V>;  // [rows, C]
@group(0) @binding(2) var<storage, read> line: array<V>;  // [4, C]
@group(0) @binding(3) var<storage, read_write> dx: array<V>;  // [rows, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= NUMBERS) { return; }
  let c = i % CHANNELS;
  let d = dz[i] - line[2 * CHANNELS + c] - (x[i] - line[c]) * line[3 * CHANNELS + c];
  let value = select(V(), d * line[CHANNELS + c], i < ${REAL});
#if ${VECTOR}
  let result = epilogue(value, i * 4, c * 4);
  check(result);
#else
  let result = epilogue(value, i, c);
  check_one(result);
#endif
  settle();
  dx[i] = result;
}
