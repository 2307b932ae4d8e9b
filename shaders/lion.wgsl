// p = p - lr weightDecay p;  p = p - lr sign(BETA1 m + (1 - BETA1) g);  m = BETA2 m + (1 - BETA2) g.
// Chen et al. 2023. Row: lr, weight decay, unused, active. One dispatch for all layers.
${UPDATE}
override BETA1: f32;
override ONE_MINUS_BETA1: f32;
override BETA2: f32;
override ONE_MINUS_BETA2: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradients[at];
  let m = moment1[at];
  // Decay and step are joined, so that the weight is rounded once.
  parameters[at] = fma(vec4f(-row.x), fma(vec4f(row.y), p, sign(fma(vec4f(BETA1), m, ONE_MINUS_BETA1 * g))), p);
  moment1[at] = fma(vec4f(BETA2), m, ONE_MINUS_BETA2 * g);
}
