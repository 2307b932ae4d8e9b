// dX[b, iy, ix, c] = the sum of dY over the windows that chose this position, then the epilogue.
// No two threads write one number: each gathers for its own, or, where windows lie APART, gives all that its window sees.
@group(0) @binding(0) var<storage, read> dy: array<V>;  // [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> tap: array<W>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
#if ${APART}
  // Behind the last there may be a part of the image that no window sees.
  let tall = (HEIGHT + PAD_TOP + STRIDE_HEIGHT - 1) / STRIDE_HEIGHT;
  let wide = (WIDTH + PAD_LEFT + STRIDE_WIDTH - 1) / STRIDE_WIDTH;
  if (i >= BATCH * tall * wide * LANES) { return; }
  let at = place(i, wide, tall);
  let is_window = at.z < OUT_HEIGHT && at.y < OUT_WIDTH;
  let there = select(0, ((at.w * OUT_HEIGHT + at.z) * OUT_WIDTH + at.y) * LANES + at.x, is_window);
  let value = select(V(0), dy[there], is_window);
  let chosen = tap[there];
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
      let iy = at.z * STRIDE_HEIGHT + ky - PAD_TOP;
      let ix = at.y * STRIDE_WIDTH + kx - PAD_LEFT;
      if (iy < HEIGHT && ix < WIDTH) {
        let own = ((at.w * HEIGHT + iy) * WIDTH + ix) * LANES + at.x;
        dx[own] = ended(select(V(0), value, chosen == W(ky * KERNEL_WIDTH + kx)), own);
      }
    }
  }
#else
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
#endif
}
