// The optimizer update of all layers in one dispatch: each block calls its rule with its row of the layer table.
// MEASURED also leaves the squared length of each block's step. Grid: a workgroup a block.
#if ${HALTING}
@group(0) @binding(7) var<storage, read> metrics: array<vec4u, 17>;  // [1 + slots]; the status in front
#endif
#if ${MEASURED}
@group(0) @binding(8) var<storage, read_write> moved: array<f32, BLOCKS>;  // [BLOCKS]

var<private> shift: vec4f;
#endif

// How every rule writes its weights.
fn store(at: u32, before: vec4f, after: vec4f) {
  parameters[at] = after;
#if ${MEASURED}
  shift = after - before;
#endif
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup.y * groups.x + workgroup.x;
  let word = blocks[block];
  let row = table[row_of(word)];
  // A row whose last number is 0 is frozen, and after a bad loss nothing moves. One branch for all: each costs time.
#if ${HALTING}
  if ((block >= BLOCKS) | (row.w == 0) | (metrics[0].x != 0)) { return; }
#else
  if ((block >= BLOCKS) | (row.w == 0)) { return; }
#endif
#if ${SCALED}
  factor = scales[row_of(word)].x;
#endif
  update(rule_of(word), block * 64 + lane, row);
#if ${MEASURED}
  let numbers = block_part(word, lane, shift * shift);
  let sum = sum_of(lane, mat2x4f(vec4f(numbers.x + numbers.y + numbers.z + numbers.w, 0, 0, 0), vec4f()));
  if (lane == 0) { moved[block] = sum[0].x; }
#endif
}
