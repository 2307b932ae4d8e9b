// Y[b, oy, ox, c] = the largest X[b, iy, ix, c] of the window, then the epilogue; and the tap ky * KERNEL_WIDTH + kx that it came
// from. Of equal values the first counts, and NaN above all. Windows that are small and lie INSIDE the image are written out tap by tap.
override RECTIFIED: bool;  // Whether 0, which is no tap, counts beside the window: the largest of what relu gives.

@group(0) @binding(0) var<storage, read> x: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read_write> y: array<V>;  // [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> tap: array<W>;  // [B, OH, OW, C]

struct Seen {
  best: V,
  chosen: W,
  // The last NaN, found by its bits, for compilers may assume that there is none.
  nan: W,
  nan_tap: W,
}

// The first is taken as it is: it may be -infinity.
fn with_tap(seen: Seen, value: V, tap: W, is_first: bool) -> Seen {
  let larger = value > seen.best;
  let bits = bitcast<W>(value);
  let is_nan = (bits & W(0x7fffffff)) > W(0x7f800000);
  return Seen(
    select(select(seen.best, value, larger), value, is_first),
    select(select(seen.chosen, tap, larger), tap, is_first),
    select(seen.nan, bits, is_nan),
    select(seen.nan_tap, tap, is_nan),
  );
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= BATCH * OUT_HEIGHT * OUT_WIDTH * LANES) { return; }
  let at = place(i, OUT_WIDTH, OUT_HEIGHT);

  var seen = Seen(
    select(V(-3.4028234e38), V(0), RECTIFIED), select(W(0), W(0xffffffff), RECTIFIED), W(0), W(0));
#if ${INSIDE}
  let begin = ((at.w * HEIGHT + at.z * STRIDE_HEIGHT) * WIDTH + at.y * STRIDE_WIDTH) * LANES + at.x;
  ${TAPS}
#else
  let rows = rows_seen(at.z);
  let columns = columns_seen(at.y);
  var found = RECTIFIED;
  for (var iy = rows.x; iy < rows.y; iy++) {
    for (var ix = columns.x; ix < columns.y; ix++) {
      let value = x[((at.w * HEIGHT + iy) * WIDTH + ix) * LANES + at.x];
      let mine = W((iy + PAD_TOP - at.z * STRIDE_HEIGHT) * KERNEL_WIDTH + ix + PAD_LEFT - at.y * STRIDE_WIDTH);
      seen = with_tap(seen, value, mine, !found);
      found = true;
    }
  }
#endif
  let is_lost = seen.nan != W(0);
  y[i] = ended(select(seen.best, bitcast<V>(seen.nan), is_lost), i);
  tap[i] = select(seen.chosen, seen.nan_tap, is_lost);
}
