// v = log(sum over c of exp(z[r, c] - max)) + max - z[r, label] of each row, and dz[r, c] = (softmax(z)[r, c] - [c = label]) scale.
// A sample has SPAN rows. A thread for each row, or a workgroup (SHARED): a thread alone is slow over a long one, and some drivers end its loops after
// 65,535 turns. Rows of samples beyond the step's count give zeros. The hit is 1 where the label has the largest logit. Logits that are NaN
// make a loss that is.
${STEP}
#if ${SHARED}
const THREADS = 64u;  // that share a row
#else
const THREADS = 1u;
#endif
const LONG = 256u;  // terms of a part of the sum, which would lose digits if it were one

override ROWS: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> logits: array<f32>;  // [ROWS, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [ROWS]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [ROWS, 2]: loss and hit
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;  // [ROWS, C]
#endif

#if ${SHARED}
var<workgroup> tops: array<vec3u, THREADS>;
var<workgroup> sums: array<f32, THREADS>;

// The larger of two logits as bits, the first place where it stands, and the bits of a NaN.
fn top_of(x: vec3u, y: vec3u) -> vec3u {
  let later = bitcast<f32>(y.x) > bitcast<f32>(x.x) || (bitcast<f32>(y.x) == bitcast<f32>(x.x) && y.y < x.y);
  return vec3u(select(x.xy, y.xy, later), max(x.z, y.z));
}
#endif

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.y * groups.x + workgroup.x;
#if ${SHARED}
  let row = group;
  let thread = lane;
#else
  let row = group * 64 + lane;
  let thread = 0u;
#endif
  if (row >= ROWS) { return; }
  let first = row * CLASSES;
  let real = row < step.count * SPAN;
  let scale = scale_of(row);
  let label = labels[row];

  var largest = logits[first + thread];
  var at_largest = thread;
  // Asked by bits: exp and comparisons may lose it.
  var nan = 0u;
  for (var c = thread; c < CLASSES; c += THREADS) {
    let z = logits[first + c];
    nan = select(nan, bitcast<u32>(z), (bitcast<u32>(z) & 0x7fffffff) > 0x7f800000);
    if (z > largest) {
      largest = z;
      at_largest = c;
    }
  }
#if ${SHARED}
  tops[thread] = vec3u(bitcast<u32>(largest), at_largest, nan);
  for (var width = THREADS / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { tops[thread] = top_of(tops[thread], tops[thread + width]); }
  }
  workgroupBarrier();
  largest = bitcast<f32>(tops[0].x);
  at_largest = tops[0].y;
  nan = tops[0].z;
#endif

  var sum = 0.0;
  for (var begin = thread; begin < CLASSES; begin += LONG * THREADS) {
    var part = 0.0;
    for (var c = begin; c < min(CLASSES, begin + LONG * THREADS); c += THREADS) { part += exp(logits[first + c] - largest); }
    sum += part;
  }
#if ${SHARED}
  sums[thread] = sum;
  for (var width = THREADS / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { sums[thread] += sums[thread + width]; }
  }
  workgroupBarrier();
  sum = sums[0];
#endif
  if (thread == 0) {
    let value = select(log(sum) - (logits[first + label] - largest), bitcast<f32>(nan), nan != 0);
    let hit = f32((at_largest == label) & (nan == 0));
    rows[row] = select(vec2f(), vec2f(share_of(weighed(value, scale)), hit), real);
  }

#if ${GRADIENT}
  let slope = select(scale, bitcast<f32>(nan), nan != 0);
  for (var c = thread; c < CLASSES; c += THREADS) {
    let probability = exp(logits[first + c] - largest) / sum;
    dlogits[first + c] = select(0, (probability - f32(c == label)) * slope, real && scale != 0);
  }
#endif
}
