// What follows an update of mixed precision: a step whose gradients left the range of f16 was not made, and halves the scale; after
// INTERVAL steps in a row that were made it doubles. At the floor a bad gradient is one: the status stays, and training ends with it.
struct Scale {
  doublings: f32,  // of what it began with: 0 at the start
  good: f32,       // steps in a row that were made
  skipped: f32,    // steps that were not
  rest: f32,
}

override FLOOR: f32;     // doublings, as the next
override CEILING: f32;
override INTERVAL: f32;  // steps

@group(0) @binding(0) var<storage, read_write> metrics: array<vec4u>;  // [1 + slots]; the status in front
@group(0) @binding(1) var<storage, read_write> loss_scale: array<Scale>;  // [1]

@compute @workgroup_size(1)
fn main() {
  var scale = loss_scale[0];
  let status = metrics[0];
  if (status.x == 0) {
    scale.good += 1;
    if (scale.good >= INTERVAL) {
      scale.good = 0;
      scale.doublings = min(scale.doublings + 1, CEILING);
    }
  } else {
    // A step before this one, or a loss that is no number, is nothing that another scale would mend.
    if (status.x != status.z || status.y == 0xffffffff || scale.doublings <= FLOOR) { return; }
    scale.good = 0;
    scale.skipped += 1;
    scale.doublings -= 1;
    metrics[0] = vec4u(0, 0, status.zw);
  }
  loss_scale[0] = scale;
}
