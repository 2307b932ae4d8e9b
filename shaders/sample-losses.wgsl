// y[b] = what the parts of sample b add to its loss. A thread for each sample.
override BATCH: u32;
override PARTS: u32;

@group(0) @binding(0) var<storage, read> rows: array<vec2f>;  // [B, PARTS, 2]: loss and hits
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [B]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let sample = id.y * groups.x * 64 + id.x;
  if (sample >= BATCH) { return; }
  var all = 0.0;
  for (var begin = 0u; begin < PARTS; begin += 256) {
    var part = 0.0;
    for (var i = begin; i < min(PARTS, begin + 256); i++) { part += rows[sample * PARTS + i].x; }
    all += part;
  }
  y[sample] = all;
}
