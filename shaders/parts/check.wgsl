// A gradient is asked where it is stored. `metrics` begins with the status: the first bad step, 1 + the row of its tensor, the
// step under way. Of several tensors the one with the highest row is named, so that no race decides.
fn report(row: u32) {
  let bad = atomicLoad(&metrics[0]);
  let now = atomicLoad(&metrics[2]);
  if (row == 0 || (bad != 0 && bad != now)) { return; }
  atomicStore(&metrics[0], now);
  atomicMax(&metrics[1], row);
}

fn check(value: vec4f) { if (any(beyond(value))) { report(gradient_row.x); } }
fn check_one(value: f32) { if (beyond(vec4f(value)).x) { report(gradient_row.x); } }
