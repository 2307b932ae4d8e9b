// loss[b] = log(sum over c of exp(z[b, c] - max)) + max - z[b, label], and dz[b, c] = (softmax(z)[b, c] - [c = label]) / count.
// A thread for each row. Rows beyond the step's count give zeros. The hit is 1 where the label has the largest logit.
${STEP}
const WORKGROUP = ${WORKGROUP}u;

override BATCH: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> logits: array<f32>;  // [B, C]
@group(0) @binding(1) var<storage, read> labels: array<u32>;  // [B]
@group(0) @binding(2) var<storage, read_write> rows: array<vec2f>;  // [B, 2]: loss and hit
#if ${GRADIENT}
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;  // [B, C]
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= BATCH) { return; }
  let first = row * CLASSES;
  let real = row < step.count;
  let label = labels[row];

  var largest = logits[first];
  var at_largest = 0u;
  for (var c = 1u; c < CLASSES; c++) {
    let z = logits[first + c];
    if (z > largest) {
      largest = z;
      at_largest = c;
    }
  }
  var sum = 0.0;
  for (var c = 0u; c < CLASSES; c++) { sum += exp(logits[first + c] - largest); }
  let loss = log(sum) - (logits[first + label] - largest);
  rows[row] = select(vec2f(), vec2f(loss, f32(at_largest == label)), real);

#if ${GRADIENT}
  let scale = select(0, 1 / f32(step.count), real);
  for (var c = 0u; c < CLASSES; c++) {
    let probability = exp(logits[first + c] - largest) / sum;
    dlogits[first + c] = select(0, (probability - f32(c == label)) * scale, real);
  }
#endif
}
