// The batch of this step: X[b, i] = data.x[data.order[start + b], i] * scale[i % PERIOD] + shift[i % PERIOD] (NORM), or as it
// is, and the label or target of the same sample. A thread for four numbers of a sample where its length is a multiple of 4
// (VECTOR), else for each. Rows beyond the step's count repeat the first one; the loss masks them.
${STEP}
#if ${VECTOR}
alias V = vec4f;
const LANES = 4u;
#else
alias V = f32;
const LANES = 1u;
#endif

override BATCH: u32;
override FEATURES: u32;  // numbers in a sample
override TARGETS: u32;   // words in its label or target
#if ${NORM}
override PERIOD: u32;  // a multiple of 4
#endif
#if ${BYTE_TARGET}
override FACTOR: f32;  // what a byte of the target counts
#endif

#if ${WIDE_WORDS}
@group(0) @binding(0) var<storage, read> data_x: array<vec4u>;  // [samples, FEATURES] as f32
#else
@group(0) @binding(0) var<storage, read> data_x: array<u32>;  // [samples, FEATURES] as bytes (BYTES) or f32
#endif
@group(0) @binding(1) var<storage, read> data_order: array<u32>;  // [samples]
@group(0) @binding(2) var<storage, read_write> x: array<V>;  // [B, FEATURES]
#if ${WITH_TARGET}
@group(0) @binding(3) var<storage, read> data_y: array<u32>;  // [samples, TARGETS], as bytes (BYTE_TARGET) or words
@group(0) @binding(4) var<storage, read_write> y: array<u32>;  // [B, TARGETS]
#endif
#if ${NORM}
@group(0) @binding(5) var<storage, read> data_norm: array<V>;  // [2, PERIOD]: scales, then shifts
#endif

fn sample_of(row: u32) -> u32 {
  return data_order[step.start + select(0, row, row < step.count)];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let width = FEATURES / LANES;
  if (i < BATCH * width) {
    let inside = i % width;
    let at = sample_of(i / width) * width + inside;
#if ${BYTES}
#if ${VECTOR}
    let word = data_x[at];
    let value = vec4f(vec4u(word, word >> 8, word >> 16, word >> 24) & vec4u(255));
#else
    let value = f32(extractBits(data_x[at / 4], at % 4 * 8, 8));
#endif
#else
    let value = bitcast<V>(data_x[at]);
#endif
#if ${NORM}
    let k = inside % (PERIOD / LANES);
    x[i] = fma(value, data_norm[k], data_norm[PERIOD / LANES + k]);
#else
    x[i] = value;
#endif
  }
#if ${WITH_TARGET}
  if (i < BATCH * TARGETS) {
    let at = sample_of(i / TARGETS) * TARGETS + i % TARGETS;
#if ${BYTE_TARGET}
    y[i] = bitcast<u32>(f32(extractBits(data_y[at / 4], at % 4 * 8, 8)) * FACTOR);
#else
    y[i] = data_y[at];
#endif
  }
#endif
}
