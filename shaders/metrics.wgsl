// One slot of metrics: mean loss and hits over the rows of the step, summed in a fixed order by one workgroup.
// The first word of the buffer holds the first step whose loss was not finite. It stays until the host clears it, and the
// update does nothing while it is set: a bad step can never reach a weight, nor can the steps that follow it.
${STEP}
${FINITE}
const WORKGROUP = ${WORKGROUP}u;

override BATCH: u32;

@group(0) @binding(0) var<storage, read> rows: array<vec2f>;  // [B, 2]: loss and hit
@group(0) @binding(1) var<storage, read_write> metrics: array<vec4u>;  // [1 + slots]: status; step, loss, hits, count

var<workgroup> sums: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = vec2f();
  for (var row = lane; row < BATCH; row += WORKGROUP) { sum += rows[row]; }
  sums[lane] = sum;
  for (var width = WORKGROUP / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  if (lane != 0) { return; }
  let loss = sums[0].x / f32(step.count);
  metrics[1 + step.slot] = vec4u(step.step, bitcast<u32>(loss), u32(sums[0].y), step.count);
  if (!is_finite(loss) && metrics[0].x == 0) { metrics[0].x = step.step; }
}
