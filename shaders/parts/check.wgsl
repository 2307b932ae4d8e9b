// A gradient is asked as it is stored: the largest bits of what a thread stores, and at its end one question. `metrics` begins
// with the status: the first bad step, 1 + the row of its tensor. Of several tensors, and of the loss, the highest row is named, so that
// no race decides.
@group(0) @binding(7) var<storage, read_write> metrics: array<atomic<u32>>;
@group(0) @binding(8) var<uniform> gradient_row: vec4u;  // 1 + row, 0 where it is no gradient

var<private> worst: vec4u;

fn check(value: vec4f) { worst = max(worst, bitcast<vec4u>(value) & vec4u(0x7fffffff)); }
fn check_one(value: f32) { worst.x = max(worst.x, bitcast<u32>(value) & 0x7fffffff); }

fn report(row: u32, bits: vec4u) {
  if (!any(bits > vec4u(0x57800000))) { return; }
  let bad = atomicLoad(&metrics[0]);
  if (row == 0 || (bad != 0 && bad != step.step)) { return; }
  atomicStore(&metrics[0], step.step);
  atomicMax(&metrics[1], row);
}

fn settle() { report(gradient_row.x, worst); }
