// scales[i] = FACTOR w[i] / (VALUES total): what each number that weight i stands for counts in the mean, where total is the sum of
// all weights of rows that are real (SUMMED), or how many these are. Where weights sum to 0 nothing counts. One workgroup, which
// adds in a fixed order.
${STEP}
const WORKGROUP = 64u;
const LONG = WORKGROUP * 256;  // terms of a part of the sum, which would lose digits if it were one

override LENGTH: u32;  // weights of the whole batch
override WIDTH: u32;   // of one sample
override VALUES: f32;  // numbers that one weight stands for
override FACTOR: f32;

@group(0) @binding(0) var<storage, read> weights: array<f32>;  // [B, WIDTH]
@group(0) @binding(1) var<storage, read_write> scales: array<f32>;  // [B, WIDTH]

#if ${SUMMED}
var<workgroup> sums: array<f32, WORKGROUP>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  let real = min(LENGTH, step.count * WIDTH);
#if ${SUMMED}
  var all = 0.0;
  for (var begin = lane; begin < real; begin += LONG) {
    var part = 0.0;
    for (var i = begin; i < min(real, begin + LONG); i += WORKGROUP) { part += weights[i]; }
    all += part;
  }
  sums[lane] = all;
  for (var width = WORKGROUP / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  workgroupBarrier();
  let total = sums[0];
#else
  let total = f32(real);
#endif
  let share = select(FACTOR / (VALUES * total), 0, total == 0);
  for (var i = lane; i < LENGTH; i += WORKGROUP) { scales[i] = select(0, weights[i] * share, i < real); }
}
