// Gradients of micro-batches, added up by their shares of the samples: sum = sum + weight g, from nothing at the first one.
// A bad one leaves a number that stays bad, whatever its share. Grid: a workgroup a block.
${STEP}
${BEYOND}
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(1) var<storage, read_write> accumulated: array<vec4f>;  // [BLOCKS, 64]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  if (block >= BLOCKS) { return; }
  let at = block * 64 + lane;
  let g = gradients[at];
  // What stood there before may be no number at all.
  let before = select(vec4f(), accumulated[at], step.first == 0);
  accumulated[at] = select(fma(vec4f(step.weight), g, before), vec4f(3e38), beyond(g));
}
