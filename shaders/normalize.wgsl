// Y = (X - mean) / sqrt(variance + EPS) gamma + beta of each group by itself, then the epilogue.
${EPILOGUE}
${CHECK}

#if ${SCALED}
@group(0) @binding(1) var<storage, read> gamma: array<V>;
#endif
#if ${SHIFTED}
@group(0) @binding(2) var<storage, read> beta: array<V>;
#endif
@group(0) @binding(3) var<storage, read_write> y: array<V>;

struct Sums { totals: V, squares: V }

fn plus(a: Sums, b: Sums) -> Sums { return Sums(a.totals + b.totals, a.squares + b.squares); }

fn sums_of(_i: u32, first: u32, middle: f32, begin: u32, end: u32) -> Sums {
  var sums = Sums();
  for (var k = begin; k < end; k += STEP) {
    let away = x[(first + term_at(k)) / LANES] - middle;
    sums.totals += away;
    sums.squares += away * away;
  }
  return sums;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = group_of(workgroup.y * groups.x + workgroup.x, lane);
  if (i >= GROUPS) { return; }
  let first = first_of(i);
  let thread = lane % THREADS * LANES;
  let middle = middle_of(lane, first, thread);
  let by = normal_of(lane, middle, all_sums(i, first, middle, thread));
  for (var k = thread; k < COUNT; k += STEP) {
    let at = first + term_at(k);
    let channel = channel_of(i, k);
    var value = (x[at / LANES] - by.x) * by.y;
#if ${SCALED}
    value *= gamma[channel / LANES];
#endif
#if ${SHIFTED}
    value += beta[channel / LANES];
#endif
    let result = epilogue(value, at, channel);
    ask(result);
    y[at / LANES] = result;
  }
  settle();
}
