// Y[s, n] = sum over m of X[m, n], where m walks through part s of the rows, in order, and in blocks: a long sum of equal
// numbers loses digits. A thread for each part and column.
${CHECK}
const LONG = 256u;

override ROWS: u32;
override COLUMNS: u32;
override SPLITS: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [SPLITS, COLUMNS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= SPLITS * COLUMNS) { return; }
  let column = i % COLUMNS;
  let height = (ROWS + SPLITS - 1) / SPLITS;
  let first = i / COLUMNS * height;
  let end = min(ROWS, first + height);
  var total = 0.0;
  for (var begin = first; begin < end; begin += LONG) {
    var sum = 0.0;
    for (var row = begin; row < min(end, begin + LONG); row++) { sum += x[row * COLUMNS + column]; }
    total += sum;
  }
  check_one(total);
  settle();
  y[i] = total;
}
