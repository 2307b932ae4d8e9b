// The running means of the Adam family, of the gradient and of its square: m = BETA1 m + (1 - BETA1) g and
// v = BETA2 v + (1 - BETA2) g^2. They read the moments; the rule writes them.

fn mean_${N}(at: u32, g: vec4f) -> vec4f {
  return fma(vec4f(${BETA1}), moment1[at], ${ONE_MINUS_BETA1} * g);
}

fn mean_square_${N}(at: u32, g: vec4f) -> vec4f {
  return fma(vec4f(${BETA2}), moment2[at], ${ONE_MINUS_BETA2} * g * g);
}
