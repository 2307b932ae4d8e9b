// What an evaluation leaves behind its metrics: numbers of each step in a place of its own, or whole numbers that are added up over the
// steps of a submission (ADDED), which begins anew at its first.
${STEP}
override LENGTH: u32;
override FIRST: u32;  // word at which they begin

@group(0) @binding(0) var<storage, read> x: array<f32>;  // [LENGTH]
@group(0) @binding(1) var<storage, read_write> metrics: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= LENGTH) { return; }
#if ${ADDED}
  metrics[FIRST + i] = select(metrics[FIRST + i], 0, step.slot == 0) + u32(x[i]);
#else
  metrics[FIRST + step.slot * LENGTH + i] = bitcast<u32>(x[i]);
#endif
}
