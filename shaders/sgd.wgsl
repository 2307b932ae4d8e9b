// g = g + weightDecay p;  buffer = MOMENTUM buffer + z g;  p = p - lr (NESTEROV ? g + MOMENTUM buffer : buffer).
// PyTorch's torch.optim.SGD. Row: lr, weight decay, z (1 on the first step of a layer, 1 - dampening after that), active.
// One dispatch for all layers.
${UPDATE}
override MOMENTUM: f32;

#if ${WITH_MOMENTUM}
@group(0) @binding(4) var<storage, read_write> moment1: array<vec4f>;  // [BLOCKS, 64]
#endif

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = fma(vec4f(row.y), p, gradients[at]);
#if ${WITH_MOMENTUM}
  let momentum = fma(vec4f(MOMENTUM), moment1[at], row.z * g);
  moment1[at] = momentum;
#if ${NESTEROV}
  let direction = fma(vec4f(MOMENTUM), momentum, g);
#else
  let direction = momentum;
#endif
#else
  let direction = g;
#endif
  parameters[at] = fma(vec4f(-row.x), direction, p);
}
