// The running mean of the weights, layer by layer: average = average + (1 - decay) (p - average), after every update that
// happened; of rows that are frozen or rest too, towards the weights that they have. A share of 0 leaves a mean alone.
// Grid: a workgroup a block.
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;  // [BLOCKS]: row, rule (4 bits), numbers - 1 (8 bits)
@group(0) @binding(1) var<storage, read> parameters: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(2) var<storage, read> shares: array<f32>;  // [rows]: 1 - decay
@group(0) @binding(3) var<storage, read_write> average: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(4) var<storage, read> metrics: array<vec4u>;  // [1 + slots]; the status in front

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  if (block >= BLOCKS) { return; }
  let share = shares[blocks[block] >> 12];
  if (share == 0 || metrics[0].x != 0) { return; }
  let at = block * 64 + lane;
  let before = average[at];
  let now = parameters[at];
  // Where both are equal they stay so, and a share of 1 leaves the weights themselves.
  average[at] = select(fma(vec4f(share), now - before, before), now, share == 1);
}
