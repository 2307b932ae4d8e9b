// dX[b, iy, ix, c] = the sum of dY over the windows that chose this position, then the epilogue.
// A gather: no two threads write one number. A thread for each input position and each channel, or four (VECTOR).
${EPILOGUE}
${CHECK}

override LANES: u32;  // channels, or channels / 4

@group(0) @binding(0) var<storage, read> dy: array<V>;  // [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> tap: array<W>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> dx: array<V>;  // [B, H, W, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * HEIGHT * WIDTH * LANES) { return; }
  let lane = i % LANES;
  let ix = i / LANES % WIDTH + PAD_LEFT;
  let iy = i / (LANES * WIDTH) % HEIGHT + PAD_TOP;
  let image = i / (LANES * WIDTH * HEIGHT);

  // The windows that reach this position: oy * stride <= iy < oy * stride + kernel.
  let first_y = (max(iy + STRIDE_HEIGHT, KERNEL_HEIGHT) - KERNEL_HEIGHT) / STRIDE_HEIGHT;
  let first_x = (max(ix + STRIDE_WIDTH, KERNEL_WIDTH) - KERNEL_WIDTH) / STRIDE_WIDTH;
  var sum = V(0);
  for (var oy = first_y; oy < OUT_HEIGHT && oy * STRIDE_HEIGHT <= iy; oy++) {
    for (var ox = first_x; ox < OUT_WIDTH && ox * STRIDE_WIDTH <= ix; ox++) {
      let at = ((image * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * LANES + lane;
      let mine = (iy - oy * STRIDE_HEIGHT) * KERNEL_WIDTH + ix - ox * STRIDE_WIDTH;
      sum += select(V(0), dy[at], tap[at] == W(mine));
    }
  }
#if ${VECTOR}
  let value = epilogue(sum, i * 4, lane * 4);
  check(value);
#else
  let value = epilogue(sum, i, lane);
  check_one(value);
#endif
  settle();
  dx[i] = value;
}
