// One slot of metrics: mean loss, hits, and labels that do not count (hits of -1) over the rows of the step, summed in a fixed order by one workgroup. Of several losses each
// has a run of its own: a LATER one adds to what is there, each may be REPORTED by itself, and what is no LOSS is a report alone.
// HALTING, for steps that train: the buffer begins with the status, which stays until the host clears it, and no update does
// anything while its first word is set, so neither a bad step nor those that follow it can reach a weight. Its words: the first
// bad step; 1 + the row of the gradient that was bad, or all ones for the loss; the step under way; its loss so far, over all
// micro-batches. Kernels that ask gradients may run beside it: whoever comes first, the same stands there in the end.
${STEP}
${FINITE}
const WORKGROUP = 64u;
const LONG = WORKGROUP * 256;

override BATCH: u32;
#if ${REPORTED}
override FIRST: u32;    // word at which the reports begin
override REPORTS: u32;  // of a step
override REPORT: u32;   // this one
#endif

@group(0) @binding(0) var<storage, read> rows: array<vec2f>;  // [B, 2]: loss and hits
@group(0) @binding(1) var<storage, read_write> metrics: array<atomic<u32>>;  // [1 + slots, 4]: status; step, loss, hits, ignored

var<workgroup> sums: array<vec3f, 64>;

fn leave(at: u32, words: vec4u) {
  for (var i = 0u; i < 4; i++) { atomicStore(&metrics[at + i], words[i]); }
}

fn left(at: u32) -> vec4u {
  return vec4u(atomicLoad(&metrics[at]), atomicLoad(&metrics[at + 1]), atomicLoad(&metrics[at + 2]), atomicLoad(&metrics[at + 3]));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  var total = vec3f();
  for (var begin = lane; begin < BATCH; begin += LONG) {
    var sum = vec3f();
    for (var row = begin; row < min(BATCH, begin + LONG); row += WORKGROUP) {
      let one = rows[row];
      sum += vec3f(one.x, max(one.y, 0), max(-one.y, 0));
    }
    total += sum;
  }
  sums[lane] = total;
  for (var width = WORKGROUP / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  if (lane != 0) { return; }
  let loss = sums[0].x / f32(step.count);
  let hits = u32(sums[0].y);
  let ignored = u32(sums[0].z);
#if ${REPORTED}
  leave(FIRST + (step.slot * REPORTS + REPORT) * 4, vec4u(bitcast<u32>(loss), hits, ignored, 0));
#endif
#if ${LOSS}
  let slot = (1 + step.slot) * 4;
#if ${LATER}
  let known = left(slot);
  leave(slot, vec4u(known.x, bitcast<u32>(bitcast<f32>(known.y) + loss), known.z + hits, known.w + ignored));
#else
  leave(slot, vec4u(step.step, bitcast<u32>(loss), hits, ignored));
#endif
#if ${HALTING}
  let status = left(0);
#if ${LATER}
  let before = bitcast<f32>(status.w);
#else
  let before = select(bitcast<f32>(status.w), 0, step.first == 1);
#endif
  atomicStore(&metrics[2], step.step);
  atomicStore(&metrics[3], bitcast<u32>(fma(step.weight, loss, before)));
  if (!is_finite(loss) && (status.x == 0 || status.x == step.step)) {
    atomicStore(&metrics[0], step.step);
    atomicMax(&metrics[1], 0xffffffffu);
  }
#endif
#endif
}
