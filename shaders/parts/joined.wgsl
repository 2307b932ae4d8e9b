// The sum of what the threads of a workgroup have, in the first of them.
var<workgroup> sums: array<f32, 64>;

fn joined(thread: u32, value: f32) -> f32 {
  sums[thread] = value;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { sums[thread] += sums[thread + width]; }
  }
  return sums[thread];
}
