// Functions that WGSL lacks or promises only roughly, over V (f32 or vec4f).

// WGSL's own tanh may be off by 1e-5. Near zero the Taylor series, elsewhere by exp of a number that is never positive.
fn tanh_exact(x: V) -> V {
  let q = x * x;
  let series = x * (1 + q * (-1.0 / 3 + q * (2.0 / 15 + q * (-17.0 / 315 + q * (62.0 / 2835)))));
  let e = exp(-2 * abs(x));
  return select(sign(x) * (1 - e) / (1 + e), series, abs(x) < V(0.3));
}

// 1 / (1 + exp(-x)), without a large exp.
fn sigmoid(x: V) -> V {
  let e = exp(-abs(x));
  return select(V(1), e, x < V(0)) / (1 + e);
}

// The standard normal distribution, by erfc of Abramowitz and Stegun 7.1.26: off by less than 1e-7.
fn normal_cdf(x: V) -> V {
  let z = abs(x) * 0.70710678;
  let t = 1 / (1 + 0.3275911 * z);
  let tail = 0.5 * exp(-z * z)
    * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return select(tail, 1 - tail, x > V(0));
}

fn normal_pdf(x: V) -> V {
  return 0.39894228 * exp(-0.5 * x * x);
}
