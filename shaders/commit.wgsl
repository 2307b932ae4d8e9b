// state = next, after a batch that was not refused. IN_PARTS, where an update has several batches: the first of them keeps what the
// states were, and one that is refused puts it back, with what the batches before it had moved. Grid: a workgroup a block.
${STEP}
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> metrics: array<vec4u>;  // [1 + slots]; the status in front
@group(0) @binding(1) var<storage, read> next: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(2) var<storage, read_write> states: array<vec4f>;  // [BLOCKS, 64]
#if ${IN_PARTS}
@group(0) @binding(3) var<storage, read_write> before: array<vec4f>;  // [BLOCKS, 64]
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  if (block >= BLOCKS) { return; }
  let at = block * 64 + lane;
#if ${IN_PARTS}
  // The first batch keeps them though it was refused itself, for those behind it put back what it kept.
  if (step.first == 1) { before[at] = states[at]; }
  states[at] = select(next[at], before[at], metrics[0].x != 0);
#else
  if (metrics[0].x != 0) { return; }
  states[at] = next[at];
#endif
}
