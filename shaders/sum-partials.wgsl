// Y[i] = sum over s of X[s, i], in the order of s and in blocks: the second half of a split sum. A thread for each i.
${CHECK}
const WORKGROUP = ${WORKGROUP}u;
const LONG = 256u;

override PARTS: u32;
override LENGTH: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [PARTS, LENGTH]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [LENGTH]

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP + id.x;
  if (i >= LENGTH) { return; }
  var total = 0.0;
  for (var begin = 0u; begin < PARTS; begin += LONG) {
    var sum = 0.0;
    for (var part = begin; part < min(PARTS, begin + LONG); part++) { sum += x[part * LENGTH + i]; }
    total += sum;
  }
  check_one(total);
  settle();
  y[i] = total;
}
