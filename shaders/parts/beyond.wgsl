// Which gradients are bad: no finite number, or beyond 2^48, where sums of their squares come near the end of f32. Compilers
// may assume that no value is NaN or infinite, so the question is put to the bits.
fn beyond(value: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(value) & vec4u(0x7fffffff)) > vec4u(0x57800000);
}
