// g = g + weightDecay p;  m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;  p = p - step m z / (sqrt(v) + EPSILON),
// and p = p - step m while z is 0: step = lr / (1 - BETA1^t), z the rectification times sqrt(1 - BETA2^t), 0 for small t.
// PyTorch's torch.optim.RAdam (Liu et al. 2020). Row: step, decay, z, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let m = mean_${N}(at, g);
  let v = mean_square_${N}(at, g);
  moment1[at] = m;
  moment2[at] = v;
  let direction = select(m, m * row.z / (sqrt(v) + ${EPSILON}), row.z != 0);
  move_${N}(at, p, row, row.x * direction);
}
