// g = g + weightDecay p;  m = BETA1 m + (1 - BETA1) g;  u = max(BETA2 u, |g| + EPSILON);  p = p - step m / u, where
// step = lr / (1 - BETA1^t). PyTorch's torch.optim.Adamax (Kingma and Ba 2015). Row: step, decay, unused, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let m = fma(vec4f(${BETA1}), moment1[at], ${ONE_MINUS_BETA1} * g);
  let u = max(${BETA2} * moment2[at], abs(g) + ${EPSILON});
  moment1[at] = m;
  moment2[at] = u;
  move_${N}(at, p, row, row.x * (m / u));
}
