// loss[b] = log(sum over c of exp(z[b, c] - max)) + max - z[b, label], and dz[b, c] = (softmax(z)[b, c] - [c = label]) / count.
// A thread for each row. Rows beyond the step's count give zeros. The hit is 1 where the label has the largest logit. Logits
// that are NaN make a loss that is.
${STEP}
const LONG = 256u;  // terms of a part of the sum, which would lose digits if it were one

override BATCH: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> logits: array<f32>;  // [B, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [B]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, 2]: loss and hit
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;  // [B, C]
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.y * groups.x * 64 + id.x;
  if (row >= BATCH) { return; }
  let first = row * CLASSES;
  let real = row < step.count;
  let label = labels[row];

  var largest = logits[first];
  var at_largest = 0u;
  // Asked by bits: exp and comparisons may lose it.
  var nan = 0u;
  for (var c = 0u; c < CLASSES; c++) {
    let z = logits[first + c];
    nan = select(nan, bitcast<u32>(z), (bitcast<u32>(z) & 0x7fffffff) > 0x7f800000);
    if (z > largest) {
      largest = z;
      at_largest = c;
    }
  }
  var sum = 0.0;
  for (var begin = 0u; begin < CLASSES; begin += LONG) {
    var part = 0.0;
    for (var c = begin; c < min(CLASSES, begin + LONG); c++) { part += exp(logits[first + c] - largest); }
    sum += part;
  }
  let loss = select(log(sum) - (logits[first + label] - largest), bitcast<f32>(nan), nan != 0);
  rows[row] = select(vec2f(), vec2f(loss, f32((at_largest == label) & (nan == 0))), real);

#if ${GRADIENT}
  let scale = select(1 / f32(step.count), bitcast<f32>(nan), nan != 0);
  for (var c = 0u; c < CLASSES; c++) {
    let probability = exp(logits[first + c] - largest) / sum;
    dlogits[first + c] = select(0, (probability - f32(c == label)) * scale, real);
  }
#endif
}
