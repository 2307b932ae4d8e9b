// g = g + weightDecay p;  buffer = MOMENTUM buffer + z g;  p = p - lr (NESTEROV ? g + MOMENTUM buffer : buffer).
// PyTorch's torch.optim.SGD; RATE_IN_MOMENTUM is Caffe's form: buffer = MOMENTUM buffer + lr z g;  p = p - buffer. With z times
// the trust ratio it is LARS. Row: lr, decay, z (1 on the first step of a layer, 1 - dampening after that), active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = row.z * gradient_${N}(at, p, row);
#if ${WITH_MOMENTUM}
#if ${RATE_IN_MOMENTUM}
  let own = row.x * g;
  let rate = 1.0;
#else
  let own = g;
  let rate = row.x;
#endif
  let momentum = fma(vec4f(${MOMENTUM}), moment1[at], own);
  moment1[at] = momentum;
#if ${NESTEROV}
  move_${N}(at, p, row, rate * fma(vec4f(${MOMENTUM}), momentum, own));
#else
  move_${N}(at, p, row, rate * momentum);
#endif
#else
  move_${N}(at, p, row, row.x * g);
#endif
}

#if ${WITH_MOMENTUM}
// Where the last update went, but for its length.
fn direction_${N}(at: u32, row: vec4f) -> vec4f {
  return moment1[at];
}
#endif
