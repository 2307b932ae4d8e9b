// m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;  p = p - step m / (sqrt(v) correction + EPSILON), where
// step = lr / (1 - BETA1^t) and correction = 1 / sqrt(1 - BETA2^t) come from the layer's own step count t.
// PyTorch's torch.optim.AdamW (DECOUPLED: p = p - lr weightDecay p first) and Adam (g = g + weightDecay p).
// One dispatch for all layers.
const ROWS = ${ROWS}u;
#if ${TABLE_IN_UNIFORM}
@group(1) @binding(1) var<uniform> table: array<vec4f, ROWS>;  // lr, weight decay, step, correction (0: frozen)
#else
@group(1) @binding(1) var<storage, read> table: array<vec4f, ROWS>;
#endif
${UPDATE}
override BETA1: f32;
override BETA2: f32;
override ONE_MINUS_BETA1: f32;  // from f64: 1 - 0.999 in f32 is off by 1e-5
override ONE_MINUS_BETA2: f32;
override EPSILON: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(5) var<storage, read_write> moment2: array<vec4f>;  // [BLOCKS, 64]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = block_of(workgroup, groups);
  if (!is_active(block)) { return; }
  let row = table[rows[block]];
  let at = block * 64 + lane;
#if ${DECOUPLED}
  let p = fma(vec4f(-row.x * row.y), parameters[at], parameters[at]);
  let g = gradients[at];
#else
  let p = parameters[at];
  let g = fma(vec4f(row.y), p, gradients[at]);
#endif
  let m = fma(vec4f(BETA1), moment1[at], ONE_MINUS_BETA1 * g);
  let v = fma(vec4f(BETA2), moment2[at], ONE_MINUS_BETA2 * g * g);
  moment1[at] = m;
  moment2[at] = v;
  parameters[at] = fma(vec4f(-row.z), m / fma(sqrt(v), vec4f(row.w), vec4f(EPSILON)), p);
}
