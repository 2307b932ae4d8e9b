// How many logits of a row are above LOGIT where their target is above 0.5, and only there; one that is NaN is no hit. A thread for each
// part of a row, as of losses; rows beyond the step's count give zeros.
${STEP}
override BATCH: u32;
override SPAN: u32;  // numbers of a sample
override PARTS: u32;
override LOGIT: f32;

@group(0) @binding(0) var<storage, read> prediction: array<f32>;  // [B, SPAN]
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [B, SPAN]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, PARTS, 2]: nothing, and hits

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 64 + id.x;
  if (at >= BATCH * PARTS) { return; }
  let row = at / PARTS;
  var hits = 0.0;
  for (var i = row * SPAN + at % PARTS; i < (row + 1) * SPAN; i += PARTS) {
    let p = prediction[i];
    let is_number = (bitcast<u32>(p) & 0x7fffffff) <= 0x7f800000;
    hits += f32(((p > LOGIT) == (targets[i] > 0.5)) & is_number);
  }
  rows[at] = select(vec2f(), vec2f(0, hits), row < step.count);
}
