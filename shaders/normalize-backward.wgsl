// dX = (d - mean of d - xhat mean of d xhat) / deviation of each group by itself, with d = dY gamma and the normalized X, xhat; then the
// epilogue. Without MEAN the mean of d is not taken off. SUMMED leaves of each channel the sum of dY xhat and that of dY over the samples
// of a part too: parts of the gradients of gamma and beta. A workgroup for each part and each group of channels: first what its groups are
// normalized by, then their numbers.
${EPILOGUE}
${CHECK}
const WIDTH = ${WIDTH}u;  // threads of a workgroup
override HEIGHT: u32;  // samples of a part, at most 64
override SAMPLES: u32;

@group(0) @binding(1) var<storage, read> dy: array<f32>;
#if ${SCALED}
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
#endif
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
#if ${SUMMED}
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;  // [SAMPLES / HEIGHT, 2, C]
#endif

// Of each group mean, 1 / deviation, and the means of d and of d xhat.
var<workgroup> by: array<vec4f, 64>;

fn slope(channel: u32, at: u32) -> f32 {
#if ${SCALED}
  return dy[at] * gamma[channel];
#else
  return dy[at];
#endif
}

fn known(lane: u32, i: u32, first: u32) -> vec4f {
  let own = measured(lane, first);
  var total = 0.0;
  var products = 0.0;
  for (var begin = lane % THREADS; begin < COUNT; begin += LONG * THREADS) {
    var sum = 0.0;
    var product = 0.0;
    for (var k = begin; k < min(COUNT, begin + LONG * THREADS); k += THREADS) {
      let at = first + term_at(k);
      let d = slope(channel_of(i, k), at);
      sum += d;
      product += d * (x[at] - own.x) * own.y;
    }
    total += sum;
    products += product;
  }
  return vec4f(own, select(0, shared_sum(lane, total) / f32(COUNT), ${MEAN}), shared_sum(lane, products) / f32(COUNT));
}

@compute @workgroup_size(${WIDTH})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.y * groups.x + workgroup.x;
  let begin = i / PER_SAMPLE * HEIGHT;
  if (begin >= SAMPLES) { return; }
  let height = min(HEIGHT, SAMPLES - begin);
  let start = begin * PER_SAMPLE + i % PER_SAMPLE;
#if ${SHARED}
  for (var row = 0u; row < height; row++) {
    let found = known(lane, i, first_of(start + row * PER_SAMPLE));
    if (lane == 0) { by[row] = found; }
  }
#else
  for (var row = lane; row < height; row += WIDTH) { by[row] = known(lane, i, first_of(start + row * PER_SAMPLE)); }
#endif
  workgroupBarrier();
  for (var n = lane; n < height * COUNT; n += WIDTH) {
    let row = n / COUNT;
    let k = n % COUNT;
    let at = first_of(start + row * PER_SAMPLE) + term_at(k);
    let channel = channel_of(i, k);
    let own = by[row];
    let result = epilogue((slope(channel, at) - own.z - (x[at] - own.x) * own.y * own.w) * own.y, at, channel);
    check_one(result);
    dx[at] = result;
  }
  settle();
#if ${SUMMED}
  for (var c = lane; c < CHANNELS; c += WIDTH) {
    var products = 0.0;
    var total = 0.0;
    for (var row = 0u; row < height; row++) {
      let first = first_of(start + row * PER_SAMPLE);
      var product = 0.0;
      var sum = 0.0;
      for (var k = c; k < COUNT; k += CHANNELS) {
        let at = first + term_at(k);
        product += dy[at] * (x[at] - by[row].x);
        sum += dy[at];
      }
      products += product * by[row].y;
      total += sum;
    }
    let channel = 2 * (i / PER_SAMPLE) * CHANNELS * PER_SAMPLE + channel_of(i, c);
    parts[channel] = products;
    parts[channel + CHANNELS * PER_SAMPLE] = total;
  }
#endif
}
