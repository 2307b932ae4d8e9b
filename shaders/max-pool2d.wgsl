// Y[b, oy, ox, c] = the largest X[b, iy, ix, c] of the window, and the tap ky * KERNEL_WIDTH + kx that it came from.
// Of equal values the first counts, and NaN above all. A thread for each output position and each channel, or four channels (VECTOR).
#if ${VECTOR}
alias V = vec4f;
alias W = vec4u;
#else
alias V = f32;
alias W = u32;
#endif

override LANES: u32;  // channels, or channels / 4

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> tap: array<W>;  // [B, OH, OW, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * OUT_HEIGHT * OUT_WIDTH * LANES) { return; }
  let lane = i % LANES;
  let ox = i / LANES % OUT_WIDTH;
  let oy = i / (LANES * OUT_WIDTH) % OUT_HEIGHT;
  let image = i / (LANES * OUT_WIDTH * OUT_HEIGHT);

  var best = V(-3.4028234e38);
  var chosen = W(0);
  // The last NaN, found by its bits, for compilers may assume that there is none.
  var nan = W(0);
  var nan_tap = W(0);
  var found = false;
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let iy = i32(oy * STRIDE_HEIGHT + ky) - i32(PAD_TOP);
    for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
      let ix = i32(ox * STRIDE_WIDTH + kx) - i32(PAD_LEFT);
      if (iy < 0 || iy >= i32(HEIGHT) || ix < 0 || ix >= i32(WIDTH)) { continue; }
      let value = x[((image * HEIGHT + u32(iy)) * WIDTH + u32(ix)) * LANES + lane];
      // The first tap inside the image is taken as it is, so that the choice never falls on the padding.
      let larger = value > best;
      best = select(select(best, value, larger), value, !found);
      chosen = select(select(chosen, W(ky * KERNEL_WIDTH + kx), larger), W(ky * KERNEL_WIDTH + kx), !found);
      found = true;
      let bits = bitcast<W>(value);
      let is_nan = (bits & W(0x7fffffff)) > W(0x7f800000);
      nan = select(nan, bits, is_nan);
      nan_tap = select(nan_tap, W(ky * KERNEL_WIDTH + kx), is_nan);
    }
  }
  y[i] = select(best, bitcast<V>(nan), nan != W(0));
  tap[i] = select(chosen, nan_tap, nan != W(0));
}
