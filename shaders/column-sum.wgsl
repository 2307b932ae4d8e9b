// Y[n] = sum over m of X[m, n], in the order of m. A thread for each column.
const WORKGROUP = ${WORKGROUP}u;

override ROWS: u32;
override COLUMNS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [COLUMNS]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if (column >= COLUMNS) { return; }
  var sum = 0.0;
  for (var row = 0u; row < ROWS; row++) { sum += x[row * COLUMNS + column]; }
  y[column] = sum;
}
