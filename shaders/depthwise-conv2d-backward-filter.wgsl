// C[s, ky, kx, c] = the sum of A[b, iy, ix, c] dY[b, oy, ox, c] over those positions of part s whose window has this tap in the image,
// in order and in blocks: a long sum of equal numbers loses digits.
const LONG = 256u;

override SPLITS: u32;

@group(0) @binding(0) var<storage, read> a: array<V>;  // [B, H, W, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // dY, [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [SPLITS, kh, kw, C]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  if (i >= SPLITS * KERNEL_HEIGHT * KERNEL_WIDTH * LANES) { return; }
  let at = place(i, KERNEL_WIDTH, KERNEL_HEIGHT);
  let positions = BATCH * OUT_HEIGHT * OUT_WIDTH;
  let height = (positions + SPLITS - 1) / SPLITS;
  let end = min(positions, (at.w + 1) * height);
  var total = V(0);
  for (var begin = at.w * height; begin < end; begin += LONG) {
    var sum = V(0);
    for (var o = begin; o < min(end, begin + LONG); o++) {
      // Above and left of the image the difference wraps round to a number beyond it.
      let iy = o / OUT_WIDTH % OUT_HEIGHT * STRIDE_HEIGHT + at.z - PAD_TOP;
      let ix = o % OUT_WIDTH * STRIDE_WIDTH + at.y - PAD_LEFT;
      if (iy < HEIGHT && ix < WIDTH) {
        sum += a[((o / (OUT_WIDTH * OUT_HEIGHT) * HEIGHT + iy) * WIDTH + ix) * LANES + at.x] * b[o * LANES + at.x];
      }
    }
    total += sum;
  }
  c[i] = ended(total, i);
}
