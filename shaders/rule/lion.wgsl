// p = p - lr sign(BETA1 m + (1 - BETA1) g);  m = BETA2 m + (1 - BETA2) g.
// Chen et al. 2023. Row: lr, decay, unused, active.

fn update_${N}(at: u32, row: vec4f) {
  let p = parameters[at];
  let g = gradient_${N}(at, p, row);
  let m = moment1[at];
  move_${N}(at, p, row, row.x * sign(fma(vec4f(${BETA1}), m, ${ONE_MINUS_BETA1} * g)));
  moment1[at] = fma(vec4f(${BETA2}), m, ${ONE_MINUS_BETA2} * g);
}
