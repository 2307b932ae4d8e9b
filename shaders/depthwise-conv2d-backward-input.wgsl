// C[b, iy, ix, c] = the sum of dY[b, oy, ox, c] W[ky, kx, c] over the windows that see this pixel under that tap, then the epilogue.
// A gather: no two threads write one number.
@group(0) @binding(0) var<storage, read> a: array<V>;  // dY, [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // [kh, kw, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [B, H, W, C]

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
      let tap = (at.z + PAD_TOP - oy * STRIDE_HEIGHT) * KERNEL_WIDTH + at.y + PAD_LEFT - ox * STRIDE_WIDTH;
      sum += a[((at.w * OUT_HEIGHT + oy) * OUT_WIDTH + ox) * LANES + at.x] * b[tap * LANES + at.x];
    }
  }
  c[i] = ended(sum, i);
}
