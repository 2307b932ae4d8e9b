// A loss that looks at each number by itself: value v of p[b, i] and t[b, i], and its slope by p. loss[b] = the share of all v of a
// sample, and dp[b, i] = slope scale. A thread for each part of a row: part s has the numbers s, s + PARTS, and so on, and leaves
// what it adds to the loss; a long sum by one thread loses digits. Rows beyond the step's count give zeros. The hits of a part, where
// the loss counts them (HITS), are those of its numbers.
${STEP}
alias V = f32;
alias W = u32;
${MATH}

override BATCH: u32;
override PARTS: u32;
#if ${TUNED}
override K: f32;  // the loss's own number
#endif

@group(0) @binding(0) var<storage, read> prediction: array<f32>;  // [B, SPAN]
#if ${TARGET}
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [B, SPAN]
#endif
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, PARTS, 2]: loss and hits
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
  var hits = 0.0;
  for (var i = row * SPAN + at % PARTS; i < end; i += PARTS) {
    let p = prediction[i];
#if ${TARGET}
    let t = targets[i];
    let d = p - t;
#endif
    let scale = scale_of(i);
    sum += weighed(${VALUE}, scale);
#if ${HITS}
    hits += select(0.0, 1.0, ${HIT});
#endif
#if ${GRADIENT}
    dprediction[i] = select(0, (${SLOPE}) * scale, real && scale != 0);
#endif
  }
  rows[at] = select(vec2f(), vec2f(share_of(sum), hits), real);
}
