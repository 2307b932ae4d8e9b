// Images under a filter for each channel, and both ways back; a thread makes a strip of a line of results, and reads each pixel of a row once:
//   C[b, oy, ox, c] = the sum of A[b, iy, ix, c] W[ky, kx, c] over the taps of the window that lie in the image;
//   BACK: C[b, iy, ix, c] = the sum of dY[b, oy, ox, c] W[ky, kx, c] over the windows that see this pixel under that tap;
//   FILTER: C[s, ky, kx, c] = the sum of A[b, iy, ix, c] dY[b, oy, ox, c] over the positions in the strips of part s.
// No two threads write one number. PRODUCTS holds which pixel and which number of B, counted from the first ones of both strips, meet in
// which result. Beside a line of pixels there are zeros.

override BACK: bool;
override IMAGES: u32;  // of results: B, or parts
override DOWN: u32;  // lines of such an image
override ACROSS: u32;  // results of a line
override OTHERS: u32;  // numbers of a line of B

@group(0) @binding(0) var<storage, read> a: array<V>;  // [B, H, W, C]; BACK: dY, [B, OH, OW, C]
@group(0) @binding(1) var<storage, read> b: array<V>;  // [kh, kw, C]; FILTER: dY, [B, OH, OW, C]
@group(0) @binding(2) var<storage, read_write> c: array<V>;  // [B, OH, OW, C]; BACK: [B, H, W, C]; FILTER: [parts, kh, kw, C]

// Left of a line the column wraps round to one beyond.
fn pixel(line: u32, column: u32, at: vec4u) -> V {
  let width = select(WIDTH, OUT_WIDTH, BACK);
  let inside = column < width;
  return select(V(), a[select(0, (line * width + column) * LANES + at.x, inside)], inside);
}
fn other(line: u32, column: u32, at: vec4u) -> V {
  let inside = column < OTHERS;
  return select(V(), b[select(0, (line * OTHERS + column) * LANES + at.x, inside)], inside);
}

fn put(value: V, at: vec4u, j: u32) {
  let column = at.y * ${STRIP}u + j;
  let i = ((at.w * DOWN + at.z) * ACROSS + column) * LANES + at.x;
  if (column < ACROSS) { c[i] = ended(value, i); }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.y * groups.x * 64 + id.x;
  let at = place(i, (ACROSS + ${STRIP}u - 1) / ${STRIP}u, DOWN);
  if (at.w >= IMAGES) { return; }
  let begin = at.y * ${STRIP}u;
  ${SUMS}
#if ${FILTER}
  let strips = (OTHERS + ${OTHER}u - 1) / ${OTHER}u;
  let all = BATCH * OUT_HEIGHT * strips;
  let height = (all + IMAGES - 1) / IMAGES;
  let end = min(all, (at.w + 1) * height);
  for (var k = at.w * height; k < end; k++) {
    let row = k / strips;
    let iy = row % OUT_HEIGHT * STRIDE_HEIGHT + at.z - PAD_TOP;
    if (iy >= HEIGHT) { continue; }
    let line = row / OUT_HEIGHT * HEIGHT + iy;
    let start = k % strips * ${OTHER}u;
    let first = start * STRIDE_WIDTH + begin - PAD_LEFT;
    ${PRODUCTS}
  }
#else
  let rows = select(rows_seen(at.z), rows_seeing(at.z), BACK);
  for (var y = rows.x; y < rows.y; y++) {
    let line = at.w * select(HEIGHT, OUT_HEIGHT, BACK) + y;
    let row = PAD_TOP + select(y - at.z * STRIDE_HEIGHT, at.z - y * STRIDE_HEIGHT, BACK);
    let start = 0u;
    let first = select(begin * STRIDE_WIDTH - PAD_LEFT, begin / STRIDE_WIDTH, BACK);
    ${PRODUCTS}
  }
#endif
  ${RESULTS}
}
