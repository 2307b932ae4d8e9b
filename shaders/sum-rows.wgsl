// Sums of rows, EACH numbers a thread: Y[i] = X[i] + X[step + i] + .. of each of many sums, which begin with a workgroup. In order and in
// blocks: a long sum of equal numbers loses digits.
${CHECK}
const LONG = 256u;

${ARENAS}
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

struct Sum {
  begin: u32,
  length: u32,
  arena: u32,
  x: u32,
  step: u32,
  terms: u32,
  y: u32,
  row: u32,  // 1 + that of the gradient
}

const sums = array(${SUMS});

// The one that number i belongs to, which is as many behind the first as end before it. A CPU adapter would go through all branches.
fn sum_of(i: u32) -> Sum { return sums[${BEFORE}]; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let begin = (workgroup.y * groups.x + workgroup.x) * 64 * ${EACH};
  let own = sum_of(begin);
  let first = begin - own.begin + lane;
  for (var i = first; i < min(own.length, first + 64 * ${EACH}); i += 64) {
    let end = own.x + i + own.terms * own.step;
    var total = 0.0;
    ${TOTAL}
#if ${CHECKED}
    check_one(total);
#endif
    y[own.y + i] = total;
  }
#if ${CHECKED}
  report(own.row, worst);
#endif
}
