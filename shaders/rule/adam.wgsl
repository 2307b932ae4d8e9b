// m = BETA1 m + (1 - BETA1) g;  v = BETA2 v + (1 - BETA2) g^2;  p = p - step m / (sqrt(v) correction + EPSILON), where
// step = lr / (1 - BETA1^t) and correction = 1 / sqrt(1 - BETA2^t) come from the layer's own step count t.
// PyTorch's torch.optim.Adam and AdamW; AMSGRAD takes the largest v so far. EPSILON may stand under the root or before the
// correction, as other systems have it. Row: lr, decay, step, correction (0: frozen).

fn spread_${N}(v: vec4f, correction: f32) -> vec4f {
#if ${EPS_INSIDE}
#if ${EPS_FIRST}
  return sqrt(v + ${EPSILON}) * correction;
#else
  return sqrt(fma(v, vec4f(correction * correction), vec4f(${EPSILON})));
#endif
#else
#if ${EPS_FIRST}
  return (sqrt(v) + ${EPSILON}) * correction;
#else
  return fma(sqrt(v), vec4f(correction), vec4f(${EPSILON}));
#endif
#endif
}

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let m = mean_${N}(at, g);
  let v = mean_square_${N}(at, g);
  moment1[at] = m;
  moment2[at] = v;
#if ${AMSGRAD}
  let most = max(moment3[at], v);
  moment3[at] = most;
#else
  let most = v;
#endif
  move_${N}(at, p, row, row.z * (m / spread_${N}(most, row.w)));
}

#if ${TRUSTED}
// The step that the update will take, decay included, for the trust ratio of LAMB.
fn direction_${N}(at: u32, row: vec4f) -> vec4f {
  let g = loss_gradient(at);
  let m = mean_${N}(at, g);
  let v = mean_square_${N}(at, g);
  return fma(vec4f(row.y), parameters[at], row.z * (m / spread_${N}(v, row.w)));
}
#else
// Where the last update went, but for its length.
fn direction_${N}(at: u32, row: vec4f) -> vec4f {
  return moment1[at] / spread_${N}(moment2[at], row.w);
}
#endif
