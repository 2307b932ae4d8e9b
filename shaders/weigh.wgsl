// scales[i] = FACTOR w[i] / (VALUES total): what each number that weight i stands for counts in the mean, where total is the sum of
// all weights of rows that are real (SUMMED), or how many these are. Of rows of classes (ROWS) w[i] is 1 where there are no weights
// (WEIGHTED), 0 where label i does not count (LABELLED), and in the sum each counts as often as the weight of its class says. Where
// weights sum to 0 nothing counts. One workgroup, which adds in a fixed order.
${STEP}
const WORKGROUP = 64u;
const LONG = WORKGROUP * 256;  // terms of a part of the sum, which would lose digits if it were one

override LENGTH: u32;  // scales of the whole batch
override WIDTH: u32;   // of one sample
override VALUES: f32;  // numbers that one of them stands for
override FACTOR: f32;
#if ${LABELLED}
override CLASSES: u32;
override IGNORED: u32;  // a label

@group(0) @binding(2) var<storage, read> labels: array<u32>;  // [B, WIDTH]
@group(0) @binding(3) var<storage, read> classes: array<f32>;  // [C]
#endif
#if ${WEIGHTED}
override EACH: u32;  // scales that one weight stands for

@group(0) @binding(0) var<storage, read> weights: array<f32>;  // [B, WIDTH / EACH]
#endif
@group(0) @binding(1) var<storage, read_write> scales: array<f32>;  // [B, WIDTH]

fn weight_of(i: u32) -> f32 {
#if ${WEIGHTED}
  let weight = weights[i / EACH];
#else
  let weight = 1.0;
#endif
#if ${LABELLED}
  return select(weight, 0, labels[i] == IGNORED);
#else
  return weight;
#endif
}

// What number i adds to the total.
fn share_of(i: u32) -> f32 {
#if ${SUMMED}
#if ${LABELLED}
  return weight_of(i) * classes[min(labels[i], CLASSES - 1)];
#else
  return weight_of(i);
#endif
#else
#if ${LABELLED}
  return select(1.0, 0.0, labels[i] == IGNORED);
#else
  return 1.0;
#endif
#endif
}

var<workgroup> sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  let real = min(LENGTH, step.count * WIDTH);
  var all = 0.0;
  for (var begin = lane; begin < real; begin += LONG) {
    var part = 0.0;
    for (var i = begin; i < min(real, begin + LONG); i += WORKGROUP) { part += share_of(i); }
    all += part;
  }
  sums[lane] = all;
  for (var width = WORKGROUP / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (lane < width) { sums[lane] += sums[lane + width]; }
  }
  workgroupBarrier();
  let total = sums[0];
  let share = select(FACTOR / (VALUES * total), 0, total == 0);
  for (var i = lane; i < LENGTH; i += WORKGROUP) { scales[i] = select(0, weight_of(i) * share, i < real); }
}
