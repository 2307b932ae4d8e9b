// loss[b] = mean over i of (p[b, i] - t[b, i])^2, and dp[b, i] = 2 (p[b, i] - t[b, i]) / (COLUMNS count).
// A thread for each row. Rows beyond the step's count give zeros.
${STEP}
const WORKGROUP = ${WORKGROUP}u;

override BATCH: u32;
override COLUMNS: u32;

@group(0) @binding(0) var<storage, read> prediction: array<f32>;  // [B, COLUMNS]
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [B, COLUMNS]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, 2]: loss and 0
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dprediction: array<f32>;  // [B, COLUMNS]
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= BATCH) { return; }
  let first = row * COLUMNS;
  let real = row < step.count;
  var sum = 0.0;
  for (var i = 0u; i < COLUMNS; i++) {
    let difference = prediction[first + i] - targets[first + i];
    sum = fma(difference, difference, sum);
#if ${GRADIENT}
    dprediction[first + i] = select(0, 2 * difference / (f32(COLUMNS) * f32(step.count)), real);
#endif
  }
  rows[row] = select(vec2f(), vec2f(sum / f32(COLUMNS), 0), real);
}
