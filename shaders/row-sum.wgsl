// Norms of each tensor: the sums of its blocks in a fixed order. REPORTED writes them into the step's slot of the statistics,
// with the factors that the row had. Grid: a workgroup a row.
#if ${REPORTED}
${STEP}
#endif
override ROWS: u32;

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;  // [ROWS]: first block, blocks, rule
@group(0) @binding(1) var<storage, read> partials: array<f32>;  // [BLOCKS, 5]
#if ${MOVED}
@group(0) @binding(2) var<storage, read> moved: array<f32>;  // [BLOCKS]
#endif
#if ${SCALED}
@group(0) @binding(3) var<storage, read> scales: array<vec2f>;  // [ROWS]
#endif
@group(0) @binding(4) var<storage, read_write> norms: array<vec4f>;  // [slots, ROWS, 2]: |g|^2, |p|^2, |u|^2, g u; bad, |dp|^2, scales

var<workgroup> first: array<vec4f, 64>;
var<workgroup> second: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y * groups.x + workgroup.x;
  if (row >= ROWS) { return; }
  let span = spans[row];
  var one = vec4f();
  var two = vec4f();
  for (var i = lane; i < span.y; i += 64) {
    let block = span.x + i;
    let at = block * 5;
    one += vec4f(partials[at], partials[at + 1], partials[at + 2], partials[at + 3]);
#if ${MOVED}
    two += vec4f(partials[at + 4], moved[block], 0, 0);
#else
    two += vec4f(partials[at + 4], 0, 0, 0);
#endif
  }
  first[lane] = one;
  second[lane] = two;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) {
      first[lane] += first[lane + width];
      second[lane] += second[lane + width];
    }
  }
  if (lane != 0) { return; }
#if ${REPORTED}
  let to = 2 * (step.slot * ROWS + row);
#else
  let to = 2 * row;
#endif
  norms[to] = first[0];
#if ${SCALED}
  norms[to + 1] = vec4f(second[0].xy, scales[row]);
#else
  norms[to + 1] = vec4f(second[0].xy, 1, 1);
#endif
}
