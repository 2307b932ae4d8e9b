// g = g + weightDecay p;  s = s + g^2;  p = p - step g / (sqrt(s) + EPSILON), where step = lr / (1 + (t - 1) lrDecay).
// PyTorch's torch.optim.Adagrad (Duchi et al. 2011). Row: step, decay, unused, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let s = fma(g, g, moment1[at]);
  moment1[at] = s;
  move_${N}(at, p, row, row.x * (g / root_${N}(s)));
}
