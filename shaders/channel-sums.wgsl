// Of each channel the sum of dz times the normalized x, which is the gradient of gamma, and that of dz, which is the gradient of beta,
// in a fixed order; of a part of the rows alone (SPLIT), or of such parts (MERGED). LINE leaves what the gradient of x takes from them:
// mean, 1 / deviation, and both sums over how many rows are real. A workgroup for each channel, or four.
${STEP}
alias V = ${V};
${JOINED}
${CHECK}
const LONG = 256u;  // terms of a part of a sum, which would lose digits if it were one

override CHANNELS: u32;  // or a fourth of them
override SPLITS: u32;

#if ${MERGED}
@group(0) @binding(0) var<storage, read> parts: array<V>;  // [rows, 2, C]
#else
@group(0) @binding(0) var<storage, read> dz: array<V>;  // [rows, C]
@group(0) @binding(1) var<storage, read> x: array<V>;  // [rows, C]
#endif
#if ${KNOWN}
@group(0) @binding(2) var<storage, read> mean: array<V>;  // [C]
@group(0) @binding(3) var<storage, read> inverse: array<V>;  // [C]
#endif
#if ${SPLIT}
@group(0) @binding(4) var<storage, read_write> y: array<V>;  // [SPLITS, 2, C]
#else
@group(0) @binding(4) var<storage, read_write> dgamma: array<V>;  // [C]
@group(0) @binding(5) var<storage, read_write> dbeta: array<V>;  // [C]
#endif
#if ${LINE}
@group(0) @binding(6) var<storage, read_write> line: array<V>;  // [4, C]
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup.y * groups.x + workgroup.x;
  if (i >= SPLITS * CHANNELS) { return; }
  let channel = i % CHANNELS;
  let rows = ${SEEN};
  let height = (rows + SPLITS - 1) / SPLITS;
  let begin = i / CHANNELS * height;
  let end = min(rows, begin + height);
  var products = V();
  var total = V();
  for (var at = begin + lane; at < end; at += LONG * 64) {
    var product = V();
    var sum = V();
    for (var k = at; k < min(end, at + LONG * 64); k += 64) {
#if ${MERGED}
      product += parts[2 * k * CHANNELS + channel];
      sum += parts[(2 * k + 1) * CHANNELS + channel];
#else
      let d = dz[k * CHANNELS + channel];
      product += d * (x[k * CHANNELS + channel] - mean[channel]);
      sum += d;
#endif
    }
    products += product;
    total += sum;
  }
  products = joined(lane, products);
  total = joined(lane, total);
  if (lane != 0) { return; }
#if ${MERGED}
#else
  products *= inverse[channel];
#endif
#if ${SPLIT}
  let part = i / CHANNELS;
  y[2 * part * CHANNELS + channel] = products;
  y[(2 * part + 1) * CHANNELS + channel] = total;
#else
  ask(products, total);
  settle();
  dgamma[i] = products;
  dbeta[i] = total;
#endif
#if ${LINE}
  let count = f32(${REAL});
  line[i] = mean[i];
  line[CHANNELS + i] = inverse[i];
  line[2 * CHANNELS + i] = total / count;
  line[3 * CHANNELS + i] = products * inverse[i] / count;
#endif
}

#if ${VECTOR}
fn ask(one: vec4f, other: vec4f) {
  check(one);
  for (var k = 0; k < 4; k++) { check_sum(other[k]); }
}
#else
fn ask(one: f32, other: f32) {
  check_one(one);
  check_sum(other);
}
#endif
