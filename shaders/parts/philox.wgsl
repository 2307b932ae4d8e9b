// Random numbers as in src/random.ts: four words of a counter, the same words for the same key everywhere. Philox4x32-10
// (Salmon et al. 2011), key (seed, draw), counter (hash of the path, block of four numbers). Normals use additions,
// multiplications and fma alone, since WGSL promises 2^-11 of cos and 2^-21 of log near 1.
fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffff) * (b & 0xffff);
  let middle = (a >> 16) * (b & 0xffff) + (low >> 16);
  let other = (a & 0xffff) * (b >> 16) + (middle & 0xffff);
  return (a >> 16) * (b >> 16) + (middle >> 16) + (other >> 16);
}

fn philox(key: vec2u, counter: vec4u) -> vec4u {
  var k = key;
  var c = counter;
  for (var round = 0; round < 10; round++) {
    let high = vec2u(high_product(c.x, 0xd2511f53), high_product(c.z, 0xcd9e8d57));
    c = vec4u(high.y ^ c.y ^ k.x, c.z * 0xcd9e8d57, high.x ^ c.w ^ k.y, c.x * 0xd2511f53);
    k += vec2u(0x9e3779b9, 0xbb67ae85);
  }
  return c;
}

// Four numbers in [0, 1), multiples of 2^-24.
fn uniforms(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8)) * 0x1p-24;
}

// -2 ln(u) of u = (bits + 1/2) / 2^32. Near 1, u is taken from above, where 1 - u is exact.
fn minus_two_log(bits: u32) -> f32 {
  var f = -(f32(~bits) + 0.5) * 0x1p-32;
  var exponent = 0.0;
  if (bits < 0xb504f333) {
    // u = m 2^-exponent with m from sqrt(1/2) to sqrt(2), read from the number's own bits.
    let u = bitcast<u32>((f32(bits) + 0.5) * 0x1p-32) + (0x3f800000 - 0x3f3504f3);
    exponent = 127.0 - f32(u >> 23);
    f = bitcast<f32>((u & 0x7fffff) + 0x3f3504f3) - 1;
  }
  var p = fma(0.152422443, f, -0.258093297);
  p = fma(p, f, 0.264869213);
  p = fma(p, f, -0.283636689);
  p = fma(p, f, 0.332180262);
  p = fma(p, f, -0.400039375);
  p = fma(p, f, 0.50003171);
  p = fma(p, f, -0.666666508);
  p = fma(p, f, 0.999999762);
  p = fma(p, f, -2);
  return fma(exponent, 1.38629436, p * f);
}

// From a first guess by the bits, three steps of Newton and one that takes the rest that is left.
fn root_of(w: f32) -> f32 {
  var inverse = bitcast<f32>(0x5f375a86 - (bitcast<u32>(w) >> 1));
  inverse *= fma(-0.5 * w * inverse, inverse, 1.5);
  inverse *= fma(-0.5 * w * inverse, inverse, 1.5);
  inverse *= fma(-0.5 * w * inverse, inverse, 1.5);
  let root = w * inverse;
  return fma(fma(-root, root, w), 0.5 * inverse, root);
}

// A radius and an angle give two normal numbers (Box and Muller 1958).
fn normal_pair(words: vec2u) -> vec2f {
  let radius = root_of(minus_two_log(words.x));
  // The angle in quarter turns: the nearest whole one, and the rest in 24 bits, which is never 0.
  let x = (f32(bitcast<i32>(words.y << 2) >> 8) + 0.5) * 0x1p-24;
  let z = x * x;
  let sine = x * fma(z, fma(z, fma(z, -0.00460165786, 0.079680033), -0.64596349), 1.57079637);
  let cosine = fma(z, fma(z, fma(z, fma(z, 0.000903631677, -0.0208600722), 0.253669202), -1.23370051), 1.0);
  let quarter = (words.y + 0x20000000) >> 30;
  let turned = select(-radius, radius, quarter < 2);
  return turned * select(vec2f(cosine, sine), vec2f(-sine, cosine), (quarter & 1) == 1);
}

// Four numbers, normal with mean 0 and deviation 1.
fn normals(words: vec4u) -> vec4f {
  return vec4f(normal_pair(words.xy), normal_pair(words.zw));
}
