// The sum of what the threads of a workgroup have, number by number, for all of them.
var<workgroup> sums: array<V, 64>;

fn joined(thread: u32, value: V) -> V {
  sums[thread] = value;
  for (var width = 32u; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { sums[thread] += sums[thread + width]; }
  }
  workgroupBarrier();
  let total = sums[0];
  workgroupBarrier();
  return total;
}
