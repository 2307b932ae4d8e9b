// The hit of row r is 1 where fewer than K of x[r, c] stand before that of the label: larger ones, and equal ones further in front; -1
// where a label does not count (IGNORING). A row with NaN has no order, and what is no class is not among them. A thread for each row;
// rows of samples beyond the step's count give zeros.
${STEP}
const LONG = 4096u;  // turns of a loop, which some drivers end after 65,535

override ROWS: u32;
override SPAN: u32;  // rows of a sample
override CLASSES: u32;
override K: u32;
#if ${IGNORING}
override IGNORED: u32;
#endif

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [ROWS, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [ROWS]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [ROWS, 2]: nothing, and the hit

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64 + id.x;
  if (row >= ROWS) { return; }
  let label = labels[row];
  let own = x[row * CLASSES + min(label, CLASSES - 1)];
  var before = 0u;
  for (var begin = 0u; begin < CLASSES; begin += LONG) {
    for (var c = begin; c < min(CLASSES, begin + LONG); c++) {
      let value = x[row * CLASSES + c];
      before += u32(value > own || (value == own && c < label));
      before += select(0, K, (bitcast<u32>(value) & 0x7fffffff) > 0x7f800000);
    }
  }
  var hit = f32(before < K && label < CLASSES);
#if ${IGNORING}
  hit = select(hit, -1, label == IGNORED);
#endif
  rows[row] = select(vec2f(), vec2f(0, hit), row < step.count * SPAN);
}
