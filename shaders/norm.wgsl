// What norms are made of, block by block: |g|^2, |p|^2, |u|^2 and g u, where u is a rule's direction, and how many gradients
// are bad; those count as 0 in the sums. A frozen row has g = 0. Grid: a workgroup a block; SERIAL: a thread a block, since a
// CPU pays dearly for barriers.
${BEYOND}
@group(0) @binding(7) var<storage, read_write> partials: array<f32, BLOCKS * 5>;  // [BLOCKS, 5]

// Rules bring their update along, which nobody calls here.
fn store(at: u32, before: vec4f, after: vec4f) {}

// What four numbers of a block add to its sums.
fn part_of(word: u32, row: vec4f, block: u32, lane: u32) -> mat2x4f {
  let at = block * 64 + lane;
  let p = block_part(word, lane, parameters[at]);
  if (row.w == 0) { return mat2x4f(vec4f(0, dot(p, p), 0, 0), vec4f()); }
#if ${SCALED}
  factor = scales[row_of(word)].x;
#endif
  // Clipping makes numbers of what is none, so the gradient is asked before that.
  let raw = block_part(word, lane, gradients[at]);
  let clipped = block_part(word, lane, loss_gradient(at));
  let is_bad = beyond(raw);
  let g = select(clipped, vec4f(), is_bad);
  let u = block_part(word, lane, direction(rule_of(word), at, row));
  return mat2x4f(vec4f(dot(g, g), dot(p, p), dot(u, u), dot(g, u)), vec4f(dot(select(vec4f(), vec4f(1), is_bad), vec4f(1)), 0, 0, 0));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
#if ${SERIAL}
  let block = (workgroup.y * groups.x + workgroup.x) * 64 + lane;
#else
  let block = workgroup.y * groups.x + workgroup.x;
#endif
  if (block >= BLOCKS) { return; }
  let word = blocks[block];
  let row = table[row_of(word)];
#if ${SERIAL}
  var sum = mat2x4f();
  for (var i = 0u; i * 4 < numbers_of(word); i++) { sum += part_of(word, row, block, i); }
#else
  let sum = sum_of(lane, part_of(word, row, block, lane));
  if (lane != 0) { return; }
#endif
  partials[block * 5] = sum[0].x;
  partials[block * 5 + 1] = sum[0].y;
  partials[block * 5 + 2] = sum[0].z;
  partials[block * 5 + 3] = sum[0].w;
  partials[block * 5 + 4] = sum[1].x;
}
