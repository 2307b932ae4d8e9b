// What every update rule shares: arenas at equal offsets, the layer table, and who may run. The rule itself is the
// function `update(at, row)` of its own shader, on four numbers of a row.
// A workgroup is one block of 256 numbers and belongs to one tensor, hence to one row of the table: no divergence.
override BLOCKS: u32;

@group(0) @binding(0) var<storage, read> metrics: array<vec4u>;  // [1 + slots]; the status in front
@group(0) @binding(1) var<storage, read> rows: array<u32>;  // [BLOCKS]: row of the layer table
@group(0) @binding(2) var<storage, read> gradients: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(3) var<storage, read_write> parameters: array<vec4f>;  // [BLOCKS, 64]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  // A row whose last number is 0 is frozen, and after a bad loss nothing moves.
  if (block >= BLOCKS || metrics[0].x != 0 || table[rows[block]].w == 0) { return; }
  update(block * 64 + lane, table[rows[block]]);
}
