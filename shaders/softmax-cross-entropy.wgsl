// v = sum over c of t[c] (log(sum over k of exp(z[r, k] - max)) + max - z[r, c]) of each row, and dz[r, c] = (softmax(z)[r, c] sum(t) -
// t[c]) scale. What is to be there, t, is 1 at the label, or a row of targets (SOFT); of it a part is shared by all classes (SMOOTH), and
// each class counts what its weight says (CLASSED). A sample has SPAN rows. A thread for each row, or a workgroup (SHARED): a thread
// alone is slow over a long one, and some drivers end its loops after 65,535 turns. Rows of samples beyond the step's count give zeros.
// The hit is 1 where the label, or the largest target, has the largest logit, and -1 where a label does not count (IGNORING): its scale
// is 0. Logits that are NaN make a loss that is.
${STEP}
#if ${SHARED}
const THREADS = 64u;  // that share a row
#else
const THREADS = 1u;
#endif
const LONG = 256u;  // terms of a part of the sum, which would lose digits if it were one

override ROWS: u32;
override CLASSES: u32;
#if ${SMOOTH}
override SMOOTHING: f32;
#endif
#if ${IGNORING}
override IGNORED: u32;
#endif

@group(0) @binding(0) var<storage, read> logits: array<f32>;  // [ROWS, C]
#if ${SOFT}
@group(0) @binding(1) var<storage, read> targets: array<f32>;  // [ROWS, C]
#else
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [ROWS]
#endif
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [ROWS, 2]: loss and hit
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;  // [ROWS, C]
#endif
#if ${CLASSED}
@group(0) @binding(5) var<storage, read> class_weights: array<f32>;  // [C]
#endif

// What is to be at class c of a row, number `at` of all.
fn wanted(at: u32, c: u32, label: u32) -> f32 {
#if ${SOFT}
  var t = targets[at];
#else
  var t = f32(c == label);
#endif
#if ${SMOOTH}
  t = t * (1 - SMOOTHING) + SMOOTHING / f32(CLASSES);
#endif
#if ${CLASSED}
  t *= class_weights[c];
#endif
  return t;
}

#if ${WIDE}
alias Sum = vec3f;  // of exp(z - max), of t, and of t (z - max)

fn term(z: f32, t: f32) -> Sum {
  return vec3f(exp(z), t, t * z);
}
#else
alias Sum = f32;  // of exp(z - max)

fn term(z: f32, t: f32) -> Sum { return exp(z); }
#endif

#if ${SHARED}
var<workgroup> tops: array<vec4u, THREADS>;
var<workgroup> sums: array<Sum, THREADS>;

// The larger of two logits as bits, the first place where it stands, the bits of a NaN, and those of the larger of two targets.
fn top_of(x: vec4u, y: vec4u) -> vec4u {
  let later = bitcast<f32>(y.x) > bitcast<f32>(x.x) || (bitcast<f32>(y.x) == bitcast<f32>(x.x) && y.y < x.y);
  return vec4u(select(x.xy, y.xy, later), max(x.z, y.z), bitcast<u32>(max(bitcast<f32>(x.w), bitcast<f32>(y.w))));
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
#if ${SOFT}
  let label = 0u;
#else
  let label = min(labels[row], CLASSES - 1);
#endif

  var at_largest = thread % CLASSES;
  var largest = logits[first + at_largest];
  var most = 0.0;
  // Asked by bits: exp and comparisons may lose it.
  var nan = 0u;
  for (var c = thread; c < CLASSES; c += THREADS) {
    let z = logits[first + c];
    nan = select(nan, bitcast<u32>(z), (bitcast<u32>(z) & 0x7fffffff) > 0x7f800000);
    if (z > largest) {
      largest = z;
      at_largest = c;
    }
#if ${SOFT}
    most = max(most, targets[first + c]);
#endif
  }
#if ${SHARED}
  tops[thread] = vec4u(bitcast<u32>(largest), at_largest, nan, bitcast<u32>(most));
  for (var width = THREADS / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { tops[thread] = top_of(tops[thread], tops[thread + width]); }
  }
  workgroupBarrier();
  largest = bitcast<f32>(tops[0].x);
  at_largest = tops[0].y;
  nan = tops[0].z;
  most = bitcast<f32>(tops[0].w);
#endif

  var all = Sum();
  for (var begin = thread; begin < CLASSES; begin += LONG * THREADS) {
    var part = Sum();
    for (var c = begin; c < min(CLASSES, begin + LONG * THREADS); c += THREADS) {
      part += term(logits[first + c] - largest, wanted(first + c, c, label));
    }
    all += part;
  }
#if ${SHARED}
  sums[thread] = all;
  for (var width = THREADS / 2; width > 0; width /= 2) {
    workgroupBarrier();
    if (thread < width) { sums[thread] += sums[thread + width]; }
  }
  workgroupBarrier();
  all = sums[0];
#endif
#if ${WIDE}
  let sum = all.x;
  let mass = all.y;
  let cross = log(sum) * mass - all.z;
#else
  let sum = all;
#if ${CLASSED}
  let mass = class_weights[label];
#else
  let mass = 1.0;
#endif
  let cross = (log(sum) - (logits[first + label] - largest)) * mass;
#endif
  if (thread == 0) {
    let value = select(cross, bitcast<f32>(nan), nan != 0);
#if ${SOFT}
    let is_hit = targets[first + at_largest] == most;
#else
    let is_hit = at_largest == label;
#endif
    var hit = f32(is_hit & (nan == 0));
#if ${IGNORING}
    hit = select(hit, -1, labels[row] == IGNORED);
#endif
    rows[row] = select(vec2f(), vec2f(share_of(weighed(value, scale)), hit), real);
  }

#if ${GRADIENT}
  let slope = select(scale, bitcast<f32>(nan), nan != 0);
  for (var c = thread; c < CLASSES; c += THREADS) {
    let probability = exp(logits[first + c] - largest) / sum;
    dlogits[first + c] = select(0, (probability * mass - wanted(first + c, c, label)) * slope, real && scale != 0);
  }
#endif
}
