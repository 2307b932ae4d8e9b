// loss[b] = mean over i of (p[b, i] - t[b, i])^2, and dp[b, i] = 2 (p[b, i] - t[b, i]) / (COLUMNS count).
// A thread for each part of a row: part s has the numbers s, s + PARTS, and so on, and leaves its share of the mean; a long
// sum by one thread loses digits. Rows beyond the step's count give zeros.
${STEP}

override BATCH: u32;
override COLUMNS: u32;
override PARTS: u32;

@group(0) @binding(0) var<storage, read> prediction: array<f32>;  // [B, COLUMNS]
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [B, COLUMNS]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, PARTS, 2]: loss and 0
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dprediction: array<f32>;  // [B, COLUMNS]
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 64 + id.x;
  if (at >= BATCH * PARTS) { return; }
  let row = at / PARTS;
  let end = (row + 1) * COLUMNS;
  let real = row < step.count;
  var sum = 0.0;
  for (var i = row * COLUMNS + at % PARTS; i < end; i += PARTS) {
    let difference = prediction[i] - targets[i];
    sum = fma(difference, difference, sum);
#if ${GRADIENT}
    dprediction[i] = select(0, 2 * difference / (f32(COLUMNS) * f32(step.count)), real);
#endif
  }
  rows[at] = select(vec2f(), vec2f(sum / f32(COLUMNS), 0), real);
}
