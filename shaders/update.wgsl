// The optimizer update of all layers in one dispatch: each block calls its rule with its row of the layer table.
// MEASURED also leaves the squared length of each block's step. Grid: THREADS a block, several blocks a workgroup.
const THREADS = ${THREADS}u;

#if ${HALTING}
@group(0) @binding(7) var<storage, read> metrics: array<vec4u, 17>;  // [1 + slots]; the status in front
#endif
#if ${MEASURED}
@group(0) @binding(8) var<storage, read_write> moved: array<f32, BLOCKS>;  // [BLOCKS]

var<private> shift: vec4f;
var<private> zero: u32;  // the highest bit of the block's word: always 0, which no compiler knows

fn length_of(word: u32, lane: u32) -> f32 {
  let numbers = block_part(word, lane, shift);
  return dot(numbers, numbers);
}
#endif

// How every rule writes its weights.
fn store(at: u32, before: vec4f, after: vec4f) {
  parameters[at] = after;
#if ${MEASURED}
  // What the weight really moved. Seen through, (before - change) - before would become the change before its rounding.
  shift = bitcast<vec4f>(bitcast<vec4u>(after) ^ vec4u(zero)) - before;
#endif
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.y * groups.x + workgroup.x;
#if ${SHARED}
  let block = group * (64 / THREADS) + lane / THREADS;
#else
  let block = group;  // the same for all, as their barriers want it
#endif
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
#if ${MEASURED}
  zero = word >> 31;
#endif
#if ${SERIAL}
  var sum = 0.0;
  for (var i = 0u; i * 4 < numbers_of(word); i++) {
    update(rule_of(word), block * 64 + i, row);
    sum += length_of(word, i);
  }
  moved[block] = sum;
#else
  for (var i = lane % THREADS; i < 64; i += THREADS) { update(rule_of(word), block * 64 + i, row); }
#if ${MEASURED}
  let sum = sum_of(lane, mat2x4f(vec4f(length_of(word, lane), 0, 0, 0), vec4f()));
  if (lane == 0) { moved[block] = sum[0].x; }
#endif
#endif
}
