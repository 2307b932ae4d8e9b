// A loss that looks at each number by itself: value v of p[b, i] and t[b, i], and its slope by p. loss[b] = the share of all v of a
// sample, and dp[b, i] = slope scale. A thread for each part of a row: part s has the numbers s, s + PARTS, and so on, and leaves
// what it adds to the loss; a long sum by one thread loses digits. Rows beyond the step's count give zeros.
${STEP}

override BATCH: u32;
override PARTS: u32;

@group(0) @binding(0) var<storage, read> prediction: array<f32>;  // [B, SPAN]
#if ${TARGET}
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [B, SPAN]
#endif
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, PARTS, 2]: loss and 0
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dprediction: array<f32>;  // [B, SPAN]
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 64 + id.x;
  if (at >= BATCH * PARTS) { return; }
  let row = at / PARTS;
  let end = (row + 1) * SPAN;
  let real = row < step.count;
  var sum = 0.0;
  for (var i = row * SPAN + at % PARTS; i < end; i += PARTS) {
    let p = prediction[i];
#if ${TARGET}
    let d = p - targets[i];
#endif
    let scale = scale_of(i);
    sum += weighed(${VALUE}, scale);
#if ${GRADIENT}
    dprediction[i] = select(0, ${SLOPE} * scale, real && scale != 0);
#endif
  }
  rows[at] = select(vec2f(), vec2f(share_of(sum), 0), real);
}
