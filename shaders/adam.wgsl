// m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;  p = p - step m / (sqrt(v) correction + EPSILON), where
// step = lr / (1 - BETA1^t) and correction = 1 / sqrt(1 - BETA2^t) come from the layer's own step count t.
// PyTorch's torch.optim.AdamW (DECOUPLED: p = p - lr weightDecay p first) and Adam (g = g + weightDecay p); AMSGRAD takes
// the largest v so far. Row: lr, weight decay, step, correction (0: frozen). One dispatch for all layers.
${UPDATE}
override BETA1: f32;
override BETA2: f32;
override ONE_MINUS_BETA1: f32;  // from f64: 1 - 0.999 in f32 is off by 1e-5
override ONE_MINUS_BETA2: f32;
override EPSILON: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]
@group(0) @binding(5) var<storage, read_write> moment2: array<vec4f>;  // [BLOCKS, 64]
#if ${AMSGRAD}
@group(0) @binding(6) var<storage, read_write> moment3: array<vec4f>;  // [BLOCKS, 64]
#endif

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
#if ${DECOUPLED}
  // Joined to the step below, so that the weight is rounded once: 1 - lr weightDecay alone would round away small decays.
  let shrink = row.x * row.y * p;
  let g = gradients[at];
#else
  let shrink = vec4f();
  let g = fma(vec4f(row.y), p, gradients[at]);
#endif
  let m = fma(vec4f(BETA1), moment1[at], ONE_MINUS_BETA1 * g);
  let v = fma(vec4f(BETA2), moment2[at], ONE_MINUS_BETA2 * g * g);
  moment1[at] = m;
  moment2[at] = v;
#if ${AMSGRAD}
  let spread = max(moment3[at], v);
  moment3[at] = spread;
#else
  let spread = v;
#endif
  parameters[at] = p - fma(vec4f(row.z), m / fma(sqrt(spread), vec4f(row.w), vec4f(EPSILON)), shrink);
}
