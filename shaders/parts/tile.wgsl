// A product of two 4 x 4 blocks, added to a third. A block of C or A holds its rows as the columns of a mat4x4f, so that
// a row is one vec4f; a block of B likewise. fma keeps the sum in one rounding per term on every device.
fn row_times(c: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], c))));
}

fn add_product(c: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(row_times(c[0], a[0], b), row_times(c[1], a[1], b), row_times(c[2], a[2], b), row_times(c[3], a[3], b));
}
