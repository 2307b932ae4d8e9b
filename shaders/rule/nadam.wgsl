// g = g + weightDecay p;  m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;
// p = p - (x g + z m) / (sqrt(v) correction + EPSILON), where x and z hold the rate and the momentum schedule's products.
// PyTorch's torch.optim.NAdam (Dozat 2016). Row: x, decay, z, correction (0: frozen).
override BETA1: f32;
override ONE_MINUS_BETA1: f32;
override BETA2: f32;
override ONE_MINUS_BETA2: f32;
override EPSILON: f32;

fn update(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient(at, p, row);
  let m = fma(vec4f(BETA1), moment1[at], ONE_MINUS_BETA1 * g);
  let v = fma(vec4f(BETA2), moment2[at], ONE_MINUS_BETA2 * g * g);
  moment1[at] = m;
  moment2[at] = v;
  move(at, p, row, fma(vec4f(row.x), g, row.z * m) / fma(sqrt(v), vec4f(row.w), vec4f(EPSILON)));
}
