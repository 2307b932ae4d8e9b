// dX[b, iy, ix, c] = the sum of dY over the windows that chose this position, then the epilogue.
// A gather: no two threads write one number.
@group(0) @binding(0) var<storage, read> dy: array<V>;  // [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> tap: array<W>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * HEIGHT * WIDTH * LANES) { return; }
  let at = place(i, WIDTH, HEIGHT);
  let rows = rows_seeing(at.z);
  let columns = columns_seeing(at.y);

  var sum = V(0);
  for (var oy = rows.x; oy < rows.y; oy++) {
    for (var ox = columns.x; ox < columns.y; ox++) {
      let there = ((at.w * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * LANES + at.x;
      let mine = (at.z + PAD_TOP - oy * STRIDE_HEIGHT) * KERNEL_WIDTH + at.y + PAD_LEFT - ox * STRIDE_WIDTH;
      sum += select(V(0), dy[there], tap[there] == W(mine));
    }
  }
  dx[i] = ended(sum, i);
}
