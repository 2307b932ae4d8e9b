// The noise of each tensor from that of its blocks, in a fixed order: unbiased estimates of |G|^2 and tr(S), put where the statistics of the
// step have |u|^2 and g u, which nobody is told. Both are 0 where nothing is known: of one batch alone, or of a row that rests, whose |g|^2 is 0. Grid: a workgroup a row.
${STEP}
override ROWS: u32;

@group(0) @binding(0) var<storage, read> spans: array<vec4u>;  // [ROWS]: first block, blocks, rule
@group(0) @binding(1) var<storage, read> noise: array<vec4f>;  // [BLOCKS]: squared distances, squared mean, samples, batches
@group(0) @binding(2) var<storage, read_write> norms: array<vec4f>;  // [slots, ROWS, 2]

var<workgroup> sums: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup.y * groups.x + workgroup.x;
  if (row >= ROWS) { return; }
  let span = spans[row];
  var sum = vec2f();
  for (var i = lane; i < span.y; i += 64) { sum += noise[span.x + i].xy; }
  sums[lane] = sum;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  if (lane != 0) { return; }
  let last = noise[span.x];
  // E A = tr(S) (n - 1) / B and E |mean|^2 = |G|^2 + tr(S) / B, for n batches of B samples in all, equal or not.
  let apart = sums[0].x / max(last.w - 1, 1);
  let to = 2 * (step.slot * ROWS + row);
  let told = select(vec2f(), vec2f(sums[0].y - apart, apart * last.z), last.w > 1 && norms[to].x > 0);
  norms[to] = vec4f(norms[to].xy, told);
}
