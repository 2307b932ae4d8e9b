// g = g + weightDecay p;  s = ALPHA s + (1 - ALPHA) g^2;  d = g / root(s);  p = p - lr d.
// CENTERED: a = ALPHA a + (1 - ALPHA) g, and s - a^2 stands under the root. WITH_MOMENTUM: buffer = MOMENTUM buffer + d,
// and p = p - lr buffer. PyTorch's torch.optim.RMSprop (Tieleman and Hinton 2012; centered: Graves 2013).
// Row: lr, decay, unused, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let s = fma(vec4f(${ALPHA}), moment1[at], ${ONE_MINUS_ALPHA} * g * g);
  moment1[at] = s;
#if ${CENTERED}
  let a = fma(vec4f(${ALPHA}), moment3[at], ${ONE_MINUS_ALPHA} * g);
  moment3[at] = a;
  // Never negative but for rounding.
  let d = g / root_${N}(max(fma(-a, a, s), vec4f()));
#else
  let d = g / root_${N}(s);
#endif
#if ${WITH_MOMENTUM}
  let direction = fma(vec4f(${MOMENTUM}), moment2[at], d);
  moment2[at] = direction;
#else
  let direction = d;
#endif
  move_${N}(at, p, row, row.x * direction);
}
