// The running mean of the weights, layer by layer: average = average + (1 - decay) (p - average). A row that did not move, for it
// is frozen or rests or the loss was bad, leaves its mean alone, and so does a share of 0. Grid: a workgroup a block.
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;  // [BLOCKS]: row, rule (4 bits), numbers - 1 (8 bits)
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(2) var<storage, read> shares: array<f32>;  // [rows]: 1 - decay
@group(0) @binding(3) var<storage, read_write> average: array<vec4f>;  // [BLOCKS, 64]
#if ${HALTING}
@group(0) @binding(4) var<storage, read> metrics: array<vec4u>;  // [1 + slots]; the status in front
#endif
${TABLE}  // [rows]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  if (block >= BLOCKS) { return; }
  let row = blocks[block] >> 12;
  if (table[row].w == 0 || shares[row] == 0) { return; }
#if ${HALTING}
  if (metrics[0].x != 0) { return; }
#endif
  let at = block * 64 + lane;
  average[at] = mix(average[at], parameters[at], shares[row]);
}
