// dX = (d - mean of d - xhat mean of d xhat) / deviation of each group by itself, with d = dY gamma and the normalized X, xhat; then the
// epilogue. Without MEAN the mean of d is not taken off.
${EPILOGUE}
${CHECK}
override COLUMNS: u32;  // length of the last axis

@group(0) @binding(1) var<storage, read> dy: array<f32>;
#if ${SCALED}
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
#endif
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

fn slope(i: u32, k: u32, at: u32) -> f32 {
#if ${SCALED}
  return dy[at] * gamma[channel_of(i, k)];
#else
  return dy[at];
#endif
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
  let by = measured(lane, first);
  var total = 0.0;
  var products = 0.0;
  for (var begin = lane % THREADS; begin < COUNT; begin += LONG * THREADS) {
    var sum = 0.0;
    var product = 0.0;
    for (var k = begin; k < min(COUNT, begin + LONG * THREADS); k += THREADS) {
      let at = first + term_at(k);
      let d = slope(i, k, at);
      sum += d;
      product += d * (x[at] - by.x) * by.y;
    }
    total += sum;
    products += product;
  }
  let mean = select(0, shared_sum(lane, total) / f32(COUNT), ${MEAN});
  let product = shared_sum(lane, products) / f32(COUNT);
  for (var k = lane % THREADS; k < COUNT; k += THREADS) {
    let at = first + term_at(k);
    let d = slope(i, k, at) - mean - (x[at] - by.x) * by.y * product;
    let result = epilogue(d * by.y, at, at % COLUMNS);
    check_one(result);
    dx[at] = result;
  }
  settle();
}
