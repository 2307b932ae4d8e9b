// Y[i] = sum over s of X[s, i], in the order of s: the second half of a split sum. A thread for each i.
const WORKGROUP = ${WORKGROUP}u;

override PARTS: u32;
override LENGTH: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [PARTS, LENGTH]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [LENGTH]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP + id.x;
  if (i >= LENGTH) { return; }
  var sum = 0.0;
  for (var part = 0u; part < PARTS; part++) { sum += x[part * LENGTH + i]; }
  y[i] = sum;
}
