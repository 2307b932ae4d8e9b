// The batch of this step: X[b, i] = data.x[data.order[start + b], i] * scale[i % PERIOD] + shift[i % PERIOD] (NORM), or as it
// is, and the label or target of the same sample. A thread for four numbers of a sample where its length is a multiple of 4
// (VECTOR), else for each. Rows beyond the step's count repeat the first one; the loss masks them.
${STEP}
const WORKGROUP = ${WORKGROUP}u;

override BATCH: u32;
override FEATURES: u32;  // numbers in a sample
override TARGETS: u32;   // words in its label or target
#if ${NORM}
override PERIOD: u32;  // a multiple of 4
#endif

#if ${WIDE_WORDS}
@group(0) @binding(0) var<storage, read> data_x: array<vec4u>;  // [samples, FEATURES] as f32
#else
@group(0) @binding(0) var<storage, read> data_x: array<u32>;  // [samples, FEATURES] as bytes (BYTES) or f32
#endif
@group(0) @binding(1) var<storage, read> data_order: array<u32>;  // [samples]
#if ${VECTOR}
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;  // [B, FEATURES]
#else
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
#endif
#if ${WITH_TARGET}
@group(0) @binding(3) var<storage, read> data_y: array<u32>;  // [samples, TARGETS]
@group(0) @binding(4) var<storage, read_write> y: array<u32>;  // [B, TARGETS]
#endif
#if ${NORM}
#if ${VECTOR}
@group(0) @binding(5) var<storage, read> data_norm: array<vec4f>;  // [2, PERIOD]: scales, then shifts
#else
@group(0) @binding(5) var<storage, read> data_norm: array<f32>;
#endif
#endif

fn sample_of(row: u32) -> u32 {
  return data_order[step.start + select(0, row, row < step.count)];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * WORKGROUP + id.x;
#if ${VECTOR}
  if (i < BATCH * FEATURES / 4) {
    let inside = i % (FEATURES / 4);
    let at = sample_of(i / (FEATURES / 4)) * (FEATURES / 4) + inside;
#if ${BYTES}
    let word = data_x[at];
    let value = vec4f(vec4u(word, word >> 8, word >> 16, word >> 24) & vec4u(255));
#else
    let value = bitcast<vec4f>(data_x[at]);
#endif
#if ${NORM}
    let k = inside % (PERIOD / 4);
    x[i] = fma(value, data_norm[k], data_norm[PERIOD / 4 + k]);
#else
    x[i] = value;
#endif
  }
#else
  if (i < BATCH * FEATURES) {
    let inside = i % FEATURES;
    let at = sample_of(i / FEATURES) * FEATURES + inside;
#if ${BYTES}
    let value = f32(extractBits(data_x[at / 4], at % 4 * 8, 8));
#else
    let value = bitcast<f32>(data_x[at]);
#endif
#if ${NORM}
    let k = inside % PERIOD;
    x[i] = fma(value, data_norm[k], data_norm[PERIOD + k]);
#else
    x[i] = value;
#endif
  }
#endif
#if ${WITH_TARGET}
  if (i < BATCH * TARGETS) {
    y[i] = data_y[sample_of(i / TARGETS) * TARGETS + i % TARGETS];
  }
#endif
}
