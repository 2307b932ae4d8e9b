// Compilers may assume that no value is NaN or infinite, so the question is put to the bits.
fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}
