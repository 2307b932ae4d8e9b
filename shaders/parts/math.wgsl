// Functions that WGSL lacks or promises only roughly, over V (f32 or vec4f); W are its bits.

// y, or x where that is NaN, which exp may lose.
fn or_nan(x: V, y: V) -> V {
  return select(y, x, (bitcast<W>(x) & W(0x7fffffff)) > W(0x7f800000));
}

// WGSL's own tanh may be off by 1e-5. Near zero the Taylor series, elsewhere by exp of a number that is never positive.
fn tanh_exact(x: V) -> V {
  let q = x * x;
  let series = x * (1 + q * (-1.0 / 3 + q * (2.0 / 15 + q * (-17.0 / 315 + q * (62.0 / 2835)))));
  let e = exp(-2 * abs(x));
  return or_nan(x, select(sign(x) * (1 - e) / (1 + e), series, abs(x) < V(0.3)));
}

// 1 / (1 + exp(-x)), without a large exp.
fn sigmoid(x: V) -> V {
  let e = exp(-abs(x));
  return or_nan(x, select(V(1), e, x < V(0)) / (1 + e));
}

// log(1 + exp(x)). Near 1 a logarithm loses digits, so log(1 + e) is 2 artanh(e / (2 + e)) by its series, whose q is at most 1/9.
fn softplus(x: V) -> V {
  let e = exp(-abs(x));
  let s = e / (2 + e);
  let q = s * s;
  let series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11 + q * (1.0 / 13))))));
  return or_nan(x, max(x, V(0)) + 2 * s * series);
}

// The standard normal distribution. The tail is a polynomial in 1 / (1 + 0.3 |x|) times exp(-x^2 / 2), fitted to a
// relative error of 1.3e-7, so that gelu keeps its digits far below zero too.
fn normal_cdf(x: V) -> V {
  let t = 1 / (1 + 0.3 * abs(x));
  let tail = exp(-0.5 * x * x) * t * (0.119626 + t * (0.12080433 + t * (0.0996006 + t * (0.12958996
    + t * (-0.05562058 + t * (0.20845157 + t * (-0.15841749 + t * 0.03596556)))))));
  return select(tail, 1 - tail, x > V(0));
}

fn normal_pdf(x: V) -> V {
  return 0.39894228 * exp(-0.5 * x * x);
}
