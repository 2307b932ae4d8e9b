// Of each channel the sum of dY xhat, the normalized X, and that of dY, over a part of the samples: parts of the gradients of gamma and
// beta. A workgroup for each part and each group of channels: first what each group is normalized by, then a thread for a channel.
alias V = f32;

override HEIGHT: u32;  // samples of a part, at most 64
override SAMPLES: u32;

@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;  // [SAMPLES / HEIGHT, 2, C]

var<workgroup> by: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.y * groups.x + workgroup.x;
  let part = i / PER_SAMPLE;
  let group = i % PER_SAMPLE;
  let begin = part * HEIGHT;
  if (begin >= SAMPLES) { return; }
  let height = min(HEIGHT, SAMPLES - begin);
#if ${SHARED}
  for (var row = 0u; row < height; row++) {
    let found = measured(lane, first_of((begin + row) * PER_SAMPLE + group));
    if (lane == 0) { by[row] = found; }
  }
#else
  if (lane < height) { by[lane] = measured(lane, first_of((begin + lane) * PER_SAMPLE + group)); }
#endif
  workgroupBarrier();
  for (var c = lane; c < CHANNELS; c += 64) {
    var products = 0.0;
    var total = 0.0;
    for (var row = 0u; row < height; row++) {
      let first = first_of((begin + row) * PER_SAMPLE + group);
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
    let channel = channel_of(i, c);
    parts[(2 * part) * CHANNELS * PER_SAMPLE + channel] = products;
    parts[(2 * part + 1) * CHANNELS * PER_SAMPLE + channel] = total;
  }
}
