// Y[b, oy, ox, c] = the mean of those X[b, iy, ix, c] of the window that lie in the image, then the epilogue.
override COUNT_PADDING: bool;  // whether zeros around the image count too

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;  // [B, OH, OW, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * OUT_HEIGHT * OUT_WIDTH * LANES) { return; }
  let at = place(i, OUT_WIDTH, OUT_HEIGHT);
  let rows = rows_seen(at.z);
  let columns = columns_seen(at.y);
  var sum = V(0);
  for (var iy = rows.x; iy < rows.y; iy++) {
    for (var ix = columns.x; ix < columns.y; ix++) {
      sum += x[((at.w * HEIGHT + iy) * WIDTH + ix) * LANES + at.x];
    }
  }
  y[i] = ended(sum / f32(select((rows.y - rows.x) * (columns.y - columns.x), KERNEL_HEIGHT * KERNEL_WIDTH, COUNT_PADDING)), i);
}
