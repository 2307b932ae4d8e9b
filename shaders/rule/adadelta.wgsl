// g = g + weightDecay p;  s = RHO s + (1 - RHO) g^2;  d = sqrt(u + EPSILON) / sqrt(s + EPSILON) g;
// u = RHO u + (1 - RHO) d^2;  p = p - lr d.
// PyTorch's torch.optim.Adadelta (Zeiler 2012). Row: lr, decay, unused, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let s = fma(vec4f(${RHO}), moment1[at], ${ONE_MINUS_RHO} * g * g);
  let u = moment2[at];
  let d = sqrt(u + ${EPSILON}) / sqrt(s + ${EPSILON}) * g;
  moment1[at] = s;
  moment2[at] = fma(vec4f(${RHO}), u, ${ONE_MINUS_RHO} * d * d);
  move_${N}(at, p, row, row.x * d);
}
