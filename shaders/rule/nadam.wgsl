// g = g + weightDecay p;  m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;
// p = p - (x g + z m) / (sqrt(v) correction + EPSILON), where x and z hold the rate and the momentum schedule's products.
// PyTorch's torch.optim.NAdam (Dozat 2016). Row: x, decay, z, correction (0: frozen).

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let m = mean_${N}(at, g);
  let v = mean_square_${N}(at, g);
  moment1[at] = m;
  moment2[at] = v;
  move_${N}(at, p, row, fma(vec4f(row.x), g, row.z * m) / fma(sqrt(v), vec4f(row.w), vec4f(${EPSILON})));
}
