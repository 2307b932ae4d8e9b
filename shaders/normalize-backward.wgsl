// dX = (d - mean of d - xhat mean of d xhat) / deviation of each group by itself, with d = dY gamma and the normalized X, xhat; then the
// epilogue. Without MEAN the mean of d is not taken off. SUMMED leaves of each channel the sum of dY xhat and that of dY over the samples
// of a part too: parts of the gradients of gamma and beta. A workgroup for each part and each group of channels: first what its groups are
// normalized by, then their numbers, as they stand or, where there are channels for all threads (BY_CHANNELS), all of a thread's channels,
// which it adds up meanwhile.
${EPILOGUE}
${CHECK}
const WIDTH = ${WIDTH}u;  // threads of a workgroup
override HEIGHT: u32;  // samples of a part, at most 64
override SAMPLES: u32;

@group(0) @binding(1) var<storage, read> dy: array<V>;
#if ${SCALED}
@group(0) @binding(2) var<storage, read> gamma: array<V>;
#endif
@group(0) @binding(3) var<storage, read_write> dx: array<V>;
#if ${SUMMED}
@group(0) @binding(4) var<storage, read_write> parts: array<V>;  // [SAMPLES / HEIGHT, 2, C]
#endif

var<workgroup> by: array<vec4f, 64>;

fn scale_of(channel: u32) -> V {
#if ${SCALED}
  return gamma[channel / LANES];
#else
  return V(1);
#endif
}

struct Sums { totals: V, squares: V, slopes: V, products: V }

fn plus(a: Sums, b: Sums) -> Sums {
  return Sums(a.totals + b.totals, a.squares + b.squares, a.slopes + b.slopes, a.products + b.products);
}

fn sums_of(i: u32, first: u32, middle: f32, begin: u32, end: u32) -> Sums {
  var sums = Sums();
  for (var k = begin; k < end; k += STEP) {
    let place = (first + term_at(k)) / LANES;
    let away = x[place] - middle;
    let d = dy[place] * scale_of(channel_of(i, k));
    sums.totals += away;
    sums.squares += away * away;
    sums.slopes += d;
    sums.products += d * away;
  }
  return sums;
}

// Of the group at `first`, mean, 1 / deviation, the mean of d, and that of d xhat over the deviation.
fn known(lane: u32, i: u32, first: u32) -> vec4f {
  let thread = lane % THREADS * LANES;
  let middle = middle_of(lane, first, thread);
  let sums = all_sums(i, first, middle, thread);
  let own = normal_of(lane, middle, sums);
  let mean = mean_of(lane, sums.slopes);
  let product = mean_of(lane, sums.products) - (own.x - middle) * mean;
  return vec4f(own, select(0, mean, ${MEAN}), product * own.y * own.y);
}

// Stores dX where d and X less its mean are known.
fn store(at: u32, channel: u32, own: vec4f, d: V, away: V) {
  let result = epilogue((d - own.z - away * own.w) * own.y, at, channel);
  ask(result);
  dx[at / LANES] = result;
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
#if ${BY_CHANNELS}
#else
  for (var n = lane * LANES; n < height * COUNT; n += WIDTH * LANES) {
    let row = n / COUNT;
    let k = n % COUNT;
    let at = first_of(start + row * PER_SAMPLE) + term_at(k);
    let channel = channel_of(i, k);
    store(at, channel, by[row], dy[at / LANES] * scale_of(channel), x[at / LANES] - by[row].x);
  }
#endif
#if ${SUMS}
  for (var c = lane * LANES; c < CHANNELS; c += WIDTH * LANES) {
    let channel = channel_of(i, c);
    let scale = scale_of(channel);
    var products = V();
    var total = V();
    for (var row = 0u; row < height; row++) {
      let first = first_of(start + row * PER_SAMPLE);
      let own = by[row];
      var product = V();
      var sum = V();
      for (var k = c; k < COUNT; k += CHANNELS) {
        let at = first + term_at(k);
        let d = dy[at / LANES];
        let away = x[at / LANES] - own.x;
#if ${BY_CHANNELS}
        store(at, channel, own, d * scale, away);
#endif
        product += d * away;
        sum += d;
      }
      products += product * own.y;
      total += sum;
    }
#if ${SUMMED}
    let part = 2 * (i / PER_SAMPLE) * CHANNELS * PER_SAMPLE + channel;
    parts[part / LANES] = products;
    parts[(part + CHANNELS * PER_SAMPLE) / LANES] = total;
#endif
  }
#endif
  settle();
}
