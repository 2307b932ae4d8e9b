// C[b, oy, ox, c] = the sum of A[b, iy, ix, c] W[ky, kx, c] over the taps of the window that lie in the image, then the epilogue.
@group(0) @binding(0) var<storage, read> a: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // [kh, kw, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [B, OH, OW, C]

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
      let tap = (iy + PAD_TOP - at.z * STRIDE_HEIGHT) * KERNEL_WIDTH + ix + PAD_LEFT - at.y * STRIDE_WIDTH;
      sum += a[((at.w * HEIGHT + iy) * WIDTH + ix) * LANES + at.x] * b[tap * LANES + at.x];
    }
  }
  c[i] = ended(sum, i);
}
