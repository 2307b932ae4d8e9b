// One slot of metrics: mean loss and hits over the rows of the step, summed in a fixed order by one workgroup.
// HALTING, for steps that train: the buffer begins with the status, which stays until the host clears it, and no update does
// anything while its first word is set, so neither a bad step nor those that follow it can reach a weight. Its words: the first
// bad step; 1 + the row of the gradient that was bad, or all ones for the loss; the step under way; its loss so far, over all
// micro-batches.
${STEP}
${FINITE}
const WORKGROUP = 64u;
const LONG = WORKGROUP * 256;

override BATCH: u32;

@group(0) @binding(0) var<storage, read> rows: array<vec2f>;  // [B, 2]: loss and hit
@group(0) @binding(1) var<storage, read_write> metrics: array<vec4u>;  // [1 + slots]: status; step, loss, hits, count

var<workgroup> sums: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = vec2f();
  for (var begin = lane; begin < BATCH; begin += LONG) {
    var sum = vec2f();
    for (var row = begin; row < min(BATCH, begin + LONG); row += WORKGROUP) { sum += rows[row]; }
    total += sum;
  }
  sums[lane] = total;
  for (var width = WORKGROUP / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  if (lane != 0) { return; }
  let loss = sums[0].x / f32(step.count);
  metrics[1 + step.slot] = vec4u(step.step, bitcast<u32>(loss), u32(sums[0].y), step.count);
#if ${HALTING}
  let before = select(bitcast<f32>(metrics[0].w), 0, step.first == 1);
  let all = fma(step.weight, loss, before);
  metrics[0].z = step.step;
  metrics[0].w = bitcast<u32>(all);
  if (!is_finite(loss) && metrics[0].x == 0) {
    metrics[0].x = step.step;
    metrics[0].y = 0xffffffffu;
  }
#endif
}
