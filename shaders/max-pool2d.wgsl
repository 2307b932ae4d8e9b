// Y[b, oy, ox, c] = the largest X[b, iy, ix, c] of the window, then the epilogue; and the tap ky * KERNEL_WIDTH + kx that it came
// from. Of equal values the first counts, and NaN above all.
override RECTIFIED: bool;  // Whether 0, which is no tap, counts beside the window: the largest of what relu gives.

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> tap: array<W>;  // [B, OH, OW, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * OUT_HEIGHT * OUT_WIDTH * LANES) { return; }
  let at = place(i, OUT_WIDTH, OUT_HEIGHT);
  let rows = rows_seen(at.z);
  let columns = columns_seen(at.y);

  var best = select(V(-3.4028234e38), V(0), RECTIFIED);
  var chosen = select(W(0), W(0xffffffff), RECTIFIED);
  // The last NaN, found by its bits, for compilers may assume that there is none.
  var nan = W(0);
  var nan_tap = W(0);
  var found = RECTIFIED;
  for (var iy = rows.x; iy < rows.y; iy++) {
    for (var ix = columns.x; ix < columns.y; ix++) {
      let value = x[((at.w * HEIGHT + iy) * WIDTH + ix) * LANES + at.x];
      let mine = W((iy + PAD_TOP - at.z * STRIDE_HEIGHT) * KERNEL_WIDTH + ix + PAD_LEFT - at.y * STRIDE_WIDTH);
      // The first is taken as it is: it may be -infinity.
      let larger = value > best;
      best = select(select(best, value, larger), value, !found);
      chosen = select(select(chosen, mine, larger), mine, !found);
      found = true;
      let bits = bitcast<W>(value);
      let is_nan = (bits & W(0x7fffffff)) > W(0x7f800000);
      nan = select(nan, bits, is_nan);
      nan_tap = select(nan_tap, mine, is_nan);
    }
  }
  y[i] = ended(select(best, bitcast<V>(nan), nan != W(0)), i);
  tap[i] = select(chosen, nan_tap, nan != W(0));
}
