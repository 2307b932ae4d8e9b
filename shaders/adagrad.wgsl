// g = g + weightDecay p;  s = s + g^2;  p = p - step g / (sqrt(s) + EPSILON), where step = lr / (1 + (t - 1) lrDecay).
// PyTorch's torch.optim.Adagrad (Duchi et al. 2011). Row: step, weight decay, unused, active. One dispatch for all layers.
${UPDATE}
override EPSILON: f32;

@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = fma(vec4f(row.y), p, gradients[at]);
  let s = fma(g, g, moment1[at]);
  moment1[at] = s;
  parameters[at] = fma(vec4f(-row.x), g / (sqrt(s) + EPSILON), p);
}
