// dX[b, iy, ix, c] = the sum, over the windows that see this position, of dY / how many positions they see; then the epilogue.
// A gather: no two threads write one number.
override COUNT_PADDING: bool;  // whether zeros around the image count too

@group(0) @binding(0) var<storage, read> dy: array<V>;  // [B, OH, OW, C]
@group(0) @binding(1) var<storage, read_write> dx: array<V>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * HEIGHT * WIDTH * LANES) { return; }
  let at = place(i, WIDTH, HEIGHT);
  let rows = rows_seeing(at.z);
  let columns = columns_seeing(at.y);
  var sum = V(0);
  for (var oy = rows.x; oy < rows.y; oy++) {
    let seen = rows_seen(oy);
    for (var ox = columns.x; ox < columns.y; ox++) {
      let across = columns_seen(ox);
      let count = select((seen.y - seen.x) * (across.y - across.x), KERNEL_HEIGHT * KERNEL_WIDTH, COUNT_PADDING);
      sum += dy[((at.w * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * LANES + at.x] / f32(count);
    }
  }
  dx[i] = ended(sum, i);
}
