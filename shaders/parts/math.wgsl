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

// e^x - 1 for x of at most 0, where exp(x) - 1 loses its digits near 0.
fn expm1(x: V) -> V {
  let t = tanh_exact(0.5 * x);
  return 2 * t / (1 - t);
}

// tanh(softplus(x)), without a large exp.
fn mish_gate(x: V) -> V {
  let e = exp(-abs(x));
  let part = select(1 + 2 * e, e * (e + 2), x < V(0));
  return part / (part + select(2 * e * e, V(2), x < V(0)));
}

// sin(x), or -cos(x) where half is 0.5: x less so many halves of a turn, in three parts of pi that leave no rounding, then the
// Taylor series. WGSL's own may be off by 5e-4.
fn wave(x: V, half: f32) -> V {
  let k = round(x * 0.31830989 - half);
  let n = k + half;
  let r = fma(n, V(-1.509957990978376e-7), fma(n, V(-9.67502593994140625e-4), fma(n, V(-3.140625), x)));
  let q = r * r;
  let series = 1 + q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880 + q * (-1.0 / 39916800
    + q / 6227020800.0)))));
  return r * select(series, -series, fract(0.5 * k) > V(0.25));
}
