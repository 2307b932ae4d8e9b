// g = g + weightDecay p;  s = ALPHA s + (1 - ALPHA) g^2;  d = g / (sqrt(s) + EPSILON);  p = p - lr d.
// CENTERED: a = ALPHA a + (1 - ALPHA) g, and s - a^2 stands under the root. WITH_MOMENTUM: buffer = MOMENTUM buffer + d,
// and p = p - lr buffer. PyTorch's torch.optim.RMSprop (Tieleman and Hinton 2012; centered: Graves 2013).
// Row: lr, weight decay, unused, active. One dispatch for all layers.
${UPDATE}
override ALPHA: f32;
override ONE_MINUS_ALPHA: f32;
override EPSILON: f32;
override MOMENTUM: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]
#if ${WITH_MOMENTUM}
@group(0) @binding(5) var<storage, read_write> moment2: array<vec4f>;  // [BLOCKS, 64]
#endif
#if ${CENTERED}
@group(0) @binding(6) var<storage, read_write> moment3: array<vec4f>;  // [BLOCKS, 64]
#endif

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = fma(vec4f(row.y), p, gradients[at]);
  let s = fma(vec4f(ALPHA), moment1[at], ONE_MINUS_ALPHA * g * g);
  moment1[at] = s;
#if ${CENTERED}
  let a = fma(vec4f(ALPHA), moment3[at], ONE_MINUS_ALPHA * g);
  moment3[at] = a;
  // Never negative but for rounding.
  let d = g / (sqrt(max(fma(-a, a, s), vec4f())) + EPSILON);
#else
  let d = g / (sqrt(s) + EPSILON);
#endif
#if ${WITH_MOMENTUM}
  let direction = fma(vec4f(MOMENTUM), moment2[at], d);
  moment2[at] = direction;
#else
  let direction = d;
#endif
  parameters[at] = fma(vec4f(-row.x), direction, p);
}
